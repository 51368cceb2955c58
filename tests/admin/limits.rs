//! What a peer cannot make the server do: wait, remember, read or work without end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::observe::admin::{self, AdminConfig, Answer, AskError, Asked, Query, Readiness, Times};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{Reply, ask_on, config, exchange, get, metrics, send, start};

const SHORT: Duration = Duration::from_millis(200);

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Whatever still comes, at most until the peer ends; an RST is an end.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let reading = async {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut piece).await {
            bytes.extend_from_slice(&piece[..length]);
        }
    };
    Clocks::system().timeout(Duration::from_secs(20), reading).await.expect("the server ends the connection");
    bytes
}

#[tokio::test]
async fn headers_without_end_are_431() {
    let server = start(config()).await;
    let long = format!("x-long: {}\r\n", "a".repeat(100_000));
    assert_eq!(send(server.address(), "GET", "/livez", &long).await.status, 431);
    let many: String = (0..1000).map(|number| format!("x-{number}: a\r\n")).collect();
    assert_eq!(send(server.address(), "GET", "/livez", &many).await.status, 431);
    let target = format!("/{}", "a".repeat(70_000));
    assert!(matches!(get(server.address(), &target).await.status, 414 | 431));
    // What a browser sends has room.
    let cookies = format!("cookie: {}\r\n", "a".repeat(6_000));
    assert_eq!(send(server.address(), "GET", "/livez", &cookies).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_body_is_refused_before_it_is_read() {
    let server = start(config()).await;
    let gigabyte = 1_u64 << 30;
    for (method, head) in [
        ("POST", format!("content-length: {gigabyte}\r\n")),
        ("GET", format!("content-length: {gigabyte}\r\n")),
        ("GET", "transfer-encoding: chunked\r\n".to_owned()),
        ("PUT", format!("content-length: {gigabyte}\r\nexpect: 100-continue\r\n")),
    ] {
        // Not a byte of the body is sent, and the answer is there.
        let request = format!("{method} /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\n{head}\r\n");
        let reply = exchange(server.address(), &request).await;
        assert_eq!((reply.status, reply.header("connection")), (413, Some("close")), "{request:?}");
        assert_eq!(reply.problem(), "this server reads no request bodies");
        assert!(!reply.head.contains("100 Continue"));
    }
    assert_eq!(send(server.address(), "GET", "/livez", "content-length: 0\r\n").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_gigabyte_that_is_sent_all_the_same_costs_next_to_nothing() {
    let server = start(config()).await;
    for framing in [format!("content-length: {}", 1_u64 << 30), "transfer-encoding: chunked".to_owned()] {
        let mut stream = connect(server.address()).await;
        let head = format!("POST /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\n{framing}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let sending = async {
            // A chunk of 64 KiB, as both framings may begin.
            let mut piece = b"10000\r\n".to_vec();
            piece.resize(7 + 65_536, b'x');
            piece.extend_from_slice(b"\r\n");
            let mut sent = 0_u64;
            while sent < 1 << 30 && writer.write_all(&piece).await.is_ok() {
                sent += piece.len() as u64;
            }
            sent
        };
        let reading = async {
            let mut bytes = Vec::new();
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut piece).await {
                bytes.extend_from_slice(&piece[..length]);
            }
            bytes
        };
        let both = async { tokio::join!(sending, reading) };
        let (sent, answer) = Clocks::system().timeout(Duration::from_secs(20), both).await.unwrap();
        assert_eq!(Reply::parse(&answer).status, 413, "{framing}");
        assert!(sent < 1 << 30, "{framing}: the whole body was taken");
    }
    assert_eq!(get(server.address(), "/livez").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn who_sends_its_head_by_drops_is_ended() {
    let times = Times { head: SHORT, ..config().times };
    let server = start(AdminConfig { times, ..config() }).await;
    let mut silent = connect(server.address()).await;
    let mut slow = connect(server.address()).await;
    let drops = async {
        for byte in b"GET /livez HTTP/1.1\r\nx-slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
            if slow.write_all(&[*byte]).await.is_err() {
                break;
            }
            Clocks::system().sleep(Duration::from_millis(20)).await;
        }
        rest(&mut slow).await
    };
    let (answer, nothing) = tokio::join!(drops, rest(&mut silent));
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"), "{answer:?}");
    assert!(nothing.is_empty());
    // And who asks nothing more.
    let mut idle = connect(server.address()).await;
    assert_eq!(ask_on(&mut idle, "/livez").await.status, 200);
    assert!(rest(&mut idle).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn many_slow_peers_do_not_keep_others_out_for_longer_than_their_time() {
    let times = Times { head: SHORT, ..config().times };
    let server = start(AdminConfig { times, connections_max: 8, ..config() }).await;
    let mut peers = Vec::new();
    for _ in 0..64 {
        let mut stream = connect(server.address()).await;
        stream.write_all(b"GET /livez HTTP/1.1\r\nx-slow: ").await.unwrap();
        peers.push(stream);
    }
    let got = Clocks::system().timeout(Duration::from_secs(10), get(server.address(), "/livez")).await;
    assert_eq!(got.expect("its turn came").status, 200);
    server.stop().await;
}

/// Answers with a text of 8 MiB, or never.
struct Large;

#[async_trait::async_trait]
impl Asked for Large {
    async fn answer(&self, query: Query) -> Result<Answer, AskError> {
        match query.limit {
            1 => std::future::pending().await,
            2 => Err(AskError::Unavailable("the history is away".to_owned())),
            _ => Ok(Answer { body: json!({ "items": ["x".repeat(8 << 20)], "next": null }) }),
        }
    }
}

async fn large(times: Times) -> admin::AdminServer {
    let config = AdminConfig { times, ..config() };
    admin::start(config, metrics(), Readiness::new(&[]), Arc::new(Large)).await.unwrap()
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_503() {
    let server = large(Times { answer: SHORT, ..config().times }).await;
    for (limit, words) in [(1, "the answer took too long"), (2, "the history is away")] {
        let reply = get(server.address(), &format!("/api/v1/runs?limit={limit}")).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
        assert_eq!(reply.problem(), words);
    }
    server.stop().await;
}

#[tokio::test]
async fn who_does_not_read_its_answer_is_cut_and_keeps_nobody_from_the_probes() {
    let times = Times { request: Duration::from_secs(8), answer: SHORT, ..config().times };
    let server = large(times).await;
    let address = server.address();
    let reader = async || {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        // What the system would keep for a reader is no more than the server's own side keeps.
        socket.set_recv_buffer_size(8 << 10).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        stream.write_all(b"GET /api/v1/runs HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        stream.readable().await.unwrap();
        stream
    };
    let readers = tokio::join!(reader(), reader(), reader(), reader());
    // All four places are taken by answers that nobody reads.
    assert_eq!(get(address, "/api/v1/runs").await.problem(), "too many requests are in hand");
    assert_eq!(get(address, "/livez").await.status, 200);
    Clocks::system().sleep(Duration::from_secs(10)).await;
    for mut reader in <[TcpStream; 4]>::from(readers) {
        let came = rest(&mut reader).await.len();
        assert!(came < 8 << 20, "the whole answer came: {came}");
    }
    // One that reads gets all of it, and the places are free again.
    let whole = get(address, "/api/v1/runs").await;
    assert!(whole.body.len() > 8 << 20);
    server.stop().await;
}
