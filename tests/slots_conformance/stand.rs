//! What a store is tried on, and how time passes there.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use exorun::clocks::Clocks;
use exorun::rules::slots::Terms;
use exorun::rules::slots::opens::Budget;
use exorun::rules::slots::working_limit::Pace;
use exorun::session::SessionTimes;
use exorun::slots::kubernetes::{KubernetesStore, LeaseApi, connect};
use exorun::slots::{AccountKey, LocalStore, SlotId, SlotTimes};

use crate::desk::Desk;
use crate::lease_server::LeaseServer;
use crate::real_api::{self, RealApi};
use crate::still::Still;
use crate::support::{account, paused_clocks};

/// A place for slots that several processes share.
#[async_trait]
pub(crate) trait Stand: Sized + Send + Sync {
    /// `None` where there is no such place; that is shown for `test`.
    async fn new(test: &str) -> Option<Self>;

    /// A store as one more process would have it.
    fn store(&self, limit: u32, times: SlotTimes) -> Desk;

    /// Removes what is left elsewhere.
    async fn clean(&self) {}

    /// How often it is looked whether a thing has come.
    fn step(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn clocks(&self) -> &Clocks;

    async fn pass(&self, time: Duration);

    /// Takes slot 1 of the account from whoever has it, without asking.
    async fn declare_dead(&self, other: &Desk);

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
    async fn new(_: &str) -> Option<Local> {
        Some(Local { dir: tempfile::tempdir().unwrap(), clocks: paused_clocks() })
    }

    fn store(&self, limit: u32, times: SlotTimes) -> Desk {
        let dir = self.dir.path().join("sessions");
        let store = LocalStore::new(dir, limit, times, self.clocks.clone()).unwrap();
        Desk { store: Arc::new(store), account: account() }
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

    async fn declare_dead(&self, _other: &Desk) {
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
    async fn new(_: &str) -> Option<Leases> {
        let still = Still::now().await;
        let clocks = paused_clocks();
        let server = LeaseServer::start(clocks.clone()).await;
        let dir = tempfile::tempdir().unwrap();
        let kubeconfig = dir.path().join("kubeconfig");
        std::fs::write(&kubeconfig, server.kubeconfig("first-token")).unwrap();
        let api = Arc::new(connect(Some(&kubeconfig), None).await.unwrap());
        Some(Leases { _still: still, clocks, _server: server, api })
    }

    fn store(&self, limit: u32, times: SlotTimes) -> Desk {
        let (api, namespace) = (Arc::clone(&self.api), "jobs".to_owned());
        let clocks = self.clocks.clone();
        let store = KubernetesStore::new(api, namespace, limit, times, clocks, "pod".to_owned());
        Desk { store: Arc::new(store), account: account() }
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

    async fn declare_dead(&self, other: &Desk) {
        other.take_away(SlotId(1)).await;
    }
}

/// Leases of a real API server: real time, and an account that nobody else has.
pub(crate) struct Cluster {
    clocks: Clocks,
    api: Arc<dyn LeaseApi>,
    account: AccountKey,
    real: Arc<RealApi>,
}

#[async_trait]
impl Stand for Cluster {
    async fn new(test: &str) -> Option<Cluster> {
        let real = real_api::given(test).await?;
        let dir = tempfile::tempdir().unwrap();
        let kubeconfig = dir.path().join("kubeconfig");
        std::fs::write(&kubeconfig, &real.kubeconfig).unwrap();
        let api = Arc::new(connect(Some(&kubeconfig), Some(real.namespace.clone())).await.unwrap());
        let account = AccountKey { object_id: uuid::Uuid::new_v4().to_string(), ..account() };
        Some(Cluster { clocks: Clocks::system(), api, account, real })
    }

    fn store(&self, limit: u32, times: SlotTimes) -> Desk {
        let (api, namespace) = (Arc::clone(&self.api), self.real.namespace.clone());
        let clocks = self.clocks.clone();
        let store = KubernetesStore::new(api, namespace, limit, times, clocks, "pod".to_owned());
        Desk { store: Arc::new(store), account: self.account.clone() }
    }

    async fn clean(&self) {
        let ours = format!("exorun/account={}", &self.account.digest()[..16]);
        for lease in self.api.list(&ours).await.unwrap().value {
            let (name, version) = (lease.metadata.name.unwrap(), lease.metadata.resource_version.unwrap());
            self.api.delete(&name, &version).await.unwrap();
        }
        assert_eq!(self.api.list(&ours).await.unwrap().value, []);
    }

    fn step(&self) -> Duration {
        Duration::from_millis(250)
    }

    fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    async fn pass(&self, time: Duration) {
        self.clocks.sleep(time).await;
    }

    async fn declare_dead(&self, other: &Desk) {
        other.take_away(SlotId(1)).await;
    }

    fn slack(&self) -> Duration {
        Duration::from_secs(4)
    }

    fn times(&self) -> SlotTimes {
        let second = Duration::from_secs(1);
        SlotTimes {
            terms: Terms { lease: second * 6, quarantine: second * 3 },
            opens: Budget { limit: 1000, window: second * 6 },
            pace: Pace { crowd: second * 2, step: second * 10 },
            patience: second * 3,
        }
    }
}
