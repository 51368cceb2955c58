//! What may happen next, and what comes of it.

use stateright::{Model, Property};

use crate::rules::slots::MayCall;
use crate::rules::time::BootTime;
use crate::state::{
    Belief, CALL, DELAY, Flight, LEASE, NOW, OUT_OF_USE, QUARANTINE, RUNNERS, Record, SLOTS, State, TERMS,
    Who, instant, just_before_the_next, ticks,
};

/// How a holder's end is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// By its file lock, which the kernel frees; a stopped holder keeps it. A write is done or not, at once.
    Local,
    /// By a record that stays the same for a lease's length; a write may arrive late, or its answer never.
    Leases,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    pub(crate) store: Store,
    /// Breaks the protocol: whoever sees a holder's end frees the slot at once.
    pub(crate) without_quarantine: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Time passes. Just before, these runners send the last requests that they may.
    Tick([bool; RUNNERS]),
    /// Somebody who waits declares the holder of a slot dead.
    Declare(u8),
    /// A runner takes a slot. A crash right after is a take that nobody heard of.
    Take(u8, u8),
    Open(u8),
    /// Sent, with a limit for the calls that follow.
    Renew(u8, i8),
    /// A renewal reaches the store, and its answer the runner.
    Renewed(u8),
    /// A renewal reaches the store, and its answer never arrives.
    RenewedUnheard(u8),
    RenewalLost(u8),
    /// A request for the service: a call begins, or goes on with a further page.
    Request(u8),
    CloseConfirmed(u8),
    CloseUnconfirmed(u8),
    Crash(u8),
    /// A renewal whose sender is gone reaches the store.
    StrayArrives(u8),
    StrayLost(u8),
}

impl Protocol {
    fn of_runner(self, state: &State, me: u8, actions: &mut Vec<Action>) {
        let Some(belief) = state.holds(me) else {
            let free = (0..SLOTS as u8).filter(|slot| may_be_taken(state, *slot));
            actions.extend(free.map(|slot| Action::Take(me, slot)));
            return;
        };
        actions.extend([Action::Crash(me), Action::CloseConfirmed(me), Action::CloseUnconfirmed(me)]);
        if belief.flight.is_some() {
            actions.extend([Action::Renewed(me), Action::RenewedUnheard(me), Action::RenewalLost(me)]);
        } else {
            // A limit once recorded is never made shorter.
            let limits = [0, CALL].into_iter().filter(|limit| belief.recorded <= *limit);
            actions.extend(limits.map(|limit| Action::Renew(me, limit)));
        }
        if NOW < TERMS.stop_at(instant(belief.ends)) {
            actions.push(Action::Open(me));
        }
        if may_request(belief, NOW) {
            actions.push(Action::Request(me));
        }
    }

    fn of_slot(self, state: &State, slot: u8, actions: &mut Vec<Action>) {
        let place = state.place(slot);
        let Record::Held { who, .. } = place.record else { return };
        if place.stray.is_some() {
            actions.extend([Action::StrayArrives(slot), Action::StrayLost(slot)]);
        }
        let is_seen_to_end = match self.store {
            Store::Local => who == Who::Nobody,
            Store::Leases => LEASE <= place.quiet,
        };
        if is_seen_to_end {
            actions.push(Action::Declare(slot));
        }
    }

    /// Time passes only when what has to happen before has happened.
    fn may_tick(self, state: &State) -> bool {
        // Somebody waits and looks: a holder's end is seen within a tick.
        let seen = state.slots.iter().all(|place| match (self.store, place.record) {
            (Store::Leases, Record::Held { .. }) => place.quiet <= LEASE,
            (Store::Local, Record::Held { who: Who::Nobody, .. }) => place.quiet == 0,
            _ => true,
        });
        let flying = state.runners.iter().flatten().filter_map(|belief| belief.flight);
        let mut flying = flying.chain(state.slots.iter().filter_map(|place| place.stray));
        seen && flying.all(|flight| flight.age < DELAY)
    }

    fn declare(self, state: &mut State, slot: u8) {
        state.write(slot, |known| {
            known.holder_vanished(NOW, TERMS);
            Ok(())
        });
        if self.without_quarantine {
            state.slots[usize::from(slot)].record = Record::Free;
        }
    }

