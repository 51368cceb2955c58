//! What every store promises, tried on one place.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use exorun::rules::slots::opens::Budget;
use exorun::rules::time::BootTime;
use exorun::slots::{
    Ask, Attempt, Busy, ListedState, Meant, Released, Returned, SlotError, SlotId, SlotTimes,
};
use tokio_util::task::TaskTracker;

use crate::desk::{Desk, holder};
use crate::stand::Stand;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Looks for a slot again and again until there is one, and says when; all the time one slot is not free.
async fn comes_back(stand: &impl Stand, store: &Desk) -> BootTime {
    loop {
        match store.ask("next", Ask::InPassing).await {
            Ok(_lease) => return stand.clocks().boot(),
            Err(busy) => assert_eq!(busy.held + busy.quarantined, 1, "{busy:?}"),
        }
        stand.pass(stand.step()).await;
    }
}

/// `at` is not earlier than promised, and not much later.
fn assert_comes(stand: &impl Stand, at: BootTime, promised: BootTime, late: Duration) {
    assert!(promised <= at, "{:?} too early", promised.since(at));
    let late = late + stand.slack() + stand.step();
    assert!(at <= promised + late, "{:?} too late", at.since(promised));
}

pub(crate) async fn there_are_as_many_slots_as_the_limit_over_all_stores(stand: &impl Stand) {
    let (one, two) = (stand.store(2, stand.times()), stand.store(2, stand.times()));
    let first = one.take("a").await;
    let second = two.take("b").await;
    assert_eq!((first.slot().0, second.slot().0), (1, 2));
    assert_eq!(one.busy().await, Busy { held: 2, ..Busy::default() });
    first.give_back(Returned::Free).await.unwrap();
    assert_eq!(two.take("c").await.slot().0, 1);
}

pub(crate) async fn after_a_refusal_fewer_are_given_out_until_it_is_long_ago(stand: &impl Stand) {
    let (one, two) = (stand.store(5, stand.times()), stand.store(5, stand.times()));
    let mut leases = vec![one.take("a").await, one.take("b").await, two.take("c").await];
    assert_eq!(two.store.refused(&two.account).await.unwrap(), 2, "one less than were in use");
    assert_eq!(one.store.refused(&one.account).await.unwrap(), 2, "the same crowd");
    let begun = stand.clocks().boot();
    let rises = begun + stand.times().pace.step;
    let full = one.busy().await;
    assert_eq!((full.held, full.lowered_to), (3, Some(2)));
    assert_comes(stand, full.until.unwrap(), rises, Duration::ZERO);
    leases.remove(0).give_back(Returned::Free).await.unwrap();
    leases.remove(0).give_back(Returned::Free).await.unwrap();
    leases.push(one.take("d").await);
    assert_eq!(two.busy().await.held, 2, "the third slot counts, though its number is above the limit");
    for (steps, more, lowered) in [(1, "e", Some(3)), (2, "f", Some(4)), (3, "g", None)] {
        let target = begun + stand.times().pace.step * steps + stand.slack();
        loop {
            let left = target.since(stand.clocks().boot());
            stand.pass(left.min(stand.times().terms.lease / 2)).await;
            if left.is_zero() {
                break;
            }
            // The holders live, and renew as they should.
            for lease in &mut leases {
                lease.renew(Duration::ZERO).await.unwrap();
            }
        }
        leases.push(one.take(more).await);
        assert_eq!(two.busy().await.lowered_to, lowered);
    }
}

pub(crate) async fn a_lease_that_is_dropped_is_quarantined_and_comes_back(stand: &impl Stand) {
    let (one, two) = (stand.store(1, stand.times()), stand.store(1, stand.times()));
    let mut lease = one.take("a").await;
    let terms = stand.times().terms;
    stand.pass(terms.lease / 6).await;
    let before = stand.clocks().boot();
    lease.renew(secs(3)).await.unwrap();
    assert!(before + terms.lease <= lease.ends() && lease.ends() <= stand.clocks().boot() + terms.lease);
    let promised = lease.ends() + secs(3) + terms.quarantine;
    drop(lease);
    let at = comes_back(stand, &two).await;
    assert_comes(stand, at, promised, stand.slack());
}

pub(crate) async fn an_unconfirmed_close_is_quarantined_from_then(stand: &impl Stand) {
    let (one, two) = (stand.store(1, stand.times()), stand.store(1, stand.times()));
    let mut lease = one.take("a").await;
    lease.renew(secs(2)).await.unwrap();
    lease.give_back(Returned::Quarantine).await.unwrap();
    let promised = stand.clocks().boot() + secs(2) + stand.times().terms.quarantine;
    let busy = two.busy().await;
    assert_eq!((busy.held, busy.quarantined), (0, 1));
    assert_comes(stand, busy.until.unwrap(), promised, Duration::ZERO);
    let at = comes_back(stand, &two).await;
    assert_comes(stand, at, promised, Duration::ZERO);
}

