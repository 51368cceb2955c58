//! Secrets in Vault or OpenBao: read from KV, kept there with check-and-set, and signatures by keys of the transit
//! engine, which are never given out.

mod bounded;
mod door;
mod files;
mod held;
mod keeper;
mod kv;
mod login;
mod patience;
mod places;
mod transit;
mod trouble;
mod wrapping;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ClientConfig;
use tokio_util::sync::CancellationToken;

use crate::clocks::Clocks;
use crate::observe::metrics::Metrics;
use crate::rules::retry::RetryPolicy;
use keeper::Keeper;
use kv::Engine;
use login::Entrance;
use patience::Patience;

/// Makes an HTTP client that trusts and shows itself as the configuration says.
pub type MakeHttp = dyn Fn(ClientConfig) -> Result<reqwest::Client, String> + Send + Sync;

/// What a [`Vault`] is made of.
#[derive(Clone)]
pub struct VaultParts {
    /// Scheme, host and port.
    pub address: String,
    /// Where to log in and read, if not in the root namespace.
    pub namespace: Option<String>,
    /// Where the auth method is mounted, below `auth/`.
    pub auth_mount: String,
    /// How to log in.
    pub login: Login,
    /// Whom to trust.
    pub tls: Arc<ClientConfig>,
    /// Proxies and time-outs are its.
    pub http: Arc<MakeHttp>,
    /// How long what is read is wrapped, if it is; whole seconds.
    pub wrap_ttl: Option<Duration>,
    /// How patiently a Vault that cannot answer is asked again.
    pub retry: RetryPolicy,
    /// Time.
    pub clocks: Clocks,
    /// Counts logins, renewals and reads.
    pub metrics: Metrics,
}

/// One way to log in.
#[derive(Clone, Debug)]
pub enum Login {
    /// A token that somebody else has got; it is not revoked.
    Token {
        /// Holds it.
        file: PathBuf,
    },
    /// The token of a pod's service account.
    Kubernetes {
        /// The role.
        role: String,
        /// Holds the token.
        jwt_file: PathBuf,
    },
    /// A role id and a secret id.
    AppRole {
        /// Holds the role id.
        role_id_file: PathBuf,
        /// Holds the secret id, or what it is wrapped in.
        secret_id_file: PathBuf,
        /// What the second file holds.
        wrapped: bool,
    },
    /// Another issuer's token.
    Jwt {
        /// The role, if not Vault's default one.
        role: Option<String>,
        /// Holds the token.
        jwt_file: PathBuf,
    },
    /// A client certificate.
    Cert {
        /// The role, if Vault is not to look for one that fits.
        role: Option<String>,
        /// Holds the certificate and its intermediates.
        certificate_file: PathBuf,
        /// Holds its key.
        key_file: PathBuf,
    },
}

/// A Vault; nothing is asked of it until a secret is wanted.
pub struct Vault {
    keeper: Arc<Keeper>,
    /// What was found at each mount.
    engines: Mutex<BTreeMap<String, Engine>>,
    /// Transit keys that were looked at.
    keys: Mutex<BTreeSet<String>>,
}

impl Vault {
    /// Joins the parts; connects to nothing.
    pub fn new(parts: VaultParts) -> Vault {
        let patience =
            Patience { policy: parts.retry, clocks: parts.clocks.clone(), ending: CancellationToken::new() };
        Vault {
            keeper: Keeper::new(Entrance::new(parts, patience)),
            engines: Mutex::default(),
            keys: Mutex::default(),
        }
    }

    /// Ends it: tokens that logins gave and leases are revoked within `deadline`. For the end of the process.
    pub async fn close(&self, deadline: Duration) {
        self.keeper.close(deadline).await;
    }

    fn parts(&self) -> &VaultParts {
        &self.keeper.entrance.parts
    }

    /// ` in namespace x`, for messages.
    fn in_namespace(&self) -> String {
        let namespace = self.parts().namespace.as_deref();
        namespace.map_or_else(String::new, |name| format!(" in namespace {name}"))
    }
}
