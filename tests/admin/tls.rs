//! TLS: both protocols, and certificates that change.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use exorun::clocks::Clocks;
use exorun::observe::admin::{AdminConfig, AdminServer, Times, TlsFiles};
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::house::{ask_on, config, file, start, try_start};

/// A new pair in the files, and its certificate.
fn renew(folder: &Path) -> (TlsFiles, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = file(folder, "tls.crt", &made.cert.pem());
    let key = file(folder, "tls.key", &made.signing_key.serialize_pem());
    (TlsFiles { certificate, key }, made.cert.der().clone())
}

/// A connection of a client that trusts only `certificate`.
async fn connect(
    server: &AdminServer,
    certificate: &CertificateDer<'static>,
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![alpn.to_vec()];
    let tcp = TcpStream::connect(server.address()).await?;
    let name = ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, tcp).await
}

#[tokio::test]
async fn both_protocols_are_spoken_and_plain_http_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (files, certificate) = renew(folder.path());
    let server = start(AdminConfig { tls: Some(files), ..config() }).await;
    let mut stream = connect(&server, &certificate, b"http/1.1").await.unwrap();
    assert_eq!(ask_on(&mut stream, "/readyz").await.body, "ready\n");

    let stream = connect(&server, &certificate, b"h2").await.unwrap();
    let (mut send, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let ask = async {
        let mut seen = Vec::new();
        for (method, target, body) in [
            ("GET", "https://localhost/api/v1/jobs?limit=1", ""),
            ("HEAD", "https://localhost/metrics", ""),
            ("POST", "https://localhost/api/v1/jobs", "a body"),
            ("GET", "https://localhost/api/v1/../metrics", ""),
            ("GET", "https://evil.example/metrics", ""),
        ] {
            let request = Request::builder().method(method).uri(target);
            let request = request.body(http_body_util::Full::new(Bytes::from(body))).unwrap();
            let answer = send.send_request(request).await.unwrap();
            let status = answer.status().as_u16();
            let length = answer.into_body().collect().await.unwrap().to_bytes().len();
            seen.push((status, length > 0));
        }
        drop(send);
        seen
    };
    let (seen, _) = tokio::join!(ask, connection);
    assert_eq!(seen, [(200, true), (200, false), (413, true), (404, true), (421, true)]);

    let mut plain = TcpStream::connect(server.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    let _ = plain.read_to_end(&mut bytes).await;
    assert!(!String::from_utf8_lossy(&bytes).contains("HTTP/1.1"), "{bytes:?}");
    server.stop().await;
}

#[tokio::test]
async fn an_idle_connection_of_http2_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (files, certificate) = renew(folder.path());
    let times = Times { head: Duration::from_millis(200), ..config().times };
    let server = start(AdminConfig { tls: Some(files), times, ..config() }).await;
    // One that asked, and one that does not even say its preface.
    let stream = connect(&server, &certificate, b"h2").await.unwrap();
    let mut silent = connect(&server, &certificate, b"h2").await.unwrap();
    let (mut send, connection) = hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(
        TokioExecutor::new(),
        TokioIo::new(stream),
    )
    .await
    .unwrap();
    let ended = async {
        let request = Request::get("https://localhost/livez").body(Empty::new()).unwrap();
        assert_eq!(send.send_request(request).await.unwrap().status(), 200);
        // The sender is kept: the client would go on for ever.
        std::future::pending::<()>().await;
    };
    let both = async {
        tokio::select! {
            () = ended => unreachable!("it waits for ever"),
            _ = connection => {}
        }
        let mut piece = [0; 1024];
        while let Ok(1..) = silent.read(&mut piece).await {}
    };
    Clocks::system().timeout(Duration::from_secs(10), both).await.expect("the server ends both");
    server.stop().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_used_and_half_of_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (files, first) = renew(folder.path());
    let key_before = std::fs::read(&files.key).unwrap();
    let server = start(AdminConfig { tls: Some(files.clone()), ..config() }).await;
    let (_, second) = renew(folder.path());
    let mut taken = false;
    for _ in 0..500 {
        taken = connect(&server, &second, b"http/1.1").await.is_ok();
        if taken {
            break;
        }
        Clocks::system().sleep(Duration::from_millis(10)).await;
    }
    assert!(taken, "the new certificate was not taken");
    assert!(connect(&server, &first, b"http/1.1").await.is_err(), "the old one is still used");
    // The certificate of one pair beside the key of another, for many looks.
    std::fs::write(&files.key, key_before).unwrap();
    Clocks::system().sleep(Duration::from_millis(200)).await;
    assert!(connect(&server, &second, b"http/1.1").await.is_ok());
    std::fs::remove_file(&files.certificate).unwrap();
    Clocks::system().sleep(Duration::from_millis(200)).await;
    assert!(connect(&server, &second, b"http/1.1").await.is_ok());
    server.stop().await;
}

#[tokio::test]
async fn files_that_are_no_pair_are_an_error_that_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let (files, _) = renew(folder.path());
    let (others, _) = renew(other.path());
    let text = file(folder.path(), "text", "canary");
    let absent = folder.path().join("absent");
    for (certificate, key, words) in [
        (&files.certificate, &others.key, "`admin_tls_key` /"),
        (&text, &files.key, "`admin_tls_certificate` /"),
        (&files.certificate, &text, "holds no PEM private key"),
        (&files.certificate, &absent, "`admin_tls_key` /"),
        (&absent, &files.key, "`admin_tls_certificate` /"),
    ] {
        let tls = Some(TlsFiles { certificate: certificate.clone(), key: key.clone() });
        let error = try_start(AdminConfig { tls, ..config() }).await.err().unwrap().to_string();
        assert!(error.contains(words) && !error.contains("canary"), "{error}");
    }
}