pub(crate) async fn the_budget_of_opens_is_taken_with_a_slot_only(stand: &impl Stand) {
    let times = SlotTimes { opens: Budget { limit: 2, ..stand.times().opens }, ..stand.times() };
    let window = times.opens.window;
    let (one, two) = (stand.store(1, times), stand.store(1, times));
    let begun = stand.clocks().boot();
    let lease = one.take("a").await;
    assert!(!two.busy().await.opens_exhausted, "no slot: no open is taken");
    lease.give_back(Returned::Free).await.unwrap();
    two.take("b").await.give_back(Returned::Free).await.unwrap();
    let full = one.busy().await;
    assert_eq!((full.held, full.quarantined, full.opens_exhausted), (0, 0, true));
    assert_comes(stand, full.until.unwrap(), begun + window, Duration::ZERO);
    let almost = (begun + window).since(stand.clocks().boot()).saturating_sub(stand.step());
    stand.pass(almost).await;
    assert!(two.busy().await.opens_exhausted);
    stand.pass(stand.slack() + stand.step() * 2).await;
    two.take("c").await;
}

pub(crate) async fn an_attempt_that_is_dropped_gives_its_slot_back_free(stand: &impl Stand) {
    let store = stand.store(1, stand.times());
    for round in 0..20 {
        let name = holder(&format!("r{round}"));
        let attempt = store.store.attempt(&store.account, &name, Ask::InPassing);
        // One poll starts the work; then the attempt is dropped.
        tokio::select! {
            biased;
            // It was quicker than the poll: a lease is given back, or it would be quarantined.
            done = attempt => if let Attempt::Lease(lease) = done.unwrap() {
                lease.give_back(Returned::Free).await.unwrap();
            },
            () = std::future::ready(()) => {}
        }
    }
    // The dropped work may still be at it. Quarantined, the slot would stay away for a quarter of an hour.
    for look in 0.. {
        match store.ask("after", Ask::InPassing).await {
            Ok(lease) => return lease.give_back(Returned::Free).await.unwrap(),
            Err(busy) => assert!(busy.quarantined == 0 && look < 2000, "{busy:?}"),
        }
        stand.pass(Duration::from_millis(5)).await;
    }
}

pub(crate) async fn a_renewal_that_is_dropped_does_not_undo_the_return(stand: &impl Stand) {
    let store = stand.store(1, stand.times());
    for round in 0..20 {
        let mut lease = store.take(&format!("r{round}")).await;
        tokio::select! {
            biased;
            done = lease.renew(secs(1)) => done.unwrap(),
            () = std::future::ready(()) => {}
        }
        assert!(lease.ends() <= stand.clocks().boot() + stand.times().terms.lease);
        lease.give_back(Returned::Free).await.unwrap();
    }
}

pub(crate) async fn after_a_renewal_that_is_dropped_later_ones_work(stand: &impl Stand) {
    let store = stand.store(1, stand.times());
    let mut lease = store.take("a").await;
    for _ in 0..10 {
        stand.pass(stand.times().terms.lease / 3).await;
        tokio::select! {
            biased;
            done = lease.renew(secs(1)) => done.unwrap(),
            () = std::future::ready(()) => {}
        }
        let before = stand.clocks().boot();
        lease.renew(secs(1)).await.unwrap();
        assert!(before + stand.times().terms.lease <= lease.ends());
    }
    lease.give_back(Returned::Free).await.unwrap();
    store.take("b").await;
}

pub(crate) async fn who_waits_first_is_served_first(stand: &impl Stand) {
    let (one, two) = (stand.store(1, stand.times()), stand.store(1, stand.times()));
    let lease = one.take("a").await;
    assert_eq!(one.wait("first", Ask::InLine).await.ahead, 0);
    stand.pass(stand.step()).await;
    assert_eq!(two.wait("second", Ask::InLine).await.ahead, 1);
    assert_eq!(one.wait("passing", Ask::InPassing).await.ahead, 2);
    lease.give_back(Returned::Free).await.unwrap();
    assert_eq!(two.wait("second", Ask::InLine).await.ahead, 1);
    assert_eq!(two.wait("passing", Ask::InPassing).await.ahead, 2, "and none is free for it");
    let first = one.ask("first", Ask::InLine).await.unwrap();
    first.give_back(Returned::Free).await.unwrap();
    let second = two.ask("second", Ask::InLine).await.unwrap();
    second.give_back(Returned::Free).await.unwrap();
    one.take("passing").await;
}

pub(crate) async fn who_leaves_the_line_or_falls_silent_holds_nobody_up(stand: &impl Stand) {
    let (one, two) = (stand.store(1, stand.times()), stand.store(1, stand.times()));
    let lease = one.take("a").await;
    one.wait("leaves", Ask::InLine).await;
    two.wait("silent", Ask::InLine).await;
    two.wait("patient", Ask::InLine).await;
    lease.give_back(Returned::Free).await.unwrap();
    two.store.leave(&two.account, &holder("leaves")).await.unwrap();
    two.store.leave(&two.account, &holder("leaves")).await.unwrap();
    assert_eq!(two.wait("patient", Ask::InLine).await.ahead, 1);
    stand.pass(stand.times().patience + stand.slack()).await;
    two.ask("patient", Ask::InLine).await.unwrap();
}