    /// The runner has nothing to do with its slot any more.
    fn let_go(self, state: &mut State, me: u8) {
        let Some(belief) = state.runners[usize::from(me)].take() else { return };
        state.orphan(belief.counted);
        let place = &mut state.slots[usize::from(belief.slot)];
        if let Record::Held { who, .. } = &mut place.record
            && *who == Who::Runner(me)
        {
            // Its name is not used again: what still stands under it is nobody's.
            *who = Who::Nobody;
            place.stray = belief.flight;
            if self.store == Store::Local {
                // Its lock was a sign of life up to here.
                place.quiet = 0;
            }
        }
    }

    /// A renewal reaches the store: the rules say what becomes of it.
    fn renewed(self, state: &mut State, me: u8, is_heard: bool) -> Option<()> {
        let Belief { slot, .. } = state.holds(me)?;
        let holds = state.runners[usize::from(me)].as_mut()?;
        let flight = holds.flight.take()?;
        let applied = state
            .write_by_holder(slot, |known| known.renew(&Who::Runner(me), ticks(flight.limit), NOW, TERMS));
        match (is_heard, applied) {
            (true, true) => {
                let holds = state.runners[usize::from(me)].as_mut()?;
                // The lease counts from when the renewal was sent.
                (holds.ends, holds.recorded) = (LEASE - flight.age, flight.limit);
            }
            // Lost: what is in hand is dropped, and nothing more is sent.
            (true, false) => self.let_go(state, me),
            (false, _) => {}
        }
        Some(())
    }
}

/// Whether the rules would give `slot` to somebody.
fn may_be_taken(state: &State, slot: u8) -> bool {
    let mut copy = *state;
    copy.write(slot, |known| known.take(Who::Nobody, NOW, TERMS))
}

/// Further pages of a call are asked for as late as a read may begin.
fn may_request(belief: Belief, now: BootTime) -> bool {
    let may = TERMS.may_call(now, instant(belief.ends), ticks(belief.recorded), ticks(CALL));
    matches!(may, MayCall::Now | MayCall::OnlyReads)
}

/// The last requests before a tick: calls, and opens where the record names no limit for calls yet.
fn late(state: &mut State, senders: [bool; RUNNERS]) {
    let now = just_before_the_next();
    for (me, sends) in (0..).zip(senders) {
        let Some(belief) = state.holds(me).filter(|_| sends) else { continue };
        let works = if may_request(belief, now) {
            CALL
        } else if now < TERMS.stop_at(instant(belief.ends)) {
            0
        } else {
            continue;
        };
        // Counted from the tick on; this one still passes.
        request(state, me, works + 1);
    }
}

/// A request leaves for the service, which works on it and counts the session from then on.
fn request(state: &mut State, me: u8, works: i8) {
    let Some(holds) = &mut state.runners[usize::from(me)] else { return };
    holds.counted = holds.counted.max(works + QUARANTINE);
    let slot = holds.slot;
    match state.place(slot).record {
        Record::Held { who: Who::Runner(who), lease_ends, .. } if who == me && 0 < lease_ends => {}
        _ => state.called_without = true,
    }
}

