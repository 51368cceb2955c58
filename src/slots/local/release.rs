//! An operator takes a slot away. A living holder's lock cannot be taken: the kernel keeps it.

use super::folder::Durably;
use super::record::Record;
use super::{AccountKey, Inner, Meant, Released, SlotError, SlotId};
use crate::rules::slots::Slot;

impl Inner {
    pub(super) fn release(
        &self,
        account: &AccountKey,
        slot: SlotId,
        meant: &Meant,
    ) -> Result<Released, SlotError> {
        let folder = self.folder(account);
        if folder.account()?.is_none() {
            return Ok(Released::WasFree);
        }
        let number = slot.0;
        let Some(_lock) = folder.lock_slot(number)? else {
            return match self.record(&folder, number)? {
                Record::Good { slot: Slot::Held(hold), .. }
                    if *meant == Meant::Holder(hold.holder.connection_id.clone()) =>
                {
                    let (pid, job) = (hold.holder.pid, &hold.holder.job);
                    let reason = format!(
                        "process {pid} (job {job}) holds slot {number} and lives: end it, and the slot comes back by itself"
                    );
                    Err(SlotError::Store { place: folder.path().display().to_string(), reason })
                }
                _ => Ok(Released::Changed),
            };
        };
        let now = self.clocks.boot();
        let found = self.record(&folder, number)?.unlocked(&self.host.boot_id, now, self.times.terms);
        let (left, released) = match (found, meant) {
            (Slot::Quarantined(_), Meant::Quarantine) => (Slot::Free, Released::Free),
            // The holder has died since it was listed: whoever looks next would write the same.
            (found @ Slot::Quarantined(_), Meant::Holder(_)) => (found, Released::Quarantined),
            (Slot::Free | Slot::Held(_), _) => return Ok(Released::WasFree),
        };
        folder.write_record(number, &Record::text(&self.stamp(), &left), Durably::Yes)?;
        Ok(released)
    }
}
