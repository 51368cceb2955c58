//! What there is at one moment: the slots' records, what each runner believes, what the service counts.
//!
//! Times are whole ticks from now, so that a state does not know how late it is and all of time fits into finitely
//! many states. The rules get real instants: [`State::write`] translates.

use std::time::Duration;

use crate::rules::slots::{Hold, Quarantine, Refusal, Slot, Terms};
use crate::rules::time::BootTime;

pub(crate) const RUNNERS: usize = 3;
pub(crate) const SLOTS: usize = 2;

/// In ticks.
pub(crate) const LEASE: i8 = 3;
/// The service's limit for a call.
pub(crate) const CALL: i8 = 1;
/// How long the service counts a session after its last sign of life, and how long a slot waits for that.
pub(crate) const QUARANTINE: i8 = 1;
/// A request reaches the store within this time or never.
pub(crate) const DELAY: i8 = 1;
/// A slot that is not free is free when nobody has written to it for so long.
pub(crate) const OUT_OF_USE: i8 = LEASE + CALL + QUARANTINE;

/// So short that the rules' margin before a lease's end (a tenth) is between [`JUST_BEFORE`] and the end.
const TICK: Duration = Duration::from_millis(4);
/// How long before a tick the last requests leave.
const JUST_BEFORE: Duration = Duration::from_millis(2);
pub(crate) const NOW: BootTime = BootTime::from_millis(1_000_000);

pub(crate) const TERMS: Terms = Terms { lease: ticks(LEASE), quarantine: ticks(QUARANTINE) };

pub(crate) const fn ticks(count: i8) -> Duration {
    Duration::from_millis(TICK.as_millis() as u64 * count.unsigned_abs() as u64)
}

/// The instant that is so many ticks away.
pub(crate) fn instant(away: i8) -> BootTime {
    if away < 0 { NOW - ticks(away) } else { NOW + ticks(away) }
}

/// The last moment of this tick in which a request is looked at.
pub(crate) fn just_before_the_next() -> BootTime {
    instant(1) - JUST_BEFORE
}

fn away(instant: BootTime) -> i8 {
    let whole = |span: Duration| i8::try_from(span.as_millis() / TICK.as_millis()).expect("times are small");
    if instant < NOW { -whole(NOW.since(instant)) } else { whole(instant.since(NOW)) }
}

/// Whom a record names. A runner that died, or never learned that it had got a slot, is nobody any more: its name
/// will not be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Who {
    Runner(u8),
    Nobody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Record {
    Free,
    Held { who: Who, lease_ends: i8, call_limit: i8 },
    Quarantined { until: i8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) record: Record,
    /// Ticks since a holder wrote to the record. Who waits sees each change at once: the keenest watcher there can be.
    pub(crate) quiet: i8,
    /// A renewal of a holder that is nobody any more, still on its way. It arrives only if the record is as it was.
    pub(crate) stray: Option<Flight>,
}

/// A renewal on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Flight {
    /// Ticks since it was sent.
    pub(crate) age: i8,
    pub(crate) limit: i8,
}

/// What a runner believes that has a slot. One that is stopped does nothing for a while; nothing else tells it from one
/// that has nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Belief {
    pub(crate) slot: u8,
    pub(crate) ends: i8,
    /// The call limit that it knows to stand in the record.
    pub(crate) recorded: i8,
    /// How long the service may go on counting its session.
    pub(crate) counted: i8,
    pub(crate) flight: Option<Flight>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct State {
    pub(crate) slots: [Place; SLOTS],
    pub(crate) runners: [Option<Belief>; RUNNERS],
    /// How long the service may go on counting sessions whose runner has gone; the longest first.
    pub(crate) orphans: [i8; SLOTS + 1],
    /// A request was sent by somebody who did not hold its slot.
    pub(crate) called_without: bool,
}

