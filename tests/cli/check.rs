//! `exorun check`: many files, strange files, and each form of the result.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::components;
use super::program::{Ended, Tenant, ended};

/// A right job called `name`.
fn job(name: &str) -> String {
    format!(
        "version: 1\nname: {name}\ntenant: contoso.onmicrosoft.com\nauth: {{method: device}}\n\
         steps:\n  - name: a\n    cmdlet: Get-AcceptedDomain\n"
    )
}

/// A right job with a warning: it is due by itself, and a person has to sign in.
fn with_warning(name: &str) -> String {
    job(name) + "schedules:\n  - cron: \"0 2 * * *\"\n    time_zone: Asia/Tokyo\n"
}

/// A folder of files, and what `exorun check` with some arguments says in it.
struct Files(Tenant);

impl Files {
    async fn new(files: &[(&str, &str)]) -> Files {
        let tenant = Tenant::with(1, &[]).await;
        for (name, text) in files {
            let path = tenant.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Files(tenant)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    async fn check(&self, arguments: &[&str]) -> Ended {
        self.0.said(&[&["check"], arguments].concat(), &[]).await
    }

    async fn by_shell(&self, script: &str, arguments: &[&str]) -> Ended {
        let arguments = [&["check"], arguments].concat();
        ended(self.0.by_shell(script, &arguments).spawn().unwrap()).await
    }

    async fn json(&self, arguments: &[&str], code: i32) -> Value {
        let run = self.check(&[&["--format", "json"], arguments].concat()).await;
        run.assert_code(code);
        assert_eq!(run.stderr, "");
        serde_json::from_str(&run.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_files_are_checked_in_the_order_of_their_names() {
    const COUNT: usize = 5_000;
    let files = Files::new(&[]).await;
    for number in 0..COUNT {
        let folder = files.path(&format!("jobs/{:02}", number % 40));
        std::fs::create_dir_all(&folder).unwrap();
        // Some are large, so that the threads do not finish in the order in which they began.
        let comment = "# a comment\n".repeat(if number.is_multiple_of(100) { 20_000 } else { 0 });
        let text = comment + &job(&format!("job-{number}"));
        std::fs::write(folder.join(format!("{number:04}.yaml")), text).unwrap();
    }
    std::fs::write(files.path("jobs/17/bad.yaml"), job("bad").replace("Get-A", "Get-Q")).unwrap();
    let run = files.check(&["jobs"]).await;
    run.assert_code(64);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), COUNT);
    assert!(lines.is_sorted());
    let end = "jobs/17/bad.yaml: 1 error; nothing was connected\n\
               checked 5001 files: 5000 jobs, 1 error, 0 warnings\n";
    assert!(run.stderr.ends_with(end), "{}", run.stderr);
    assert_eq!(files.check(&["jobs"]).await.stdout, run.stdout);

    let json = files.json(&["jobs"], 64).await;
    assert_eq!(json["summary"], json!({ "files": 5001, "jobs": 5000, "errors": 1, "warnings": 0 }));
    assert_eq!(json["files"].as_array().unwrap().len(), COUNT + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_there_once_in_all_files_of_a_call() {
    let two = format!("{}---\n{}", job("other"), job("same"));
    let bad = job("same").replace("Get-A", "Get-Q");
    let files = Files::new(&[("a.yaml", &job("same")), ("b.yaml", &two), ("c.yaml", &bad)]).await;
    let run = files.check(&["."]).await;
    run.assert_code(64);
    // The second file has its error below a right job, and the third besides one of its own.
    insta::assert_snapshot!(run.stderr + &run.stdout);
    files.check(&["b.yaml"]).await.assert_code(0);
    files.check(&["a.yaml", "./a.yaml"]).await.assert_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_strange_files_end_the_check_with_words() {
    let files = Files::new(&[("jobs/a.yaml", &job("a")), ("empty/readme.md", "")]).await;
    symlink(".", files.path("jobs/loop")).unwrap();
    symlink("a.yaml", files.path("jobs/same.yaml")).unwrap();
    let run = files.check(&["jobs", "jobs/a.yaml", "jobs/loop"]).await;
    run.assert_code(0);
    assert_eq!(run.stdout, "ok: jobs/a.yaml: job a, 1 step\nchecked 1 file: 1 job, 0 errors, 0 warnings\n");

    symlink("gone.yaml", files.path("jobs/broken.yaml")).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let pipe = files.path("jobs/pipe.yaml");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    symlink("/dev/zero", files.path("jobs/zero.yaml")).unwrap();
    let run = files.check(&["jobs", "empty", "/dev/tty", "none.yaml"]).await;
    run.assert_code(64);
    insta::assert_snapshot!(run.stderr + &run.stdout);
    let json = files.json(&["jobs", "empty"], 64).await;
    assert_eq!(json["summary"], json!({ "files": 1, "jobs": 1, "errors": 4, "warnings": 0 }));
    assert_eq!(json["files"][1]["problems"][0]["title"], "the symbolic link leads to nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_link_leads_to_elsewhere_is_not_quoted() {
    let secret = "canary-of-the-host";
    let host =
        Files::new(&[("secret", secret), ("k.yaml", &format!("{secret}: [")), ("a.yaml", &job("a"))]).await;
    let files = Files::new(&[("jobs/b.yaml", &job("b")), ("text", secret)]).await;
    symlink(host.path("secret"), files.path("jobs/link.yaml")).unwrap();
    symlink(host.path("."), files.path("jobs/folder")).unwrap();
    symlink("../text", files.path("jobs/inside.yaml")).unwrap();
    symlink("jobs/folder", files.path("folder")).unwrap();
    let named = ["jobs/link.yaml", "jobs/folder/k.yaml", "jobs/inside.yaml", "folder/k.yaml"];
    let (link, folder) = (files.path("jobs/link.yaml"), files.path("jobs"));
    let folders = ["jobs", folder.to_str().unwrap()];
    for path in folders.into_iter().chain([link.to_str().unwrap()]).chain(named) {
        let run = files.check(&[path]).await;
        run.assert_code(64);
        let all = run.stderr + &run.stdout;
        assert!(all.contains("a symbolic link leads to it from elsewhere"), "{path}: {all}");
        assert!(!all.contains("canary"), "{path}: {all}");
        let json = files.json(&[path], 64).await.to_string();
        assert!(!json.contains("canary"), "{path}: {json}");
        if !folders.contains(&path) {
            let run = files.0.said(&["run", path], &[]).await;
            run.assert_code(64);
            assert!(!format!("{}{}", run.stderr, run.stdout).contains("canary"), "{path}: {}", run.stderr);
        }
    }
    // A job is one wherever it is, and what is at home is quoted.
    files.check(&["jobs/folder/a.yaml"]).await.assert_code(0);
    let run = host.check(&["secret"]).await;
    assert!(run.stderr.contains(secret), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_named_and_the_rest_is_checked() {
    const TEST: &str = "what may not be read is named and the rest is checked";
    const NOBODY: &str = "65534";
    if !rustix::process::geteuid().is_root() {
        return components::skip(TEST, "only root can become somebody else");
    }
    if !components::has("setpriv", TEST) {
        return;
    }
    let files =
        Files::new(&[("jobs/a.yaml", &job("a")), ("jobs/b.yaml", &job("b")), ("jobs/c/d.yaml", "")]).await;
    let mode = |name: &str, mode: u32| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(files.path(name), mode).unwrap();
    };
    mode("", 0o755);
    std::fs::copy(env!("CARGO_BIN_EXE_exorun"), files.path("exorun")).unwrap();
    mode("exorun", 0o755);
    mode("jobs/b.yaml", 0o600);
    mode("jobs/c", 0o700);
    let script =
        format!("shift; exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups ./exorun \"$@\"");
    let run = files.by_shell(&script, &["jobs"]).await;
    run.assert_code(64);
    assert!(
        run.stderr.contains("error: the file cannot be read: Permission denied (os error 13)\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("error: the folder cannot be read: Permission denied (os error 13)\n"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("--> jobs/b.yaml") && run.stderr.contains("--> jobs/c"), "{}", run.stderr);
    assert_eq!(run.stdout, "ok: jobs/a.yaml: job a, 1 step\n");
    assert!(run.stderr.ends_with("checked 2 files: 1 job, 2 errors, 0 warnings\n"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_one_object_of_the_documented_shape() {
    let files = Files::new(&[
        ("a\u{202e}.yaml", &with_warning("a")),
        ("b.yaml", &job("b").replace("Get-AcceptedDomain", "Get-AcceptedDomian\n    when: x\n    when: y")),
        ("c.yaml", "version: 1\nkind: Connections\nconnections:\n  prod: {tenant: contoso.onmicrosoft.com, auth: {method: device}}\n"),
        ("d.yaml", &(job("d").replace("{method: device}", "{method: device, client_secret: canary-of-the-check}") + "---\n" + &job("a"))),
    ])
    .await;
    let json = files.json(&["."], 64).await;
    // The path is the real one for whoever parses it; the snapshot shall not turn its own text around.
    insta::assert_snapshot!(format!("{json:#}").replace('\u{202e}', "(override)"));
    let run = files.check(&[".", "--format", "json"]).await;
    assert!(!run.stdout.contains("canary") && !run.stdout.contains('\u{202e}'), "{}", run.stdout);
    // One file a line, the first and the last line are the object's.
    assert_eq!(run.stdout.lines().count(), 6, "{}", run.stdout);

    let right = files.json(&["c.yaml"], 0).await;
    let file = json!({ "path": "c.yaml", "jobs": [], "connections": 1, "problems": [] });
    let summary = json!({ "files": 1, "jobs": 0, "errors": 0, "warnings": 0 });
    assert_eq!(right, json!({ "version": 1, "files": [file], "summary": summary }));
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_become_annotations_and_no_text_becomes_a_command() {
    let hostile = job("x")
        .replace("name: x", "name: \"%0A::error::x\\n::stop-commands::t\\n##[add-mask]x\"")
        .replace("Get-AcceptedDomain", "\"::set-env name=A::b\\r\\n::error::\"");
    let files = Files::new(&[
        ("a.yaml", &with_warning("same")),
        ("b,c:d%.yaml", &job("same")),
        ("c\n::error::e.yaml", &hostile),
        ("f\n##[error]g.yaml", &job("g")),
    ])
    .await;
    let run = files.check(&[".", "--format", "github"]).await;
    run.assert_code(64);
    assert_eq!(run.stderr, "");
    insta::assert_snapshot!(run.stdout);
    let (commands, last) = run.stdout.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(last, "checked 4 files: 2 jobs, 3 errors, 1 warning");
    for line in commands.lines() {
        // As the runner reads it: a command it knows, properties without a colon, then the message.
        let (properties, _) = line[2..].split_once("::").unwrap();
        assert!(line.starts_with("::error file=") || line.starts_with("::warning file="), "{line}");
        assert!(!properties.contains(':') && properties.ends_with(",title=exorun check"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_end_with_64_only_if_they_are_denied() {
    let files = Files::new(&[("a.yaml", &with_warning("a"))]).await;
    let run = files.check(&["a.yaml"]).await;
    run.assert_code(0);
    assert!(run.stderr.starts_with("warning: the job is due by itself"), "{}", run.stderr);
    assert!(run.stdout.ends_with("checked 1 file: 1 job, 0 errors, 1 warning\n"), "{}", run.stdout);
    let denied = files.check(&["a.yaml", "--deny-warnings"]).await;
    denied.assert_code(64);
    assert_eq!((denied.stdout, denied.stderr), (run.stdout, run.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_is_a_file_too() {
    let files = Files::new(&[("a.yaml", &job("same"))]).await;
    let run = files.by_shell("exec \"$@\" <a.yaml", &["-", "-"]).await;
    run.assert_code(0);
    assert_eq!(run.stdout, "ok: <stdin>: job same, 1 step\nchecked 1 file: 1 job, 0 errors, 0 warnings\n");
    // A job that comes in twice is two jobs of one name.
    let run = files.by_shell("cat a.yaml | \"$@\"", &["a.yaml", "-"]).await;
    run.assert_code(64);
    assert!(
        run.stderr.contains("--> <stdin>:2:7") && run.stderr.contains("first here: a.yaml:2:7"),
        "{}",
        run.stderr
    );
    let run = files.by_shell("exec \"$@\" </dev/zero", &["-"]).await;
    run.assert_code(64);
    assert!(run.stderr.contains("FILE_BYTES_MAX"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_is_lost_is_a_failure_and_a_closed_pipe_is_none() {
    let files = Files::new(&[("a.yaml", &job("a"))]).await;
    for format in ["human", "json", "github"] {
        let run = files.by_shell("exec \"$@\" >/dev/full", &["a.yaml", "--format", format]).await;
        run.assert_code(1);
        let run = files
            .by_shell(
                "{ \"$@\" || echo \"$?\" >code; } | true; test ! -e code",
                &["a.yaml", "--format", format],
            )
            .await;
        run.assert_code(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_gets_colours_unless_it_wants_none() {
    const TEST: &str = "a terminal gets colours unless it wants none";
    if !components::has("script", TEST) {
        return;
    }
    let bad = job("same").replace("Get-A", "Get-Q");
    let files = Files::new(&[("a.yaml", &job("same")), ("bad.yaml", &bad)]).await;
    let on_terminal = async |prelude: &str| {
        let script = format!("{prelude} exec script -qec \"$1 check a.yaml bad.yaml\" /dev/null");
        let run = files.by_shell(&script, &[]).await;
        run.assert_code(64);
        run.stdout
    };
    let coloured = on_terminal("").await;
    assert_eq!(coloured.matches("\u{1b}[1m\u{1b}[91merror").count(), 2, "{coloured:?}");
    assert!(!on_terminal("NO_COLOR=1").await.contains('\u{1b}'));
    assert!(on_terminal("NO_COLOR=").await.contains('\u{1b}'), "an empty variable asks for nothing");
    let piped = files.check(&["a.yaml", "bad.yaml"]).await;
    assert!(!piped.stderr.contains('\u{1b}'));
}
