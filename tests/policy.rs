//! What may stand in the dependency tree: `tests/policy/dependencies.json` says it, with reasons.
//!
//! Names, versions and sources are those of Cargo.lock, which covers every platform; licences come from
//! `cargo metadata`, offline, which knows only what this platform needs. Advisories need a database from the
//! network and are therefore no test.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    banned: BTreeMap<String, String>,
    banned_direct: BTreeMap<String, String>,
    one_version: Vec<String>,
    licences: BTreeSet<String>,
}

struct Package {
    name: String,
    version: String,
    /// None: the package lies in this repository.
    source: Option<String>,
}

fn policy() -> Policy {
    serde_json::from_str(include_str!("policy/dependencies.json")).unwrap()
}

/// The packages of a Cargo.lock, whose form is fixed enough to read by lines.
fn locked(lock: &str) -> Vec<Package> {
    let field = |block: &str, name: &str| {
        let start = format!("{name} = \"");
        block.lines().find_map(|line| Some(line.strip_prefix(&start)?.strip_suffix('"')?.to_owned()))
    };
    lock.split("[[package]]")
        .skip(1)
        .map(|block| Package {
            name: field(block, "name").unwrap(),
            version: field(block, "version").unwrap(),
            source: field(block, "source"),
        })
        .collect()
}

fn lock_problems(policy: &Policy, lock: &str) -> Vec<String> {
    let packages = locked(lock);
    let mut problems = Vec::new();
    for package in &packages {
        if let Some(why) = policy.banned.get(&package.name) {
            problems.push(format!("{} is banned: {why}", package.name));
        }
        match &package.source {
            None if package.name == "exorun" => {}
            None => problems.push(format!("{} comes from a folder, not from the registry", package.name)),
            Some(source) if source.starts_with("registry+") => {}
            Some(source) => {
                problems.push(format!("{} comes from {source}, not from the registry", package.name))
            }
        }
    }
    let sources: BTreeSet<_> = packages.iter().filter_map(|package| package.source.as_deref()).collect();
    if sources.len() > 1 {
        problems.push(format!("there is more than one source: {sources:?}"));
    }
    for name in &policy.one_version {
        let versions: Vec<_> = packages
            .iter()
            .filter(|package| package.name == *name)
            .map(|package| package.version.as_str())
            .collect();
        if versions.len() != 1 {
            problems.push(format!("{name} wants exactly one version, found {versions:?}"));
        }
    }
    problems
}

fn metadata_problems(policy: &Policy, metadata: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        match package["license"].as_str() {
            Some(licence) if allowed(licence, &policy.licences) => {}
            licence => {
                problems.push(format!("{name}: licence {} is not in the list", licence.unwrap_or("(none)")))
            }
        }
        if name == "exorun" {
            for dependency in package["dependencies"].as_array().unwrap() {
                let dependency = dependency["name"].as_str().unwrap();
                if let Some(why) = policy.banned_direct.get(dependency) {
                    problems.push(format!("{dependency} is banned as a dependency of ours: {why}"));
                }
            }
        }
    }
    problems
}

/// Whether an SPDX expression can be met with the licences of the list. `/` is the old way to write `OR`.
fn allowed(expression: &str, list: &BTreeSet<String>) -> bool {
    let any = split(expression, &[" OR ", "/"]);
    if any.len() > 1 {
        return any.iter().any(|part| allowed(part, list));
    }
    let all = split(expression, &[" AND "]);
    if all.len() > 1 {
        return all.iter().all(|part| allowed(part, list));
    }
    let one = expression.trim();
    match one.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => allowed(inner, list),
        None => list.contains(one),
    }
}

/// Splits at `separators` that stand outside of parentheses.
fn split<'a>(text: &'a str, separators: &[&str]) -> Vec<&'a str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0);
    for (place, character) in text.char_indices() {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if let Some(separator) =
            separators.iter().find(|separator| depth == 0 && text[place..].starts_with(**separator))
        {
            parts.push(&text[start..place]);
            start = place + separator.len();
        }
    }
    parts.push(&text[start..]);
    parts
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output =
        Command::new(cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_lock_file_keeps_to_the_policy() {
    let problems = lock_problems(&policy(), include_str!("../Cargo.lock"));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn licences_and_direct_dependencies_keep_to_the_policy() {
    let version = cargo(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata =
        cargo(&["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", host]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    assert!(metadata["packages"].as_array().unwrap().len() > 100);
    let problems = metadata_problems(&policy(), &metadata);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_checks_see_planted_mistakes() {
    let package = |name: &str, version: &str, source: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\n\n")
    };
    let good =
        policy().one_version.iter().map(|name| package(name, "1.0.0", "registry+x")).collect::<String>();
    assert_eq!(lock_problems(&policy(), &good), [""; 0]);
    let bad = [
        package("rsa", "0.9.0", "registry+x"),
        package("serde", "2.0.0", "registry+x"),
        package("a", "1.0.0", "git+ssh://x"),
        "[[package]]\nname = \"b\"\nversion = \"1.0.0\"\n".to_owned(),
    ];
    let found = lock_problems(&policy(), &(good + &bad.concat())).join("\n");
    for expected in [
        "rsa is banned: RUSTSEC",
        "serde wants exactly one version, found [\"1.0.0\", \"2.0.0\"]",
        "a comes from git+ssh://x",
        "b comes from a folder",
        "more than one source",
    ] {
        assert!(found.contains(expected), "{expected}: {found}");
    }
    assert!(lock_problems(&policy(), "").join("\n").contains("tokio wants exactly one version, found []"));

    let metadata = serde_json::json!({"packages": [
        {"name": "exorun", "license": "Apache-2.0", "dependencies": [{"name": "chrono"}]},
        {"name": "c", "license": "GPL-3.0-only", "dependencies": []},
        {"name": "d", "license": null, "dependencies": []},
    ]});
    let found = metadata_problems(&policy(), &metadata).join("\n");
    for expected in ["chrono is banned", "c: licence GPL-3.0-only", "d: licence (none)"] {
        assert!(found.contains(expected), "{expected}: {found}");
    }
}

#[test]
fn licence_expressions_are_read_with_their_logic() {
    let list = policy().licences;
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(allowed(good, &list), "{good}");
    }
    for bad in
        ["GPL-3.0", "MIT AND GPL-3.0", "(GPL-3.0 OR MPL-2.0) AND MIT", "", "MIT AND (GPL-3.0 OR AGPL-3.0)"]
    {
        assert!(!allowed(bad, &list), "{bad}");
    }
}
