//! What calls itself Vault and means no good: answers without an end, lives beyond reckoning, secrets given back.

use std::sync::Arc;
use std::time::Duration;

use exorun::secrets::vault::Login;
use exorun::secrets::{SecretErrorKind, SecretSource};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::canned::{Canned, read_whole};
use super::client::{assert_told, client, parts_at};

/// An answer, byte for byte, and what follows it for ever.
type Answer = (String, Option<&'static [u8]>);

async fn hostile(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> String {
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let (first, forever) = answer(&read_whole(&mut stream).await);
                let mut gone = stream.write_all(first.as_bytes()).await;
                while let (Ok(()), Some(again)) = (&gone, forever) {
                    gone = stream.write_all(again).await;
                }
            });
        }
    });
    address
}

fn refused(text: &str) -> Answer {
    let body = serde_json::json!({ "errors": [text] }).to_string();
    let head = format!("HTTP/1.1 400 No\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    (head + &body, None)
}

fn file(folder: &tempfile::TempDir, text: &str) -> std::path::PathBuf {
    let path = folder.path().join("file");
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn an_answer_without_an_end_is_given_up() {
    const CHUNK: &[u8] = b"10\r\nxxxxxxxxxxxxxxxx\r\n";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let address = hostile(move |_| (head.to_owned(), Some(CHUNK))).await;
    let folder = tempfile::tempdir().unwrap();
    let client = client(parts_at(&address, None, Login::Token { file: file(&folder, "hvs.x") }));
    let read = tokio::time::timeout(Duration::from_secs(60), client.vault_read("secret", "app"));
    let error = read.await.unwrap().err().unwrap();
    assert_told(&error, SecretErrorKind::Unavailable, &["the answer has more than 4194304 bytes", &address]);
}

#[tokio::test]
async fn numbers_as_large_as_they_get_are_taken() {
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    const MOST: u64 = u64::MAX;
    let vault = Canned::start(|request| {
        let body = if request.contains("/login") {
            format!(r#"{{"auth":{{"client_token":"hvs.x","lease_duration":{MOST},"renewable":true}}}}"#)
        } else if request.contains("/ui/mounts/") {
            r#"{"data":{"path":"secret/","type":"kv","options":{"version":"2"}}}"#.to_owned()
        } else {
            format!(r#"{{"data":{{"data":{{"a":"b"}},"metadata":{{"version":{MOST}}}}}}}"#)
        };
        ("application/json", body)
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let login = Login::Jwt { role: None, jwt_file: file(&folder, "a.b.c") };
    let client = client(parts_at(&vault.address, None, login));
    let fields = client.vault_read("secret", "app").await.unwrap();
    assert_eq!(fields.version, Some(MOST));
    // The token is looked after in the background.
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.vault_read("secret", "app").await.unwrap();
    let place = super::client::place("secret", "app");
    client.secrets.keep(&place, &fields, exorun::secrets::Expected::Version(MOST)).await.unwrap();
    client.vault.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn what_was_sent_is_in_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let address = hostile(|request| refused(&format!("no: {request}"))).await;
    for login in [
        Login::Token { file: file(&folder, "hvs.canary-token") },
        Login::Jwt { role: Some("reader".to_owned()), jwt_file: file(&folder, "hvs.canary-token") },
    ] {
        let client = client(parts_at(&address, None, login));
        let error = client.vault_read("secret", "app").await.err().unwrap().to_string();
        assert!(error.contains("HTTP 400: no: "), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
}
