//! Our client, against the OpenBao of a test.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::exchange::trust;
use exorun::observe::metrics::{Metrics, Peer};
use exorun::rules::retry::{Repeated, RetryPolicy};
use exorun::secrets::vault::{Login, MakeHttp, Vault, VaultParts};
use exorun::secrets::{Fields, Secret, SecretError, SecretErrorKind, SecretSource, Secrets};
use exorun::spec::job::{CredentialRef, VaultRef};

use super::openbao::OpenBao;

/// Three tries in a quarter of a second.
const RETRY: RetryPolicy = RetryPolicy {
    attempts_max: 3,
    delay_first: Duration::from_millis(50),
    delay_max: Duration::from_millis(200),
    total_max: Duration::from_secs(10),
    on: Repeated::ALL,
};

/// A client and what it counts.
pub(crate) struct Client {
    pub(crate) secrets: Secrets,
    pub(crate) vault: Arc<Vault>,
    pub(crate) metrics: Metrics,
}

/// The parts of a client that logs in so.
pub(crate) fn parts(bao: &OpenBao, login: Login) -> VaultParts {
    let ca_file = bao.address.starts_with("https").then(|| bao.ca_file());
    parts_at(&bao.address, ca_file.as_deref(), login)
}

/// The parts of a client of whatever answers at `address`.
pub(crate) fn parts_at(address: &str, ca_file: Option<&Path>, login: Login) -> VaultParts {
    let http: Arc<MakeHttp> = Arc::new(|tls| {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(Duration::from_secs(20));
        client.build().map_err(|error| error.to_string())
    });
    let auth_mount = match &login {
        Login::Token { .. } => "token",
        Login::Kubernetes { .. } => "kubernetes",
        Login::AppRole { .. } => "approle",
        Login::Jwt { .. } => "jwt",
        Login::Cert { .. } => "cert",
    };
    VaultParts {
        address: address.to_owned(),
        namespace: None,
        auth_mount: auth_mount.to_owned(),
        login,
        tls: trust::client_config(ca_file).unwrap(),
        http,
        wrap_ttl: None,
        retry: RETRY,
        clocks: Clocks::system(),
        metrics: Metrics::new(Peer::Emulator),
    }
}

pub(crate) fn client(parts: VaultParts) -> Client {
    let metrics = parts.metrics.clone();
    let vault = Arc::new(Vault::new(parts));
    Client { secrets: Secrets { vault: Some(Arc::clone(&vault)) }, vault, metrics }
}

/// A client with a token from this file.
pub(crate) fn with_token(bao: &OpenBao, file: &Path) -> Client {
    client(parts(bao, Login::Token { file: file.to_owned() }))
}

pub(crate) fn place(mount: &str, path: &str) -> VaultRef {
    VaultRef { mount: mount.to_owned(), path: path.to_owned(), field: None, version: None }
}

pub(crate) fn reference(mount: &str, path: &str) -> CredentialRef {
    CredentialRef::Vault(place(mount, path))
}

/// An error is of this kind, names these things, and shows no secret.
#[track_caller]
pub(crate) fn assert_told(error: &SecretError, kind: SecretErrorKind, words: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.kind, kind, "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    assert!(!text.contains("canary") && !text.contains('\n'), "{text}");
}

impl Client {
    /// All fields at a place.
    pub(crate) async fn vault_read(&self, mount: &str, path: &str) -> Result<Fields, SecretError> {
        match self.secrets.read(&reference(mount, path)).await? {
            Secret::Fields(fields) => Ok(fields),
            Secret::Whole(_) => panic!("a secret of Vault has fields"),
        }
    }
}
