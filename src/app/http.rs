//! Clients for sign-in and Vault: the same trust, proxy and detours that sessions have.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderValue;
use reqwest::{ClientBuilder, Url};
use rustls::ClientConfig;
use secrecy::ExposeSecret;
use tokio::net::lookup_host;
use zeroize::Zeroizing;

use super::StartError;
use crate::rules::proxy::{Address, Routes};
use crate::settings::{Detour, Proxy, Settings};

const HTTPS: u16 = 443;

/// What all reqwest clients of the program have in common.
#[derive(Clone)]
pub(super) struct Plumbing {
    detours: Vec<Detour>,
    routes: Routes,
    /// The proxy's address and what it is told in `Proxy-Authorization`.
    proxy: Option<(Url, Option<HeaderValue>)>,
    connect_timeout: Duration,
}

impl Plumbing {
    /// # Errors
    /// A proxy that the settings or the environment name and that cannot be used.
    pub(super) fn of(settings: &Settings) -> Result<Plumbing, StartError> {
        let Proxy { routes, credentials, unusable, .. } = &settings.proxy;
        if let Some(why) = unusable {
            return Err(StartError(why.clone()));
        }
        let wrong = |error: &dyn std::fmt::Display| StartError(format!("the proxy cannot be used: {error}"));
        let authorization = match credentials {
            None => None,
            Some(credentials) => {
                let encoded = Zeroizing::new(STANDARD.encode(credentials.expose_secret()));
                let header = Zeroizing::new(format!("Basic {}", *encoded));
                let mut header = HeaderValue::from_str(&header).map_err(|error| wrong(&error))?;
                header.set_sensitive(true);
                Some(header)
            }
        };
        let address = routes.proxy.as_ref().map(|address| Url::parse(&address.to_string())).transpose();
        Ok(Plumbing {
            detours: settings.connect_to.clone(),
            routes: routes.clone(),
            proxy: address.map_err(|error| wrong(&error))?.map(|address| (address, authorization)),
            connect_timeout: settings.connect_timeout,
        })
    }

    /// A client that follows no redirect and repeats nothing by itself.
    pub(super) fn builder(&self, tls: ClientConfig) -> ClientBuilder {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .dns_resolver(Arc::new(Detouring(self.detours.clone())))
            .connect_timeout(self.connect_timeout);
        let Some((address, authorization)) = self.proxy.clone() else { return builder.no_proxy() };
        let (routes, detours) = (self.routes.clone(), self.detours.clone());
        let proxy =
            reqwest::Proxy::custom(move |url| proxied(&routes, &detours, url).map(|_| address.clone()));
        builder.proxy(match authorization {
            Some(authorization) => proxy.custom_http_auth(authorization),
            None => proxy,
        })
    }
}

/// The client for sign-in; it connects to nothing yet.
///
/// # Errors
/// As [`Plumbing::of`].
pub(super) fn client(settings: &Settings, tls: &ClientConfig) -> Result<reqwest::Client, StartError> {
    let builder = Plumbing::of(settings)?.builder(tls.clone()).timeout(settings.signin_timeout);
    builder
        .build()
        .map_err(|error| StartError(format!("the HTTP client for sign-in cannot be built: {error}")))
}

/// The proxy that requests to `base` go through, for messages.
pub(super) fn proxy_to(settings: &Settings, base: &str) -> Option<Address> {
    let url = Url::parse(base).ok()?;
    proxied(&settings.proxy.routes, &settings.connect_to, &url).cloned()
}

/// A detour goes straight where it leads.
fn proxied<'a>(routes: &'a Routes, detours: &[Detour], url: &Url) -> Option<&'a Address> {
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or(HTTPS);
    let has_detour =
        detours.iter().any(|detour| detour.host.eq_ignore_ascii_case(host) && detour.port == port);
    if has_detour { None } else { routes.to(host, port) }
}

/// Names, with the detours of port 443. An address that names a port itself keeps it, so others are of no use here.
struct Detouring(Vec<Detour>);

impl Resolve for Detouring {
    fn resolve(&self, name: Name) -> Resolving {
        let fits = |detour: &&Detour| detour.port == HTTPS && detour.host.eq_ignore_ascii_case(name.as_str());
        let (host, port) = match self.0.iter().find(fits) {
            Some(detour) => (detour.to_host.clone(), detour.to_port),
            None => (name.as_str().to_owned(), 0),
        };
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
