//! Arrows between rooms point one way, and what a room must not do it does not do.
//!
//! This reads the source, because the compiler lets any module of a crate use any other. When a new arrow is right,
//! add it to the table here and to the picture in `src/ARCHITECTURE.md`, in one commit.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/source.rs"]
mod source;

use std::path::{Path, PathBuf};

use source::{code_only, root_paths};

/// Which room may use which: a room, or one module of it (`rules::time`).
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["cli", "app", "settings", "observe", "exit", "clocks"]),
    (
        "cli",
        &[
            "app", "runner", "emulator", "settings", "observe", "spec", "catalog", "rules", "slots",
            "history", "exit", "clocks",
        ],
    ),
    // The composition root: it makes every part and hands it to the next.
    (
        "app",
        &[
            "scheduler",
            "history",
            "doctor",
            "runner",
            "session",
            "exchange",
            "signin",
            "slots",
            "secrets",
            "recording",
            "emulator",
            "net",
            "settings",
            "observe",
            "spec",
            "catalog",
            "rules",
            "exit",
            "clocks",
        ],
    ),
    // What a run's parts are worth, one by one: it uses them and no run.
    (
        "doctor",
        &[
            "session",
            "exchange",
            "signin",
            "slots",
            "secrets",
            "recording",
            "observe",
            "spec",
            "catalog",
            "rules",
            "exit",
            "clocks",
        ],
    ),
    ("scheduler", &["history", "runner", "observe", "spec", "catalog", "rules", "exit", "clocks"]),
    ("history", &["rules", "clocks"]),
    (
        "runner",
        &["session", "exchange", "signin", "slots", "observe", "spec", "catalog", "rules", "exit", "clocks"],
    ),
    (
        "session",
        &["exchange", "signin", "slots", "secrets", "observe", "spec", "catalog", "rules", "exit", "clocks"],
    ),
    ("exchange", &["recording", "observe", "spec", "catalog", "rules", "exit", "clocks"]),
    ("signin", &["secrets", "recording", "observe", "spec", "catalog", "rules", "exit", "clocks"]),
    ("recording", &["spec", "catalog", "rules", "clocks"]),
    ("slots", &["spec", "catalog", "rules", "exit", "clocks"]),
    ("secrets", &["observe", "spec", "catalog", "rules", "exit", "clocks"]),
    // Parts get plain values, not the settings, so that a test of a part needs none.
    ("settings", &["observe", "rules::duration", "rules::profile", "rules::proxy", "exit", "clocks"]),
    ("observe", &["net", "rules::time", "rules::causes", "rules::withheld", "exit", "clocks"]),
    // An emulator built from the client's types would agree with the client's mistakes.
    ("emulator", &["catalog", "net", "clocks"]),
    ("net", &["rules::time", "clocks"]),
    ("spec", &["catalog", "rules::duration", "rules::quantity", "rules::schedule"]),
    ("catalog", &[]),
    ("rules", &[]),
    ("clocks", &["rules::time", "rules::duration"]),
    ("exit", &[]),
];

/// What must not stand in the code of a folder: the pattern, where it is looked for, where it is allowed, why.
struct Ban {
    pattern: &'static str,
    under: &'static str,
    except: &'static [&'static str],
    why: &'static str,
}

const fn rules_ban(pattern: &'static str) -> Ban {
    Ban {
        pattern,
        under: "src/rules",
        except: &[],
        why: "rules are pure: no await, no clock, no I/O, no random source",
    }
}

const fn print_ban(pattern: &'static str) -> Ban {
    Ban {
        pattern,
        under: "src",
        except: &["src/main.rs", "src/cli"],
        why: "it panics on a closed pipe and bypasses the log's escaping; use tracing, or write to what the caller gave",
    }
}

