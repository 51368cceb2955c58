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
        let (mut busy, mut free) = (Busy::default(), Vec::new());
        for number in 1..=self.usable(&folder, &mut busy)? {
            if self.look(&folder, number, &mut busy)? {
                free.push(number);
            }
        }
        let count = u32::try_from(free.len()).unwrap_or(u32::MAX);
        busy.ahead = self.ahead(&folder, &occupant.connection_id)?;
        if waiting::may_take(count, busy.ahead)
            && let Some(found) = self.first_of(&folder, free, &mut busy)?
        {
            match self.take_open(&folder, &occupant.connection_id, count)? {
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
            if !self.look(folder, number, busy)? {
                usable = usable.saturating_sub(1);
            }
            number -= 1;
        }
        busy.lowered_to = Some(left);
        busy.note_change(rises);
        Ok(usable)
    }

    /// The first of the slots `free` whose lock can be had; the others are being taken.
    fn first_of(&self, folder: &Folder, free: Vec<u32>, busy: &mut Busy) -> Result<Option<Found>, SlotError> {
        for number in free {
            if let Some((lock, slot)) = self.claim(folder, number, busy)? {
                return Ok(Some(Found { number, lock, slot }));
            }
        }
        Ok(None)
    }

    /// Whether slot `number` is free; else it is counted in `busy`. A record that says so needs no lock to be believed: to lock
    /// what one only looks at would keep it from whoever takes it now.
    pub(super) fn look(&self, folder: &Folder, number: u32, busy: &mut Busy) -> Result<bool, SlotError> {
        let record = self.record(folder, number)?;
        let now = self.clocks.boot();
        if let Some(until) = record.quarantined_until(&self.host.boot_id, now) {
            busy.note_quarantine(until);
            return Ok(false);
        }
        if record.is_free(&self.host.boot_id, now) {
            return Ok(true);
        }
        Ok(self.claim(folder, number, busy)?.is_some())
    }

    /// The lock of slot `number`, if the slot is free; else it is counted in `busy`.
    fn claim(
        &self,
        folder: &Folder,
        number: u32,
        busy: &mut Busy,
    ) -> Result<Option<(File, Slot<Occupant>)>, SlotError> {
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
