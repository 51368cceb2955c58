//! Setting `device_webhook`: the code of a run that nobody watches.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::desk::{Desk, NAVIN, end, end_of, options};
use super::vaulted::{self, Vaulted};

/// A chat program's address that answers `status` and keeps what it was told.
async fn listening(status: &'static str) -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook?key=canary-2c9d-hook", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(Vec::new()));
    let keeps = Arc::clone(&told);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            let body = loop {
                let mut chunk = [0; 4096];
                let read = stream.read(&mut chunk).await.unwrap();
                bytes.extend_from_slice(&chunk[..read]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
                if let Some(body) = body.and_then(|body| serde_json::from_str::<Value>(&body).ok()) {
                    break body;
                }
            };
            keeps.lock().unwrap().push(body);
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_is_posted_with_a_warning_and_the_address_is_never_shown() {
    let desk = Desk::new(options()).await;
    let (hook, told) = listening("200 OK").await;
    let user = format!("user_principal_name: {NAVIN}");
    let job = desk.job(&["method: device", &user]);
    let mut command = desk.unattended(&["run", job.to_str().unwrap(), "--log-level", "trace"]);
    let child = command.env("EXORUN_DEVICE_WEBHOOK", &hook).spawn().unwrap();
    let code = desk.user_code().await;
    let approve = format!("{}/device/{code}", desk.tenant.emulator.control_url());
    let ca = reqwest::Certificate::from_pem(desk.tenant.emulator.ca_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    client.post(approve).body(format!("approve {NAVIN}")).send().await.unwrap();
    let run = end_of(child).await;
    run.assert_code(0);
    let told = told.lock().unwrap().clone();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (told[0]["user_code"].as_str(), told[0]["user_principal_name"].as_str()),
        (Some(code.as_str()), Some(NAVIN))
    );
    assert!(told[0]["verification_uri"].as_str().unwrap().ends_with("/devicelogin"), "{told:?}");
    assert!(
        run.stderr.contains("whoever reads it there can have somebody else confirm it"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("canary-2c9d-hook"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_fails_is_told_and_ends_nothing() {
    let options = exorun::emulator::Options {
        device_approval: exorun::emulator::DeviceApproval::AfterPolls(1),
        ..options()
    };
    let desk = Desk::new(options).await;
    let job = desk.job(&["method: device"]);
    let (hook, _told) = listening("500 Internal Server Error").await;
    for hook in [hook.as_str(), "http://127.0.0.1:1/canary-2c9d-hook"] {
        let mut command = desk.unattended(&["run", job.to_str().unwrap(), "--log-level", "trace"]);
        command.env("EXORUN_DEVICE_WEBHOOK", hook);
        let run = end(command).await;
        run.assert_code(0);
        assert!(run.stderr.contains("`device_webhook` has not taken the code"), "{}", run.stderr);
        assert!(!run.stderr.contains("canary-2c9d-hook"), "{}", run.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn production_refuses_a_webhook_unless_it_is_allowed_by_name() {
    let options = exorun::emulator::Options {
        device_approval: exorun::emulator::DeviceApproval::AfterPolls(0),
        ..options()
    };
    let desk = Desk::new(options).await;
    let job = desk.job(&["method: device"]);
    let (hook, told) = listening("200 OK").await;
    let run = |allow: &'static str| {
        let mut command =
            desk.unattended(&["run", job.to_str().unwrap(), "--profile", "production", "--allow", allow]);
        command.env("EXORUN_DEVICE_WEBHOOK", &hook);
        end(command)
    };
    let refused = run("plain_http,local_slots_in_pod").await;
    refused.assert_code(78);
    assert!(refused.stderr.contains("`device_webhook`"), "{}", refused.stderr);
    assert!(told.lock().unwrap().is_empty());
    run("device_webhook,local_slots_in_pod").await.assert_code(0);
    assert_eq!(told.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_posts_no_code_and_counts_no_slots() {
    let test = "a_login_posts_no_code_and_counts_no_slots";
    let Some(vaulted) = Vaulted::start(test, vaulted::options()).await else { return };
    let (hook, told) = listening("200 OK").await;
    let production = |arguments: &[&str]| {
        let arguments = [arguments, &["--profile", "production", "--allow", "plain_http"]].concat();
        let mut command = vaulted.with_vault(vaulted.desk.unattended(&arguments));
        command.env("EXORUN_DEVICE_WEBHOOK", &hook).env("KUBERNETES_SERVICE_HOST", "192.0.2.1");
        command.env("EXORUN_SLOT_STORE", "local");
        command
    };
    for method in ["device", "browser", "vault"] {
        let job = vaulted.job(method, &[]);
        let child = production(&["login", &job, "--method", "device"]).spawn().unwrap();
        let code = vaulted.desk.user_code().await;
        vaulted.desk.tenant.control(&format!("device/{code}"), &format!("approve {NAVIN}")).await;
        end_of(child).await.assert_code(0);
        let run = end(production(&["run", &job])).await;
        run.assert_code(78);
        assert!(run.stderr.contains("`local_slots_in_pod`"), "{}", run.stderr);
        assert_eq!(run.stderr.contains("`device_webhook`"), method == "device", "{}", run.stderr);
        end(production(&["logout", &job, "--yes"])).await.assert_code(0);
    }
    assert_eq!(told.lock().unwrap().len(), 0, "no code was posted");
}
