//! One transport of one session: a TCP connection with TLS that is shared with nobody and ends when it is told to.
//!
//! A pooled HTTP client cannot say when a connection opened or closed and opens new ones by itself, so this is
//! hyper's client connection driven by a task of our own. Closing drops the request side; hyper then ends HTTP/2
//! with GOAWAY and TLS with close_notify, and the task's end is the confirmation.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Closed;
use super::errors::{ErrorKind, Happened, RemoteError};
use super::fence::Fence;
use super::reach::{Detour, NotReached, Reach, Wire, bracketed};
use super::tunnel::Proxy;
use crate::clocks::Clocks;

/// Where a service answers: `https://host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    host: String,
    port: u16,
}

impl Origin {
    /// From an `https` URL; path and query are left aside.
    ///
    /// # Errors
    /// In words, for the setting or environment that named it.
    pub fn parse(url: &str) -> Result<Origin, String> {
        let uri: hyper::Uri = url.parse().map_err(|error| format!("`{url}` is no URL: {error}"))?;
        if uri.scheme_str() != Some("https") {
            return Err(format!("`{url}` does not begin with https://"));
        }
        let host = uri.host().ok_or_else(|| format!("`{url}` names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Origin { host, port: uri.port_u16().unwrap_or(443) })
    }

    pub(super) fn new(host: String, port: u16) -> Origin {
        Origin { host, port }
    }

    /// The host alone.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, 443 if the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// As it stands in a `Host` header or a URL.
    pub(super) fn authority(&self) -> String {
        let host = bracketed(&self.host);
        if self.port == 443 { host } else { format!("{host}:{}", self.port) }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://{}", self.authority())
    }
}

/// Opens transports: what all sessions of a process share, and it is only configuration.
#[derive(Clone)]
pub struct Connector {
    tls: TlsConnector,
    tracker: TaskTracker,
    clocks: Clocks,
    connect_timeout: Duration,
    close_deadline: Duration,
    reach: Reach,
}

impl Connector {
    /// `tracker` is waited for before the process ends; `close_deadline` bounds the wait for a clean end.
    pub fn new(
        tls: Arc<rustls::ClientConfig>,
        tracker: TaskTracker,
        clocks: Clocks,
        connect_timeout: Duration,
        close_deadline: Duration,
    ) -> Connector {
        let reach = Reach::new(&tls, clocks.clone());
        let tls = TlsConnector::from(tls);
        Connector { tls, tracker, clocks, connect_timeout, close_deadline, reach }
    }

    /// With `detours`; the first that fits is taken.
    pub fn with_detours(mut self, detours: Vec<Detour>) -> Connector {
        self.reach.detours = detours;
        self
    }

    /// Through `proxy`, where its routes say so. A detour goes straight where it leads.
    pub fn with_proxy(mut self, proxy: Proxy) -> Connector {
        self.reach.proxy = proxy;
        self
    }

    pub(super) fn reach(&self) -> &Reach {
        &self.reach
    }

    pub(super) fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// Opens a transport to `origin`, on which no byte leaves past `fence`.
    ///
    /// # Cancel safety
    /// Dropped before it returns, the TCP connection is dropped with it; no request was sent.
    pub(super) async fn connect(&self, origin: &Origin, fence: &Fence) -> Result<Transport, RemoteError> {
        if fence.is_shut() {
            return Err(not_opened(ErrorKind::Timeout, origin, "the session's lease has ended"));
        }
        let opened = self.clocks.timeout(self.connect_timeout, self.open(origin, fence)).await;
        opened.unwrap_or_else(|elapsed| {
            let way = self.reach.way(origin).told();
            Err(not_opened(
                ErrorKind::Timeout,
                origin,
                &format!("{elapsed} (setting `connect_timeout`){way}"),
            ))
        })
    }

    async fn open(&self, origin: &Origin, fence: &Fence) -> Result<Transport, RemoteError> {
        let network =
            |error: &dyn std::fmt::Display| not_opened(ErrorKind::Network, origin, &error.to_string());
        let way = self.reach.way(origin);
        let name = ServerName::try_from(origin.host.clone()).map_err(|error| network(&error))?;
        let wire =
            self.reach.wire(way, origin, fence).await.map_err(|no| not_opened(no.kind, origin, &no.why))?;
        let stream = self.tls.connect(name, wire).await.map_err(|error| {
            let NotReached { kind, why } = NotReached::by_tls(&error);
            not_opened(kind, origin, &format!("{why}{}", way.told()))
        })?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = TokioIo::new(stream);
        let cut = CancellationToken::new();
        if is_http2 {
            let executor = OnTracker(self.tracker.clone());
            let (sender, driver) = http2::handshake(executor, io).await.map_err(|error| network(&error))?;
            let task = self.tracker.spawn(drive_http2(driver, cut.clone()));
            Ok(Transport { sender: Sender::Http2(sender), task, cut, state: State::Unused })
        } else {
            let (sender, driver) = http1::handshake(io).await.map_err(|error| network(&error))?;
            let task = self.tracker.spawn(drive_http1(driver, cut.clone()));
            Ok(Transport { sender: Sender::Http1(sender), task, cut, state: State::Unused })
        }
    }

    /// Ends a transport and waits for its end, at most the close deadline.
    ///
    /// # Cancel safety
    /// Dropped before it returns, the transport still ends, but nobody has seen it.
    pub(super) async fn close(&self, transport: Transport) -> Closed {
        let Transport { sender, mut task, cut, state } = transport;
        drop(sender);
        // An exchange in flight keeps hyper's connection busy; half the deadline is for its orderly end.
        let mut ended = self.clocks.timeout(self.close_deadline / 2, &mut task).await;
        if ended.is_err() {
            cut.cancel();
            ended = self.clocks.timeout(self.close_deadline / 2, &mut task).await;
        }
        match (ended, state) {
            (_, State::Unused) => Closed::NothingOpened,
            (Ok(Ok(Ended::Cleanly)), State::Used) => Closed::Cleanly,
            _ => Closed::Unconfirmed,
        }
    }
}

fn not_opened(kind: ErrorKind, origin: &Origin, why: &str) -> RemoteError {
    RemoteError::new(kind, Happened::No, format!("cannot connect to {origin}: {why}"))
}

/// One open connection.
pub(super) struct Transport {
    sender: Sender,
    task: tokio::task::JoinHandle<Ended>,
    cut: CancellationToken,
    state: State,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unused,
    Used,
}

/// How the driving task ended.
enum Ended {
    Cleanly,
    Broken,
}

impl Transport {
    /// Whether a request can still be sent on it.
    pub(super) fn is_open(&self) -> bool {
        !self.task.is_finished()
            && match &self.sender {
                Sender::Http1(sender) => !sender.is_closed(),
                Sender::Http2(sender) => !sender.is_closed(),
            }
    }

    /// Whether requests name the host in the URI (HTTP/2) or in a header (HTTP/1.1).
    pub(super) fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// Sends one request and waits for the head of its answer.
    ///
    /// # Errors
    /// `Happened::No` only where hyper says that the request never left.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, RemoteError> {
        let ready = match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await,
            Sender::Http2(sender) => sender.ready().await,
        };
        ready.map_err(|error| broken(&error, Happened::No))?;
        self.state = State::Used;
        let answer = match &mut self.sender {
            Sender::Http1(sender) => sender.send_request(request).await,
            Sender::Http2(sender) => sender.send_request(request).await,
        };
        answer.map_err(|error| {
            let happened = if error.is_canceled() { Happened::No } else { Happened::Unknown };
            broken(&error, happened)
        })
    }
}

