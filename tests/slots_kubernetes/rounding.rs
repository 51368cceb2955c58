//! A `Date` has lost its part of a second, and a request takes its time: nothing is early for that.

use std::time::Duration;

use exorun::slots::Returned;

use crate::cluster::{Cluster, TIMES, busy, secs, take};
use crate::lease_server::Fault;

const PART: Duration = Duration::from_millis(900);

#[tokio::test(start_paused = true)]
async fn an_open_leaves_its_window_late_rather_than_early() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    // Nine tenths of a second that no Date shows.
    let wall = cluster.clocks.wall().as_millisecond().rem_euclid(1000);
    cluster.pass(secs(1) - Duration::from_millis(wall.unsigned_abs()) + PART).await;
    for number in 0..TIMES.opens.limit {
        take(&store, &format!("r{number}")).await.give_back(Returned::Free).await.unwrap();
    }
    cluster.pass(TIMES.opens.window - Duration::from_millis(10)).await;
    assert!(busy(&store).await.opens_exhausted);
    cluster.pass(secs(2)).await;
    take(&store, "later").await;
}

#[tokio::test(start_paused = true)]
async fn a_quarantine_ends_late_rather_than_early_also_for_who_has_not_watched_it() {
    let cluster = Cluster::used().await;
    let store = cluster.store_of("pod", 1).await;
    let wall = cluster.clocks.wall().as_millisecond().rem_euclid(1000);
    cluster.pass(secs(1) - Duration::from_millis(wall.unsigned_abs()) + PART).await;
    take(&store, "a").await.give_back(Returned::Quarantine).await.unwrap();
    cluster.pass(TIMES.terms.quarantine - Duration::from_millis(10)).await;
    assert_eq!(busy(&cluster.store_of("new", 1).await).await.quarantined, 1);
    cluster.pass(secs(2)).await;
    take(&cluster.store_of("newer", 1).await, "b").await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_counts_from_before_the_request() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    cluster.server.fail("update", "-1", 2, Fault::Slow(secs(4)));
    let before = cluster.clocks.boot();
    let mut lease = cluster.hurry(take(&store, "a")).await;
    assert!(cluster.clocks.boot() >= before + secs(4));
    // The two requests before the slow one may take a moment too.
    assert!(lease.ends() < before + TIMES.terms.lease + secs(3));
    let before = cluster.clocks.boot();
    cluster.hurry(lease.renew(secs(1))).await.unwrap();
    assert!(cluster.clocks.boot() >= before + secs(4));
    assert_eq!(lease.ends(), before + TIMES.terms.lease);
}
