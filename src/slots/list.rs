//! What the slots of a host are doing, for people.

use std::fs;

use super::folder::{self, Folder};
use super::local::{Inner, LocalStore, blocking};
use super::record::Record;
use super::{AccountKey, Holder, SlotError, SlotId};
use crate::rules::slots::Slot;
use crate::rules::time::BootTime;

/// One slot that is not free.
#[derive(Clone, Debug)]
pub struct ListedSlot {
    /// Whose.
    pub account: AccountKey,
    /// Which.
    pub slot: SlotId,
    /// What it is doing.
    pub state: ListedState,
}

/// What a slot that is not free is doing.
#[derive(Clone, Debug)]
pub enum ListedState {
    /// A live process holds it.
    Held {
        /// Who.
        holder: Holder,
        /// The holder's process.
        pid: u32,
        /// When it was taken.
        since: BootTime,
        /// When the lease ends if it is not renewed.
        lease_ends: BootTime,
    },
    /// It comes back by itself then.
    Quarantined {
        /// The first moment at which it may be taken.
        until: BootTime,
    },
}

impl LocalStore {
    /// The slots of `account`, or of all accounts, that are not free. Changes nothing.
    ///
    /// Looking at a held slot tries its lock for a moment: another process may see a dead holder's slot as held.
    ///
    /// # Errors
    /// [`SlotError::Store`] if a file cannot be read.
    pub async fn list(&self, account: Option<AccountKey>) -> Result<Vec<ListedSlot>, SlotError> {
        let inner = self.0.clone();
        blocking(&self.0, move || inner.list(account)).await
    }
}

impl Inner {
    fn list(&self, account: Option<AccountKey>) -> Result<Vec<ListedSlot>, SlotError> {
        let mut listed = Vec::new();
        let folders = match account {
            Some(account) => vec![Folder::of(&self.dir, &account)],
            None => self.folders()?,
        };
        for folder in folders {
            let Some(account) = folder.account()? else { continue };
            for number in 1..=self.limit {
                if let Some(state) = self.state(&folder, number)? {
                    listed.push(ListedSlot { account: account.clone(), slot: SlotId(number), state });
                }
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
        Ok(paths.into_iter().filter(|path| path.is_dir()).map(Folder::at).collect())
    }

    fn state(&self, folder: &Folder, number: u32) -> Result<Option<ListedState>, SlotError> {
        let mut record = folder.record(number)?;
        if let Record::Good { slot: Slot::Held(hold), .. } = &record {
            if folder.lock_slot(number)?.is_none() {
                let occupant = &hold.holder;
                let holder = Holder {
                    run_id: occupant.run_id.clone(),
                    job: occupant.job.clone(),
                    connection_id: occupant.connection_id.clone(),
                };
                let (pid, since, lease_ends) = (occupant.pid, hold.since, hold.lease_ends);
                return Ok(Some(ListedState::Held { holder, pid, since, lease_ends }));
            }
            // Dead, or given back since the first look.
            record = folder.record(number)?;
        }
        match record.unlocked(&self.boot_id, self.clocks.boot(), self.times.terms) {
            Slot::Quarantined(quarantine) => Ok(Some(ListedState::Quarantined { until: quarantine.until })),
            Slot::Free | Slot::Held(_) => Ok(None),
        }
    }
}
