//! Proxies that answer in the service's place, or hold requests back.

use std::time::Duration;

use super::haproxy::Tls;
use super::{all_closed, all_closed_cleanly, answered, behind, hardening, has_haproxy, run_through};

/// Counts requests, so that a rule can meet the first of them.
const COUNTED: &str =
    " stick-table type ip size 10 expire 1m store http_req_cnt\n http-request track-sc0 src\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_throttles_is_waited_for_as_it_asks() {
    if !has_haproxy("a_proxy_that_throttles_is_waited_for_as_it_asks") {
        return;
    }
    for body in
        ["text/plain string \"too fast\"", "text/html string \"<html><title>Too fast</title></html>\""]
    {
        let rules = format!(
            "{COUNTED} http-request return status 429 content-type {body} hdr Retry-After 0.7 \
             if {{ sc_http_req_cnt(0) le 2 }}"
        );
        let (emulator, proxy) = behind(Tls::Ended, &rules).await;
        let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
        run.ended.assert_code(0);
        assert!(run.took >= Duration::from_millis(1400), "{:?}", run.took);
        assert_eq!(run.sum("retries"), 2, "{}", run.report);
        all_closed_cleanly(&emulator).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_always_throttles_is_quoted_and_left_alone() {
    if !has_haproxy("a_proxy_that_always_throttles_is_quoted_and_left_alone") {
        return;
    }
    for (tls, body, words) in [
        (
            Tls::Ended,
            "text/plain string \"ask the network team\" hdr Retry-After 0.2",
            "ask the network team",
        ),
        (
            Tls::EndedForHttp1,
            "text/html string \"<html><title>Quota of the proxy</title></html>\"",
            "an HTML page came instead of an answer: Quota of the proxy",
        ),
    ] {
        let rules = format!(" http-request return status 429 content-type {body}");
        let (emulator, proxy) = behind(tls, &rules).await;
        let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
        run.assert_failed(69, &["throttled (HTTP 429)", words, "given up after 3 tries"]);
        assert_eq!(proxy.log().matches(" 429 ").count(), 3, "{}", proxy.log());
        let state = all_closed(&emulator).await;
        assert_eq!(answered(&state, "Get-Mailbox"), 0, "the service saw none of it: {state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_blocks_the_service_is_quoted() {
    if !has_haproxy("a_proxy_that_blocks_the_service_is_quoted") {
        return;
    }
    for status in [403, 407, 502] {
        let page = "<html><title>Blocked by the company</title></html>";
        let rules = format!(" http-request return status {status} content-type text/html string \"{page}\"");
        let (emulator, proxy) = behind(Tls::Ended, &rules).await;
        let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
        let code = format!("(HTTP {status})");
        run.assert_failed(1, &[&code, "an HTML page came instead of an answer: Blocked by the company"]);
        assert_eq!(all_closed(&emulator).await["sessions"]["opened"], 0);
    }
    // A page that says 200 is no shorter list: the run fails.
    let rules =
        " http-request return status 200 content-type text/html string \"<html><title>Terms</title></html>\"";
    let (emulator, proxy) = behind(Tls::Ended, rules).await;
    let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
    run.assert_failed(1, &["protocol (HTTP 200)", "given up after 3 tries"]);
    assert_eq!(all_closed(&emulator).await["changed_objects"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tarpit_is_waited_out_or_given_up_whichever_limit_is_shorter() {
    if !has_haproxy("a_tarpit_is_waited_out_or_given_up_whichever_limit_is_shorter") {
        return;
    }
    // HAProxy holds each request for a second (`timeout tarpit`).
    let rules = " http-request tarpit deny_status 503";
    let (emulator, proxy) = behind(Tls::Ended, rules).await;
    let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
    run.assert_failed(1, &["transient (HTTP 503)", "given up after 3 tries"]);
    assert!(run.took >= Duration::from_secs(3), "{:?}", run.took);

    let run = run_through(&emulator, &proxy, &hardening(), &[("EXORUN_CALL_TIMEOUT", "300ms")]).await;
    run.assert_failed(1, &["timed out after 300ms, waiting for https://", "(given up after 3 tries)"]);
    assert!(run.took < Duration::from_millis(3 * 300 + 2 * 200 + 500 + 2000), "{:?}", run.took);
    assert_eq!(all_closed(&emulator).await["sessions"]["opened"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_drops_requests_without_a_word_is_given_up_after_three_tries() {
    if !has_haproxy("a_proxy_that_drops_requests_without_a_word_is_given_up_after_three_tries") {
        return;
    }
    for (tls, drop) in [
        (Tls::Ended, "silent-drop"),
        (Tls::EndedForHttp1, "silent-drop"),
        (Tls::Ended, "reject"),
        (Tls::EndedForHttp1, "reject"),
    ] {
        let (emulator, proxy) = behind(tls, &format!(" http-request {drop}")).await;
        let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
        run.assert_failed(1, &["given up after 3 tries", "sessions: 1 opened, "]);
        // What HAProxy drops silently, the kernel may still reset when more is sent.
        let kind = &run.report["steps"][0]["failures"][0]["kind"];
        assert!(
            kind == "network" || kind == "timeout" && drop == "silent-drop",
            "{tls:?} {drop}: {}",
            run.report
        );
        assert_eq!(run.report["steps"][0]["requests"], 3, "{tls:?} {drop}: {}", run.report);
        assert_eq!(all_closed(&emulator).await["sessions"]["opened"], 0, "{tls:?} {drop}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_a_proxy_drops_once_is_sent_again() {
    if !has_haproxy("a_request_that_a_proxy_drops_once_is_sent_again") {
        return;
    }
    for (tls, drop) in [(Tls::Ended, "silent-drop"), (Tls::Ended, "reject"), (Tls::EndedForHttp1, "reject")] {
        let rules = format!("{COUNTED} http-request {drop} if {{ sc_http_req_cnt(0) eq 1 }}");
        let (emulator, proxy) = behind(tls, &rules).await;
        let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
        run.ended.assert_code(0);
        assert_eq!(run.report["steps"][0]["retries"], 1, "{tls:?} {drop}: {}", run.report);
        let state = all_closed(&emulator).await;
        assert_eq!(state["changed_objects"], run.sum("changed"), "{tls:?} {drop}: {state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_writes_that_a_proxy_loses_are_looked_for_and_no_write_is_made_twice() {
    if !has_haproxy("answers_of_writes_that_a_proxy_loses_are_looked_for_and_no_write_is_made_twice") {
        return;
    }
    // The service has done it; HAProxy says 504 in its place.
    let rules = format!(
        "{COUNTED} option http-buffer-request\n \
         http-request set-var(txn.write) bool(true) if {{ req.body -m sub Set-CASMailbox }}\n \
         acl early sc_http_req_cnt(0) le 12\n \
         http-response deny deny_status 504 if {{ var(txn.write) -m bool }} early"
    );
    let (emulator, proxy) = behind(Tls::Ended, &rules).await;
    let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
    run.ended.assert_code(0);
    let lost = proxy.log().matches(" 504 ").count();
    assert!(lost >= 2, "{}", proxy.log());
    let of = |outcome: &str| run.ended.stderr.matches(&format!("outcome={outcome} ")).count();
    assert_eq!(of("unknown"), lost, "{}", run.ended.stderr);
    let state = all_closed_cleanly(&emulator).await;
    let changed = run.sum("changed");
    assert_eq!(
        (state["changed_objects"].as_u64().unwrap(), answered(&state, "Set-CASMailbox")),
        (changed, changed)
    );
}
