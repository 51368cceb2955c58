//! How many requests things cost.

use exorun::slots::{Ask, Attempt, Returned, SlotStore};

use crate::cluster::{Cluster, TIMES, holder, secs, short, take};
use crate::support::account;

#[tokio::test(start_paused = true)]
async fn a_run_makes_five_requests_once_the_leases_are_there() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    let mut lease = take(&store, "a").await;
    cluster.pass(secs(1)).await;
    lease.renew(secs(960)).await.unwrap();
    cluster.pass(secs(20)).await;
    lease.give_back(Returned::Free).await.unwrap();
    let asked = short(&cluster.server.asked());
    assert_eq!(asked, ["list 200", "update opens 200", "update 1 200", "update 1 200", "update 1 200"]);
}

#[tokio::test(start_paused = true)]
async fn the_first_use_of_an_account_makes_its_leases() {
    let cluster = Cluster::new().await;
    let store = cluster.store_of("pod", 2).await;
    let lease = take(&store, "a").await;
    assert_eq!(
        short(&cluster.server.asked()),
        [
            "list 200",
            "create opens 201",
            "list 200",
            "create 1 201",
            "create 2 201",
            "list 200",
            "update opens 200",
            "update 1 200",
        ]
    );
    drop(lease);
}

#[tokio::test(start_paused = true)]
async fn who_waits_writes_only_to_be_seen() {
    let cluster = Cluster::used().await;
    let store = cluster.store_of("pod", 1).await;
    let mut lease = take(&store, "a").await;
    cluster.server.asked();
    let mut writes = 0;
    for _ in 0..60 {
        let Attempt::Busy(_) = store.attempt(&account(), &holder("b"), Ask::InLine).await.unwrap() else {
            panic!("the slot is held")
        };
        writes += cluster.server.asked().iter().filter(|one| one.verb == "update").count();
        cluster.pass(secs(1)).await;
        lease.renew(secs(1)).await.unwrap();
        cluster.server.asked();
    }
    let thirds = 60 * 3 / TIMES.patience.as_secs();
    assert_eq!(writes, usize::try_from(thirds).unwrap());
    drop(lease);
}
