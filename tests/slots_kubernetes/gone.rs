//! An attempt whose caller is gone: it begins nothing more, and what it has got goes back.

use std::sync::Arc;

use async_trait::async_trait;
use exorun::slots::kubernetes::{Answer, ApiError, KubeApi, KubernetesStore, LeaseApi};
use exorun::slots::{Ask, Attempt, SlotStore};
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::cluster::{Cluster, holder, short, take};
use crate::support::account;

/// The way to an API server that keeps each request of one kind until the test lets it go.
struct Gate {
    api: KubeApi,
    /// `list`, or the end of the name of the Lease that is written.
    at: &'static str,
    came: Semaphore,
    may_go: Semaphore,
}

impl Gate {
    async fn pass(&self, what: &str) {
        if what.ends_with(self.at) {
            self.came.add_permits(1);
            self.may_go.acquire().await.unwrap().forget();
        }
    }
}

#[async_trait]
impl LeaseApi for Gate {
    async fn list(&self, selector: &str) -> Result<Answer<Vec<Lease>>, ApiError> {
        self.pass("list").await;
        self.api.list(selector).await
    }

    async fn get(&self, name: &str) -> Result<Answer<Lease>, ApiError> {
        self.api.get(name).await
    }

    async fn create(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError> {
        self.api.create(lease).await
    }

    async fn replace(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError> {
        self.pass(lease.metadata.name.as_deref().unwrap()).await;
        self.api.replace(lease).await
    }

    async fn delete(&self, name: &str, resource_version: &str) -> Result<Answer<()>, ApiError> {
        self.api.delete(name, resource_version).await
    }
}

/// Begins an attempt, and gives it up when its request has come to the gate. What was asked from then to its end.
async fn given_up(cluster: &Cluster, at: &'static str) -> (KubernetesStore, Vec<String>) {
    let (came, may_go) = (Semaphore::new(0), Semaphore::new(0));
    let gate = Arc::new(Gate { api: cluster.api().await, at, came, may_go });
    let store = cluster.store_over(gate.clone(), "pod", 1);
    let (account, name) = (account(), holder("gone"));
    cluster.server.asked();
    tokio::select! {
        _ = store.attempt(&account, &name, Ask::InLine) => panic!("it was kept"),
        came = gate.came.acquire() => came.unwrap().forget(),
    }
    gate.may_go.add_permits(100);
    store.settled().await;
    (store, short(&cluster.server.asked()))
}

fn note(cluster: &Cluster, key: &str) -> Value {
    cluster.server.lease("-opens")["metadata"]["annotations"][key].clone()
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_for_a_caller_that_is_gone_goes_back_before_the_end_of_the_program() {
    let cluster = Cluster::used().await;
    let (store, asked) = given_up(&cluster, "-1").await;
    assert_eq!(asked, ["list 200", "update opens 200", "update 1 200", "update 1 200"]);
    assert!(matches!(
        store.attempt(&account(), &holder("gone"), Ask::InPassing).await,
        Ok(Attempt::Lease(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_is_gone_pays_nothing() {
    let cluster = Cluster::used().await;
    let before = note(&cluster, "exorun/opens");
    let (_store, asked) = given_up(&cluster, "list").await;
    assert_eq!(asked, ["list 200"]);
    assert_eq!(note(&cluster, "exorun/opens"), before);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_is_gone_stands_in_no_line() {
    let cluster = Cluster::used().await;
    let other = cluster.store_of("other", 1).await;
    let _held = take(&other, "a").await;
    let (_store, asked) = given_up(&cluster, "list").await;
    assert_eq!(asked, ["list 200"]);
    assert_eq!(note(&cluster, "exorun/waiting"), Value::Null);
}
