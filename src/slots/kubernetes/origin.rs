//! Where the way to an API server comes from: a pod's service account, or a kubeconfig that is named.
//!
//! Errors tell what is wrong and quote neither the file nor what a credential program prints: tokens stand there.

use std::path::PathBuf;
use std::time::Duration;

use hyper::header::HeaderValue;
use kube::client::AuthError;
use kube::config::{KubeConfigOptions, KubeconfigError};
use kube::{Client, Config};
use secrecy::ExposeSecret;

use super::kubeconfig::{self, Unusable};
use crate::slots::SlotError;

/// Callers bound each request; these end a connection that nobody listens at any more.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(15);

/// Where address, trust and token come from.
#[derive(Clone)]
pub(super) enum Origin {
    /// The pod's service account.
    Pod,
    /// A kubeconfig, its current context.
    File(PathBuf),
}

impl Origin {
    pub(super) async fn config(&self) -> Result<Config, SlotError> {
        let mut config = match self {
            Origin::Pod => Config::incluster().map_err(|error| {
                self.failure(&format!(
                    "no way to an API server ({error}); run in a pod with its service account's token, or name a kubeconfig"
                ))
            })?,
            Origin::File(path) => {
                let file = kubeconfig::read(path).map_err(|error| self.unusable(&error))?;
                let options = KubeConfigOptions::default();
                Config::from_custom_kubeconfig(file, &options).await.map_err(|error| self.kubeconfig(&error))?
            }
        };
        // The client would panic over such a token.
        let token = config.auth_info.token.as_ref().map(|token| token.expose_secret());
        if token.is_some_and(|token| HeaderValue::from_str(token).is_err()) {
            return Err(self.failure("the kubeconfig's token has characters that no header takes"));
        }
        config.default_retry = false;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        config.reset_reader_on_write = true;
        Ok(config)
    }

    /// Where threads may block: a kubeconfig can name a program that gives the token.
    pub(super) async fn client(&self, config: Config) -> Result<Client, SlotError> {
        let built = tokio::task::spawn_blocking(move || Client::try_from(config)).await;
        let built = built
            .map_err(|_| self.failure("the client could not be built; this is a bug, please report it"))?;
        built.map_err(|error| self.failure(&words(&error)))
    }

    fn failure(&self, reason: &str) -> SlotError {
        let place = match self {
            Origin::Pod => "Leases".to_owned(),
            Origin::File(path) => format!("Leases by {}", path.display()),
        };
        SlotError::Store { place, reason: reason.to_owned() }
    }

    fn unusable(&self, error: &Unusable) -> SlotError {
        self.failure(&match error {
            Unusable::Unread(error) => format!("the kubeconfig cannot be read ({error})"),
            Unusable::NotOne => "the kubeconfig is not one; see it with `kubectl config view`".to_owned(),
        })
    }

    fn kubeconfig(&self, error: &KubeconfigError) -> SlotError {
        let reason = match error {
            KubeconfigError::CurrentContextNotSet => {
                "the kubeconfig has no current context; set one with `kubectl config use-context`".to_owned()
            }
            KubeconfigError::LoadContext(name) => format!("the kubeconfig has no context {name}"),
            KubeconfigError::LoadClusterOfContext(name) => format!("the kubeconfig has no cluster {name}"),
            KubeconfigError::MissingClusterUrl | KubeconfigError::ParseClusterUrl(_) => {
                "the kubeconfig's cluster has no server that is an address".to_owned()
            }
            _ => {
                "the kubeconfig's cluster or user is not usable; see it with `kubectl config view`".to_owned()
            }
        };
        self.failure(&reason)
    }
}

/// An error and what is behind it.
fn chain(error: &kube::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source())
}

/// What is wrong with the way to a token, if that is it.
pub(super) fn auth(error: &kube::Error) -> Option<&AuthError> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// What has gone wrong on the way, without what a credential plugin has printed or a file holds.
pub(super) fn words(error: &kube::Error) -> String {
    if let Some(error) = auth(error) {
        return auth_words(error);
    }
    let mut texts: Vec<String> = Vec::new();
    for error in chain(error) {
        let text = error.to_string();
        // Many of them show their source themselves.
        if !texts.last().is_some_and(|outer| outer.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

fn auth_words(error: &AuthError) -> String {
    match error {
        AuthError::ReadTokenFile(error, path) => {
            format!("the token cannot be read from {} ({error})", path.display())
        }
        AuthError::InvalidBearerToken(_) => "the token has characters that no header takes".to_owned(),
        AuthError::AuthExecStart(error) => {
            format!("the kubeconfig's credential program does not start ({error})")
        }
        AuthError::AuthExecRun { .. } => "the kubeconfig's credential program has failed".to_owned(),
        _ => "the kubeconfig's way to a token does not work".to_owned(),
    }
}
