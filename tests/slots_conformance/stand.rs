//! What a store is tried on, and how time passes there.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use exorun::clocks::Clocks;
use exorun::rules::slots::Terms;
use exorun::rules::slots::opens::Budget;
use exorun::session::SessionTimes;
use exorun::slots::kubernetes::{KubernetesStore, LeaseApi, connect};
use exorun::slots::{LocalStore, Released, SlotId, SlotStore, SlotTimes};

use crate::lease_server::LeaseServer;
use crate::still::Still;
use crate::support::{account, paused_clocks};

/// A place for slots that several processes share.
#[async_trait]
pub(crate) trait Stand: Sized + Send + Sync {
    async fn new() -> Self;

    /// A store as one more process would have it.
    fn store(&self, limit: u32, times: SlotTimes) -> Arc<dyn SlotStore>;

    fn clocks(&self) -> &Clocks;

    async fn pass(&self, time: Duration);

    /// Takes slot 1 of the account from whoever has it, without asking.
    async fn declare_dead(&self, other: &Arc<dyn SlotStore>);

    /// How much later than promised a thing may come, because of what is rounded and when it is looked at.
    fn slack(&self) -> Duration;

    /// Times for the tests of this place, with a budget of opens that is no hindrance.
    fn times(&self) -> SlotTimes {
        SlotTimes {
            terms: Terms { lease: Duration::from_secs(60), quarantine: Duration::from_secs(960) },
            opens: Budget { limit: 1000, window: Duration::from_secs(60) },
            pace: SessionTimes::PACE,
            patience: Duration::from_secs(30),
        }
    }
}

/// Files of one host.
pub(crate) struct Local {
    dir: tempfile::TempDir,
    clocks: Clocks,
}

#[async_trait]
impl Stand for Local {
    async fn new() -> Local {
        Local { dir: tempfile::tempdir().unwrap(), clocks: paused_clocks() }
    }

    fn store(&self, limit: u32, times: SlotTimes) -> Arc<dyn SlotStore> {
        let dir = self.dir.path().join("sessions");
        Arc::new(LocalStore::new(dir, limit, times, self.clocks.clone()).unwrap())
    }

    fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    async fn pass(&self, time: Duration) {
        self.clocks.sleep(time).await;
    }

    fn slack(&self) -> Duration {
        Duration::from_millis(2)
    }

    async fn declare_dead(&self, _other: &Arc<dyn SlotStore>) {
        std::fs::remove_dir_all(self.dir.path().join("sessions")).unwrap();
    }
}

/// Leases of the stand-in for an API server.
pub(crate) struct Leases {
    _still: Still,
    clocks: Clocks,
    _server: LeaseServer,
    api: Arc<dyn LeaseApi>,
}

#[async_trait]
impl Stand for Leases {
    async fn new() -> Leases {
        let still = Still::now().await;
        let clocks = paused_clocks();
        let server = LeaseServer::start(clocks.clone()).await;
        let dir = tempfile::tempdir().unwrap();
        let kubeconfig = dir.path().join("kubeconfig");
        std::fs::write(&kubeconfig, server.kubeconfig("first-token")).unwrap();
        let api = Arc::new(connect(Some(&kubeconfig), None).await.unwrap());
        Leases { _still: still, clocks, _server: server, api }
    }

    fn store(&self, limit: u32, times: SlotTimes) -> Arc<dyn SlotStore> {
        let (api, namespace) = (Arc::clone(&self.api), "jobs".to_owned());
        let clocks = self.clocks.clone();
        Arc::new(KubernetesStore::new(api, namespace, limit, times, clocks, "pod".to_owned()))
    }

    fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    async fn pass(&self, time: Duration) {
        tokio::time::advance(time).await;
    }

    fn slack(&self) -> Duration {
        Duration::from_millis(2100)
    }

    async fn declare_dead(&self, other: &Arc<dyn SlotStore>) {
        assert_eq!(other.release(&account(), SlotId(1)).await.unwrap(), Released::Quarantined);
    }
}
