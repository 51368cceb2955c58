//! mitmproxy: TLS opened and read by a proxy with an authority of its own, as companies do it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::emulating::Emulating;
use super::{all_closed, answered, components, emulator, hardening, run};

/// A running mitmproxy before the emulator's Exchange door; it is killed when this is dropped.
struct Mitmproxy {
    _child: Child,
    endpoint: String,
    /// Its authority and the emulator's.
    ca_file: PathBuf,
}

async fn intercepted(emulator: &Emulating) -> Mitmproxy {
    let folder = emulator.folder.path().join("mitmproxy");
    let mut child = Command::new("mitmdump")
        .args(["--listen-host", "127.0.0.1", "--listen-port", "0", "--set", "keep_host_header=true"])
        .arg("--mode")
        .arg(format!("reverse:{}", emulator.endpoint("exchange_endpoint").unwrap()))
        .arg("--set")
        .arg(format!("confdir={}", folder.display()))
        .arg("--set")
        .arg(format!("ssl_verify_upstream_trusted_ca={}", emulator.out("ca.pem").display()))
        .env("PYTHONUNBUFFERED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let line = lines.next_line().await.unwrap().expect("mitmdump ended");
            if let Some((_, address)) = line.split_once("listening at ") {
                break address.trim_end_matches('.').to_owned();
            }
        }
    });
    let address = address.await.expect("mitmdump does not listen");
    // It says a line for each request, and would stand still if nobody read them.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let own = std::fs::read_to_string(folder.join("mitmproxy-ca-cert.pem")).unwrap();
    let ca_file = folder.join("both.pem");
    std::fs::write(&ca_file, own + &std::fs::read_to_string(emulator.out("ca.pem")).unwrap()).unwrap();
    Mitmproxy { _child: child, endpoint: format!("https://{address}"), ca_file }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_opens_tls_is_trusted_by_its_authority_only() {
    let test = "a_proxy_that_opens_tls_is_trusted_by_its_authority_only";
    if !["mitmdump", "curl"].into_iter().all(|program| components::has(program, test)) {
        return;
    }
    let emulator = emulator("30").await;
    let proxy = intercepted(&emulator).await;
    let refused = run(&emulator, &proxy.endpoint, &emulator.out("ca.pem"), &hardening(), &[]).await;
    refused
        .assert_failed(1, &["cannot connect to", "certificate", "ca_file", "sessions: 0 opened, 0 closed\n"]);
    assert_eq!(answered(&all_closed(&emulator).await, "Get-Mailbox"), 0);

    let run = run(&emulator, &proxy.endpoint, &proxy.ca_file, &hardening(), &[]).await;
    run.ended.assert_code(0);
    assert_eq!(run.sum("retries"), 0, "{}", run.report);
    assert!(run.sum("changed") > 5, "{}", run.report);
    // mitmproxy ends its own transports without close_notify; that is not the program's to mend.
    let state = all_closed(&emulator).await;
    assert_eq!(state["changed_objects"], run.sum("changed"), "{state}");
}
