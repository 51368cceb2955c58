//! Proxies before the sign-in service.

use std::time::Duration;

use super::emulating::Emulating;
use super::haproxy::{Haproxy, Tls};
use super::{Run, all_closed, all_closed_cleanly, emulator, hardening, has_haproxy, run};

/// An emulator whose sign-in service is behind HAProxy with these rules, and the end of a run there.
async fn signs_in(tls: Tls, rules: &str, more: &[(&str, &str)]) -> (Emulating, Haproxy, Run) {
    let emulator = emulator("20").await;
    let port = emulator.port("login_endpoint");
    let proxy = Haproxy::start(tls, port, &emulator.out("ca.pem"), rules);
    let exchange = emulator.endpoint("exchange_endpoint").unwrap();
    let login = proxy.endpoint();
    let more = [&[("EXORUN_LOGIN_ENDPOINT", login.as_str())], more].concat();
    let run = run(&emulator, &exchange, &proxy.ca_file, &hardening(), &more).await;
    assert!(!proxy.log().contains("[ALERT]"), "{}", proxy.log());
    (emulator, proxy, run)
}

/// What is said of that answer.
const PAGE: &str = "an HTML page came instead of an answer: Blocked by the company";
const MEND: &str = "a proxy or a gateway on the way answers in the sign-in service's place: have the host let through there; \
                    or `login_endpoint` is the address of something else";

/// An answer of HAProxy's own to every request.
fn page(status: u16) -> String {
    let page = "<html><title>Blocked by the company</title></html>";
    format!(" http-request return status {status} content-type text/html string \"{page}\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_through_a_proxy_is_not_noticed() {
    if !has_haproxy("sign_in_through_a_proxy_is_not_noticed") {
        return;
    }
    for tls in [Tls::Through, Tls::Ended, Tls::EndedForHttp1] {
        let (emulator, proxy, run) = signs_in(tls, "", &[]).await;
        run.ended.assert_code(0);
        all_closed_cleanly(&emulator).await;
        assert!(proxy.log().contains(" service/service "), "{}", proxy.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_that_a_proxy_does_not_let_through_ends_the_run_before_any_session() {
    if !has_haproxy("sign_in_that_a_proxy_does_not_let_through_ends_the_run_before_any_session") {
        return;
    }
    let blocked = |status: &str| format!("{PAGE} ({status}) -> {MEND}");
    let given_up = format!("HTTP 503 Service Unavailable (given up after 3 tries): {PAGE}");
    let throttled =
        " http-request return status 429 content-type text/plain string \"slow down\" hdr Retry-After 0.2";
    for (tls, rules, code, words) in [
        (Tls::Ended, page(403), 1, blocked("HTTP 403 Forbidden").as_str()),
        (Tls::Ended, page(200), 1, blocked("HTTP 200 OK").as_str()),
        (Tls::Ended, page(503), 1, given_up.as_str()),
        (Tls::EndedForHttp1, throttled.to_owned(), 69, "HTTP 429 Too Many Requests (given up after 3 tries)"),
        (Tls::Ended, " http-request silent-drop".to_owned(), 1, "no answer from https://127.0.0.1"),
        (Tls::Ended, " http-request reject".to_owned(), 1, "no answer from https://127.0.0.1"),
        (Tls::Through, " tcp-request connection reject".to_owned(), 1, "no answer from https://127.0.0.1"),
    ] {
        let (emulator, _proxy, run) = signs_in(tls, &rules, &[("EXORUN_SIGNIN_TIMEOUT", "700ms")]).await;
        run.assert_failed(code, &[words, "sessions: 0 opened, 0 closed\n"]);
        assert!(run.took < Duration::from_millis(3 * 700 + 2 * 200 + 3000), "{rules}: {:?}", run.took);
        assert_eq!(all_closed(&emulator).await["sessions"]["opened"], 0, "{rules}");
    }
}
