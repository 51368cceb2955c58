//! One accept loop: TCP, optional TLS, HTTP/1.1 and HTTP/2, for the admin server and the emulator.
//!
//! It bounds what a peer can cost (connections, time for the handshake and for a request's head) and it knows how
//! each transport ended: by the peer's close_notify, without one, or because this side cut it. A [`Server`] that
//! is stopped refuses new connections, lets requests in hand finish within a grace time, and then cuts the rest.

mod connection;
mod in_hand;
mod watched;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use connection::{Connection, End, Protocol};

use crate::clocks::Clocks;

/// How long the accept loop pauses after the system refused it a connection (for example: no more descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Room for all of a request's headers. A token of the service and a few cookies take about 8 KiB.
const HEADERS_BYTES_MAX: usize = 64 * 1024;

/// An error of a body or a service, as hyper takes it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How a [`Server`] treats its peers.
#[derive(Clone)]
pub struct Options {
    /// TLS, with the ALPN protocols that the server offers; `None` speaks plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Time for the TLS handshake, and for each request's head. HTTP/1 counts the wait for a next request too.
    pub header_timeout: Duration,
    /// HTTP/2: a connection that has had no request in hand for so long is ended. HTTP/1 has `header_timeout` for that.
    pub idle_timeout: Option<Duration>,
    /// From a request's head until hyper has taken the last piece of its answer; then the transport is cut. It
    /// is for peers that read slowly, or not at all.
    pub request_timeout: Option<Duration>,
    /// Room for all headers of a request; one that needs more is answered with 431. At least 8 KiB.
    pub headers_bytes_max: usize,
    /// Connections served at a time; further ones wait in the listen queue.
    pub connections_max: usize,
    /// How long to wait for the peer's own end of the transport after this side ended it.
    pub linger: Duration,
    /// How long [`Server::stop`] lets requests in hand run.
    pub grace: Duration,
    /// Reads time and sleeps.
    pub clocks: Clocks,
}

impl Options {
    /// Plain HTTP with the defaults: 30 s for a head, no limit for a request and for idle HTTP/2, 64 KiB of headers,
    /// 512 connections, 2 s to linger, 5 s of grace.
    pub fn new(clocks: Clocks) -> Options {
        Options {
            tls: None,
            header_timeout: Duration::from_secs(30),
            idle_timeout: None,
            request_timeout: None,
            headers_bytes_max: HEADERS_BYTES_MAX,
            connections_max: 512,
            linger: Duration::from_secs(2),
            grace: Duration::from_secs(5),
            clocks,
        }
    }
}

/// Makes one service for each connection, and hears how the connection ended.
pub trait Accept: Send + Sync + 'static {
    /// The body of the service's responses.
    type Body: Body<Data: Send, Error: Into<BoxError>> + Send + 'static;
    /// The service of one connection.
    type Service: hyper::service::Service<
            Request<Incoming>,
            Response = Response<Self::Body>,
            Error = Infallible,
            Future: Send + 'static,
        > + Send
        + 'static;

    /// The service for a connection whose handshake is done.
    fn accept(&self, connection: Connection) -> Self::Service;

    /// The connection is over, or the peer just ended it. Called exactly once for each [`Accept::accept`], and before
    /// this side's own goodbye if the peer was first. It must not block.
    fn ended(&self, connection: &Connection, end: End) {
        let _ = (connection, end);
    }
}

/// An [`Accept`] that only makes services: `Each(|_| service_fn(..))`. Nobody hears how connections end.
pub struct Each<F>(pub F);

impl<F, S, B> Accept for Each<F>
where
    F: Fn(Connection) -> S + Send + Sync + 'static,
    S: hyper::service::Service<
            Request<Incoming>,
            Response = Response<B>,
            Error = Infallible,
            Future: Send + 'static,
        > + Send
        + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Body = B;
    type Service = S;

    fn accept(&self, connection: Connection) -> S {
        (self.0)(connection)
    }
}

/// A running accept loop and its connections. Dropping it begins the stop; only [`Server::stop`] waits for it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Serves `listener` until the server is stopped.
    ///
    /// # Errors
    /// The listener has no local address.
    pub fn start<A: Accept>(listener: TcpListener, acceptor: Arc<A>, options: Options) -> io::Result<Server> {
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(accept_loop(listener, acceptor, options, stop.clone(), tasks.clone()));
        Ok(Server { address, stop, tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more, ends every connection after its requests in hand, and returns when all are over.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        self.tasks.close();
    }
}

async fn accept_loop<A: Accept>(
    listener: TcpListener,
    acceptor: Arc<A>,
    options: Options,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(options.connections_max));
    let mut next_id = 1;
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
            (place, listener.accept().await)
        };
        let Some((place, accepted)) = until(&stop, accepted).await else { return };
        match accepted {
            Ok((stream, peer)) => {
                let work = connection::serve(
                    connection::Arrived { id: next_id, stream, peer },
                    acceptor.clone(),
                    options.clone(),
                    stop.clone(),
                    tasks.clone(),
                );
                next_id += 1;
                tasks.spawn(async move {
                    work.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                if until(&stop, options.clocks.sleep(ACCEPT_PAUSE)).await.is_none() {
                    return;
                }
            }
        }
    }
}

/// The result of `work`, or `None` if `stop` came first.
async fn until<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        done = work => Some(done),
    }
}