/// A transport error with its cause: hyper's own text names only the layer.
pub(super) fn broken(error: &hyper::Error, happened: Happened) -> RemoteError {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    RemoteError::new(ErrorKind::Network, happened, format!("{error}{cause}"))
}

type Io = TokioIo<TlsStream<Box<dyn Wire>>>;

async fn drive_http1(driver: http1::Connection<Io, Full<Bytes>>, cut: CancellationToken) -> Ended {
    let mut driver = driver;
    tokio::select! {
        ended = &mut driver => ended.into(),
        () = cut.cancelled() => {
            let mut stream = driver.into_parts().io.into_inner();
            stream.shutdown().await.into()
        }
    }
}

async fn drive_http2(driver: http2::Connection<Io, Full<Bytes>, OnTracker>, cut: CancellationToken) -> Ended {
    tokio::select! {
        ended = driver => ended.into(),
        () = cut.cancelled() => Ended::Broken,
    }
}

impl<E> From<Result<(), E>> for Ended {
    fn from(result: Result<(), E>) -> Ended {
        if result.is_ok() { Ended::Cleanly } else { Ended::Broken }
    }
}

/// hyper's helpers for HTTP/2 streams run on the same tracker as everything else.
#[derive(Clone)]
struct OnTracker(TaskTracker);

impl<F> hyper::rt::Executor<F> for OnTracker
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_keep_host_and_port_and_demand_https() {
        let origin = Origin::parse("https://outlook.office365.com/powershell-liveid/").unwrap();
        assert_eq!(
            (origin.host(), origin.to_string()),
            ("outlook.office365.com", "https://outlook.office365.com".into())
        );
        assert_eq!(Origin::parse("https://127.0.0.1:8443").unwrap().to_string(), "https://127.0.0.1:8443");
        assert_eq!(Origin::parse("https://[::1]:8443").unwrap().to_string(), "https://[::1]:8443");
        assert!(Origin::parse("http://outlook.office365.com").unwrap_err().contains("https://"));
        assert!(Origin::parse("outlook.office365.com").is_err());
    }
}