const BANS: &[Ban] = &[
    rules_ban("async "),
    rules_ban(".await"),
    rules_ban("now()"),
    rules_ban("std::fs"),
    rules_ban("std::env"),
    rules_ban("std::net"),
    rules_ban("std::thread"),
    rules_ban("tokio::"),
    rules_ban("reqwest::"),
    rules_ban("rand::"),
    rules_ban("Uuid::new_v4"),
    print_ban("println!"),
    print_ban("eprintln!"),
    print_ban("print!"),
    print_ban("eprint!"),
    Ban {
        pattern: "process::exit",
        under: "src",
        except: &[],
        why: "return an Exit; exiting skips the disconnects",
    },
    Ban {
        pattern: "process::abort",
        under: "src",
        except: &[],
        why: "return an Exit; aborting skips the disconnects",
    },
    Ban { pattern: "unsafe ", under: "src", except: &[], why: "nothing here needs it" },
    Ban {
        pattern: "env::var",
        under: "src",
        except: &["src/settings", "src/secrets", "src/runner/fault_points.rs"],
        why: "settings come checked from Settings, credentials from a SecretSource",
    },
];

/// The room of a file under `src`, and how many modules below the crate's root the file is.
fn room(file: &Path) -> (String, usize) {
    let parts: Vec<String> = file
        .with_extension("")
        .components()
        .skip(1)
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .filter(|part| part != "mod")
        .collect();
    (parts.first().cloned().unwrap_or_default(), parts.len())
}

