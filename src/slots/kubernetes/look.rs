//! One look at an account's Leases, and what they mean to somebody who has watched them for a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;

use super::Inner;
use super::failure::{self, Verb};
use super::names::{Names, Purpose, purpose};
use super::record::{Held, Occupant, Quarantined, Record};
use super::server_clock::{ServerClock, later};
use crate::rules::slots::{Hold, Quarantine, Slot, Terms};
use crate::rules::time::BootTime;
use crate::slots::SlotError;

/// Since when each Lease has been seen as it is: its resourceVersion, and the moment that was first known.
#[derive(Default)]
pub(super) struct Sightings(Mutex<HashMap<String, (String, BootTime)>>);

/// An account's Leases at one moment.
pub(super) struct Look {
    pub(super) clock: ServerClock,
    pub(super) budget: Option<Lease>,
    pub(super) slots: BTreeMap<u32, Lease>,
}

/// A slot's Lease, by what it says and for how long it has said so.
pub(super) struct Observed {
    pub(super) slot: Slot<Occupant>,
    /// The slot is in quarantine, and the Lease does not say so yet.
    pub(super) is_news: bool,
}

impl Sightings {
    /// Since when `lease` has been as it is, seen again at `now`.
    pub(super) fn since(&self, lease: &Lease, now: BootTime) -> BootTime {
        let name = lease.metadata.name.clone().unwrap_or_default();
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        let mut sightings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = sightings.entry(name).or_insert_with(|| (version.clone(), now));
        if seen.0 != version {
            *seen = (version, now);
        }
        seen.1
    }
}

impl Inner {
    pub(super) async fn look(&self, names: &Names) -> Result<Look, SlotError> {
        let selector = names.selector();
        let (leases, clock) = self.ask(Verb::List, self.api.list(&selector)).await?;
        let mut look = Look { clock, budget: None, slots: BTreeMap::new() };
        for lease in leases {
            let Some(purpose) = purpose(&lease) else { continue };
            // A label can be given to any Lease; the name is ours alone.
            if lease.metadata.name.as_deref() != Some(&names.name(purpose)) {
                continue;
            }
            match purpose {
                Purpose::Budget => look.budget = Some(lease),
                Purpose::Slot(number) => drop(look.slots.insert(number, lease)),
            }
        }
        Ok(look)
    }

    /// What `lease`, which an answer at `clock` has shown, means now.
    pub(super) fn observe(&self, lease: &Lease, clock: &ServerClock) -> Result<Observed, SlotError> {
        let since = self.sightings.since(lease, clock.received);
        match observed(Record::read(lease), since, clock, self.times.terms) {
            Ok(observed) => Ok(observed),
            Err(format) => {
                let name = lease.metadata.name.as_deref().unwrap_or_default();
                Err(failure::newer(&self.namespace, name, format))
            }
        }
    }
}

/// What a record means that has been seen unchanged since `since`; or its format, if that is newer than ours.
fn observed(record: Record, since: BootTime, clock: &ServerClock, terms: Terms) -> Result<Observed, u32> {
    let mut is_news = false;
    let mut slot = match record {
        Record::Newer(format) => return Err(format),
        Record::Free => Slot::Free,
        Record::Held(Held { occupant, lease, call_limit, .. }) => {
            // Shortened by hand, it must not take the slot from a holder that keeps to the usual time.
            let lease_ends = since + lease.max(terms.lease);
            let call_limit_ends = lease_ends + call_limit;
            let hold = Hold { holder: occupant, since, renewed: since, lease_ends, call_limit_ends };
            let mut slot = Slot::Held(hold);
            // The record was surely as it is when the question was sent, not later.
            if lease_ends <= clock.sent {
                slot.holder_vanished(clock.received, terms);
                is_news = true;
            }
            slot
        }
        Record::Quarantined(Quarantined { length, until, .. }) => {
            let until = clock.boot(until).min(since + length);
            Slot::Quarantined(Quarantine { since, until })
        }
        // Nobody knows what was in it; as for a holder that vanished then, but no call limit is known.
        Record::Odd => {
            is_news = true;
            Slot::Quarantined(Quarantine { since, until: since + terms.lease + terms.quarantine })
        }
    };
    slot.settle(clock.received);
    Ok(Observed { is_news: is_news && slot != Slot::Free, slot })
}

/// The record of `slot` as it is at `now`; a holder has it since `taken`.
pub(super) fn record(slot: &Slot<Occupant>, taken: Timestamp, clock: &ServerClock, now: BootTime) -> Record {
    match slot {
        Slot::Free => Record::Free,
        Slot::Held(hold) => Record::Held(Held {
            occupant: hold.holder.clone(),
            since: taken,
            renewed: clock.latest(now).max(taken),
            lease: hold.lease_ends.since(hold.renewed),
            call_limit: hold.call_limit(),
        }),
        Slot::Quarantined(quarantine) => {
            let (since, length) = (clock.latest(now), quarantine.until.since(now));
            Record::Quarantined(Quarantined { since, length, until: later(since, length) })
        }
    }
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
