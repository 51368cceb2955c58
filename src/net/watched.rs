//! A stream that remembers how its peer ended it, and that outlives the HTTP connection over it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// TCP, or TLS over it.
pub(super) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Transport {
    fn tcp(&self) -> &TcpStream {
        match self {
            Transport::Plain(tcp) => tcp,
            Transport::Tls(tls) => tls.get_ref().0,
        }
    }
}

/// What the peer did last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerEnd {
    /// TLS: close_notify. Plain: FIN.
    Clean,
    /// TLS: FIN or RST without close_notify. Plain: RST.
    Unclean,
}

/// Hears of the peer's end.
pub(super) type OnEnd = Box<dyn FnOnce(PeerEnd) + Send>;

struct Inner {
    transport: Transport,
    peer_end: Option<PeerEnd>,
    on_end: Option<OnEnd>,
}

/// Clones are the same stream: hyper owns one, and the connection's task keeps another to close it properly.
#[derive(Clone)]
pub(super) struct Watched(Arc<Mutex<Inner>>);

impl Watched {
    /// `on_end` is called once, when the peer's end is read; it must not touch the stream.
    pub(super) fn new(transport: Transport, on_end: OnEnd) -> Watched {
        Watched(Arc::new(Mutex::new(Inner { transport, peer_end: None, on_end: Some(on_end) })))
    }

    pub(super) fn peer_end(&self) -> Option<PeerEnd> {
        self.lock().peer_end
    }

    /// Makes the coming close an RST.
    pub(super) fn reset_on_close(&self) {
        if let Err(error) = self.lock().transport.tcp().set_zero_linger() {
            tracing::debug!(%error, "could not turn the close into a reset");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.lock();
        let (before, room) = (buf.filled().len(), buf.remaining());
        let result = match &mut inner.transport {
            Transport::Plain(tcp) => ready!(Pin::new(tcp).poll_read(cx, buf)),
            Transport::Tls(tls) => ready!(Pin::new(tls).poll_read(cx, buf)),
        };
        // rustls reports close_notify as an end of file, and a bare FIN as an UnexpectedEof error.
        let ended = match &result {
            Ok(()) if buf.filled().len() == before && room > 0 => Some(PeerEnd::Clean),
            Ok(()) => None,
            Err(_) => Some(PeerEnd::Unclean),
        };
        inner.peer_end = inner.peer_end.or(ended);
        if let Some(end) = ended
            && let Some(on_end) = inner.on_end.take()
        {
            on_end(end);
        }
        Poll::Ready(result)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.lock().transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Transport::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.lock().transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Transport::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.lock().transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Transport::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
