//! `exorun emulate` and `run --emulate`: the emulator as a program of its own.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::HARDENING;
use super::program::{SHORT_TIMES, ended, shipped, signal};

fn exorun(folder: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exorun"));
    command
        .args(arguments)
        .env_clear()
        .envs(SHORT_TIMES)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Starts an emulator and waits until it serves; `out` is its folder.
async fn emulator(folder: &std::path::Path, arguments: &[&str]) -> Child {
    let mut all = vec!["emulate", "--out", "out"];
    all.extend(arguments);
    let mut child = exorun(folder, &all).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().expect("the emulator ended");
        if line.contains("EMULATED: serving") {
            break;
        }
    }
    // Drained, so that the emulator never meets a closed pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn its_files_are_private_and_a_run_needs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = emulator(folder.path(), &["--mailboxes", "12"]).await;
    let out = folder.path().join("out");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&out), 0o700);
    let mut names: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "ca.pem",
            "client-secret",
            "managed-identity.env",
            "settings.yaml",
            "user-password",
            "verification-code"
        ]
    );
    for name in &names {
        assert_eq!(mode(&out.join(name)), 0o600, "{name}");
    }
    let secret = std::fs::read_to_string(out.join("client-secret")).unwrap();
    let job = shipped(HARDENING);
    let run = [
        "run",
        job.to_str().unwrap(),
        "--settings",
        "out/settings.yaml",
        "--state-dir",
        folder.path().join("state").to_str().unwrap(),
    ]
    .map(str::to_owned);
    let run: Vec<&str> = run.iter().map(String::as_str).collect();
    let run =
        ended(exorun(folder.path(), &run).env("EXORUN_CLIENT_SECRET", secret.trim()).spawn().unwrap()).await;
    run.assert_code(0);
    assert!(run.stdout.starts_with("EMULATED"), "{}", run.stdout);

    signal(&emulator, Signal::TERM);
    ended(emulator).await.assert_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_an_emulator_of_its_own_needs_no_settings_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let job = shipped(HARDENING);
    let run = ["run", job.to_str().unwrap(), "--emulate", "--mailboxes", "12", "--report", "report.json"];
    let run = ended(exorun(folder.path(), &run).spawn().unwrap()).await;
    run.assert_code(0);
    assert!(run.stderr.lines().next().unwrap().contains("EMULATED"), "{}", run.stderr);
    let report = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["peer"], &report["steps"][1]["changed"]), (&"EMULATED".into(), &5.into()));
    assert_eq!(report["sessions"][0]["closed"], "cleanly");

    let run =
        ["run", job.to_str().unwrap(), "--emulate", "--fault", "429:retry_after=0", "--retry-attempts", "2"];
    ended(exorun(folder.path(), &run).spawn().unwrap()).await.assert_code(69);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tenants_roles_and_plan_are_flags() {
    let folder = tempfile::tempdir().unwrap();
    let job = shipped(HARDENING);
    let client = "11111111-2222-3333-4444-555555555555";
    let run = async |flags: &[&str]| {
        let all = [&["run", job.to_str().unwrap(), "--emulate", "--mailboxes", "12"], flags].concat();
        ended(exorun(folder.path(), &all).spawn().unwrap()).await
    };
    run(&["--rate-limit", "9", "--compliance-region", "eur02b"]).await.assert_code(0);
    let reader = format!("{client}=GlobalReader");
    for (flag, value, step) in [("--role", reader.as_str(), "harden"), ("--plan", "eop", "shared")] {
        // A reader can list and not change; protection alone has no mailboxes to list.
        let ended = run(&[flag, value]).await;
        ended.assert_code(1);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            said.contains(&format!("failed: {step}: ")) && said.contains("forbidden (HTTP 403)"),
            "{said}"
        );
    }
    let refused = run(&["--role", "x=Chef"]).await;
    refused.assert_code(64);
    assert!(refused.stderr.contains("there is no role `Chef`"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_used_ends_with_64() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let run = ended(exorun(folder.path(), &["emulate", "--out", "file"]).spawn().unwrap()).await;
    run.assert_code(64);
    assert!(run.stderr.contains("--out file: "), "{}", run.stderr);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = ["emulate", "--out", "out", "--login-port", &port];
    let run = ended(exorun(folder.path(), &run).spawn().unwrap()).await;
    run.assert_code(64);
    assert!(run.stderr.contains("the emulator cannot be started"), "{}", run.stderr);
}
