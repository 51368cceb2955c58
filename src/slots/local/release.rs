//! An operator takes a slot away. A living holder's lock cannot be taken: the kernel keeps it.

use super::folder::Durably;
use super::record::Record;
use super::{AccountKey, Inner, Released, SlotError, SlotId};
use crate::rules::slots::Slot;

impl Inner {
    pub(super) fn release(&self, account: &AccountKey, slot: SlotId) -> Result<Released, SlotError> {
        let folder = self.folder(account);
        if folder.account()?.is_none() {
            return Ok(Released::WasFree);
        }
        let number = slot.0;
        let record = self.record(&folder, number)?;
        let was_quarantined = record.quarantined_until(&self.host.boot_id, self.clocks.boot()).is_some();
        let Some(_lock) = folder.lock_slot(number)? else {
            let holder = match &record {
                Record::Good { slot: Slot::Held(hold), .. } => {
                    format!("process {} (job {})", hold.holder.pid, hold.holder.job)
                }
                _ => "a process".to_owned(),
            };
            let reason =
                format!("{holder} holds slot {number} and lives: end it, and the slot comes back by itself");
            return Err(SlotError::Store { place: folder.path().display().to_string(), reason });
        };
        let found =
            self.record(&folder, number)?.unlocked(&self.host.boot_id, self.clocks.boot(), self.times.terms);
        let (left, released) = match found {
            Slot::Quarantined(_) if was_quarantined => (Slot::Free, Released::Free),
            // The holder's death was seen just now.
            Slot::Quarantined(_) => (found, Released::Quarantined),
            Slot::Free | Slot::Held(_) => return Ok(Released::WasFree),
        };
        folder.write_record(number, &Record::text(&self.stamp(), &left), Durably::Yes)?;
        Ok(released)
    }
}
