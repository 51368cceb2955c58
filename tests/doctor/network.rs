//! Broken on the way: names, ports, certificates, clocks, clouds.

use std::time::Duration;

use exorun::emulator::{Cloud, Options};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::program::{ended, signal};
use super::{APPLICATION, broken, climbed, rung, tenant, written};

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_exist() {
    let tenant = tenant(Options::default()).await;
    let nowhere = [("EXORUN_EXCHANGE_ENDPOINT", "https://exchange.does-not-exist.invalid")];
    let climb = climbed(&tenant, APPLICATION, &[], &nowhere).await;
    broken(&climb, 1, "dns", "a_name_that_does_not_exist");
    assert_eq!(tenant.emulator.counters().requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_nobody_answers() {
    let tenant = tenant(Options::default()).await;
    // Bound and dropped: nobody listens there now.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = format!("https://127.0.0.1:{port}");
    let climb = climbed(&tenant, APPLICATION, &[], &[("EXORUN_LOGIN_ENDPOINT", &closed)]).await;
    broken(&climb, 1, "tcp", "a_port_that_nobody_answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_authority_that_is_not_trusted() {
    let tenant = tenant(Options::default()).await;
    let other = super::tenant(Options::default()).await;
    let foreign = other.path("ca.pem");
    let climb = climbed(&tenant, APPLICATION, &[], &[("EXORUN_CA_FILE", foreign.to_str().unwrap())]).await;
    broken(&climb, 64, "tls", "a_private_authority_that_is_not_trusted");
    assert!(climb.stdout.contains("`ca_file`"), "{}", climb.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off() {
    let ten_minutes = Options { clock_ahead: Duration::from_secs(600), ..Options::default() };
    let tenant = tenant(ten_minutes).await;
    let climb = climbed(&tenant, APPLICATION, &[], &[]).await;
    broken(&climb, 1, "clock", "a_clock_that_is_off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_begins_to_be_off_is_a_warning() {
    let tenant = tenant(Options { clock_ahead: Duration::from_secs(120), ..Options::default() }).await;
    let climb = climbed(&tenant, APPLICATION, &[], &[]).await;
    climb.assert_code(0);
    let clock = rung(&climb, "clock");
    assert!(clock.starts_with("warning") && clock.contains("behind") && clock.contains("chrony"), "{clock}");
    assert!(climb.stdout.ends_with("nothing is broken; mind the warning\n"), "{}", climb.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_cloud() {
    let tenant = tenant(Options { cloud: Cloud::GccHigh, ..Options::default() }).await;
    let climb = climbed(&tenant, APPLICATION, &[], &[]).await;
    broken(&climb, 64, "discovery", "the_wrong_cloud");
    assert!(climb.stdout.contains("O365USGovGCCHigh"), "{}", climb.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_does_not_exist() {
    let tenant = tenant(Options::default()).await;
    let job = APPLICATION.replace("contoso.", "contozo.");
    let climb = climbed(&tenant, &job, &[], &[]).await;
    broken(&climb, 77, "discovery", "a_tenant_that_does_not_exist");
}

/// A peer that takes connections and says nothing: the rung has its time, and a signal ends the climb before.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_says_nothing_holds_nobody_up() {
    let tenant = tenant(Options::default()).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", silent.local_addr().unwrap());
    let variables = [("EXORUN_EXCHANGE_ENDPOINT", address.as_str()), ("EXORUN_CONNECT_TIMEOUT", "500ms")];
    let climb = climbed(&tenant, APPLICATION, &[], &variables).await;
    climb.assert_code(1);
    assert!(climb.stdout.contains("first broken rung: tls"), "{}", climb.stdout);
    assert!(climb.stdout.contains("nothing was seen in 1s"), "{}", climb.stdout);

    let job = written(&tenant, APPLICATION);
    let mut command = tenant.exorun(&["doctor", job.to_str().unwrap()]);
    let child = command.env("EXORUN_EXCHANGE_ENDPOINT", &address).spawn().unwrap();
    // Two climbs connect twice each: for `tcp` and for `tls`.
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(silent.accept().await.unwrap());
    }
    signal(&child, Signal::TERM);
    let stopped = ended(child).await;
    stopped.assert_code(75);
    assert!(stopped.stdout.contains("interrupted"), "{}", stopped.stdout);
}

/// A proxy that answers every CONNECT with `head`, and then leads to `to`, if it is to lead anywhere.
async fn proxy(head: &'static str, to: Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let to = to.clone();
            tokio::spawn(async move {
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    match from.read_u8().await {
                        Ok(byte) => asked.push(byte),
                        Err(_) => return,
                    }
                }
                let _gone = from.write_all(head.as_bytes()).await;
                if let Some(to) = to {
                    let mut there = TcpStream::connect(to).await.unwrap();
                    let _over = tokio::io::copy_bidirectional(&mut from, &mut there).await;
                }
            });
        }
    });
    address
}

/// What lets the service be met at its own name behind a proxy; this machine is never asked through one.
fn behind(proxy: &str) -> [(&'static str, &str); 3] {
    [
        ("EXORUN_EXCHANGE_ENDPOINT", "https://outlook.office365.com"),
        ("EXORUN_CONNECT_TO", ""),
        ("EXORUN_PROXY", proxy),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_wants_a_password() {
    let tenant = tenant(Options::default()).await;
    let proxy = proxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", None).await;
    let climb = climbed(&tenant, APPLICATION, &[], &behind(&proxy)).await;
    broken(&climb, 1, "proxy", "a_proxy_that_wants_a_password");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_lets_through_is_climbed_through() {
    let tenant = tenant(Options::default()).await;
    let exchange = tenant.emulator.exchange_endpoint().replace("https://", "");
    let proxy = proxy("HTTP/1.1 200 Connection established\r\n\r\n", Some(exchange)).await;
    let climb = climbed(&tenant, APPLICATION, &[], &behind(&proxy)).await;
    climb.assert_code(0);
    let line = rung(&climb, "proxy");
    assert!(
        line.starts_with("ok ") && line.contains("leads to the service host outlook.office365.com"),
        "{line}"
    );
    assert!(rung(&climb, "tcp").contains("proxy 127.0.0.1"), "{}", climb.stdout);
    tenant.assert_all_closed();
}
