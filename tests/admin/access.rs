//! Who may ask for what.

use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::observe::admin::AdminConfig;

use crate::house::{config, exchange, file, get, send, start, try_start};

const API: [&str; 4] = ["/", "/api/v1/jobs", "/api/v1/runs", "/api/v1/openapi.json"];

#[tokio::test]
async fn without_a_token_other_hosts_get_metrics_and_probes_only() {
    let server = start(AdminConfig { address: "0.0.0.0:0".parse().unwrap(), ..config() }).await;
    let address = format!("127.0.0.1:{}", server.address().port()).parse().unwrap();
    for target in ["/metrics", "/livez", "/readyz"] {
        let reply = send(address, "GET", target, "").await;
        assert_eq!(reply.status, 200, "{target}");
        // Under whatever name: a scraper's target may be one.
        let named = format!("GET {target} HTTP/1.1\r\nhost: exorun.jobs.svc\r\nconnection: close\r\n\r\n");
        assert_eq!(exchange(address, &named).await.status, 200, "{target}");
    }
    for target in API {
        let reply = get(address, target).await;
        assert_eq!(reply.status, 403, "{target}");
        assert!(reply.problem().contains("set `admin_token_file`"), "{reply:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_browser_that_is_led_here_under_another_name_gets_nothing() {
    let server = start(config()).await;
    for target in ["/metrics", "/api/v1/jobs"] {
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: evil.example:9464\r\nconnection: close\r\n\r\n");
        let reply = exchange(server.address(), &request).await;
        assert_eq!(reply.status, 421, "{target}");
        assert!(reply.problem().contains("`localhost`"), "{reply:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn with_a_token_only_probes_are_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "token", "canary-token\n");
    for address in ["127.0.0.1:0", "0.0.0.0:0"] {
        let address = address.parse().unwrap();
        let server = start(AdminConfig { address, token_file: Some(path.clone()), ..config() }).await;
        let address = format!("127.0.0.1:{}", server.address().port()).parse().unwrap();
        for target in ["/livez", "/readyz"] {
            assert_eq!(get(address, target).await.status, 200, "{target}");
        }
        for target in API.into_iter().chain(["/metrics"]) {
            let bare = get(address, target).await;
            assert_eq!(
                (bare.status, bare.header("www-authenticate")),
                (401, Some("Bearer realm=\"exorun\""))
            );
            for wrong in ["canary-tokem", "canary-token-", "canary", "Canary-Token"] {
                let header = format!("authorization: Bearer {wrong}\r\n");
                let reply = send(address, "GET", target, &header).await;
                assert_eq!(reply.status, 401, "{target} {wrong}");
                let challenge = reply.header("www-authenticate").unwrap();
                assert!(challenge.contains("invalid_token"), "{challenge}");
                assert!(!format!("{reply:?}").contains("canary-token"), "{reply:?}");
            }
            let basic = "authorization: Basic Y2FuYXJ5LXRva2Vu\r\n";
            assert_eq!(send(address, "GET", target, basic).await.status, 401, "{target}");
            let right = "authorization: bearer canary-token\r\n";
            assert_eq!(send(address, "GET", target, right).await.status, 200, "{target}");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn a_replaced_token_counts_soon_and_a_lost_one_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "token", "first");
    let server = start(AdminConfig { token_file: Some(path.clone()), ..config() }).await;
    let status = async |token: &str| {
        let header = format!("authorization: Bearer {token}\r\n");
        send(server.address(), "GET", "/api/v1/jobs", &header).await.status
    };
    let becomes = async |token: &str, wanted: u16| {
        for _ in 0..500 {
            if status(token).await == wanted {
                return true;
            }
            Clocks::system().sleep(Duration::from_millis(10)).await;
        }
        false
    };
    assert_eq!((status("first").await, status("second").await), (200, 401));
    // As Kubernetes does it: another file in its place.
    std::fs::rename(file(folder.path(), "new", "second"), &path).unwrap();
    assert!(becomes("second", 200).await);
    assert_eq!(status("first").await, 401);
    std::fs::write(&path, "").unwrap();
    assert!(becomes("second", 503).await);
    assert_eq!(status("").await, 503);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(status("second").await, 503);
    std::fs::write(&path, "third").unwrap();
    assert!(becomes("third", 200).await);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_used_is_an_error_before_anything_listens() {
    let folder = tempfile::tempdir().unwrap();
    let empty = file(folder.path(), "token", "\n");
    let error = try_start(AdminConfig { token_file: Some(empty), ..config() }).await.err().unwrap();
    assert!(error.to_string().contains("is empty; write the token into it"), "{error}");
    let absent = Some(folder.path().join("none"));
    let error = try_start(AdminConfig { token_file: absent, ..config() }).await.err().unwrap();
    assert!(error.to_string().starts_with("`admin_token_file` /"), "{error}");
}

#[tokio::test]
async fn a_taken_port_is_named_with_the_mend() {
    let first = start(config()).await;
    let taken = first.address();
    let error = try_start(AdminConfig { address: taken, ..config() }).await.err().unwrap().to_string();
    assert!(
        error.contains(&taken.to_string()) && error.contains("in use") && error.contains("`admin_address`"),
        "{error}"
    );
    first.stop().await;
    start(AdminConfig { address: taken, ..config() }).await.stop().await;
}
