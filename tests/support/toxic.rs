//! A TCP forwarder that harms what comes back: for what no proxy does on purpose.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Harm {
    /// After so many bytes of the service's, both sides are closed.
    CutAfter(usize),
    /// After so many bytes of the service's, nothing comes any more; nobody is told.
    StallAfter(usize),
    /// Whatever the service says comes so much later.
    Delay(Duration),
}

/// A running forwarder.
pub(crate) struct Toxic {
    pub(crate) port: u16,
    met: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Toxic {
    /// Forwards to `port` of loopback; the first `count` connections are harmed.
    pub(crate) async fn start(port: u16, harm: Harm, count: usize) -> Toxic {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own_port = listener.local_addr().unwrap().port();
        let met = Arc::<AtomicUsize>::default();
        let counted = met.clone();
        let task = tokio::spawn(async move {
            let mut connections = 0;
            while let Ok((client, _)) = listener.accept().await {
                connections += 1;
                let harm = (connections <= count).then_some(harm);
                tokio::spawn(forward(client, port, harm, counted.clone()));
            }
        });
        Toxic { port: own_port, met, task }
    }

    /// How many connections were harmed so far.
    pub(crate) fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }
}

impl Drop for Toxic {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(client: TcpStream, port: u16, harm: Option<Harm>, met: Arc<AtomicUsize>) {
    let Ok(service) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_service, mut to_service) = service.into_split();
    let there = async {
        let _ended = tokio::io::copy(&mut from_client, &mut to_service).await;
        let _gone = to_service.shutdown().await;
        // The service answers the client's end with its own.
        std::future::pending::<()>().await;
    };
    let back = async {
        let mut left = match harm {
            Some(Harm::CutAfter(bytes) | Harm::StallAfter(bytes)) => bytes,
            Some(Harm::Delay(_)) | None => usize::MAX,
        };
        let mut chunk = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from_service.read(&mut chunk).await {
            if let Some(Harm::Delay(delay)) = harm {
                tokio::time::sleep(delay).await;
            }
            let passed = read.min(left);
            if to_client.write_all(&chunk[..passed]).await.is_err() {
                return;
            }
            left -= passed;
            if left == 0 {
                met.fetch_add(1, Ordering::SeqCst);
                if let Some(Harm::StallAfter(_)) = harm {
                    std::future::pending::<()>().await;
                }
                return;
            }
        }
        let _gone = to_client.shutdown().await;
    };
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}