impl State {
    pub(crate) fn first() -> State {
        let free = Place { record: Record::Free, quiet: 0, stray: None };
        State {
            slots: [free; SLOTS],
            runners: [None; RUNNERS],
            orphans: [0; SLOTS + 1],
            called_without: false,
        }
    }

    /// Sessions that the service may count.
    pub(crate) fn counted(&self) -> usize {
        let held = self.runners.iter().flatten().filter(|belief| belief.counted > 0).count();
        held + self.orphans.iter().filter(|left| **left > 0).count()
    }

    pub(crate) fn place(&self, slot: u8) -> &Place {
        &self.slots[usize::from(slot)]
    }

    pub(crate) fn holds(&self, me: u8) -> Option<Belief> {
        self.runners[usize::from(me)]
    }

    /// Writes a slot as `rule` would have it, which is one of the program's. Whether it let it be written.
    pub(crate) fn write(
        &mut self,
        slot: u8,
        rule: impl FnOnce(&mut Slot<Who>) -> Result<(), Refusal>,
    ) -> bool {
        let place = &mut self.slots[usize::from(slot)];
        let mut known = known(place.record);
        let written = rule(&mut known).is_ok();
        if written {
            *place = Place { record: record(&known), stray: None, ..*place };
        }
        written
    }

    /// As [`State::write`], by the slot's holder.
    pub(crate) fn write_by_holder(
        &mut self,
        slot: u8,
        rule: impl FnOnce(&mut Slot<Who>) -> Result<(), Refusal>,
    ) -> bool {
        let written = self.write(slot, rule);
        if written {
            self.slots[usize::from(slot)].quiet = 0;
        }
        written
    }

    /// A session that may be counted for so long has no runner any more.
    pub(crate) fn orphan(&mut self, counted: i8) {
        // One more than there are slots is enough to see that there are too many.
        let least = &mut self.orphans[SLOTS];
        *least = counted.max(*least);
        self.orphans.sort_unstable_by(|one, other| other.cmp(one));
    }

    /// The same state under the names that come first: it does not matter which runner is called the second.
    pub(crate) fn named(self) -> State {
        let orders: [[u8; RUNNERS]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let mut least = self;
        for runners in orders {
            for slots in [[0, 1], [1, 0]] {
                least = least.min(self.renamed(runners, slots));
            }
        }
        least
    }

    /// `runners[i]` is the new name of runner `i`, and so for the slots.
    fn renamed(&self, runners: [u8; RUNNERS], slots: [u8; SLOTS]) -> State {
        let mut renamed = *self;
        for (old, new) in slots.into_iter().enumerate() {
            let mut place = self.slots[old];
            if let Record::Held { who: Who::Runner(who), .. } = &mut place.record {
                *who = runners[usize::from(*who)];
            }
            renamed.slots[usize::from(new)] = place;
        }
        for (old, new) in runners.into_iter().enumerate() {
            let belief = self.runners[old];
            renamed.runners[usize::from(new)] =
                belief.map(|belief| Belief { slot: slots[usize::from(belief.slot)], ..belief });
        }
        renamed
    }
}

fn known(record: Record) -> Slot<Who> {
    match record {
        Record::Free => Slot::Free,
        Record::Held { who, lease_ends, call_limit } => Slot::Held(Hold {
            holder: who,
            since: NOW,
            renewed: NOW,
            lease_ends: instant(lease_ends),
            call_limit_ends: instant(lease_ends + call_limit),
        }),
        Record::Quarantined { until } => Slot::Quarantined(Quarantine { since: NOW, until: instant(until) }),
    }
}

fn record(slot: &Slot<Who>) -> Record {
    match slot {
        Slot::Free => Record::Free,
        Slot::Held(hold) => {
            let call_limit = away(NOW + hold.call_limit());
            Record::Held { who: hold.holder, lease_ends: away(hold.lease_ends), call_limit }
        }
        Slot::Quarantined(quarantine) => Record::Quarantined { until: away(quarantine.until) },
    }
}
