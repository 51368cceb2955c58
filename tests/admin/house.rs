//! A server with answers of its own, and a client that says exactly the bytes it is told.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::exit::Exit;
use exorun::observe::admin::{self, AdminConfig, AdminError, AdminServer, Readiness, Times};
use exorun::observe::metrics::{Ending, Metrics, Peer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::examples::Examples;

/// Loopback, any port, nobody to be asked for a token, short times.
pub(crate) fn config() -> AdminConfig {
    AdminConfig {
        address: "127.0.0.1:0".parse().unwrap(),
        token_file: None,
        tls: None,
        connections_max: 64,
        times: Times {
            head: Duration::from_secs(5),
            request: Duration::from_secs(5),
            answer: Duration::from_secs(2),
            look: Duration::from_millis(20),
        },
        clocks: Clocks::system(),
    }
}

pub(crate) fn metrics() -> Metrics {
    let metrics = Metrics::new(Peer::Emulator);
    let at = "2026-11-22T02:00:30Z".parse().unwrap();
    metrics.run_finished("harden", "quo\"te\\.example", Exit::Done, Duration::from_secs(30), at);
    metrics.session_waited(Duration::from_millis(20));
    metrics.schedules();
    metrics.next_due("harden", Some(at));
    metrics.occurrences_due("harden", 2);
    metrics.occurrences_ended("harden", Ending { result: "ran", reason: "" }, 1);
    metrics.occurrences_ended("harden", Ending { result: "skipped", reason: "missed" }, 1);
    metrics
}

pub(crate) async fn start(config: AdminConfig) -> AdminServer {
    try_start(config).await.unwrap()
}

pub(crate) async fn try_start(config: AdminConfig) -> Result<AdminServer, AdminError> {
    let readiness = Readiness::new(&["jobs"]);
    readiness.done("jobs");
    admin::start(config, metrics(), readiness, Arc::new(Examples)).await
}

/// A file with `content` in `folder`.
pub(crate) fn file(folder: &Path, name: &str, content: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn parse(bytes: &[u8]) -> Reply {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The value of a header, if it is there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.head.lines().filter_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        });
        let value = found.next();
        assert!(found.next().is_none(), "{name} stands twice: {}", self.head);
        value
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The problem's detail; that the form is RFC 9457's is checked on the way.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!((&problem["type"], &problem["status"]), (&"about:blank".into(), &self.status.into()));
        assert!(problem["title"].is_string());
        problem["detail"].as_str().unwrap().to_owned()
    }
}

/// Sends `request` over a connection of its own, and reads until the server ends it.
pub(crate) async fn exchange(address: SocketAddr, request: &str) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let clocks = Clocks::system();
    let read = clocks.timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    read.expect("the server ends the connection").unwrap();
    Reply::parse(&bytes)
}

/// A request over a connection of its own, with further headers (each with its line end).
pub(crate) async fn send(address: SocketAddr, method: &str, target: &str, headers: &str) -> Reply {
    let request =
        format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n");
    exchange(address, &request).await
}

pub(crate) async fn get(address: SocketAddr, target: &str) -> Reply {
    send(address, "GET", target, "").await
}

/// One answer with a body of a known length, over a connection that stays open.
pub(crate) async fn ask_on(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), target: &str) -> Reply {
    let request = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        let byte = stream.read_u8().await.unwrap();
        bytes.push(byte);
        if bytes.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let length: usize = Reply::parse(&bytes).header("content-length").unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    bytes.extend(body);
    Reply::parse(&bytes)
}
