//! Which store an account's slots are kept in.

use std::path::Path;
use std::sync::Arc;

use super::StartError;
use crate::clocks::Clocks;
use crate::settings::{ProcessEnvironment, Settings, SlotStoreKind, Strings, prepare_state_dir};
use crate::slots::kubernetes::{KubernetesStore, connect};
use crate::slots::{LocalStore, SlotError, SlotStore, SlotTimes};

/// Where Kubernetes puts a pod's own token.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// What Kubernetes sets in every container.
const SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";

/// The slots of all accounts, and who shares them.
#[derive(Clone)]
pub struct Slots {
    /// Where they are kept.
    pub store: Arc<dyn SlotStore>,
    /// For messages: `on this host`, `in namespace jobs`.
    pub reach: String,
}

/// Whether this process runs in a pod.
pub(super) fn is_pod(environment: &dyn Strings) -> bool {
    environment.get(SERVICE_HOST).is_some() || Path::new(SERVICE_ACCOUNT).exists()
}

/// Makes and checks the folder for slots, if they are kept in one: before anybody signs in.
pub(super) fn prepare(settings: &Settings) -> Result<(), StartError> {
    if kind(settings) == SlotStoreKind::Kubernetes {
        return Ok(());
    }
    prepare_state_dir(&settings.state_dir).map_err(|error| StartError(error.to_string()))
}

/// Which of the two it is.
fn kind(settings: &Settings) -> SlotStoreKind {
    match settings.slot_store {
        SlotStoreKind::Auto if is_pod(&ProcessEnvironment) => SlotStoreKind::Kubernetes,
        SlotStoreKind::Auto => SlotStoreKind::Local,
        named => named,
    }
}

/// The store that the settings name. Connects to nothing.
///
/// # Errors
/// [`SlotError::Store`]: what is wrong with the folder, or with the way to the API server.
pub async fn slots(settings: &Settings, times: SlotTimes, clocks: &Clocks) -> Result<Slots, SlotError> {
    let limit = settings.session_limit;
    match kind(settings) {
        SlotStoreKind::Kubernetes => {
            let made = kubernetes(settings, times, clocks).await;
            made.map_err(|error| match settings.slot_store {
                SlotStoreKind::Auto => in_a_pod(error),
                SlotStoreKind::Local | SlotStoreKind::Kubernetes => error,
            })
        }
        SlotStoreKind::Auto | SlotStoreKind::Local => {
            // Whoever lists or releases slots must not follow what somebody else has planted.
            prepare(settings).map_err(|error| SlotError::Store {
                place: settings.state_dir.display().to_string(),
                reason: error.to_string(),
            })?;
            let store = LocalStore::new(settings.state_dir.clone(), limit, times, clocks.clone())?;
            Ok(Slots { store: Arc::new(store), reach: "on this host".to_owned() })
        }
    }
}

async fn kubernetes(settings: &Settings, times: SlotTimes, clocks: &Clocks) -> Result<Slots, SlotError> {
    let api = connect(settings.kubeconfig.as_deref(), settings.lease_namespace.clone()).await?;
    let namespace = api.namespace().to_owned();
    let reach = format!("in namespace {namespace}");
    let identity = host_name();
    let limit = settings.session_limit;
    let store = KubernetesStore::new(Arc::new(api), namespace, limit, times, clocks.clone(), identity);
    Ok(Slots { store: Arc::new(store), reach })
}

/// A pod's name is its host's name.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Nobody asked for Leases by name: say what else there is.
fn in_a_pod(error: SlotError) -> SlotError {
    match error {
        SlotError::Store { place, reason } => SlotError::Store {
            place,
            reason: format!(
                "{reason}. This is a pod, where slots are Leases unless `slot_store: local` is named: files would give each pod \
                 all of the account's sessions"
            ),
        },
        other => other,
    }
}
