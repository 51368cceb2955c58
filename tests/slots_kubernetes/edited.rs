//! Leases that somebody has edited or deleted by hand.

use std::sync::Arc;

use async_trait::async_trait;
use exorun::slots::kubernetes::{Answer, ApiError, KubeApi, LeaseApi};
use exorun::slots::{Meant, Released, Returned, SlotError, SlotId, SlotStore};
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::{Value, json};

use crate::cluster::{Cluster, SLACK, TIMES, busy, fails, secs, take};
use crate::support::account;

#[tokio::test(start_paused = true)]
async fn a_held_lease_that_names_nobody_any_more_is_lost_and_quarantined_in_full() {
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 4] = [
        ("no holder", |lease| lease["spec"]["holderIdentity"] = Value::Null),
        ("another holder", |lease| lease["spec"]["holderIdentity"] = json!("somebody")),
        ("no spec", |lease| lease["spec"] = json!({})),
        ("nothing of ours", |lease| {
            lease["metadata"]["annotations"] = json!({});
            lease["spec"] = json!({});
        }),
    ];
    for (what, edit) in edits {
        let cluster = Cluster::used().await;
        let store = cluster.store_of("pod", 1).await;
        let mut lease = take(&store, "a").await;
        cluster.server.edit("-1", edit);
        let until = cluster.clocks.boot() + TIMES.terms.lease + TIMES.terms.quarantine;
        let first = busy(&store).await.until.unwrap();
        assert!(until <= first && first <= until + SLACK, "{what}");
        let error = lease.renew(secs(1)).await.unwrap_err();
        assert!(matches!(error, SlotError::Lost { slot: 1, .. }), "{what}: {error}");
        cluster.pass(until.since(cluster.clocks.boot()) - secs(1)).await;
        let later = busy(&store).await;
        assert_eq!(later.quarantined, 1, "{what}: the end does not move");
        assert!(until <= later.until.unwrap() && later.until.unwrap() <= until + SLACK, "{what}");
        cluster.pass(secs(1) + SLACK).await;
        take(&store, "b").await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_leaves_us_our_slot_is_survived() {
    let cluster = Cluster::used().await;
    let store = cluster.store_of("pod", 1).await;
    let mut lease = take(&store, "a").await;
    let edits: [fn(&mut Value); 3] = [
        |lease| lease["metadata"]["annotations"]["example.org/note"] = json!("whose is this?"),
        |lease| lease["spec"]["leaseDurationSeconds"] = json!(1),
        |lease| lease["spec"]["renewTime"] = json!("1999-01-01T00:00:00.000000Z"),
    ];
    for edit in edits {
        cluster.pass(secs(30)).await;
        cluster.server.edit("-1", edit);
        assert_eq!(busy(&store).await.held, 1);
        cluster.pass(secs(5)).await;
        assert_eq!(busy(&store).await.held, 1, "whatever it says");
        lease.renew(secs(1)).await.unwrap();
    }
    cluster.server.edit("-1", edits[0]);
    lease.give_back(Returned::Free).await.unwrap();
    assert_eq!(
        cluster.server.lease("-1")["metadata"]["annotations"]["example.org/note"],
        json!("whose is this?")
    );
}

#[tokio::test(start_paused = true)]
async fn a_deleted_slot_comes_back_in_quarantine_because_somebody_may_hold_it() {
    for is_held in [true, false] {
        let cluster = Cluster::used().await;
        let store = cluster.store_of("pod", 1).await;
        let mut lease = is_held.then_some(take(&store, "a").await);
        if let Some(lease) = lease.as_mut() {
            cluster.server.delete("-1");
            let error = lease.renew(secs(1)).await.unwrap_err().to_string();
            assert!(error.contains("its Lease was deleted"), "{error}");
            assert_eq!(cluster.server.lease("-1"), Value::Null, "an update does not bring it back");
        } else {
            cluster.server.delete("-1");
        }
        let promised = cluster.clocks.boot() + TIMES.terms.lease + TIMES.terms.quarantine;
        let until = busy(&store).await.until.unwrap();
        assert!(promised <= until && until <= promised + SLACK);
        if let Some(lease) = lease {
            let error = lease.give_back(Returned::Free).await.unwrap_err();
            assert!(matches!(error, SlotError::Lost { .. }), "{error}");
        }
        assert_eq!(busy(&store).await.quarantined, 1);
        cluster.pass(until.since(cluster.clocks.boot()) + SLACK).await;
        take(&store, "b").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_gone_or_cannot_be_read_counts_as_used_up() {
    for is_deleted in [true, false] {
        let cluster = Cluster::used().await;
        let store = cluster.store("pod").await;
        let mut lease = take(&store, "a").await;
        match is_deleted {
            true => cluster.server.delete("-opens"),
            false => cluster.server.edit("-opens", |lease| {
                lease["metadata"]["annotations"]["exorun/opens"] = json!("none");
            }),
        }
        let promised = cluster.clocks.boot() + TIMES.opens.window;
        let full = busy(&store).await;
        assert!(full.opens_exhausted && full.held == 1);
        assert!(promised <= full.until.unwrap() && full.until.unwrap() <= promised + SLACK);
        cluster.pass(secs(30)).await;
        lease.renew(secs(1)).await.unwrap();
        assert!(busy(&store).await.until.unwrap() <= promised + SLACK, "it does not move");
        cluster.pass(secs(30) + SLACK).await;
        assert_eq!(take(&store, "b").await.slot().0, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_newer_format_is_not_guessed_at() {
    for ending in ["-1", "-opens"] {
        let cluster = Cluster::used().await;
        let store = cluster.store("pod").await;
        cluster.server.edit(ending, |lease| lease["metadata"]["annotations"]["exorun/format"] = json!("2"));
        let before = cluster.server.lease(ending);
        let error = fails(&store).await;
        let text = error.to_string();
        assert!(matches!(error, SlotError::Store { .. }) && text.contains(ending), "{text}");
        assert!(text.contains("newer exorun"), "{text}");
        assert_eq!(cluster.server.lease(ending), before, "and not written over");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_of_the_server_that_is_set_back_a_year_frees_nothing_early_and_nothing_never() {
    let year = jiff::SignedDuration::from_hours(24 * 365);
    let cluster = Cluster::used().await;
    let store = cluster.store_of("pod", 1).await;
    take(&store, "a").await.give_back(Returned::Quarantine).await.unwrap();
    let promised = cluster.clocks.boot() + TIMES.terms.quarantine;
    busy(&store).await;
    cluster.server.set_off(-year);
    cluster.pass(TIMES.terms.quarantine - secs(1)).await;
    assert_eq!(busy(&store).await.quarantined, 1);
    cluster.pass(secs(1) + SLACK).await;
    take(&store, "b").await;
    assert!(promised <= cluster.clocks.boot());
}

#[tokio::test(start_paused = true)]
async fn opens_of_next_year_count_as_made_now_for_one_window() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    for _ in 0..TIMES.opens.limit {
        take(&store, "a").await.give_back(Returned::Free).await.unwrap();
    }
    cluster.server.set_off(jiff::SignedDuration::from_hours(-24 * 365));
    cluster.pass(TIMES.opens.window / 2).await;
    let promised = cluster.clocks.boot() + TIMES.opens.window;
    for _ in 0..3 {
        let full = busy(&store).await;
        let until = full.until.unwrap();
        assert!(full.opens_exhausted && promised <= until && until <= promised + SLACK, "{full:?}");
        cluster.pass(secs(15)).await;
    }
    cluster.pass(secs(15) + SLACK).await;
    take(&store, "b").await;
}

#[tokio::test(start_paused = true)]
async fn an_operator_takes_a_slot_from_its_holder() {
    let cluster = Cluster::used().await;
    let (one, two) = (cluster.store_of("pod", 1).await, cluster.store_of("laptop", 1).await);
    let mut lease = take(&one, "a").await;
    lease.renew(secs(90)).await.unwrap();
    let promised = cluster.clocks.boot() + TIMES.terms.lease + secs(90) + TIMES.terms.quarantine;
    let release = async |meant: Meant| two.release(&account(), SlotId(1), &meant).await.unwrap();
    for other in [Meant::Quarantine, Meant::Holder("connection-b".into())] {
        assert_eq!(release(other).await, Released::Changed);
    }
    assert_eq!(release(Meant::Holder("connection-a".into())).await, Released::Quarantined);
    assert_eq!(release(Meant::Holder("connection-a".into())).await, Released::Changed);
    let until = busy(&one).await.until.unwrap();
    assert!(promised <= until && until <= promised + SLACK);
    let error = lease.renew(secs(1)).await.unwrap_err().to_string();
    assert!(error.contains("was released, and is in quarantine"), "{error}");
    assert_eq!(release(Meant::Quarantine).await, Released::Free);
    take(&two, "b").await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_without_its_labels_is_found_by_its_name_and_labelled_anew() {
    let edits: [fn(&mut Value); 3] = [
        |lease| lease["metadata"]["labels"] = json!({"example.org/team": "messaging"}),
        |lease| lease["metadata"]["labels"]["exorun/account"] = json!("another"),
        |lease| lease["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("policy"),
    ];
    for edit in edits {
        let cluster = Cluster::used().await;
        let store = cluster.store_of("pod", 1).await;
        let mut lease = take(&store, "a").await;
        let labels = |ending| cluster.server.lease(ending)["metadata"]["labels"].clone();
        let (before, spec) = (labels("-1"), cluster.server.lease("-1")["spec"].clone());
        for ending in ["-1", "-opens"] {
            cluster.server.edit(ending, edit);
        }
        let seen = busy(&store).await;
        assert_eq!((seen.held, seen.quarantined, seen.opens_exhausted), (1, 0, false), "held, it stays held");
        for ending in ["-1", "-opens"] {
            for (key, value) in before.as_object().unwrap() {
                assert_eq!(&labels(ending)[key], value, "{ending}");
            }
        }
        assert_eq!(cluster.server.lease("-1")["spec"], spec, "and nothing else is changed");
        cluster.pass(TIMES.terms.lease - secs(1)).await;
        assert_eq!(busy(&store).await.held, 1, "watched from then for its whole length");
        lease.renew(secs(1)).await.unwrap();
        lease.give_back(Returned::Free).await.unwrap();
        take(&store, "b").await;
    }
}

/// As a policy does that admits Leases only without labels.
struct Stripping(KubeApi);

#[async_trait]
impl LeaseApi for Stripping {
    async fn list(&self, selector: &str) -> Result<Answer<Vec<Lease>>, ApiError> {
        self.0.list(selector).await
    }

    async fn get(&self, name: &str) -> Result<Answer<Lease>, ApiError> {
        self.0.get(name).await
    }

    async fn create(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError> {
        self.0.create(&stripped(lease)).await
    }

    async fn replace(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError> {
        self.0.replace(&stripped(lease)).await
    }

    async fn delete(&self, name: &str, resource_version: &str) -> Result<Answer<()>, ApiError> {
        self.0.delete(name, resource_version).await
    }
}

fn stripped(lease: &Lease) -> Lease {
    let mut lease = lease.clone();
    lease.metadata.labels = None;
    lease
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_takes_the_labels_is_told_and_not_waited_for() {
    let cluster = Cluster::new().await;
    let store = cluster.store_over(Arc::new(Stripping(cluster.api().await)), "pod", 1);
    for _ in 0..2 {
        let error = fails(&store).await;
        let text = error.to_string();
        assert!(
            matches!(error, SlotError::Store { .. }) && text.contains("which admission policy"),
            "{text}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn other_peoples_leases_are_left_alone() {
    let cluster = Cluster::used().await;
    let name = cluster.server.lease("-1")["metadata"]["name"].as_str().unwrap().to_owned();
    let ours = cluster.server.lease("-1");
    let stranger = format!("{name}7-of-somebody-else");
    cluster.server.put_beside(&stranger, |lease| {
        lease["metadata"]["labels"] = ours["metadata"]["labels"].clone();
        lease["spec"] = json!({"holderIdentity": "somebody else"});
    });
    let before = cluster.server.lease("else");
    let store = cluster.store_of("pod", 1).await;
    take(&store, "a").await;
    assert_eq!(store.list(None).await.unwrap().len(), 1);
    assert_eq!(cluster.server.lease("else"), before);
}