pub(crate) async fn a_listing_shows_what_is_not_free_and_changes_nothing(stand: &impl Stand) {
    let (one, two) = (stand.store(4, stand.times()), stand.store(4, stand.times()));
    assert_eq!(two.store.list(Some(&two.account)).await.unwrap(), []);
    let mut held = one.take("a").await;
    held.renew(secs(90)).await.unwrap();
    let (free, unconfirmed) = (one.take("b").await, one.take("c").await);
    free.give_back(Returned::Free).await.unwrap();
    unconfirmed.give_back(Returned::Quarantine).await.unwrap();
    let now = stand.clocks().wall();
    let near = |at: jiff::Timestamp, expected: jiff::Timestamp| {
        at.duration_since(expected).unsigned_abs() <= stand.slack()
    };
    for _ in 0..2 {
        let listed = two.store.list(Some(&two.account)).await.unwrap();
        let [of] = &listed[..] else { panic!("{listed:?}") };
        assert!(two.store.list(None).await.unwrap().contains(of), "among all");
        assert_eq!(
            (&of.account, of.limit, of.lowered_to, of.opens, of.waiting),
            (&two.account, 4, None, 3, 0)
        );
        assert_eq!(of.slots.iter().map(|slot| slot.slot.0).collect::<Vec<_>>(), [1, 3]);
        let ListedState::Held { holder, since, lease_ends, call_limit, .. } = &of.slots[0].state else {
            panic!("{of:?}")
        };
        assert_eq!((&*holder.run_id, &*holder.job, &*holder.connection_id), ("a", "a-job", "connection-a"));
        assert!(near(*since, now) && near(*lease_ends, now + stand.times().terms.lease), "{of:?}");
        assert_eq!(*call_limit, secs(90));
        let ListedState::Quarantined { since, until } = of.slots[1].state else { panic!("{of:?}") };
        assert!(near(since, now) && near(until, now + stand.times().terms.quarantine), "{of:?}");
    }
    let other = exorun::slots::AccountKey { object_id: "another".into(), ..two.account.clone() };
    let listed = two.store.list(Some(&other)).await.unwrap();
    assert!(listed.iter().all(|of| of.slots.is_empty()), "{listed:?}");
}

pub(crate) async fn an_operator_frees_what_is_in_quarantine(stand: &impl Stand) {
    let (one, two) = (stand.store(2, stand.times()), stand.store(2, stand.times()));
    one.take("a").await.give_back(Returned::Quarantine).await.unwrap();
    assert_eq!(two.store.release(&two.account, SlotId(1), &Meant::Quarantine).await.unwrap(), Released::Free);
    assert_eq!(
        two.store.release(&two.account, SlotId(1), &Meant::Quarantine).await.unwrap(),
        Released::WasFree
    );
    assert_eq!(
        two.store.release(&two.account, SlotId(2), &Meant::Quarantine).await.unwrap(),
        Released::WasFree
    );
    assert_eq!(one.take("b").await.slot().0, 1);
}

pub(crate) async fn many_takers_at_once_never_get_more_than_the_limit(stand: &impl Stand) {
    let times = SlotTimes { opens: Budget { limit: 100_000, ..stand.times().opens }, ..stand.times() };
    let (inside, taken) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (tracker, mut takers) = (TaskTracker::new(), Vec::new());
    for taker in 0..8 {
        let store = stand.store(3, times);
        let (inside, taken) = (inside.clone(), taken.clone());
        takers.push(tracker.spawn(async move {
            for round in 0..12 {
                let Ok(mut lease) = store.ask(&format!("{taker}-{round}"), Ask::InPassing).await else {
                    tokio::task::yield_now().await;
                    continue;
                };
                assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                taken.fetch_add(1, Ordering::SeqCst);
                lease.renew(secs(1)).await.unwrap();
                assert!(inside.fetch_sub(1, Ordering::SeqCst) <= 3);
                lease.give_back(Returned::Free).await.unwrap();
            }
        }));
    }
    for taker in takers {
        taker.await.unwrap();
    }
    let count = taken.load(Ordering::SeqCst);
    assert!(count >= 12, "{count} slots were given out");
}

pub(crate) async fn what_is_not_ours_any_more_is_not_touched(stand: &impl Stand) {
    let (one, two) = (stand.store(1, stand.times()), stand.store(1, stand.times()));
    let mut lease = one.take("a").await;
    stand.declare_dead(&two).await;
    let _other = two.ask("b", Ask::InPassing).await;
    let error = lease.renew(secs(1)).await.unwrap_err();
    assert!(matches!(error, SlotError::Lost { slot: 1, .. }), "{error}");
    let error = lease.give_back(Returned::Free).await.unwrap_err();
    assert!(matches!(error, SlotError::Lost { slot: 1, .. }), "{error}");
    let busy = two.busy().await;
    assert_eq!(busy.held + busy.quarantined, 1, "{busy:?}");
}