fn tick(state: &mut State, store: Store) {
    for place in &mut state.slots {
        place.quiet = (place.quiet + 1).min(OUT_OF_USE);
        match &mut place.record {
            // On the local store a holder that does nothing keeps its slot.
            Record::Held { who: Who::Runner(_), lease_ends, .. } if store == Store::Local => {
                *lease_ends = (*lease_ends - 1).max(-CALL - QUARANTINE);
                place.quiet = 0;
            }
            Record::Held { lease_ends, .. } => *lease_ends -= 1,
            Record::Quarantined { until } => *until -= 1,
            Record::Free => place.quiet = 0,
        }
        if matches!(place.record, Record::Quarantined { until } if until <= 0) {
            (place.record, place.quiet) = (Record::Free, 0);
        }
        if let Some(flight) = &mut place.stray {
            flight.age += 1;
        }
    }
    for belief in state.runners.iter_mut().flatten() {
        belief.ends = (belief.ends - 1).max(0);
        belief.counted = (belief.counted - 1).max(0);
        if let Some(flight) = &mut belief.flight {
            flight.age += 1;
        }
    }
    state.orphans = state.orphans.map(|left| (left - 1).max(0));
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first().named()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if self.may_tick(state) {
            let holders = state.runners.map(|belief| belief.is_some());
            for subset in 0..1u8 << RUNNERS {
                let senders: [bool; RUNNERS] = std::array::from_fn(|me| subset & (1 << me) != 0);
                if (0..RUNNERS).all(|me| holders[me] || !senders[me]) {
                    actions.push(Action::Tick(senders));
                }
            }
        }
        for slot in 0..SLOTS as u8 {
            self.of_slot(state, slot, actions);
        }
        for me in 0..RUNNERS as u8 {
            self.of_runner(state, me, actions);
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = *before;
        match action {
            Action::Tick(senders) => {
                late(&mut state, senders);
                tick(&mut state, self.store);
            }
            Action::Declare(slot) => self.declare(&mut state, slot),
            Action::Take(me, slot) => {
                state.write_by_holder(slot, |known| known.take(Who::Runner(me), NOW, TERMS));
                let belief = Belief { slot, ends: LEASE, recorded: 0, counted: 0, flight: None };
                state.runners[usize::from(me)] = Some(belief);
            }
            Action::Open(me) => request(&mut state, me, 0),
            Action::Renew(me, limit) => {
                state.runners[usize::from(me)].as_mut()?.flight = Some(Flight { age: 0, limit });
                if self.store == Store::Local {
                    self.renewed(&mut state, me, true)?;
                }
            }
            Action::Renewed(me) => self.renewed(&mut state, me, true)?,
            Action::RenewedUnheard(me) => self.renewed(&mut state, me, false)?,
            Action::RenewalLost(me) => state.runners[usize::from(me)].as_mut()?.flight = None,
            Action::Request(me) => request(&mut state, me, CALL),
            Action::CloseConfirmed(me) => {
                let slot = state.holds(me)?.slot;
                state.write_by_holder(slot, |known| known.give_back_free(&Who::Runner(me)));
                state.runners[usize::from(me)].as_mut()?.counted = 0;
                self.let_go(&mut state, me);
            }
            Action::CloseUnconfirmed(me) => {
                let slot = state.holds(me)?.slot;
                state
                    .write_by_holder(slot, |known| known.give_back_quarantined(&Who::Runner(me), NOW, TERMS));
                self.let_go(&mut state, me);
            }
            Action::Crash(me) => self.let_go(&mut state, me),
            Action::StrayArrives(slot) => {
                let flight = state.place(slot).stray?;
                state.write_by_holder(slot, |known| {
                    known.renew(&Who::Nobody, ticks(flight.limit), NOW, TERMS)
                });
            }
            Action::StrayLost(slot) => state.slots[usize::from(slot)].stray = None,
        }
        Some(state.named())
    }

    fn properties(&self) -> Vec<Property<Protocol>> {
        vec![
            Property::always(MOST, |_, state: &State| state.counted() <= SLOTS),
            Property::always("no request without a lease", |_, state: &State| !state.called_without),
            Property::always("a slot nobody writes to is free in time", |_, state: &State| {
                state.slots.iter().all(|place| place.quiet < OUT_OF_USE)
            }),
            // What must be reachable, else the rest says little.
            Property::sometimes("every slot has a session", |_, state: &State| state.counted() == SLOTS),
            Property::sometimes(
                "a slot is in quarantine while its session is counted",
                |_, state: &State| {
                    state.orphans[0] > 0
                        && state.slots.iter().any(|place| matches!(place.record, Record::Quarantined { .. }))
                },
            ),
            Property::sometimes(
                "a slot is another's while its old holder believes",
                |protocol, state: &State| {
                    let lost = (0..).zip(&state.runners).any(|(me, belief)| {
                        let record = belief.map(|belief| state.place(belief.slot).record);
                        matches!(record, Some(Record::Held { who: Who::Runner(who), .. }) if who != me)
                    });
                    lost || protocol.store == Store::Local
                },
            ),
        ]
    }
}

/// The promise that the product is chosen for.
pub(crate) const MOST: &str = "never more sessions counted than slots";
