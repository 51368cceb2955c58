//! What the service does to a run, and what the run makes of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::program::{Tenant, requests, shipped};
use super::{HARDENING, ensure_office, some_mailboxes, write_log};

/// A tenant where `faults` go wrong, a run of the shipped job, and its report.
async fn hardened(faults: &[&str]) -> (Tenant, super::Ended, Value) {
    let tenant = Tenant::with(12, faults).await;
    let (run, report) = tenant.reported(&shipped(HARDENING), &[]).await;
    tenant.assert_all_closed();
    (tenant, run, report)
}

fn sum(report: &Value, of: &str) -> u64 {
    report["steps"].as_array().unwrap().iter().map(|step| step[of].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_that_passes_is_waited_out_as_the_service_asks() {
    let began = Instant::now();
    let (tenant, run, report) = hardened(&["429:count=2:retry_after=0.7"]).await;
    run.assert_code(0);
    assert!(began.elapsed() >= Duration::from_millis(1400), "Retry-After is honoured: {:?}", began.elapsed());
    assert_eq!(sum(&report, "retries"), 2, "{report}");
    assert_eq!(report["steps"][0]["requests"], 3, "{report}");
    assert!(run.stderr.contains("trying again in 700"), "{}", run.stderr);
    assert_eq!(tenant.emulator.counters().changed_objects, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn hiccups_of_reads_are_repeated_on_the_same_session() {
    for fault in [
        "500:exception=ADTransientException:count=2:cmdlet=Get-CASMailbox",
        "503:count=2:cmdlet=Get-CASMailbox",
        "504:count=2:cmdlet=Get-Mailbox",
        "408:count=1:cmdlet=Get-Mailbox",
        "html502:count=2:cmdlet=Get-Mailbox",
        "truncate:count=2:cmdlet=Get-Mailbox",
        "truncate:count=1:cmdlet=Get-CASMailbox",
        "reset:count=1:cmdlet=Get-CASMailbox",
        "reset:count=2:cmdlet=Get-CASMailbox",
        "reset:count=1:cmdlet=Get-Mailbox",
    ] {
        let (tenant, run, report) = hardened(&[fault]).await;
        assert_eq!(run.code, Some(0), "{fault}\n{}\n{}", run.stdout, run.stderr);
        assert!(sum(&report, "retries") >= 1, "{fault}: {report}");
        assert_eq!(tenant.emulator.counters().changed_objects, 5, "{fault}");
        let requests = tenant.emulator.requests();
        let ids = requests
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|request| request["headers"]["connection-id"].as_str());
        let ids: BTreeSet<&str> = ids.collect();
        assert!(ids.len() <= 2, "{fault}: a broken transport is replaced within its session: {ids:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_never_good_fail_the_run_in_words() {
    for (fault, kind, words) in [
        ("nul403:cmdlet=Get-Mailbox", "forbidden", "Emulated fault"),
        ("403:cmdlet=Get-Mailbox", "forbidden", "Emulated fault"),
        ("truncate:cmdlet=Get-Mailbox", "protocol", "given up after 6 tries"),
        (
            "html502:cmdlet=Get-Mailbox",
            "transient",
            "an HTML page came instead of an answer: 502 Bad Gateway",
        ),
        ("500:exception=ADTransientException:cmdlet=Get-Mailbox", "transient", "ADTransientException"),
        ("errors:text=half of it:cmdlet=Get-Mailbox", "partial_failure", "half of it"),
    ] {
        let (tenant, run, report) = hardened(&[fault]).await;
        assert_eq!(run.code, Some(1), "{fault}\n{}\n{}", run.stdout, run.stderr);
        let failure = &report["steps"][0]["failures"][0];
        assert_eq!(failure["kind"], kind, "{fault}: {report}");
        assert!(failure["message"].as_str().unwrap().contains(words), "{fault}: {report}");
        assert_eq!(tenant.writes_seen(), [""; 0], "{fault}: nothing is done with what did not come");
        assert_eq!(report["steps"].as_array().unwrap().len(), 1, "{fault}: the next step does not begin");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_reports_errors_in_a_good_answer_has_failed() {
    let tenant = Tenant::with(10, &["errors:text=not all of it:cmdlet=Set-Mailbox:nth=1"]).await;
    let steps = some_mailboxes(3) + &ensure_office("    on_error: continue\n");
    let (run, report) = tenant.reported(&tenant.job("", &steps), &[]).await;
    run.assert_code(3);
    assert_eq!(report["steps"][1]["failures"][0]["message"], "not all of it", "{report}");
    assert!(run.stderr.contains("outcome=partly_failed"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_renewed_once_and_then_the_run_ends() {
    let (tenant, run, _) = hardened(&["401:nth=3"]).await;
    run.assert_code(0);
    assert_eq!(requests(&tenant.emulator.counters(), "token"), 2, "one sign-in, one renewal");

    let (tenant, run, report) = hardened(&["401"]).await;
    run.assert_code(77);
    let counters = tenant.emulator.counters();
    assert_eq!((requests(&counters, "token"), requests(&counters, "Get-Mailbox")), (2, 2), "{report}");
    assert!(run.stdout.contains("unauthorized (HTTP 401)"), "{}", run.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_asked_for_once_and_what_only_a_person_can_prove_ends_an_applications_run() {
    // The service itself challenges only clients that have said that they understand it.
    for fault in ["cae:count=1", "cae:count=1:clients=declared"] {
        let (tenant, run, _) = hardened(&[fault]).await;
        run.assert_code(0);
        assert_eq!(requests(&tenant.emulator.counters(), "token"), 2, "one sign-in, one with the claims");
        let asked = tenant.emulator.requests().to_string();
        assert!(asked.contains("xms_cc") && asked.contains("nbf"), "{asked}");
    }

    let (tenant, run, _) = hardened(&["cae:asks=user"]).await;
    run.assert_code(77);
    assert_eq!(requests(&tenant.emulator.counters(), "token"), 1, "no token that is asked for could help");
    assert!(run.stdout.contains("what only a person can prove (`acrs`)"), "{}", run.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_service_with_a_hiccup_is_asked_again() {
    let (tenant, run, _) = hardened(&["503:at=token:count=2"]).await;
    run.assert_code(0);
    assert_eq!(requests(&tenant.emulator.counters(), "token"), 3);

    // Nobody was refused, so it is not exit code 77.
    for (fault, code, words) in [
        ("503:at=token", 1, "temporarily_unavailable"),
        ("429:at=token:retry_after=0.01", 69, "wait before the next run"),
        ("html502:at=token", 1, "HTTP 502 Bad Gateway (given up after 2 tries)"),
        ("reset:at=token", 1, "no answer from https://127.0.0.1"),
    ] {
        let tenant = Tenant::with(12, &[fault]).await;
        let (run, report) = tenant.reported(&shipped(HARDENING), &["--retry-attempts", "2"]).await;
        assert_eq!(run.code, Some(code), "{fault}\n{}", run.stdout);
        assert_eq!((&report["actor"], &report["exit_code"]), (&Value::Null, &code.into()));
        assert!(run.stdout.contains(words), "{fault}\n{}", run.stdout);
        assert_eq!(tenant.emulator.counters().sessions.opened, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_reads_show_late_still_counts_as_changed() {
    let (tenant, run, report) = hardened(&["stale:seconds=1:cmdlet=Set-CASMailbox"]).await;
    run.assert_code(0);
    let counters = tenant.emulator.counters();
    assert_eq!(report["steps"][1]["changed"], 5, "{report}");
    assert_eq!(requests(&counters, "Set-CASMailbox"), 5, "no write is repeated: {counters:?}");
    // Six reads before, and for each write one that is too early and one that sees it.
    assert!(requests(&counters, "Get-CASMailbox") >= 6 + 2 * 5, "{counters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_never_sticks_has_failed() {
    let tenant = Tenant::with(12, &["stale:seconds=60:cmdlet=Set-CASMailbox:nth=1"]).await;
    let (run, report) = tenant.reported(&shipped(HARDENING), &["--reread-wait", "700ms"]).await;
    run.assert_code(1);
    let message = report["steps"][1]["failures"][0]["message"].as_str().unwrap();
    assert!(message.contains("written, but it did not stick within 700ms: PopEnabled is true"), "{message}");
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transient_error_of_a_write_is_looked_at_before_it_is_written_again() {
    let (tenant, run, report) =
        hardened(&["500:exception=ADTransientException:cmdlet=Set-CASMailbox:nth=1"]).await;
    run.assert_code(0);
    assert_eq!(report["steps"][1]["changed"], 5, "{report}");
    assert_eq!(requests(&tenant.emulator.counters(), "Set-CASMailbox"), 6);
    let log = write_log(&run.stderr);
    let of = |outcome: &str| log.iter().filter(|line| line.contains(&format!("outcome={outcome} "))).count();
    assert_eq!((of("unknown"), of("done"), log.len()), (1, 5, 6), "{}", run.stderr);
}
