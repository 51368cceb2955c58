//! The stand-in with stores on it, and time that only the test lets pass.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::rules::slots::Terms;
use exorun::rules::slots::opens::Budget;
use exorun::session::SessionTimes;
use exorun::slots::kubernetes::{KubeApi, KubernetesStore, LeaseApi, connect};
use exorun::slots::{Ask, Attempt, Busy, Holder, SlotError, SlotLease, SlotStore, SlotTimes};

use crate::lease_server::{Asked, LeaseServer, NAMESPACE};
use crate::still::Still;
use crate::support::{account, paused_clocks};

pub(crate) const TIMES: SlotTimes = SlotTimes {
    terms: Terms { lease: Duration::from_secs(60), quarantine: Duration::from_secs(960) },
    opens: Budget { limit: 5, window: Duration::from_secs(60) },
    pace: SessionTimes::PACE,
    patience: Duration::from_secs(30),
};

/// What is rounded: the second that a `Date` has lost, twice.
pub(crate) const SLACK: Duration = Duration::from_millis(2100);

pub(crate) struct Cluster {
    _still: Still,
    pub(crate) clocks: Clocks,
    pub(crate) server: LeaseServer,
    pub(crate) dir: tempfile::TempDir,
}

impl Cluster {
    pub(crate) async fn new() -> Cluster {
        let still = Still::now().await;
        let clocks = paused_clocks();
        let server = LeaseServer::start(clocks.clone()).await;
        let cluster = Cluster { _still: still, clocks, server, dir: tempfile::tempdir().unwrap() };
        cluster.write_token("first-token");
        cluster
    }

    /// With the Leases of the account made, and nothing else asked yet.
    pub(crate) async fn used() -> Cluster {
        let cluster = Cluster::new().await;
        let store = cluster.store("before").await;
        take(&store, "before").await.give_back(exorun::slots::Returned::Free).await.unwrap();
        cluster.pass(TIMES.opens.window + SLACK).await;
        cluster.server.asked();
        cluster
    }

    pub(crate) fn write_token(&self, token: &str) {
        std::fs::write(self.dir.path().join("kubeconfig"), self.server.kubeconfig(token)).unwrap();
    }

    /// A store as the pod `pod` would have it.
    pub(crate) async fn store(&self, pod: &str) -> KubernetesStore {
        self.store_of(pod, 5).await
    }

    pub(crate) async fn store_of(&self, pod: &str, limit: u32) -> KubernetesStore {
        let api = self.api().await;
        assert_eq!(api.namespace(), NAMESPACE, "the kubeconfig's");
        self.store_over(Arc::new(api), pod, limit)
    }

    pub(crate) async fn api(&self) -> KubeApi {
        connect(Some(&self.dir.path().join("kubeconfig")), None).await.unwrap()
    }

    pub(crate) fn store_over(&self, api: Arc<dyn LeaseApi>, pod: &str, limit: u32) -> KubernetesStore {
        let namespace = NAMESPACE.to_owned();
        KubernetesStore::new(api, namespace, limit, TIMES, self.clocks.clone(), pod.to_owned())
    }

    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::advance(time).await;
    }

    /// Waits for `work` while time runs a hundred times as fast as the bytes travel.
    pub(crate) async fn hurry<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            let moment = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(5)));
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = moment => tokio::time::advance(Duration::from_millis(500)).await,
            }
        }
    }
}

pub(crate) fn holder(name: &str) -> Holder {
    Holder { run_id: name.into(), job: "a-job".into(), connection_id: format!("connection-{name}") }
}

pub(crate) async fn attempt(store: &KubernetesStore, name: &str) -> Result<Attempt, SlotError> {
    store.attempt(&account(), &holder(name), Ask::InPassing).await
}

pub(crate) async fn take(store: &KubernetesStore, name: &str) -> Box<dyn SlotLease> {
    match attempt(store, name).await.unwrap() {
        Attempt::Lease(lease) => lease,
        Attempt::Busy(busy) => panic!("{name}: {busy:?}"),
    }
}

pub(crate) async fn busy(store: &KubernetesStore) -> Busy {
    match attempt(store, "late").await.unwrap() {
        Attempt::Lease(lease) => panic!("slot {:?} was free", lease.slot()),
        Attempt::Busy(busy) => busy,
    }
}

pub(crate) async fn fails(store: &KubernetesStore) -> SlotError {
    match attempt(store, "failing").await {
        Ok(_) => panic!("it should have failed"),
        Err(error) => error,
    }
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What was asked, short: `update opens 200`.
pub(crate) fn short(asked: &[Asked]) -> Vec<String> {
    let last = |name: &str| name.rsplit_once('-').map_or(String::new(), |(_, last)| format!(" {last}"));
    asked.iter().map(|one| format!("{}{} {}", one.verb, last(&one.name), one.status)).collect()
}
