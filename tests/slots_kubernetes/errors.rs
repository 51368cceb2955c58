//! What an API server may answer instead, in words: where it hurts, whether it may pass, and what to do.

use std::time::Duration;

use exorun::slots::SlotError;

use crate::cluster::{Cluster, busy, fails, take};
use crate::lease_server::Fault;

/// The words of an error, which are one line and hold no token.
fn words(error: &SlotError) -> (bool, String) {
    let text = error.to_string();
    assert!(!text.contains(char::is_control) && !text.contains("first-token"), "{text}");
    assert!(text.contains("Leases in namespace jobs"), "{text}");
    (matches!(error, SlotError::Unavailable { .. }), text)
}

#[tokio::test(start_paused = true)]
async fn each_refusal_is_told_in_words_and_passes_or_does_not() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    for (fault, times, passes, needle) in [
        (Fault::Refused(401), 2, false, "the token has expired"),
        (
            Fault::Refused(403),
            1,
            false,
            "give the service account a Role with create, get, list, update and delete",
        ),
        (Fault::Refused(404), 1, false, "see that namespace jobs exists"),
        (Fault::Refused(422), 1, false, "refused as invalid (a fault of the stand-in: Invalid)"),
        (Fault::Refused(500), 1, true, "500: a fault of the stand-in"),
        (Fault::Refused(503), 1, true, "503"),
        (Fault::Throttled(7), 1, true, "again in 7s"),
        (Fault::CutBefore, 1, true, "no answer to list"),
        (Fault::Silent, 1, true, "no answer to list: timed out after 10s"),
        (Fault::NoDate, 1, false, "no Date header"),
    ] {
        cluster.server.heal();
        cluster.server.fail("list", "", times, fault.clone());
        let error = cluster.hurry(fails(&store)).await;
        let (unavailable, text) = words(&error);
        assert_eq!(unavailable, passes, "{fault:?}: {text}");
        assert!(text.contains(needle), "{fault:?}: {text}");
    }
    cluster.hurry(take(&store, "after")).await;
}

#[tokio::test(start_paused = true)]
async fn a_verb_that_the_role_lacks_is_named() {
    for (verb, needle) in [
        ("list", "list is forbidden (leases.coordination.k8s.io is forbidden: User"),
        ("create", "create is forbidden"),
        ("update", "update is forbidden"),
    ] {
        let cluster = Cluster::new().await;
        cluster.server.forbid(verb);
        let (unavailable, text) = words(&fails(&cluster.store("pod").await).await);
        assert!(!unavailable && text.contains(needle) && text.contains("in namespace jobs"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_write_takes_no_slot() {
    for verb_and_name in [("update", "opens"), ("update", "-1")] {
        for fault in
            [Fault::Refused(500), Fault::Refused(422), Fault::Throttled(1), Fault::CutBefore, Fault::Silent]
        {
            let cluster = Cluster::used().await;
            let store = cluster.store_of("pod", 1).await;
            let (verb, name) = verb_and_name;
            cluster.server.fail(verb, name, 9, fault.clone());
            let error = cluster.hurry(fails(&store)).await;
            words(&error);
            cluster.server.heal();
            let lease = cluster.hurry(take(&store, "after")).await;
            assert_eq!(busy(&store).await.held, 1, "{fault:?}");
            drop(lease);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_slow_is_waited_for() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    cluster.server.fail("", "", 3, Fault::Slow(Duration::from_secs(4)));
    cluster.hurry(take(&store, "a")).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_there_may_pass() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    cluster.server.stop();
    let (unavailable, text) = words(&cluster.hurry(fails(&store)).await);
    assert!(unavailable && text.contains("no answer to list"), "{text}");
}
