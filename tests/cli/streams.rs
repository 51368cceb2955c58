//! Streams that close early: nobody reads any more, and the run still ends as it should.

use tokio::process::Command;

use super::HARDENING;
use super::program::{Ended, Tenant, ended, shipped};

/// Runs `script` in bash; `"$@"` in it is the program with its arguments, `$out` a file for what is kept.
async fn scripted(tenant: &Tenant, script: &str, arguments: &[&str]) -> Ended {
    let program = tenant.exorun(arguments);
    let program = program.as_std();
    let mut shell = Command::new("bash");
    shell
        .args(["-c", script, "bash"])
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("out", tenant.path("kept"))
        .current_dir(tenant.folder.path())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    ended(shell.spawn().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_changes_nothing() {
    for (script, code) in [
        ("\"$@\" 2>\"$out\" | head -1; exit ${PIPESTATUS[0]}", 0),
        ("\"$@\" 2>\"$out\" | true; exit ${PIPESTATUS[0]}", 0),
        ("\"$@\" 2>\"$out\" >&-; exit $?", 0),
        ("\"$@\" 2>&1 >\"$out\" | head -1; exit ${PIPESTATUS[0]}", 0),
        ("\"$@\" 2>&1 >\"$out\" | true; exit ${PIPESTATUS[0]}", 0),
        ("\"$@\" 2>&- >\"$out\"; exit $?", 0),
        ("\"$@\" 2>/dev/full >\"$out\"; exit $?", 0),
        ("\"$@\" 2>&- >&- <&-; exit $?", 0),
    ] {
        let tenant = Tenant::with(30, &[]).await;
        let job = shipped(HARDENING);
        let run = scripted(&tenant, script, &["run", job.to_str().unwrap(), "--report", "report.json"]).await;
        assert_eq!(run.code, Some(code), "{script}\n{}\n{}", run.stdout, run.stderr);
        let kept = std::fs::read_to_string(tenant.path("kept")).unwrap_or_default();
        assert!(!kept.contains("panicked") && !run.stderr.contains("panicked"), "{script}\n{kept}");
        tenant.assert_all_closed();
        let report = std::fs::read_to_string(tenant.path("report.json")).unwrap();
        assert!(report.contains("\"outcome\": \"done\""), "{script}: {report}");
        assert_eq!(tenant.emulator.counters().changed_objects, report_changed(&report), "{script}");
    }
}

fn report_changed(report: &str) -> usize {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    usize::try_from(report["steps"][1]["changed"].as_u64().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_whose_output_is_cut_off_still_ends_with_2() {
    let tenant = Tenant::with(60, &[]).await;
    let job = shipped(HARDENING);
    let script = "\"$@\" 2>\"$out\" | head -1; exit ${PIPESTATUS[0]}";
    let run = scripted(&tenant, script, &["run", job.to_str().unwrap(), "--dry-run"]).await;
    run.assert_code(2);
    assert_eq!(run.stdout.lines().count(), 1);
    assert!(!std::fs::read_to_string(tenant.path("kept")).unwrap().contains("panicked"));
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_is_lost_to_a_full_disk_is_no_success() {
    let tenant = Tenant::with(30, &[]).await;
    let job = shipped(HARDENING);
    let job = job.to_str().unwrap();
    for arguments in [&["invoke", "Get-Mailbox", "--job", job, "--format", "json"][..], &["settings"]] {
        let run = scripted(&tenant, "\"$@\" >/dev/full", arguments).await;
        assert_eq!(run.code, Some(1), "{arguments:?}\n{}", run.stderr);
    }
    // Of a run the report's table is an ornament; what it did is in the tenant and in the log.
    let run = scripted(&tenant, "\"$@\" >/dev/full", &["run", job]).await;
    run.assert_code(0);
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_keeps_no_run_from_its_end() {
    let tenant = Tenant::with(200, &[]).await;
    let job = shipped(HARDENING);
    let arguments = ["run", job.to_str().unwrap(), "--log-level", "trace", "--report", "report.json"];
    // The pipe's other end stays open, and unread.
    let mut child = tenant.exorun(&arguments).stdout(std::process::Stdio::null()).spawn().unwrap();
    let status = tokio::time::timeout(std::time::Duration::from_secs(60), child.wait()).await;
    assert_eq!(status.expect("the run waits for a reader").unwrap().code(), Some(0));
    tenant.assert_all_closed();
    let mut said = Vec::new();
    let mut stderr = child.stderr.take().unwrap();
    tokio::io::AsyncReadExt::read_to_end(&mut stderr, &mut said).await.unwrap();
    assert!(said.len() > 60_000, "the pipe was never full: {} bytes", said.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_nobody_reads_is_waited_for_without_a_session_and_until_the_first_signal() {
    let tenant = Tenant::with(200, &[]).await;
    let job = shipped(HARDENING);
    let arguments = ["invoke", "Get-Mailbox", "--job", job.to_str().unwrap(), "--format", "json"];
    let mut child = tenant.exorun(&arguments).stderr(std::process::Stdio::null()).spawn().unwrap();
    tenant.until("a closed session", |counters| counters.sessions.closed > 0).await;
    tenant.assert_all_closed();
    let waited = tokio::time::timeout(std::time::Duration::from_secs(1), child.wait()).await;
    assert!(waited.is_err(), "a reader that is slow gets everything: {waited:?}");
    super::program::signal(&child, rustix::process::Signal::TERM);
    let status = tokio::time::timeout(std::time::Duration::from_secs(30), child.wait()).await;
    assert_eq!(status.expect("the program waits for a reader").unwrap().code(), Some(1));
}