/// Everything that is wrong in the file `file` (a path from the package's root) with the content `text`.
fn problems(file: &Path, text: &str) -> Vec<String> {
    let code = code_only(text);
    let (room, depth) = room(file);
    let mut problems = Vec::new();
    let mut report = |line: usize, what: String| problems.push(format!("{}:{line}: {what}", file.display()));
    if room != "lib" {
        let arrows = ARROWS.iter().find(|(from, _)| *from == room).map(|(_, to)| *to);
        let Some(arrows) = arrows else {
            report(1, format!("room `{room}` has no row in the table of arrows"));
            return problems;
        };
        let root = if room == "main" { "exorun" } else { "crate" };
        for found in root_paths(&code, root, depth) {
            let to = found.path.split("::").next().unwrap_or_default();
            let allowed = arrows
                .iter()
                .any(|arrow| found.path == *arrow || found.path.starts_with(&format!("{arrow}::")));
            if to != room && !allowed {
                report(found.line, format!("`{room}` must not use `{}`", found.path));
            }
        }
    }
    for ban in BANS {
        if !file.starts_with(ban.under) || ban.except.iter().any(|except| file.starts_with(except)) {
            continue;
        }
        for (index, line) in code.lines().enumerate() {
            let starts = |at: usize| {
                !line[..at].ends_with(|character: char| character.is_alphanumeric() || character == '_')
            };
            let whole = |at: usize| !ban.pattern.starts_with(char::is_alphabetic) || starts(at);
            if line.match_indices(ban.pattern).any(|(at, _)| whole(at)) {
                report(index + 1, format!("`{}`: {}", ban.pattern.trim(), ban.why));
            }
        }
    }
    problems
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_file_keeps_to_the_arrows_and_bans() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&package.join("src"), &mut files);
    assert!(files.len() >= ARROWS.len(), "only {} files were found", files.len());
    let all: Vec<String> = files
        .iter()
        .flat_map(|file| {
            problems(file.strip_prefix(package).unwrap(), &std::fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn the_arrows_have_no_circle() {
    // Each round takes away the rooms that use nobody who is left; what cannot be taken away stands in a circle.
    let mut left: Vec<_> = ARROWS.to_vec();
    loop {
        let names: Vec<&str> = left.iter().map(|(name, _)| *name).collect();
        let before = left.len();
        // `rules` uses nobody, so that `clocks` may name one module of it.
        left.retain(|(_, uses)| uses.iter().any(|to| names.contains(&to.split("::").next().unwrap())));
        if left.is_empty() {
            return;
        }
        assert!(left.len() < before, "in a circle: {names:?}");
    }
}

#[test]
fn the_checker_sees_planted_mistakes() {
    let found = |file: &str, text: &str| problems(Path::new(file), text);
    for (file, text, expected) in [
        (
            "src/exchange/client.rs",
            "use crate::signin::TokenSource;",
            "src/exchange/client.rs:1: `exchange` must not use `signin::TokenSource`",
        ),
        (
            "src/exchange/client.rs",
            "\nfn f() { crate::session::open() }",
            "src/exchange/client.rs:2: `exchange` must not use `session::open`",
        ),
        (
            "src/emulator/mod.rs",
            "use crate::{catalog::CmdletName,\n exchange::{errors::X, Y as Z}};",
            "src/emulator/mod.rs:2: `emulator` must not use `exchange::errors::X`",
        ),
        (
            "src/slots/local.rs",
            "use super::super::runner::Run;",
            "src/slots/local.rs:1: `slots` must not use `runner::Run`",
        ),
        (
            "src/slots/local.rs",
            "mod tests { fn f() {} }\nuse super::super::runner;",
            "src/slots/local.rs:2: `slots` must not use `runner`",
        ),
        ("src/slots/mod.rs", "use super::runner;", "src/slots/mod.rs:1: `slots` must not use `runner`"),
        ("src/runner/a.rs", "use crate as c;", "src/runner/a.rs:1: `runner` must not use `crate as`"),
        (
            "src/clocks.rs",
            "use crate::rules::slots::Slots;",
            "src/clocks.rs:1: `clocks` must not use `rules::slots::Slots`",
        ),
        (
            "src/rules/retry.rs",
            "pub async fn f() {}",
            "src/rules/retry.rs:1: `async`: rules are pure: no await, no clock, no I/O, no random source",
        ),
        (
            "src/rules/retry.rs",
            "let x = Timestamp::now();",
            "src/rules/retry.rs:1: `now()`: rules are pure: no await, no clock, no I/O, no random source",
        ),
        ("src/attic/mod.rs", "", "src/attic/mod.rs:1: room `attic` has no row in the table of arrows"),
        (
            "src/main.rs",
            "fn main() { exorun::runner::run() }",
            "src/main.rs:1: `main` must not use `runner::run`",
        ),
        (
            "src/app.rs",
            "std::process::exit(1)",
            "src/app.rs:1: `process::exit`: return an Exit; exiting skips the disconnects",
        ),
        ("src/app.rs", "unsafe { f() }", "src/app.rs:1: `unsafe`: nothing here needs it"),
        (
            "src/app.rs",
            "std::env::var(name)",
            "src/app.rs:1: `env::var`: settings come checked from Settings, credentials from a SecretSource",
        ),
    ] {
        assert!(found(file, text).contains(&expected.to_owned()), "{text:?} gave {:?}", found(file, text));
    }
    // `println!` is one mistake, not two because it ends like `print!`.
    assert_eq!(found("src/session/mod.rs", "println!(\"x\");").len(), 1);
    assert_eq!(
        found("src/exchange/a.rs", "mod tests {\n use super::super::signin;\n}"),
        [""; 0],
        "one deeper is still inside"
    );
}

#[test]
fn the_checker_lets_comments_strings_and_good_arrows_through() {
    for (file, text) in [
        (
            "src/exchange/client.rs",
            "/// See [`crate::session`].\nuse crate::{catalog::CmdletName, rules};\nuse super::errors;",
        ),
        (
            "src/exchange/client.rs",
            "let a = \"crate::session::X\"; let b = r#\"crate::session \"X\"#; /* crate::session /* */ unsafe { */",
        ),
        ("src/exchange/client.rs", "fn f<'a>(x: &'a str) -> char { '\"' } // \" crate::session\n"),
        ("src/clocks.rs", "use crate::rules::time::BootTime;"),
        ("src/rules/slots.rs", "use super::time::BootTime; fn f(now: BootTime) { brand::x(); }"),
        ("src/cli/run.rs", "println!(\"x\"); use crate::app::App;"),
        ("src/main.rs", "use exorun::cli; fn main() { eprintln!(\"x\") }"),
        ("src/lib.rs", "pub mod cli;"),
    ] {
        assert_eq!(problems(Path::new(file), text), [""; 0], "{text}");
    }
}
