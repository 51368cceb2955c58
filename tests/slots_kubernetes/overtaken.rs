//! Who was let in and then lost the slot to somebody who does not keep to the line: it is the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use exorun::slots::kubernetes::{Answer, ApiError, KubeApi, KubernetesStore, LeaseApi};
use exorun::slots::{Ask, Attempt, Returned, SlotError, SlotStore};
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::Value;

use crate::cluster::{Cluster, holder, take};
use crate::lease_server::Fault;
use crate::support::account;

/// The way to an API server where somebody else is quicker, once, with taking the slot.
struct Quicker {
    api: KubeApi,
    done: AtomicBool,
}

#[async_trait]
impl LeaseApi for Quicker {
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
        let is_slot = lease.metadata.name.as_deref().is_some_and(|name| name.ends_with("-1"));
        if is_slot && !self.done.swap(true, Ordering::SeqCst) {
            let text = serde_json::to_string(lease).unwrap().replace("connection-a", "connection-z");
            self.api.replace(&serde_json::from_str(&text).unwrap()).await.unwrap();
        }
        self.api.replace(lease).await
    }

    async fn delete(&self, name: &str, resource_version: &str) -> Result<Answer<()>, ApiError> {
        self.api.delete(name, resource_version).await
    }
}

async fn wait(store: &KubernetesStore, name: &str) -> Result<(), SlotError> {
    match store.attempt(&account(), &holder(name), Ask::InLine).await? {
        Attempt::Lease(_) => panic!("{name} has got a slot"),
        Attempt::Busy(_) => Ok(()),
    }
}

/// One slot, free, and `a` and `b` wait for it.
async fn two_wait() -> Cluster {
    let cluster = Cluster::used().await;
    let store = cluster.store_of("before", 1).await;
    let held = take(&store, "before").await;
    wait(&store, "a").await.unwrap();
    wait(&store, "b").await.unwrap();
    held.give_back(Returned::Free).await.unwrap();
    cluster
}

fn line(cluster: &Cluster) -> Vec<String> {
    let text = cluster.server.lease("-opens")["metadata"]["annotations"]["exorun/waiting"].clone();
    let line: Vec<Value> = serde_json::from_str(text.as_str().unwrap_or("[]")).unwrap();
    line.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn who_loses_the_slot_it_has_paid_for_is_the_next() {
    let cluster = two_wait().await;
    let api = Quicker { api: cluster.api().await, done: AtomicBool::new(false) };
    wait(&cluster.store_over(Arc::new(api), "pod", 1), "a").await.unwrap();
    assert_eq!(line(&cluster), ["connection-a", "connection-b"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_told_to_come_back_after_it_has_paid_is_the_next() {
    let cluster = two_wait().await;
    cluster.server.fail("update", "-1", 1, Fault::Throttled(1));
    let error = wait(&cluster.store_of("pod", 1).await, "a").await.unwrap_err();
    assert!(matches!(error, SlotError::Unavailable { .. }), "{error}");
    assert_eq!(line(&cluster), ["connection-a", "connection-b"]);
}

#[tokio::test(start_paused = true)]
async fn who_could_not_pay_keeps_its_place() {
    let cluster = two_wait().await;
    cluster.server.fail("update", "-opens", 100, Fault::Refused(409));
    wait(&cluster.store_of("pod", 1).await, "a").await.unwrap();
    assert_eq!(line(&cluster), ["connection-a", "connection-b"]);
}
