//! The way to a service below TLS: straight, by a detour, or through a proxy.

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use super::dial;
use super::errors::ErrorKind;
use super::fence::{Fence, Fenced};
use super::transport::Origin;
use super::trust;
use super::tunnel::Proxy;
use crate::clocks::Clocks;
use crate::rules::proxy::{Address, Scheme};

/// Connects somewhere else than a host's name says; name, certificate and request stay the host's. As curl's
/// `--connect-to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detour {
    /// Connections to this host and port …
    pub host: String,
    /// … in any case of letters …
    pub port: u16,
    /// … go to this host or address instead …
    pub to_host: String,
    /// … and this port.
    pub to_port: u16,
}

/// What decides about the way; only configuration.
#[derive(Clone)]
pub(super) struct Reach {
    pub(super) detours: Vec<Detour>,
    pub(super) proxy: Proxy,
    /// The trust of the services, for what is spoken with a proxy itself.
    tls: TlsConnector,
    clocks: Clocks,
}

/// How a connection goes.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// To this host and port.
    Straight(&'a str, u16),
    /// Through this proxy.
    Through(&'a Address),
}

impl Way<'_> {
    /// For the end of a message, if there is something to tell.
    pub(super) fn told(self) -> String {
        match self {
            Way::Straight(..) => String::new(),
            Way::Through(proxy) => format!(", through the proxy {proxy} (settings `proxy`, `no_proxy`)"),
        }
    }
}

/// What bytes travel on below the service's TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<W: AsyncRead + AsyncWrite + Unpin + Send + Sync> Wire for W {}

/// Why a service cannot be reached, and by its kind whether that passes by itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotReached {
    pub(super) kind: ErrorKind,
    pub(super) why: String,
}

impl NotReached {
    /// A TLS handshake that failed, with the mend. What does not pass by itself is not tried again.
    pub(super) fn by_tls(error: &std::io::Error) -> NotReached {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let (kind, mend) = match inner {
            Some(rustls::Error::InvalidCertificate(_)) => {
                (ErrorKind::Refused, " (a private CA goes into the setting `ca_file`)")
            }
            Some(
                rustls::Error::AlertReceived(rustls::AlertDescription::ProtocolVersion)
                | rustls::Error::PeerIncompatible(_),
            ) => (ErrorKind::Refused, " (TLS 1.2 or later is needed, and the peer offers none)"),
            _ => (ErrorKind::Network, ""),
        };
        NotReached { kind, why: format!("TLS: {error}{mend}") }
    }
}

impl Reach {
    pub(super) fn new(tls: &rustls::ClientConfig, clocks: Clocks) -> Reach {
        let tls = TlsConnector::from(trust::without_http2(tls));
        Reach { detours: Vec::new(), proxy: Proxy::default(), tls, clocks }
    }

    /// Where connections to `origin` go.
    pub(super) fn way<'a>(&'a self, origin: &'a Origin) -> Way<'a> {
        let fits = |detour: &&Detour| {
            detour.host.eq_ignore_ascii_case(origin.host()) && detour.port == origin.port()
        };
        match self.detours.iter().find(fits) {
            Some(detour) => Way::Straight(&detour.to_host, detour.to_port),
            None => match self.proxy.routes.to(origin.host(), origin.port()) {
                Some(proxy) => Way::Through(proxy),
                None => Way::Straight(origin.host(), origin.port()),
            },
        }
    }

    /// TCP, or a tunnel to `origin`; nothing is connected and no byte leaves past `fence`.
    ///
    /// # Cancel safety
    /// Dropped before it returns, the connection is dropped with it.
    pub(super) async fn wire(
        &self,
        way: Way<'_>,
        origin: &Origin,
        fence: &Fence,
    ) -> Result<Box<dyn Wire>, NotReached> {
        let (host, port) = match way {
            Way::Straight(host, port) => (host, port),
            Way::Through(proxy) => (proxy.host.as_str(), proxy.port),
        };
        let failed = |error: std::io::Error| NotReached {
            kind: ErrorKind::Network,
            why: format!("{error}{}", way.told()),
        };
        let tcp = dial::tcp(&self.clocks, fence, host, port).await.map_err(failed)?;
        // Requests are small and answered one at a time: waiting for more bytes only costs time.
        tcp.set_nodelay(true).map_err(failed)?;
        // Below everything that may keep bytes back.
        let tcp = Fenced::new(tcp, fence.clone());
        let Way::Through(proxy) = way else { return Ok(Box::new(tcp)) };
        let mut wire: Box<dyn Wire> = match proxy.scheme {
            Scheme::Http => Box::new(tcp),
            Scheme::Https => {
                let name = ServerName::try_from(proxy.host.clone());
                let name = name.map_err(|error| failed(std::io::Error::other(error)))?;
                let secured = self.tls.connect(name, tcp).await.map_err(|error| {
                    let NotReached { kind, why } = NotReached::by_tls(&error);
                    NotReached { kind, why: format!("the proxy {proxy}: {why}") }
                });
                Box::new(secured?)
            }
        };
        let target = format!("{}:{}", bracketed(origin.host()), origin.port());
        self.proxy.tunnel(&mut wire, proxy, &target).await?;
        Ok(wire)
    }
}

/// An IPv6 address as it stands before a port.
pub(super) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}
