//! The admin server: metrics, probes, and what the program knows of jobs, runs, occurrences and sessions, read-only.
//!
//! It knows neither scheduler nor history: what it is asked for under `/api/v1` it asks of [`Asked`]. Nothing that
//! arrives can change anything: there are GET and HEAD, a request with a body is refused before the body is read,
//! and everything a peer can hold (headers, time, connections, answers) has a limit.
//!
//! A request's way: `serve` (one request), `route` (which resource), `access` (who may), `query` (parameters),
//! then [`Asked`], and `respond` (the answer's form).

mod access;
mod ask;
mod certificate;
mod negotiate;
mod query;
mod readiness;
mod respond;
mod route;
mod serve;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use ask::{Answer, AskError, Asked, Query, Resource};
pub use readiness::Readiness;

use super::metrics::Metrics;
use crate::clocks::Clocks;
use crate::net::{Each, Options, Server};
use access::Access;
use certificate::Certificate;
use serve::House;

/// The OpenAPI document, as `/api/v1/openapi.json` gives it.
pub const OPENAPI: &str = include_str!("../../../docs/openapi.json");

/// Where the admin server listens, and who may ask.
#[derive(Clone)]
pub struct AdminConfig {
    /// Address and port; port 0 is any free one.
    pub address: SocketAddr,
    /// The file that holds the bearer token, if one is wanted.
    pub token_file: Option<PathBuf>,
    /// Certificate and key; without them it speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Connections served at a time; further ones wait.
    pub connections_max: usize,
    /// The limits in time.
    pub times: Times,
    /// Reads time and sleeps.
    pub clocks: Clocks,
}

/// PEM files of the server's certificate. Both are read anew when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and its intermediates after it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The limits in time of the admin server.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// For a TLS handshake, for a request's head, and for the wait for a next request.
    pub head: Duration,
    /// From a request's head to the last byte of its answer; then the transport is cut.
    pub request: Duration,
    /// For an answer of [`Asked`]; shorter than `request`, so that the peer hears of it.
    pub answer: Duration,
    /// How often the files of the certificate are looked at.
    pub look: Duration,
}

impl Default for Times {
    /// 10 s for a head, 30 s for a request, 10 s for an answer, a look each 10 s: a scraper gives up after 10 s by default.
    fn default() -> Times {
        Times {
            head: Duration::from_secs(10),
            request: Duration::from_secs(30),
            answer: Duration::from_secs(10),
            look: Duration::from_secs(10),
        }
    }
}

/// Why the admin server does not start: what is wrong, and what mends it.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The address cannot be had.
    #[error(
        "the admin server cannot listen on {address}: {source}; end what has the address, or set `admin_address` to another \
         one or to `off`"
    )]
    Address {
        /// As it was configured.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The token's file cannot be used.
    #[error("`admin_token_file` {}: {why}", .path.display())]
    Token {
        /// As it was configured.
        path: PathBuf,
        /// What is wrong; never what the file holds.
        why: String,
    },
    /// The certificate or its key cannot be used.
    #[error("`{setting}` {}: {why}", .path.display())]
    Certificate {
        /// The setting that names the file.
        setting: &'static str,
        /// As it was configured.
        path: PathBuf,
        /// What is wrong; never what the file holds.
        why: String,
    },
}

/// Room for the headers of a request: a browser's with a few cookies fit.
const HEADERS_BYTES_MAX: usize = 16 * 1024;

/// How long a peer has to end its side after ours has ended: what it still sends is thrown away so long.
const LINGER: Duration = Duration::from_millis(500);

/// How long [`AdminServer::stop`] lets answers in hand leave.
const GRACE: Duration = Duration::from_secs(1);

/// A running admin server. Dropping it begins the stop; only [`AdminServer::stop`] waits for it.
pub struct AdminServer {
    server: Server,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Listens on the configured address and answers from then on.
///
/// # Errors
/// [`AdminError`]: the address is taken or not this host's, or a file that is named cannot be used.
pub async fn start(
    config: AdminConfig,
    metrics: Metrics,
    readiness: Readiness,
    asked: Arc<dyn Asked>,
) -> Result<AdminServer, AdminError> {
    let AdminConfig { address, token_file, tls, connections_max, times, clocks } = config;
    let access = Access::new(address, token_file, &clocks).await?;
    let listener =
        TcpListener::bind(address).await.map_err(|source| AdminError::Address { address, source })?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let secured = tls.is_some();
    let tls = match tls {
        None => None,
        Some(files) => {
            let (certificate, held) = Certificate::read(files).await?;
            let certificate = Arc::new(certificate);
            let config = certificate.config();
            tasks.spawn(certificate.kept_fresh(held, clocks.clone(), times.look, stop.clone()));
            Some(config)
        }
    };
    let options = Options {
        tls,
        header_timeout: times.head,
        idle_timeout: Some(times.head),
        request_timeout: Some(times.request),
        headers_bytes_max: HEADERS_BYTES_MAX,
        connections_max,
        linger: LINGER,
        grace: GRACE,
        clocks: clocks.clone(),
    };
    let access_word = access.word();
    let house = Arc::new(House::new(access, metrics, readiness, asked, times.answer, clocks));
    let each = Each(move |_| {
        let house = house.clone();
        service_fn(move |request| serve::answer(house.clone(), request))
    });
    let server = Server::start(listener, Arc::new(each), options)
        .map_err(|source| AdminError::Address { address, source })?;
    tracing::info!(address = %server.address(), tls = secured, access = access_word, "the admin server listens");
    tasks.close();
    Ok(AdminServer { server, stop, tasks })
}

impl AdminServer {
    /// Where it listens: the configured port, or the free one that was found.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Accepts no more, lets answers in hand leave for a second, and returns when every connection is over.
    pub async fn stop(self) {
        self.stop.cancel();
        self.server.stop().await;
        self.tasks.wait().await;
    }
}
