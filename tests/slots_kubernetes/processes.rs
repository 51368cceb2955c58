//! Several pods: what one of them sees of the others.

use exorun::slots::{Returned, SlotError};

use crate::cluster::{Cluster, SLACK, TIMES, busy, secs, short, take};

#[tokio::test(start_paused = true)]
async fn a_holder_that_was_stopped_for_longer_than_its_lease_has_lost_it() {
    let cluster = Cluster::used().await;
    let (stopped, other) = (cluster.store_of("stopped", 1).await, cluster.store_of("other", 1).await);
    let mut lease = take(&stopped, "a").await;
    lease.renew(secs(100)).await.unwrap();
    assert_eq!(busy(&other).await.held, 1);
    cluster.pass(TIMES.terms.lease + secs(1)).await;
    let promised = lease.ends() + secs(100) + TIMES.terms.quarantine;
    let until = busy(&other).await.until.unwrap();
    assert!(promised <= until && until <= promised + SLACK);
    cluster.server.asked();
    let error = lease.renew(secs(1)).await.unwrap_err();
    assert!(matches!(error, SlotError::Lost { slot: 1, .. }), "{error}");
    assert!(error.to_string().contains("not renewed in time"), "{error}");
    assert_eq!(short(&cluster.server.asked()), ["update 1 409", "get 1 200"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_new_watches_a_held_lease_for_its_whole_length() {
    let cluster = Cluster::used().await;
    let holder = cluster.store_of("dead", 1).await;
    drop(take(&holder, "a").await);
    cluster.pass(TIMES.terms.lease * 10).await;
    let new = cluster.store_of("new", 1).await;
    assert_eq!(busy(&new).await.held, 1, "its times are another host's: nobody compares them");
    cluster.pass(TIMES.terms.lease - secs(1)).await;
    assert_eq!(busy(&new).await.held, 1);
    cluster.pass(secs(1)).await;
    assert_eq!(busy(&new).await.quarantined, 1);
    let newer = cluster.store_of("newer", 1).await;
    assert_eq!(busy(&newer).await.quarantined, 1, "that is written down for those who come later");
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_renews_is_left_alone_for_ever() {
    let cluster = Cluster::used().await;
    let (one, other) = (cluster.store_of("one", 1).await, cluster.store_of("other", 1).await);
    let mut lease = take(&one, "a").await;
    for _ in 0..100 {
        cluster.pass(secs(30)).await;
        assert_eq!(busy(&other).await.held, 1);
        lease.renew(secs(1)).await.unwrap();
    }
    lease.give_back(Returned::Free).await.unwrap();
    take(&other, "b").await;
}

#[tokio::test(start_paused = true)]
async fn slots_above_a_limit_that_was_made_smaller_count() {
    let cluster = Cluster::used().await;
    let (large, small) = (cluster.store_of("large", 5).await, cluster.store_of("small", 2).await);
    let (first, _second, _third) =
        (take(&large, "a").await, take(&large, "b").await, take(&large, "c").await);
    first.give_back(Returned::Free).await.unwrap();
    assert_eq!(busy(&small).await.held, 2, "the first is free, but two are in use");
}

#[tokio::test(start_paused = true)]
async fn opens_are_shared_by_all_pods() {
    let cluster = Cluster::used().await;
    for number in 0..5 {
        let store = cluster.store(&format!("pod-{number}")).await;
        take(&store, &format!("r{number}")).await.give_back(Returned::Free).await.unwrap();
    }
    assert!(busy(&cluster.store("pod-6").await).await.opens_exhausted);
}
