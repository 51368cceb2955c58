//! The page as a scraper sees it.

use std::time::Duration;

use super::{FinishedCall, Metrics, ObjectResult, Peer};
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
    metrics
}

#[test]
fn every_family_has_its_labels_and_says_who_answered() {
    let page = busy(Peer::Emulator).encode();
    let series: Vec<&str> =
        page.lines().filter(|line| !line.starts_with('#') && !line.contains("_bucket")).collect();
    insta::assert_snapshot!(series.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
    exorun_build_info{version="VERSION",emulated="true"} 1
    exorun_call_duration_seconds_sum{cmdlet="Get-EXOMailbox",emulated="true"} 0.3
    exorun_call_duration_seconds_count{cmdlet="Get-EXOMailbox",emulated="true"} 1
    exorun_call_retries_total{emulated="true"} 2
    exorun_calls_total{cmdlet="Get-EXOMailbox",job="harden",outcome="ok",step="shared",emulated="true"} 1
    exorun_certificate_expiry_timestamp_seconds{client_id="client",target="contoso.onmicrosoft.com",emulated="true"} 1795312830
    exorun_last_completion_timestamp_seconds{job="harden",target="contoso.onmicrosoft.com",emulated="true"} 1795312830
    exorun_last_success_timestamp_seconds{job="harden",target="contoso.onmicrosoft.com",emulated="true"} 1795312830
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
    exorun_vault_logins_total{outcome="ok",emulated="true"} 1
    exorun_vault_reads_total{outcome="ok",emulated="true"} 1
    exorun_vault_renewals_total{outcome="ok",emulated="true"} 1
    exorun_vault_token_expiry_timestamp_seconds{emulated="true"} 1795312830
    "#);
    assert!(page.lines().all(|line| line.starts_with('#') || line.contains("emulated=\"true\"")));
}

#[test]
fn a_failed_run_does_not_move_the_last_success() {
    let metrics = busy(Peer::Service);
    let later = "2026-11-23T02:00:30Z".parse().unwrap();
    metrics.run_finished("harden", "contoso.onmicrosoft.com", Exit::Failed, Duration::from_secs(1), later);
    let page = metrics.encode();
    assert!(page.contains("exorun_last_success_timestamp_seconds{job=\"harden\",target=\"contoso.onmicrosoft.com\",emulated=\"false\"} 1795312830\n"), "{page}");
    assert!(page.contains("exorun_last_completion_timestamp_seconds{job=\"harden\",target=\"contoso.onmicrosoft.com\",emulated=\"false\"} 1795399230\n"), "{page}");
}
