//! The page as a scraper sees it.

use std::time::Duration;

use super::{Ending, FinishedCall, Kept, Metrics, ObjectResult, Peer};
use crate::exit::Exit;

/// One of everything.
pub(in crate::observe) fn busy(peer: Peer) -> Metrics {
    let metrics = Metrics::new(peer);
    let at = "2026-11-22T02:00:30Z".parse().unwrap();
    metrics.signin_finished("ok");
    metrics.vault_login("ok");
    metrics.vault_renewal("ok");
    metrics.vault_read("ok");
    metrics.vault_token_ends(Some(at));
    metrics.certificate_ends("contoso.onmicrosoft.com", "client", at);
    metrics.token_ends("contoso.onmicrosoft.com", "client", at);
    metrics.job_loaded("harden", "contoso.onmicrosoft.com", at, Some(Duration::from_secs(86_400)));
    metrics.sessions_limited(4);
    metrics.wait_began();
    metrics.session_waited(Duration::from_millis(20));
    metrics.slots_seen(3, 1);
    metrics.lease_lost("not_renewed");
    metrics.slot_store_failed();
    metrics.session_opened();
    metrics.call_finished(&FinishedCall {
        job: "harden",
        step: "shared",
        cmdlet: "Get-EXOMailbox",
        outcome: "ok",
        took: Duration::from_millis(300),
        retries: 2,
        throttled: 1,
    });
    metrics.object("harden", "fix", ObjectResult::Changed);
    metrics.session_closed("finished");
    metrics.session_refused();
    metrics.run_finished("harden", "contoso.onmicrosoft.com", Exit::Done, Duration::from_secs(30), at);
    let objects = [
        (ObjectResult::Changed, 3),
        (ObjectResult::Unchanged, 4),
        (ObjectResult::Pending, 0),
        (ObjectResult::Failed, 1),
    ];
    metrics.run_objects("harden", "contoso.onmicrosoft.com", objects);
    metrics
}

