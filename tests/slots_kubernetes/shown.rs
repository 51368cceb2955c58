//! What people see who look at the Leases with kubectl.

use exorun::slots::{Ask, Returned, SlotStore};

use crate::cluster::{Cluster, holder, secs, take};
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
