//! Going through an account's slots once: what is free, what is not, and whether the caller may have one.

use std::fs::File;
use std::sync::Arc;

use jiff::Timestamp;
use tracing::warn;

use super::budget::Open;
use super::folder::{Durably, Folder};
use super::lease::Fresh;
use super::record::{Left, Occupant, Record};
use super::{AccountKey, Ask, Busy, Inner, SlotError};
use crate::rules::slots::{Slot, waiting};

pub(super) enum Tried {
    Taken(Fresh, Busy),
    Busy(Busy),
    OpensLocked,
}

/// A slot that nobody has, with its lock in hand.
struct Found {
    number: u32,
    lock: File,
    slot: Slot<Occupant>,
}

impl Inner {
    /// Goes through the slots once. Blocks for file operations.
    pub(super) fn try_take(
        self: &Arc<Inner>,
        account: &AccountKey,
        occupant: Occupant,
        ask: Ask,
    ) -> Result<Tried, SlotError> {
        let folder = self.folder(account);
        folder.prepare(account)?;
        let (mut busy, mut free, mut found) = (Busy::default(), 0, None);
        let usable = self.usable(&folder, &mut busy)?;
        for number in 1..=usable {
            let Some((lock, slot)) = self.look(&folder, number, &mut busy)? else { continue };
            free += 1;
            // Only one lock is kept: what is looked at must not seem held for longer than that takes.
            found = found.or(Some(Found { number, lock, slot }));
        }
        busy.ahead = self.ahead(&folder, &occupant.connection_id)?;
        if let Some(found) = found
            && waiting::may_take(free, busy.ahead)
        {
            match self.take_open(&folder, &occupant.connection_id, free)? {
                Open::Taken => {
                    let fresh = self.take(folder, found, occupant)?;
                    return Ok(Tried::Taken(fresh, busy));
                }
                Open::Locked => return Ok(Tried::OpensLocked),
                Open::Exhausted(until) => (busy.opens_exhausted, busy.until) = (true, Some(until)),
                Open::Overtaken { ahead } => busy.ahead = ahead,
            }
        }
        if ask == Ask::InLine && !self.stand(&folder, &occupant.connection_id)? {
            return Ok(Tried::OpensLocked);
        }
        Ok(Tried::Busy(busy))
    }

    fn take(self: &Arc<Inner>, folder: Folder, found: Found, occupant: Occupant) -> Result<Fresh, SlotError> {
        let Found { number, lock, mut slot } = found;
        slot.take(occupant.clone(), self.clocks.boot(), self.times.terms)
            .expect("a slot that is not quarantined is free here");
        folder.write_record(number, &Record::text(&self.stamp(), &slot), Durably::Yes)?;
        Ok(Fresh::new(Arc::clone(self), folder, number, lock, slot, occupant))
    }

    /// Slots up to which number may be given out. Of a lowered limit the rest is counted in `busy`: slots above it are
    /// given to nobody, and those still in use there count against the others.
    fn usable(&self, folder: &Folder, busy: &mut Busy) -> Result<u32, SlotError> {
        let Some((left, rises)) = self.lowered(folder)? else { return Ok(self.limit) };
        for number in left + 1..=self.limit {
            self.look(folder, number, busy)?;
        }
        let mut usable = left.saturating_sub(busy.held + busy.quarantined);
        let mut number = left;
        while number > usable {
            if self.look(folder, number, busy)?.is_none() {
                usable = usable.saturating_sub(1);
            }
            number -= 1;
        }
        busy.lowered_to = Some(left);
        busy.note_change(rises);
        Ok(usable)
    }

    /// Looks at slot `number`: free, with its lock in hand, or counted in `busy`.
    pub(super) fn look(
        &self,
        folder: &Folder,
        number: u32,
        busy: &mut Busy,
    ) -> Result<Option<(File, Slot<Occupant>)>, SlotError> {
        // Read before the lock is tried: looking at a quarantined slot must not make it seem held.
        let record = self.record(folder, number)?;
        if let Some(until) = record.quarantined_until(&self.host.boot_id, self.clocks.boot()) {
            busy.note_quarantine(until);
            return Ok(None);
        }
        let Some(lock) = folder.lock_slot(number)? else {
            busy.held += 1;
            return Ok(None);
        };
        let record = self.record(folder, number)?;
        let now = self.clocks.boot();
        let left = record.left(&self.host.boot_id, now);
        let slot = record.unlocked(&self.host.boot_id, now, self.times.terms);
        if let Slot::Quarantined(quarantine) = slot {
            // The death was seen just now: its end is fixed from here on.
            folder.write_record(number, &Record::text(&self.stamp(), &slot), Durably::Yes)?;
            busy.note_quarantine(quarantine.until);
            if let Some(left) = left {
                tell(number, left, self.wall(quarantine.until));
            }
            return Ok(None);
        }
        Ok(Some((lock, slot)))
    }
}

fn tell(slot: u32, left: Left, free_at: Timestamp) {
    match left {
        Left::Vanished(Occupant { pid, run_id, job, .. }) => warn!(
            slot, pid, run = run_id, job, %free_at,
            "the process that held a slot is gone without giving it back; the slot is in quarantine"
        ),
        Left::BeforeRestart(Occupant { pid, run_id, job, .. }) => warn!(
            slot, pid, run = run_id, job, %free_at,
            "a slot was held before the host was started anew; it is in quarantine"
        ),
        Left::Unreadable => {
            warn!(slot, %free_at, "a slot's record cannot be used; the slot is in quarantine");
        }
    }
}
