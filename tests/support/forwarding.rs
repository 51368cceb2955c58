//! A forward proxy made by hand: it opens tunnels to the emulator's ports, or answers as no proxy should.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// What it does with a CONNECT.
#[derive(Clone, Debug)]
pub(crate) enum Answers {
    /// Opens the tunnel, to those who send this header only if there is one.
    Tunnels { authorization: Option<&'static str> },
    /// Says this and closes.
    Says(&'static str),
    /// Says nothing and keeps the connection.
    Nothing,
    /// Closes at once.
    Closes,
}

/// It runs until the test's runtime ends.
pub(crate) struct Forwarding {
    pub(crate) port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Forwarding {
    /// `names` are led to ports of 127.0.0.1; nobody else is reached.
    pub(crate) async fn start(answers: Answers, names: Vec<(String, u16)>) -> Forwarding {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (kept, names) = (Arc::clone(&heads), Arc::new(names));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answers.clone(), Arc::clone(&names), Arc::clone(&kept)));
            }
        });
        Forwarding { port, heads }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The heads of the requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: Answers,
    names: Arc<Vec<(String, u16)>>,
    heads: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    heads.lock().unwrap().push(head.clone());
    match answers {
        Answers::Tunnels { authorization } => {
            let is_known = authorization.is_none_or(|wanted| head.contains(&format!("{wanted}\r\n")));
            let target = head.split(' ').nth(1).unwrap();
            let port = names.iter().find(|(name, _)| format!("{name}:443") == target).map(|(_, port)| *port);
            let answer = match (is_known, port) {
                (false, _) => {
                    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"
                }
                (true, None) => "HTTP/1.1 403 Forbidden\r\n\r\n",
                (true, Some(_)) => "HTTP/1.1 200 Connection established\r\n\r\n",
            };
            let _ = stream.write_all(answer.as_bytes()).await;
            if let (true, Some(port)) = (is_known, port) {
                let mut service = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut service).await;
            }
        }
        Answers::Says(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Answers::Nothing => std::future::pending().await,
        Answers::Closes => {}
    }
}
