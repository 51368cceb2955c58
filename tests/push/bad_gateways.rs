//! Gateways that do not do what they should: the run says so once, waits no longer than it may, and ends as it would have.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use exorun::emulator::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::program::Tenant;
use crate::{complaints, pushing, run};

/// Far more than a run and its time-out of one second take, and far less than for ever.
const SOON: Duration = Duration::from_secs(60);

/// Answers every connection with `answer` and then keeps it open, saying nothing more. What it was sent is kept.
async fn peer(answer: impl Into<String>) -> (SocketAddr, Arc<Mutex<String>>) {
    let (answer, heard) = (answer.into(), Arc::<Mutex<String>>::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let kept = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, kept) = (answer.clone(), Arc::clone(&kept));
            tokio::spawn(async move {
                let mut bytes = vec![0; 64 * 1024];
                let read = stream.read(&mut bytes).await.unwrap_or(0);
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
                let _gone = stream.write_all(answer.as_bytes()).await;
                while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    (address, heard)
}

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_down_slow_or_wrong_costs_one_line_and_no_exit_code() {
    let tenant = Tenant::start(Options { mailboxes: 20, ..Options::default() }).await;
    let (elsewhere, went_there) = peer(answer("200 OK", "")).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (silent, _) = peer("").await;
    // The body never comes.
    let (half, _) = peer("HTTP/1.1 400 Bad Request\r\ncontent-length: 100\r\n\r\n").await;
    let (drips, _) = peer("HTTP/1.1 200 OK\r\ncontent-").await;
    let (refuses, _) =
        peer(answer("400 Bad Request", "text format parsing\n\u{1b}[31merror in line 1")).await;
    let moved = format!("302 Found\r\nlocation: http://{elsewhere}/metrics/job/a");
    let (redirects, _) = peer(answer(&moved, "")).await;
    let (garbage, _) = peer("220 mail.example ESMTP\r\n").await;
    for (address, why) in [
        (nobody, "Connection refused"),
        (silent, "timed out after 1s"),
        (half, "timed out after 1s"),
        (drips, "timed out after 1s"),
        (refuses, "answers 400 Bad Request: text format parsing"),
        (redirects, "answers 302 Found, and no redirect is followed"),
        (garbage, "invalid HTTP"),
    ] {
        let began = Instant::now();
        let mut command = pushing(&tenant, "a", &format!("http://{address}"), &["--report", "report.json"]);
        let ended = run(command.env("EXORUN_PUSHGATEWAY_TIMEOUT", "1s")).await;
        ended.assert_code(0);
        let said = complaints(&ended);
        assert!(said.len() == 1 && said[0].contains("WARN"), "{why}:\n{}", ended.stderr);
        let place = format!("http://{address}/metrics/job/a/target/contoso.onmicrosoft.com/emulated/true: ");
        assert!(said[0].contains(&place) && said[0].contains(why), "{why}:\n{}", said[0]);
        assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
        assert!(began.elapsed() < SOON, "{why}: {:?}", began.elapsed());
        assert!(tenant.path("report.json").is_file(), "the report was there before");
        tenant.assert_all_closed();
    }
    assert_eq!(*went_there.lock().unwrap(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_keeps_its_exit_code_whatever_the_gateway_does() {
    let tenant = Tenant::start(Options { mailboxes: 20, ..Options::default() }).await;
    let (refuses, _) = peer(answer("503 Service Unavailable", "")).await;
    let mut command = pushing(&tenant, "a", &format!("http://{refuses}"), &[]);
    let ended = run(command.env("EXORUN_CLIENT_SECRET", "one-that-the-emulator-refuses")).await;
    ended.assert_code(77);
    assert_eq!(complaints(&ended).len(), 1, "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_shown_to_the_gateway_and_to_nobody_else() {
    let tenant = Tenant::start(Options { mailboxes: 20, ..Options::default() }).await;
    let (takes, heard) = peer(answer("202 Accepted", "")).await;
    std::fs::write(tenant.path("secret"), "canary:colon:canary\n").unwrap();
    let url = format!("http://{takes}/behind/a/proxy/");
    for (setting, header) in [
        ("EXORUN_PUSHGATEWAY_TOKEN_FILE", "authorization: Bearer canary:colon:canary\r\n"),
        ("EXORUN_PUSHGATEWAY_BASIC_AUTH_FILE", "authorization: Basic Y2FuYXJ5OmNvbG9uOmNhbmFyeQ==\r\n"),
    ] {
        let ended = run(pushing(&tenant, "a", &url, &[]).env(setting, tenant.path("secret"))).await;
        ended.assert_code(0);
        assert!(complaints(&ended).is_empty(), "{}", ended.stderr);
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        assert!(heard.starts_with("POST /behind/a/proxy/metrics/job/a/target/"), "{heard}");
        assert!(heard.contains(header), "{heard}");
    }
    // A file that is not there, and a peer that refuses: neither shows what is in the file.
    let (refuses, _) = peer(answer("401 Unauthorized", "")).await;
    for (url, file) in [(format!("http://{takes}"), "none"), (format!("http://{refuses}"), "secret")] {
        let mut command = pushing(&tenant, "a", &url, &[]);
        let ended = run(command.env("EXORUN_PUSHGATEWAY_TOKEN_FILE", tenant.path(file))).await;
        ended.assert_code(0);
        assert_eq!(complaints(&ended).len(), 1, "{}", ended.stderr);
        assert!(!ended.stderr.contains("canary:colon") && !ended.stdout.contains("canary:colon"));
    }
}
