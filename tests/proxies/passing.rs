//! Proxies that pass everything, quickly or slowly or not at all.

use std::net::TcpListener;
use std::time::Duration;

use super::haproxy::{Haproxy, Tls};
use super::toxic::{Harm, Toxic};
use super::{
    CONNECT_LIMIT, GIVES_UP_WITHIN, all_closed, all_closed_cleanly, answered, behind, emulator, hardening,
    has_haproxy, run_through,
};

/// A port of loopback that takes connections and never says a word.
fn silent_service() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A port of loopback where nobody listens.
fn closed_port() -> u16 {
    silent_service().1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_passes_everything_is_not_noticed() {
    if !has_haproxy("a_proxy_that_passes_everything_is_not_noticed") {
        return;
    }
    for tls in [Tls::Through, Tls::Ended, Tls::EndedForHttp1] {
        let (emulator, proxy) = behind(tls, "").await;
        let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
        run.ended.assert_code(0);
        assert_eq!(run.sum("retries"), 0, "{tls:?}: {}", run.report);
        assert_eq!(run.report["sessions"].as_array().unwrap().len(), 2, "{tls:?}: {}", run.report);
        let state = all_closed_cleanly(&emulator).await;
        assert_eq!(state["changed_objects"], run.sum("changed"), "{tls:?}: {state}");
        assert!(run.sum("changed") > 5, "{tls:?}: {state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_proxy_costs_time_and_nothing_else() {
    if !has_haproxy("a_slow_proxy_costs_time_and_nothing_else") {
        return;
    }
    let delay = " tcp-request inspect-delay 600ms\n tcp-request content accept if WAIT_END";
    let (passing, proxy) = behind(Tls::Through, delay).await;
    let run = run_through(&passing, &proxy, &hardening(), &[]).await;
    run.ended.assert_code(0);
    assert!(run.took >= Duration::from_millis(600), "{:?}", run.took);
    assert_eq!(run.sum("retries"), 0, "{}", run.report);
    all_closed_cleanly(&passing).await;

    let ending = emulator("20").await;
    let delay = Harm::Delay(Duration::from_millis(60));
    let line = Toxic::start(ending.port("exchange_endpoint"), delay, usize::MAX).await;
    let proxy = Haproxy::start(Tls::Ended, line.port, &ending.out("ca.pem"), "");
    let run = run_through(&ending, &proxy, &hardening(), &[]).await;
    run.ended.assert_code(0);
    assert_eq!(run.sum("retries"), 0, "{}", run.report);
    let state = all_closed_cleanly(&ending).await;
    let calls = answered(&state, "Get-CASMailbox") + answered(&state, "Set-CASMailbox");
    // Two sessions share the calls.
    assert!(
        run.took >= Duration::from_millis(60) * u32::try_from(calls / 2).unwrap(),
        "{calls}: {:?}",
        run.took
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_slower_than_the_connect_limit_is_given_up_and_named() {
    if !has_haproxy("a_proxy_slower_than_the_connect_limit_is_given_up_and_named") {
        return;
    }
    let emulator = emulator("10").await;
    let (_silent, port) = silent_service();
    let proxy = Haproxy::start(Tls::Through, port, &emulator.out("ca.pem"), "");
    let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
    run.ended.assert_code(1);
    let words = format!("cannot connect to {}: timed out after 20s", proxy.endpoint());
    assert!(run.ended.stdout.contains(&words), "{}", run.ended.stdout);
    assert!(run.took >= CONNECT_LIMIT && run.took < CONNECT_LIMIT + GIVES_UP_WITHIN, "{:?}", run.took);
    // Nothing was opened, so no slot is lost to quarantine.
    assert!(run.ended.stdout.contains("sessions: 0 opened, 0 closed\n"), "{}", run.ended.stdout);
    assert_eq!(all_closed(&emulator).await["sessions"]["opened"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_never_answers_its_proxy_is_given_up_after_three_tries() {
    if !has_haproxy("a_service_that_never_answers_its_proxy_is_given_up_after_three_tries") {
        return;
    }
    let emulator = emulator("10").await;
    let (_silent, port) = silent_service();
    let proxy = Haproxy::start(Tls::Ended, port, &emulator.out("ca.pem"), "");
    let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
    run.assert_failed(1, &["timed out after 1s500ms, waiting for https://", "(given up after 3 tries)"]);
    assert!(run.took >= Duration::from_millis(3 * 1500), "{:?}", run.took);
    assert!(run.ended.stdout.contains("sessions: 1 opened, 1 closed\n"), "{}", run.ended.stdout);
    assert_eq!(all_closed(&emulator).await["sessions"]["opened"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusing_proxy_ends_the_run_at_once_with_its_address() {
    if !has_haproxy("a_refusing_proxy_ends_the_run_at_once_with_its_address") {
        return;
    }
    let after_hello =
        " tcp-request inspect-delay 1s\n tcp-request content reject if { req.ssl_hello_type 1 }";
    for rules in [" tcp-request connection reject", after_hello] {
        let (emulator, proxy) = behind(Tls::Through, rules).await;
        let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
        run.assert_failed(1, &[&format!("network: cannot connect to {}: ", proxy.endpoint())]);
        assert!(run.ended.stdout.contains("sessions: 0 opened, 0 closed\n"), "{}", run.ended.stdout);
        assert_eq!(all_closed(&emulator).await["sessions"]["opened"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_whose_service_is_down_is_told_by_its_503() {
    if !has_haproxy("a_proxy_whose_service_is_down_is_told_by_its_503") {
        return;
    }
    for tls in [Tls::Ended, Tls::EndedForHttp1] {
        let emulator = emulator("10").await;
        let proxy = Haproxy::start(tls, closed_port(), &emulator.out("ca.pem"), "");
        let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
        run.assert_failed(1, &["transient (HTTP 503)", "an HTML page came", "given up after 3 tries"]);
        assert!(proxy.log().contains(" SC-- "), "HAProxy could not connect: {}", proxy.log());
        assert!(run.ended.stdout.contains("sessions: 1 opened, 1 closed\n"), "{}", run.ended.stdout);
    }
    let emulator = emulator("10").await;
    let proxy = Haproxy::start(Tls::Through, closed_port(), &emulator.out("ca.pem"), "");
    let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
    run.assert_failed(1, &[&format!("cannot connect to {}", proxy.endpoint())]);
}
