//! Answers that are lost: what was asked for has happened, or not, and nobody says which.

use exorun::slots::{Returned, SlotError};

use crate::cluster::{Cluster, SLACK, TIMES, busy, fails, secs, short, take};
use crate::lease_server::Fault;

fn opens(cluster: &Cluster) -> usize {
    let annotations = &cluster.server.lease("-opens")["metadata"]["annotations"];
    let opens: Vec<String> = serde_json::from_str(annotations["exorun/opens"].as_str().unwrap()).unwrap();
    opens.len()
}

fn holder(cluster: &Cluster, ending: &str) -> Option<String> {
    cluster.server.lease(ending)["spec"]["holderIdentity"].as_str().map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn a_slot_whose_answer_was_lost_is_ours() {
    for (fault, asked) in [
        (Fault::CutAfter, vec!["update 1 0", "get 1 200"]),
        (Fault::CutBefore, vec!["update 1 0", "get 1 200", "update 1 200"]),
        (Fault::Refused(500), vec!["update 1 500", "get 1 200", "update 1 200"]),
    ] {
        let cluster = Cluster::used().await;
        let store = cluster.store("pod").await;
        cluster.server.fail("update", "-1", 1, fault.clone());
        let mut lease = take(&store, "a").await;
        assert_eq!(short(&cluster.server.asked())[2..], asked, "{fault:?}");
        assert_eq!(holder(&cluster, "-1").as_deref(), Some("pod_connection-a"));
        assert_eq!(opens(&cluster), 1);
        lease.renew(secs(1)).await.unwrap();
        lease.give_back(Returned::Free).await.unwrap();
        assert_eq!(holder(&cluster, "-1"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_nobody_can_ask_about_is_in_quarantine_in_the_end() {
    let cluster = Cluster::used().await;
    let store = cluster.store_of("pod", 1).await;
    cluster.server.fail("update", "-1", 1, Fault::CutAfter);
    cluster.server.fail("get", "-1", 1, Fault::CutBefore);
    assert!(matches!(fails(&store).await, SlotError::Unavailable { .. }));
    assert_eq!(busy(&store).await.held, 1);
    cluster.pass(TIMES.terms.lease + SLACK).await;
    assert_eq!(busy(&store).await.quarantined, 1);
    cluster.pass(TIMES.terms.quarantine + SLACK).await;
    take(&store, "b").await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_the_budget_costs_an_open_and_admits_none() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    for _ in 0..5 {
        cluster.server.fail("update", "-opens", 1, Fault::CutAfter);
        assert!(matches!(fails(&store).await, SlotError::Unavailable { .. }));
    }
    assert_eq!(opens(&cluster), 5);
    assert!(busy(&store).await.opens_exhausted);
}

#[tokio::test(start_paused = true)]
async fn who_was_slower_takes_the_next_slot_with_the_same_open() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    cluster.server.fail("update", "-1", 1, Fault::Refused(409));
    assert_eq!(take(&store, "a").await.slot().0, 2);
    assert_eq!(opens(&cluster), 1);
    cluster.server.asked();
    cluster.server.fail("update", "-opens", 1, Fault::Refused(409));
    assert_eq!(take(&store, "b").await.slot().0, 1);
    assert_eq!(opens(&cluster), 2);
    assert_eq!(short(&cluster.server.asked())[..3], ["list 200", "update opens 409", "list 200"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_always_slower_is_told_to_come_back() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    cluster.server.fail("update", "-opens", 100, Fault::Refused(409));
    let busy = busy(&store).await;
    assert_eq!((busy.held, busy.until), (0, Some(cluster.clocks.boot())));
    assert!(cluster.server.asked().len() <= 16);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_without_an_answer_is_looked_into_before_the_next() {
    for fault in [Fault::CutAfter, Fault::CutBefore, Fault::Refused(500), Fault::Silent] {
        let cluster = Cluster::used().await;
        let store = cluster.store("pod").await;
        let mut lease = take(&store, "a").await;
        let ends = lease.ends();
        cluster.pass(secs(20)).await;
        cluster.server.asked();
        cluster.server.fail("update", "-1", 1, fault.clone());
        let error = cluster.hurry(lease.renew(secs(30))).await.unwrap_err();
        assert!(matches!(error, SlotError::Unavailable { .. }), "{error}");
        assert_eq!(lease.ends(), ends, "not more than we know");
        let before = cluster.clocks.boot();
        lease.renew(secs(30)).await.unwrap();
        assert_eq!(lease.ends(), before + TIMES.terms.lease);
        assert_eq!(short(&cluster.server.asked())[1..], ["get 1 200", "update 1 200"], "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_loses_no_lease_that_nobody_declared_dead() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    let mut lease = take(&store, "a").await;
    cluster.server.fail("", "", 1000, Fault::Refused(503));
    for _ in 0..10 {
        cluster.pass(secs(30)).await;
        assert!(matches!(lease.renew(secs(1)).await, Err(SlotError::Unavailable { .. })));
    }
    cluster.server.heal();
    lease.renew(secs(1)).await.unwrap();
    lease.give_back(Returned::Free).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_return_is_tried_again_until_it_is_known() {
    for fault in [Fault::CutAfter, Fault::CutBefore, Fault::Refused(500), Fault::Throttled(2), Fault::Silent]
    {
        for (how, left) in [(Returned::Free, None), (Returned::Quarantine, Some("quarantined".to_owned()))] {
            let cluster = Cluster::used().await;
            let store = cluster.store("pod").await;
            let lease = take(&store, "a").await;
            cluster.server.fail("update", "-1", 2, fault.clone());
            cluster.hurry(lease.give_back(how)).await.unwrap();
            assert_eq!(holder(&cluster, "-1"), left, "{fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_return_that_is_not_possible_says_so_and_the_slot_is_quarantined() {
    let cluster = Cluster::used().await;
    let store = cluster.store_of("pod", 1).await;
    let lease = take(&store, "a").await;
    cluster.server.fail("update", "-1", 100, Fault::Refused(503));
    let error = cluster.hurry(lease.give_back(Returned::Free)).await.unwrap_err();
    assert!(matches!(error, SlotError::Unavailable { .. }), "{error}");
    cluster.server.heal();
    busy(&store).await;
    cluster.pass(TIMES.terms.lease + SLACK).await;
    assert_eq!(busy(&store).await.quarantined, 1);
}

#[tokio::test(start_paused = true)]
async fn the_first_use_goes_on_where_it_was_cut() {
    let cluster = Cluster::new().await;
    let store = cluster.store("pod").await;
    for name in ["-opens", "-1", "-3"] {
        cluster.server.fail("create", "", 1, Fault::CutAfter);
        let error = fails(&store).await;
        assert!(matches!(error, SlotError::Unavailable { .. }), "{name}: {error}");
    }
    assert_eq!(take(&store, "a").await.slot().0, 1, "none was in quarantine");
    assert_eq!(cluster.server.leases().len(), 6);
}