#[test]
fn every_family_has_its_labels_and_says_who_answered() {
    let page = busy(Peer::Emulator).encode();
    let series: Vec<&str> =
        page.lines().filter(|line| !line.starts_with('#') && !line.contains("_bucket")).collect();
    let series =
        series.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION").replace(super::REVISION, "REVISION");
    insta::assert_snapshot!(series, @r#"
    exorun_build_info{revision="REVISION",version="VERSION",emulated="true"} 1
    exorun_call_duration_seconds_sum{cmdlet="Get-EXOMailbox",emulated="true"} 0.3
    exorun_call_duration_seconds_count{cmdlet="Get-EXOMailbox",emulated="true"} 1
    exorun_call_retries_total{emulated="true"} 2
    exorun_calls_total{cmdlet="Get-EXOMailbox",job="harden",outcome="ok",step="shared",emulated="true"} 1
    exorun_certificate_expiry_timestamp_seconds{client_id="client",target="contoso.onmicrosoft.com",emulated="true"} 1795312830
    exorun_last_completion_timestamp_seconds{job="harden",target="contoso.onmicrosoft.com",emulated="true"} 1795312830
    exorun_last_exit_code{job="harden",target="contoso.onmicrosoft.com",emulated="true"} 0
    exorun_last_run_objects{job="harden",result="changed",target="contoso.onmicrosoft.com",emulated="true"} 3
    exorun_last_run_objects{job="harden",result="failed",target="contoso.onmicrosoft.com",emulated="true"} 1
    exorun_last_run_objects{job="harden",result="pending",target="contoso.onmicrosoft.com",emulated="true"} 0
    exorun_last_run_objects{job="harden",result="unchanged",target="contoso.onmicrosoft.com",emulated="true"} 4
    exorun_last_success_timestamp_seconds{job="harden",target="contoso.onmicrosoft.com",emulated="true"} 1795312830
    exorun_leases_lost_total{reason="lost",emulated="true"} 0
    exorun_leases_lost_total{reason="not_renewed",emulated="true"} 1
    exorun_objects_total{job="harden",result="changed",step="fix",emulated="true"} 1
    exorun_run_duration_seconds{job="harden",target="contoso.onmicrosoft.com",emulated="true"} 30
    exorun_runs_total{job="harden",outcome="done",target="contoso.onmicrosoft.com",emulated="true"} 1
    exorun_session_wait_seconds_sum{emulated="true"} 0.02
    exorun_session_wait_seconds_count{emulated="true"} 1
    exorun_sessions_closed_total{reason="finished",emulated="true"} 1
    exorun_sessions_limit{emulated="true"} 4
    exorun_sessions_open{emulated="true"} 0
    exorun_sessions_opened_total{emulated="true"} 1
    exorun_sessions_refused_total{emulated="true"} 1
    exorun_sessions_waiting{emulated="true"} 1
    exorun_signins_total{outcome="ok",emulated="true"} 1
    exorun_slot_store_errors_total{emulated="true"} 1
    exorun_slots_held{emulated="true"} 3
    exorun_slots_quarantined{emulated="true"} 1
    exorun_throttled_total{emulated="true"} 1
    exorun_token_expiry_timestamp_seconds{client_id="client",target="contoso.onmicrosoft.com",emulated="true"} 1795312830
    exorun_vault_logins_total{outcome="ok",emulated="true"} 1
    exorun_vault_reads_total{outcome="ok",emulated="true"} 1
    exorun_vault_renewals_total{outcome="ok",emulated="true"} 1
    exorun_vault_token_expiry_timestamp_seconds{emulated="true"} 1795312830
    exorun_job_info{job="harden",target="contoso.onmicrosoft.com",emulated="true"} 1
    exorun_job_loaded_timestamp_seconds{job="harden",emulated="true"} 1795312830
    exorun_schedule_interval_seconds{job="harden",emulated="true"} 86400
    "#);
    assert!(page.lines().all(|line| line.starts_with('#') || line.contains("emulated=\"true\"")));
}

/// Of the job's series with `last` in their names, name and value.
fn last(metrics: &Metrics) -> Vec<(String, i64)> {
    let page = metrics.encode();
    let lines = page.lines().filter(|line| line.starts_with("exorun_last_") && !line.contains("_objects"));
    let pair = |line: &str| {
        let (name, value) = (line.split('{').next().unwrap(), line.rsplit(' ').next().unwrap());
        (name["exorun_last_".len()..].replace("_timestamp_seconds", ""), value.parse().unwrap())
    };
    lines.map(pair).collect()
}

#[test]
fn a_failed_run_moves_the_last_failure_and_a_good_one_the_last_success() {
    let metrics = Metrics::new(Peer::Service);
    let run = |outcome, at: &str| {
        let at = at.parse().unwrap();
        metrics.run_finished("harden", "contoso.onmicrosoft.com", outcome, Duration::from_secs(1), at);
        last(&metrics)
    };
    let is = |last: &[(&str, i64)]| -> Vec<(String, i64)> {
        last.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    };
    let (first, second) = (1_795_312_800, 1_795_399_200);
    assert_eq!(
        run(Exit::Done, "2026-11-22T02:00:00Z"),
        is(&[("completion", first), ("exit_code", 0), ("success", first)])
    );
    assert_eq!(
        run(Exit::PartlyFailed, "2026-11-23T02:00:00Z"),
        is(&[("completion", second), ("exit_code", 3), ("failure", second), ("success", first)])
    );
    assert_eq!(
        run(Exit::Done, "2026-11-24T02:00:00Z"),
        is(&[
            ("completion", 1_795_485_600),
            ("exit_code", 0),
            ("failure", second),
            ("success", 1_795_485_600)
        ])
    );
}

#[test]
fn what_is_remembered_of_earlier_processes_gives_way_to_a_run_of_this_one() {
    let metrics = Metrics::new(Peer::Service);
    let target = "contoso.onmicrosoft.com";
    metrics.keep(Kept::Success, "harden", target, 1);
    metrics.keep(Kept::Failure, "harden", target, 2);
    let at = "2026-11-22T02:00:00Z".parse().unwrap();
    metrics.run_finished("harden", target, Exit::Failed, Duration::from_secs(1), at);
    metrics.keep(Kept::Failure, "harden", target, 3);
    metrics.keep(Kept::Success, "harden", target, 3);
    let failure = ("failure".to_owned(), at.as_second());
    assert!(last(&metrics).contains(&failure), "{:?}", last(&metrics));
    assert!(last(&metrics).contains(&("success".to_owned(), 3)), "{:?}", last(&metrics));
}

#[test]
fn a_job_that_is_loaded_again_is_known_as_long_as_before() {
    let metrics = Metrics::new(Peer::Service);
    let at = |text: &str| text.parse().unwrap();
    metrics.job_loaded("a", "one", at("2026-11-22T02:00:30Z"), Some(Duration::from_secs(60)));
    metrics.job_known_since("a", at("2026-11-21T02:00:30Z"));
    metrics.job_loaded("a", "two", at("2026-11-23T02:00:30Z"), None);
    let page = metrics.encode();
    let series: Vec<&str> = page.lines().filter(|line| line.contains("{job=")).collect();
    assert_eq!(
        series,
        [
            "exorun_job_info{job=\"a\",target=\"two\",emulated=\"false\"} 1",
            "exorun_job_loaded_timestamp_seconds{job=\"a\",emulated=\"false\"} 1795226430",
        ]
    );
}

/// Three jobs with a scheduler.
fn scheduled() -> Metrics {
    let metrics = Metrics::new(Peer::Service);
    let at = "2026-11-22T02:00:30Z".parse().unwrap();
    metrics.schedules();
    for job in ["a", "b", "c"] {
        metrics.next_due(job, Some(at));
    }
    let ran = Ending { result: "ran", reason: "" };
    let missed = Ending { result: "skipped", reason: "missed" };
    metrics.occurrences_counted("b", 7, [(ran, 4), (missed, 3)]);
    metrics.occurrences_due("b", 2);
    metrics.occurrences_ended("b", ran, 1);
    metrics.occurrences_ended("b", Ending { result: "failed", reason: "lost" }, 1);
    metrics.next_due("c", None);
    metrics
}

#[test]
fn what_is_scheduled_is_counted_by_job_and_a_job_that_never_was_due_has_no_counts() {
    let page = scheduled().encode();
    let series: Vec<&str> = page.lines().filter(|line| line.contains("{job=")).collect();
    insta::assert_snapshot!(series.join("\n"), @r#"
    exorun_next_due_timestamp_seconds{job="a",emulated="false"} 1795312830
    exorun_next_due_timestamp_seconds{job="b",emulated="false"} 1795312830
    exorun_occurrences_due_total{job="b",emulated="false"} 9
    exorun_occurrences_total{job="b",result="ran",reason="",emulated="false"} 5
    exorun_occurrences_total{job="b",result="skipped",reason="missed",emulated="false"} 3
    exorun_occurrences_total{job="b",result="failed",reason="lost",emulated="false"} 1
    "#);
}

#[test]
fn counts_are_the_historys_when_it_says_so() {
    let metrics = scheduled();
    metrics.occurrences_counted("b", 1, [(Ending { result: "ran", reason: "" }, 1)]);
    let page = metrics.encode();
    let counts: Vec<&str> = page.lines().filter(|line| line.starts_with("exorun_occurrences")).collect();
    assert_eq!(
        counts,
        [
            "exorun_occurrences_due_total{job=\"b\",emulated=\"false\"} 1",
            "exorun_occurrences_total{job=\"b\",result=\"ran\",reason=\"\",emulated=\"false\"} 1",
        ]
    );
}

#[test]
fn a_removed_job_takes_all_of_its_series_with_it_and_nobody_elses() {
    let metrics = busy(Peer::Service);
    metrics.occurrences_due("harden", 1);
    metrics.next_due("other", Some("2026-11-22T02:00:30Z".parse().unwrap()));
    let at = "2026-11-23T02:00:30Z".parse().unwrap();
    metrics.run_finished("other", "contoso.onmicrosoft.com", Exit::Done, Duration::from_secs(1), at);
    let lines =
        |job: &str| metrics.encode().lines().filter(|line| line.contains(&format!("job=\"{job}\""))).count();
    let (harden, other) = (lines("harden"), lines("other"));
    assert!(harden > 6 && other > 4, "{harden} {other}");
    metrics.forget_jobs(&["harden", "nobody"].into());
    assert_eq!((lines("harden"), lines("other")), (0, other));
}

#[test]
fn a_run_by_hand_has_no_families_of_a_scheduler() {
    let page = busy(Peer::Service).encode();
    assert!(!page.contains("exorun_history_writable") && !page.contains("exorun_jobs"), "{page}");
    let page = scheduled().encode();
    assert!(page.contains("exorun_history_writable{emulated=\"false\"} 0\n"), "{page}");
    assert!(page.contains("exorun_reloads_total{result=\"failed\",emulated=\"false\"} 0\n"), "{page}");
}

#[test]
fn a_hundred_thousand_jobs_are_written_whole_and_in_order() {
    let metrics = Metrics::new(Peer::Service);
    let at = "2026-11-22T02:00:30Z".parse().unwrap();
    for number in 0..100_000 {
        metrics.next_due(&format!("job-{number:05}"), Some(at));
    }
    let page = metrics.encode();
    let lines: Vec<&str> = page.lines().filter(|line| line.contains("{job=")).collect();
    assert_eq!(lines.len(), 100_000);
    assert!(lines.is_sorted());
}
