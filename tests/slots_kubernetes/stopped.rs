//! A process that is stopped (SIGSTOP, a suspended machine) in the middle of taking a slot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use exorun::slots::kubernetes::{Answer, ApiError, KubeApi, LeaseApi};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;

use crate::cluster::{Cluster, SLACK, TIMES, take};

const STOPPED: Duration = Duration::from_secs(3600);

/// The way to the API server of a process that stands still for an hour, once, when this Lease has been written.
struct Stopped {
    api: KubeApi,
    after: &'static str,
    done: AtomicBool,
}

#[async_trait]
impl LeaseApi for Stopped {
    async fn list(&self, selector: &str) -> Result<Answer<Vec<Lease>>, ApiError> {
        self.api.list(selector).await
    }

    async fn get(&self, name: &str) -> Result<Answer<Lease>, ApiError> {
        self.api.get(name).await
    }

    async fn create(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError> {
        self.api.create(lease).await
    }

    async fn replace(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError> {
        let answer = self.api.replace(lease).await;
        if lease.metadata.name.as_deref().is_some_and(|name| name.ends_with(self.after))
            && !self.done.swap(true, Ordering::SeqCst)
        {
            tokio::time::advance(STOPPED).await;
        }
        answer
    }

    async fn delete(&self, name: &str, resource_version: &str) -> Result<Answer<()>, ApiError> {
        self.api.delete(name, resource_version).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_that_was_paid_an_hour_ago_is_paid_again() {
    let cluster = Cluster::used().await;
    let api = Stopped { api: cluster.api().await, after: "-opens", done: AtomicBool::new(false) };
    let lease = take(&cluster.store_over(Arc::new(api), "pod", 5), "a").await;
    let opens = cluster.server.lease("-opens")["metadata"]["annotations"]["exorun/opens"].clone();
    let opens: Vec<Timestamp> = serde_json::from_str(opens.as_str().unwrap()).unwrap();
    let now = cluster.clocks.wall();
    let [last] = opens[..] else { panic!("{opens:?}") };
    assert!(last >= now && last <= now + SLACK, "{last} at {now}");
    assert_eq!(lease.ends(), cluster.clocks.boot() + TIMES.terms.lease);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_was_taken_an_hour_ago_is_no_lease_now() {
    let cluster = Cluster::used().await;
    let api = Stopped { api: cluster.api().await, after: "-1", done: AtomicBool::new(false) };
    let lease = take(&cluster.store_over(Arc::new(api), "pod", 5), "a").await;
    assert_eq!(lease.ends() + STOPPED, cluster.clocks.boot() + TIMES.terms.lease, "it ended long ago");
}
