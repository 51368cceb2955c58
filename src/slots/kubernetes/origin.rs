//! Where the way to an API server comes from: a pod's service account, or a kubeconfig that is named.
//!
//! Errors tell what is wrong and quote neither the file nor what a credential program prints: tokens stand there.

use std::path::PathBuf;

use kube::Config;
use kube::config::{KubeConfigOptions, KubeconfigError};

use super::kubeconfig::{self, Unusable};
use super::way::Way;
use crate::slots::SlotError;

/// Where address, trust and token come from.
#[derive(Clone)]
pub(super) enum Origin {
    /// The pod's service account.
    Pod,
    /// A kubeconfig, its current context.
    File(PathBuf),
}

impl Origin {
    /// The way there, everything read anew, and the namespace that goes with it.
    ///
    /// # Errors
    /// [`SlotError::Store`] with what is wrong and the mend.
    pub(super) async fn way(&self) -> Result<(Way, String), SlotError> {
        let config = self.config().await?;
        let way = Way::of(&config).await.map_err(|reason| self.failure(&reason))?;
        Ok((way, config.default_namespace))
    }

    async fn config(&self) -> Result<Config, SlotError> {
        match self {
            Origin::Pod => Config::incluster().map_err(|error| {
                self.failure(&format!(
                    "no way to an API server ({error}); run in a pod with its service account's token, or name a kubeconfig"
                ))
            }),
            Origin::File(path) => {
                let file = kubeconfig::read(path).map_err(|error| self.unusable(&error))?;
                let options = KubeConfigOptions::default();
                Config::from_custom_kubeconfig(file, &options).await.map_err(|error| self.kubeconfig(&error))
            }
        }
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
