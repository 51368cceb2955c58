//! What the slots of a host are doing, for people.

use std::fs;

use jiff::{SignedDuration, Timestamp};

use super::folder::{self, Folder};
use super::record::Record;
use super::{AccountKey, Holder, Inner, ListedAccount, SlotError, SlotId};
use crate::rules::slots::Slot;
use crate::rules::time::BootTime;
use crate::slots::{ListedSlot, ListedState};

impl Inner {
    pub(super) fn list(&self, account: Option<&AccountKey>) -> Result<Vec<ListedAccount>, SlotError> {
        let folders = match account {
            Some(account) => vec![self.folder(account)],
            None => self.folders()?,
        };
        let mut listed = Vec::new();
        for folder in folders {
            if let Some(account) = folder.account()? {
                listed.push(self.listed(&folder, account)?);
            }
        }
        Ok(listed)
    }

    fn folders(&self) -> Result<Vec<Folder>, SlotError> {
        let cannot = |error| folder::failure(&self.dir, "cannot be read", &error);
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(cannot)? {
            paths.push(entry.map_err(cannot)?.path());
        }
        paths.sort();
        Ok(paths.into_iter().filter(|path| path.is_dir()).map(|path| self.folder_at(&path)).collect())
    }

    fn listed(&self, folder: &Folder, account: AccountKey) -> Result<ListedAccount, SlotError> {
        let mut slots = Vec::new();
        // Those above the limit are of another process's, or of a limit that was higher.
        for number in (1..=self.limit).chain(folder.slots_above(self.limit)?) {
            if let Some(state) = self.state(folder, number)? {
                slots.push(ListedSlot { slot: SlotId(number), state });
            }
        }
        let shared = self.shared(folder)?;
        let lowered_to = self.lowered(folder)?.map(|(left, _)| left);
        Ok(ListedAccount {
            account,
            limit: self.limit,
            lowered_to,
            opens: shared.opens,
            waiting: shared.waiting,
            slots,
        })
    }

    fn state(&self, folder: &Folder, number: u32) -> Result<Option<ListedState>, SlotError> {
        let mut record = self.record(folder, number)?;
        if let Record::Good { slot: Slot::Held(hold), .. } = &record {
            if folder.lock_slot(number)?.is_none() {
                let occupant = &hold.holder;
                let holder = Holder {
                    run_id: occupant.run_id.clone(),
                    job: occupant.job.clone(),
                    connection_id: occupant.connection_id.clone(),
                };
                return Ok(Some(ListedState::Held {
                    holder,
                    place: format!("process {}", occupant.pid),
                    since: self.wall(hold.since),
                    lease_ends: self.wall(hold.lease_ends),
                    call_limit: hold.call_limit(),
                }));
            }
            // Dead, or given back since the first look.
            record = self.record(folder, number)?;
        }
        match record.unlocked(&self.host.boot_id, self.clocks.boot(), self.times.terms) {
            Slot::Quarantined(quarantine) => Ok(Some(ListedState::Quarantined {
                since: self.wall(quarantine.since),
                until: self.wall(quarantine.until),
            })),
            Slot::Free | Slot::Held(_) => Ok(None),
        }
    }

    /// When that is, by the wall clock as it goes now.
    pub(super) fn wall(&self, at: BootTime) -> Timestamp {
        let (wall, boot) = (self.clocks.wall(), self.clocks.boot());
        let millis = |time: BootTime| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        wall.saturating_add(SignedDuration::from_millis(millis(at).saturating_sub(millis(boot))))
            .unwrap_or(wall)
    }
}
