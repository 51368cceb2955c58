//! What people see who look at the Leases with kubectl.

use std::process::Command;

use exorun::slots::{Ask, Returned, SlotStore};

use crate::cluster::{Cluster, holder, secs, take};
use crate::components;
use crate::support::account;

#[tokio::test(start_paused = true)]
async fn the_leases_tell_the_truth_during_a_run() {
    let cluster = Cluster::new().await;
    let (one, two) = (cluster.store_of("pod-a", 3).await, cluster.store_of("pod-b", 3).await);
    let mut lease = take(&one, "run-a").await;
    let unconfirmed = take(&two, "run-b").await;
    unconfirmed.give_back(Returned::Quarantine).await.unwrap();
    cluster.pass(secs(20)).await;
    lease.renew(secs(960)).await.unwrap();
    one.refused(&account()).await.unwrap();
    drop(two.attempt(&account(), &holder("run-c"), Ask::InLine).await.unwrap());
    let leases = cluster.server.leases();
    insta::assert_json_snapshot!(leases, { "[].metadata.uid" => "(a uid)" });
    drop(lease);
}

/// A client that nobody here has written: it asks what there is, and reads the objects by its own types.
#[tokio::test(start_paused = true)]
async fn kubectl_reads_them() {
    if !components::has("kubectl", "kubectl_reads_them") {
        return;
    }
    let cluster = Cluster::new().await;
    let store = cluster.store_of("pod-a", 2).await;
    let lease = take(&store, "run-a").await;
    take(&store, "run-b").await.give_back(Returned::Quarantine).await.unwrap();
    let mut kubectl = Command::new("kubectl");
    kubectl
        .env_remove("KUBECONFIG")
        .env("HOME", cluster.dir.path())
        .arg("--kubeconfig")
        .arg(cluster.dir.path().join("kubeconfig"))
        .args(["get", "leases", "-l", "app.kubernetes.io/name=exorun", "-o"])
        .arg("custom-columns=SLOT:.metadata.name,HOLDER:.spec.holderIdentity,SECONDS:.spec.leaseDurationSeconds,RENEWED:.spec.renewTime,CHANGES:.spec.leaseTransitions");
    let shown = tokio::task::spawn_blocking(move || kubectl.output()).await.unwrap().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    insta::assert_snapshot!(String::from_utf8_lossy(&shown.stdout));
    drop(lease);
}
