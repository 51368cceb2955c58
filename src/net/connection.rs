//! One connection, from its handshake to the way it ended.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::unconstrained;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::in_hand::{Counted, InHand};
use super::watched::{PeerEnd, Transport, Watched};
use super::{Accept, Options, until};

/// What a transport speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, one request after the other.
    Http1,
    /// HTTP/2, by ALPN.
    Http2,
}

/// How a transport ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer said so: close_notify (HTTP/2 peers send GOAWAY before it). Over plain TCP: FIN.
    Clean,
    /// The peer went without close_notify: FIN, RST or a broken record.
    Unclean,
    /// This side ended it, and the peer did not answer in time.
    Cut,
}

impl From<PeerEnd> for End {
    fn from(end: PeerEnd) -> End {
        match end {
            PeerEnd::Clean => End::Clean,
            PeerEnd::Unclean => End::Unclean,
        }
    }
}

/// The connection that a request came by. Clones are the same connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Counts up from 1 in each server.
    pub id: u64,
    /// The other side.
    pub peer: SocketAddr,
    /// What it speaks.
    pub protocol: Protocol,
    cut: CancellationToken,
}

impl Connection {
    /// Cuts the transport with an RST: no answer to requests in hand, no close_notify.
    pub fn cut(&self) {
        self.cut.cancel();
    }
}

pub(super) struct Arrived {
    pub(super) id: u64,
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
}

/// Tells the acceptor of the end, once. The peer's own end is told as soon as it is read, before this side says
/// goodbye: a peer that waits for the goodbye may count on its end having been heard.
struct Report<A: Accept> {
    acceptor: Arc<A>,
    connection: Connection,
    told: AtomicBool,
}

impl<A: Accept> Report<A> {
    fn tell(&self, end: End) {
        if !self.told.swap(true, Ordering::Relaxed) {
            self.acceptor.ended(&self.connection, end);
        }
    }
}

/// A panic in a service is an end too: a cut.
impl<A: Accept> Drop for Report<A> {
    fn drop(&mut self) {
        self.tell(End::Cut);
    }
}

/// Runs HTTP/2 streams on the server's tracker, so that the stop waits for them.
#[derive(Clone)]
struct Tracked(TaskTracker);

impl<F: Future<Output: Send + 'static> + Send + 'static> hyper::rt::Executor<F> for Tracked {
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

/// Serves one connection to its end and reports the end to `acceptor`.
pub(super) async fn serve<A: Accept>(
    arrived: Arrived,
    acceptor: Arc<A>,
    options: Options,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let Arrived { id, stream, peer } = arrived;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    let handshake = options.clocks.timeout(options.header_timeout, handshake(stream, &options));
    let (transport, protocol) = match until(&stop, handshake).await {
        None => return,
        Some(Ok(Ok(done))) => done,
        Some(Ok(Err(error))) => return tracing::debug!(%peer, %error, "TLS handshake failed"),
        Some(Err(error)) => return tracing::debug!(%peer, %error, "TLS handshake took too long"),
    };
    let connection = Connection { id, peer, protocol, cut: CancellationToken::new() };
    let service = acceptor.accept(connection.clone());
    let report = Arc::new(Report { acceptor, connection, told: AtomicBool::new(false) });
    let listener = report.clone();
    let stream = Watched::new(transport, Box::new(move |peer_end| listener.tell(peer_end.into())));
    // Held until the end was told: what is cut closes when its last handle goes, and the peer sees that at once.
    let _held = stream.clone();
    let end = drive(&report.connection, stream, service, &options, stop, tasks).await;
    report.tell(end);
}

async fn handshake(stream: TcpStream, options: &Options) -> std::io::Result<(Transport, Protocol)> {
    let Some(tls) = &options.tls else { return Ok((Transport::Plain(stream), Protocol::Http1)) };
    let stream = tokio_rustls::TlsAcceptor::from(tls.clone()).accept(stream).await?;
    let protocol = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Protocol::Http2,
        _ => Protocol::Http1,
    };
    Ok((Transport::Tls(Box::new(stream)), protocol))
}

async fn drive<S, B>(
    connection: &Connection,
    stream: Watched,
    service: S,
    options: &Options,
    stop: CancellationToken,
    tasks: TaskTracker,
) -> End
where
    S: hyper::service::Service<
            hyper::Request<hyper::body::Incoming>,
            Response = hyper::Response<B>,
            Error = std::convert::Infallible,
            Future: Send + 'static,
        > + Send
        + 'static,
    B: hyper::body::Body<Data: Send, Error: Into<super::BoxError>> + Send + 'static,
{
    // The protocol is settled by ALPN, so that no peer can hold a connection before its first byte for ever.
    let mut http = match connection.protocol {
        Protocol::Http1 => Builder::new(Tracked(tasks)).http1_only(),
        Protocol::Http2 => Builder::new(Tracked(tasks)).http2_only(),
    };
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size(options.headers_bytes_max)
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(options.headers_bytes_max).unwrap_or(u32::MAX));
    {
        let in_hand = InHand::new(options.clocks.clone());
        let service = Counted::new(service, in_hand.clone());
        let mut serving = pin!(http.serve_connection(TokioIo::new(stream.clone()), service));
        let idle_timeout = options.idle_timeout.filter(|_| connection.protocol == Protocol::Http2);
        let graceful = async {
            tokio::select! {
                () = stop.cancelled() => {}
                () = unconstrained(in_hand.idle_for(idle_timeout)) => {}
            }
        };
        // Without a budget: a peer that keeps the connection busy must not keep it from being looked at.
        let mut overdue = pin!(unconstrained(in_hand.overdue(options.request_timeout)));
        let finished = tokio::select! {
            biased;
            () = connection.cut.cancelled() => false,
            result = serving.as_mut() => { log(connection, result); true }
            () = overdue.as_mut() => false,
            () = graceful => {
                serving.as_mut().graceful_shutdown();
                tokio::select! {
                    biased;
                    () = connection.cut.cancelled() => false,
                    result = serving.as_mut() => { log(connection, result); true }
                    () = overdue.as_mut() => false,
                    () = options.clocks.sleep(options.grace) => false,
                }
            }
        };
        if !finished {
            stream.reset_on_close();
            return End::Cut;
        }
    }
    farewell(stream, options).await
}

/// Says goodbye, and waits for the peer's own.
async fn farewell(mut stream: Watched, options: &Options) -> End {
    let goodbye = async {
        let _ = stream.shutdown().await;
        let mut rest = [0; 1024];
        while stream.peer_end().is_none() {
            if stream.read(&mut rest).await.is_err() {
                return;
            }
        }
    };
    // Running out of time shows as a peer that has not ended.
    let _ = options.clocks.timeout(options.linger, goodbye).await;
    stream.peer_end().map_or(End::Cut, End::from)
}

fn log(connection: &Connection, result: Result<(), super::BoxError>) {
    if let Err(error) = result {
        tracing::debug!(connection.id, %error, "the connection ended with an error");
    }
}
