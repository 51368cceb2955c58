//! What a run leaves behind: logs, the report, metrics and the write log.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::program::{Tenant, requests, shipped};
use super::{HARDENING, components};

#[tokio::test(flavor = "multi_thread")]
async fn an_emulated_run_says_so_in_its_first_line_its_report_and_its_metrics() {
    let tenant = Tenant::with(12, &[]).await;
    let (run, report) = tenant.reported(&shipped(HARDENING), &["--metrics-file", "run.prom"]).await;
    run.assert_code(0);
    let first = run.stderr.lines().next().unwrap();
    assert!(first.contains("EMULATED"), "{first}");
    assert!(run.stdout.starts_with("EMULATED"), "{}", run.stdout);
    assert_eq!(report["peer"], "EMULATED");

    let metrics = std::fs::read(tenant.path("run.prom")).unwrap();
    let text = String::from_utf8(metrics.clone()).unwrap();
    let own = text.lines().filter(|line| line.starts_with("exorun_"));
    let labelled = own.clone().filter(|line| line.contains("emulated=\"true\"")).count();
    assert_eq!((own.count(), true), (labelled, labelled > 10), "{text}");
    let success =
        text.lines().find(|line| line.starts_with("exorun_last_success_timestamp_seconds{")).unwrap();
    assert!(success.contains("job=\"shared-mailbox-hardening\""), "{success}");
    if components::has("promtool", "metrics are good by promtool") {
        let mut judge = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        judge.stdin.take().unwrap().write_all(&metrics).unwrap();
        let verdict = judge.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&verdict.stderr).into_owned();
        assert!(verdict.status.success(), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_has_one_shape_and_is_private() {
    let tenant = Tenant::with(12, &[]).await;
    let (run, report) = tenant.reported(&shipped(HARDENING), &[]).await;
    run.assert_code(0);
    let mode = std::fs::metadata(tenant.path("report.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let written = tenant.emulator.counters().changed_objects as u64;
    assert_eq!(report["steps"][1]["changed"], written);
    let session = &report["sessions"][0];
    assert_eq!(session["closed"], "cleanly");
    // What the module's Get-ConnectionInformation tells of a connection.
    let told = |name: &str| session[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(told("account"), exorun::emulator::CLIENT_ID);
    assert_eq!(told("tenant"), "contoso.onmicrosoft.com");
    assert_eq!(told("tenant_id"), tenant.emulator.tenant_id().to_string());
    assert_eq!(
        (told("environment"), told("service")),
        ("O365Default".to_owned(), "ExchangeOnline".to_owned())
    );
    assert_eq!(told("endpoint"), tenant.emulator.exchange_endpoint());
    assert!(told("token_expires_at") > told("opened_at"), "{session}");
    uuid::Uuid::parse_str(&told("connection_id")).unwrap();
    insta::assert_json_snapshot!("report", report, {
        ".run_id" => "[id]",
        ".job_hash" => "[hash]",
        ".source" => "[path]",
        ".began_at" => "[time]",
        ".ended_at" => "[time]",
        ".**.seconds" => "[seconds]",
        ".sessions" => insta::dynamic_redaction(|value, _| {
            let sessions = value.as_slice().unwrap().len();
            assert!((1..=2).contains(&sessions), "{value:?}");
            "[one or two sessions]"
        }),
        // `ensure` reads each object, and once more after a write, which may be seen late.
        ".steps[1].calls" => "[calls]",
        ".steps[1].requests" => "[requests]",
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn json_logs_are_one_object_a_line() {
    let tenant = Tenant::with(12, &["500:count=1:cmdlet=Get-CASMailbox"]).await;
    let run = tenant.run(&shipped(HARDENING), &["--log-format", "json"]).await;
    run.assert_code(0);
    let mut levels = std::collections::BTreeSet::new();
    for line in run.stderr.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(event["job"], "shared-mailbox-hardening", "every line says what it belongs to: {line}");
        levels.insert(event["level"].as_str().unwrap().to_owned());
    }
    assert!(levels.contains("INFO") && levels.contains("WARN"), "{levels:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_write_log_has_a_line_for_each_writing_call_even_with_logs_off() {
    // One write is refused, and one is not answered: both have their line.
    let faults = ["403:cmdlet=Set-CASMailbox:nth=2", "reset:cmdlet=Set-CASMailbox:nth=3"];
    let tenant = Tenant::with(30, &faults).await;
    let text = std::fs::read_to_string(shipped(HARDENING)).unwrap();
    let job = tenant.path("job.yaml");
    std::fs::write(
        &job,
        text.replace("    ensure: CASMailbox", "    on_error: continue\n    ensure: CASMailbox"),
    )
    .unwrap();
    let (run, report) = tenant.reported(&job, &["--log-level", "off", "--log-format", "json"]).await;
    run.assert_code(3);
    let lines: Vec<Value> = run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sent = requests(&tenant.emulator.counters(), "Set-CASMailbox");
    assert_eq!(lines.len() as u64, sent, "one line a call, and nothing else:\n{}", run.stderr);
    for line in &lines {
        assert_eq!(line["cmdlet"], "Set-CASMailbox", "{line}");
        assert_eq!(line["actor"], report["actor"], "{line}");
        assert_eq!(line["tenant_id"], tenant.emulator.tenant_id().to_string(), "{line}");
        assert_eq!((&line["run"], &line["job_hash"]), (&report["run_id"], &report["job_hash"]), "{line}");
        assert_eq!((&line["job"], &line["step"]), (&report["job"], &"harden".into()), "{line}");
        let object = line["object"].as_str().unwrap();
        assert!(uuid::Uuid::try_parse(object).is_ok(), "{line}");
        let parameters = line["parameters"].as_str().unwrap();
        assert!(["PopEnabled", "ImapEnabled", "PopEnabled,ImapEnabled"].contains(&parameters), "{line}");
        let answered = line["outcome"] != "unknown";
        assert_eq!(answered, line["request_id"].is_string(), "{line}");
        // The service's record knows the call by the same id.
        let id = &line["client_request_id"];
        let same = tenant.recorded("Set-CASMailbox");
        assert!(same.iter().any(|request| request["headers"]["client-request-id"] == *id), "{line}");
    }
    let of = |outcome: &str| lines.iter().filter(|line| line["outcome"] == outcome).count();
    assert_eq!((of("forbidden"), of("unknown"), of("done")), (1, 1, lines.len() - 2), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_dry_run_nor_a_lost_report_moves_the_last_success() {
    let tenant = Tenant::with(12, &[]).await;
    let job = shipped(HARDENING);
    let success = || {
        let text = std::fs::read_to_string(tenant.path("run.prom")).unwrap();
        let line = text.lines().find(|line| line.starts_with("exorun_last_success_timestamp_seconds{"));
        line.map(str::to_owned)
    };
    tenant.run(&job, &["--metrics-file", "run.prom"]).await.assert_code(0);
    let first = success().expect("a success");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;

    tenant.run(&job, &["--dry-run", "--metrics-file", "run.prom"]).await.assert_code(0);
    assert_eq!(success().as_ref(), Some(&first));

    let lost = tenant.run(&job, &["--report", "/nonexistent/report", "--metrics-file", "run.prom"]).await;
    lost.assert_code(1);
    assert!(lost.stdout.contains("failed (exit code 1)"), "{}", lost.stdout);
    assert!(lost.stdout.contains("ended early: report /nonexistent/report"), "{}", lost.stdout);
    assert_eq!(success(), Some(first));
    let text = std::fs::read_to_string(tenant.path("run.prom")).unwrap();
    assert!(text.contains("outcome=\"failed\"") && !text.contains("outcome=\"done\""), "{text}");
}
