//! The slot transitions against a simple model: one service that counts sessions, one list of events.

use proptest::prelude::*;

use super::*;
use crate::rules::time::BootTime;
use std::time::Duration;

const TERMS: Terms = Terms { lease: Duration::from_secs(60), quarantine: Duration::from_secs(960) };

fn at(seconds: u64) -> BootTime {
    BootTime::from_millis(seconds * 1000)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn held(holder: u32, now: BootTime) -> Slot<u32> {
    let mut slot = Slot::Free;
    slot.take(holder, now, TERMS).unwrap();
    slot
}

#[test]
fn a_dead_holder_blocks_for_lease_call_limit_and_quarantine() {
    let mut slot = held(1, at(0));
    slot.renew(&1, secs(120), at(10), TERMS).unwrap();
    slot.holder_vanished(at(11), TERMS);
    let until = at(10 + 60 + 120 + 960);
    assert_eq!(
        slot.clone().take(2, until - Duration::from_millis(1), TERMS),
        Err(Refusal::Quarantined(until))
    );
    assert_eq!(slot.take(2, until, TERMS), Ok(()));
}

#[test]
fn a_dead_holder_without_a_call_blocks_for_lease_and_quarantine() {
    let mut slot = held(1, at(5));
    slot.holder_vanished(at(2000), TERMS);
    assert_eq!(slot, Slot::Quarantined(Quarantine { since: at(2000), until: at(5 + 60 + 960) }));
}

#[test]
fn an_unconfirmed_close_blocks_from_the_close() {
    let mut slot = held(1, at(0));
    slot.renew(&1, secs(30), at(10), TERMS).unwrap();
    slot.give_back_quarantined(&1, at(20), TERMS).unwrap();
    assert_eq!(slot, Slot::Quarantined(Quarantine { since: at(20), until: at(20 + 30 + 960) }));
}

#[test]
fn another_boots_record_is_quarantined_in_full() {
    let mut slot = held(1, at(50_000));
    slot.renew(&1, secs(30), at(50_010), TERMS).unwrap();
    slot.host_restarted(at(7), TERMS);
    assert_eq!(slot, Slot::Quarantined(Quarantine { since: at(7), until: at(7 + 30 + 960) }));
    slot.host_restarted(at(3), TERMS);
    assert_eq!(slot, Slot::Quarantined(Quarantine { since: at(3), until: at(3 + 30 + 960) }));
    let mut free = Slot::<u32>::Free;
    free.host_restarted(at(7), TERMS);
    assert_eq!(free, Slot::Free);
}

#[test]
fn the_lease_of_somebody_else_cannot_be_renewed_or_returned() {
    let mut slot = held(1, at(0));
    assert_eq!(slot.renew(&2, secs(0), at(1), TERMS), Err(Refusal::Held));
    assert_eq!(slot.give_back_free(&2), Err(Refusal::Held));
    slot.holder_vanished(at(1), TERMS);
    assert!(matches!(slot.renew(&1, secs(0), at(1), TERMS), Err(Refusal::Quarantined(_))));
    assert!(matches!(slot.give_back_free(&1), Err(Refusal::Quarantined(_))));
}

#[test]
fn a_lease_that_ended_can_be_renewed_while_nobody_declared_it_dead() {
    let mut slot = held(1, at(0));
    slot.renew(&1, secs(0), at(500), TERMS).unwrap();
    assert!(matches!(slot, Slot::Held(Hold { lease_ends, .. }) if lease_ends == at(560)));
}

#[test]
fn a_call_needs_half_of_the_lease_and_its_limit_in_the_record() {
    let may = |now, recorded| TERMS.may_call(at(now), at(100), secs(recorded), secs(10));
    assert_eq!(may(70, 10), MayCall::Now);
    assert_eq!(may(71, 10), MayCall::OnlyReads);
    assert_eq!(may(94, 10), MayCall::OnlyReads);
    assert_eq!(may(95, 10), MayCall::AfterRenewal);
    assert_eq!(may(101, 10), MayCall::AfterRenewal);
    assert_eq!(may(50, 9), MayCall::AfterRenewal);
}

#[test]
fn pauses_grow_spread_and_stop_growing() {
    let polling = Polling { min: Duration::from_millis(100), max: secs(2) };
    assert_eq!(pause(0, None, polling, 0.0), Duration::from_millis(50));
    assert_eq!(pause(0, None, polling, 1.0), Duration::from_millis(100));
    assert_eq!(pause(40, None, polling, 1.0), secs(2));
    assert_eq!(pause(40, Some(secs(1)), polling, 0.5), Duration::from_millis(1075));
    assert_eq!(pause(0, Some(secs(1)), polling, 1.0), Duration::from_millis(100));
    assert_eq!(pause(3, None, polling, f64::NAN), Duration::from_millis(600));
}

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Take,
    Renew(u64),
    Request,
    CloseConfirmed,
    CloseUnconfirmed,
    Die,
    SeeDeath,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0u64..400).prop_map(Step::Pass),
        4 => Just(Step::Take),
        2 => (0u64..200).prop_map(Step::Renew),
        4 => Just(Step::Request),
        1 => Just(Step::CloseConfirmed),
        1 => Just(Step::CloseUnconfirmed),
        2 => Just(Step::Die),
        2 => Just(Step::SeeDeath),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    /// The model: a service that counts a session until a confirmed close, or until the quarantine's time after it
    /// stopped working on the session's last request. A slot is never given out while that lasts, and comes back
    /// after lease + call limit + quarantine at the latest.
    #[test]
    fn a_slot_is_given_out_only_when_the_service_has_forgotten(steps in steps()) {
        let mut slot = Slot::<u32>::Free;
        let (mut now, mut next) = (at(1_000_000), 1u32);
        let mut holder: Option<u32> = None;                 // the process that believes it holds the slot
        let (mut limit, mut ends) = (secs(0), now);         // what the holder knows about its lease
        let mut forgotten = now;                            // when the service surely has no session here
        let mut freed_by = now;                             // when the slot must be takeable if nobody is alive
        for step in steps {
            match step {
                Step::Pass(seconds) => now = now + secs(seconds),
                Step::Take => {
                    let mut taken = slot.clone();
                    if taken.take(next, now, TERMS).is_ok() {
                        prop_assert!(holder.is_none(), "two holders");
                        prop_assert!(forgotten <= now, "the service still counts a session");
                        slot = taken;
                        holder = Some(next);
                        (next, limit, ends) = (next + 1, secs(0), now + TERMS.lease);
                        forgotten = now;
                    } else if !matches!(slot, Slot::Held(_)) {
                        prop_assert!(now < freed_by, "the slot should have come back");
                    }
                }
                Step::Renew(call_limit) => if let Some(me) = holder {
                    slot.renew(&me, secs(call_limit), now, TERMS).unwrap();
                    (limit, ends) = (secs(call_limit), now + TERMS.lease);
                    // A holder names another limit only for its next call: the last one has been answered.
                    forgotten = forgotten.min(now + TERMS.quarantine);
                },
                // A holder sends a request only while its lease lasts; the service works up to the limit.
                Step::Request => if holder.is_some() && now <= ends {
                    forgotten = forgotten.max(now + limit + TERMS.quarantine);
                },
                Step::CloseConfirmed => if let Some(me) = holder.take() {
                    slot.give_back_free(&me).unwrap();
                    (forgotten, freed_by) = (now, now);
                },
                Step::CloseUnconfirmed => if let Some(me) = holder.take() {
                    slot.give_back_quarantined(&me, now, TERMS).unwrap();
                    freed_by = now + limit + TERMS.quarantine;
                },
                Step::Die => if holder.take().is_some() {
                    freed_by = ends + limit + TERMS.quarantine;
                },
                Step::SeeDeath => if holder.is_none() {
                    slot.holder_vanished(now, TERMS);
                },
                Step::Restart => {
                    // Boot time starts anew: everything the model knows moves along, the record does not.
                    let uptime = now.since(at(0));
                    let moved = |time: BootTime| at(5) + time.since(at(0)).saturating_sub(uptime);
                    holder = None;
                    forgotten = moved(forgotten);
                    now = at(5);
                    slot.host_restarted(now, TERMS);
                    freed_by = now + secs(200) + TERMS.lease + TERMS.quarantine;
                }
            }
            slot.settle(now);
        }
    }
}
