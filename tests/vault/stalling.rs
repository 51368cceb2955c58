//! A way to OpenBao on which some requests get stuck: they are sent, and nothing comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// It ends with the test's runtime.
pub(crate) struct Stalling {
    pub(crate) address: String,
    stuck: Arc<AtomicUsize>,
    stalls: Arc<AtomicBool>,
}

impl Stalling {
    /// Leads to `address`. From [`Stalling::begin`] on, requests to this path get stuck.
    pub(crate) async fn start(address: &str, path: &'static str) -> Stalling {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let (stuck, stalls) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (count, on) = (Arc::clone(&stuck), Arc::clone(&stalls));
        let server = address.strip_prefix("http://").unwrap().to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let (count, on) = (Arc::clone(&count), Arc::clone(&on));
                tokio::spawn(forward(client, server, path, count, on));
            }
        });
        Stalling { address: own, stuck, stalls }
    }

    pub(crate) fn begin(&self) {
        self.stalls.store(true, Ordering::SeqCst);
    }

    /// How many requests are stuck.
    pub(crate) fn stuck(&self) -> usize {
        self.stuck.load(Ordering::SeqCst)
    }
}

async fn forward(
    client: TcpStream,
    server: TcpStream,
    path: &str,
    stuck: Arc<AtomicUsize>,
    stalls: Arc<AtomicBool>,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = async {
        let _gone = tokio::io::copy(&mut from_server, &mut to_client).await;
    };
    let there = async {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            // A request's first line comes in one piece with what is before it.
            if stalls.load(Ordering::SeqCst) && String::from_utf8_lossy(&buffer[..count]).contains(path) {
                stuck.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<()>().await;
            }
            if to_server.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = back => {}
        () = there => {}
    }
}
