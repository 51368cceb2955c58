//! A plain HTTP service of one line an answer, for what the emulator does not play: a proxy, a hiccup, GitHub Actions.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// The heads of the requests that came.
pub(crate) type Heads = Arc<Mutex<Vec<String>>>;

/// As an answer's body: half of a declared one, after which the connection ends.
pub(crate) const CUT_OFF: &str = "{\"cut\": ";

/// Answers the requests, one a connection, with `answers` in turn and the last one ever after; the address and what came.
pub(crate) async fn serve(answers: Vec<(u16, String)>) -> (String, Heads) {
    serve_at(Ipv4Addr::LOCALHOST.into(), answers).await
}

/// As [`serve`], at this address of the host.
pub(crate) async fn serve_at(address: IpAddr, answers: Vec<(u16, String)>) -> (String, Heads) {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heads = Heads::default();
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        for number in 0.. {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            seen.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
            let (status, body) = answers.get(number).or(answers.last()).cloned().unwrap();
            let missing = if body == CUT_OFF { body.len() } else { 0 };
            let answer = format!(
                "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len() + missing
            );
            let _closed = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, heads)
}
