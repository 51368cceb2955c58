//! The way to a host, looked at one stage at a time, for a diagnosis. It is the way that sessions take; nothing is asked
//! of the host.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsConnector;

use super::dial;
use super::fence::Fence;
use super::reach::Way;
use super::transport::{Connector, Origin};

/// Where connections to a host really go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// This host …
    pub host: String,
    /// … and this port.
    pub port: u16,
    /// The proxy that this is, if it is one; it never holds credentials.
    pub proxy: Option<String>,
}

impl Connector {
    /// A look needs no lease: nothing is asked of the service.
    fn no_fence(&self) -> Fence {
        Fence::none(self.clocks().clone())
    }

    /// Where connections to `origin` go: to itself, by a detour, or to a proxy.
    pub fn hop(&self, origin: &Origin) -> Hop {
        match self.reach().way(origin) {
            Way::Straight(host, port) => Hop { host: host.to_owned(), port, proxy: None },
            Way::Through(proxy) => {
                Hop { host: proxy.host.clone(), port: proxy.port, proxy: Some(proxy.to_string()) }
            }
        }
    }

    /// Connects to where connections to `origin` go, and leaves again.
    ///
    /// # Errors
    /// Of the resolver or of the last address that was tried.
    pub async fn look_at_hop(&self, origin: &Origin) -> std::io::Result<()> {
        let Hop { host, port, .. } = self.hop(origin);
        dial::tcp(self.clocks(), &self.no_fence(), &host, port).await.map(drop)
    }

    /// The same, and through the proxy if there is one.
    ///
    /// # Errors
    /// In words, with the proxy and the mend.
    pub async fn look_through_proxy(&self, origin: &Origin) -> Result<(), String> {
        let wire = self.reach().wire(self.reach().way(origin), origin, &self.no_fence()).await;
        wire.map(drop).map_err(|no| no.why)
    }

    /// The same, and a TLS handshake of `config` with the host; the version that was agreed on.
    ///
    /// # Errors
    /// Of the way, in words inside; or of the handshake, with rustls' own error inside.
    pub async fn look_at_tls(
        &self,
        origin: &Origin,
        config: Arc<ClientConfig>,
    ) -> std::io::Result<&'static str> {
        let wire = self.reach().wire(self.reach().way(origin), origin, &self.no_fence()).await;
        let wire = wire.map_err(|no| std::io::Error::other(no.why))?;
        let name = ServerName::try_from(origin.host().to_owned()).map_err(std::io::Error::other)?;
        let mut stream = TlsConnector::from(config).connect(name, wire).await?;
        let version = match stream.get_ref().1.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS 1.2",
        };
        // Nothing was asked; a peer that is left without a goodbye may log an error.
        drop(stream.shutdown().await);
        Ok(version)
    }
}
