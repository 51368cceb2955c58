//! The slots of all accounts of one host, in a folder.
//!
//! A holder keeps a file lock for as long as it holds the slot; the kernel frees it when the process dies, however it
//! dies. The record beside the lock says what a successor has to wait for. The folder belongs on a local file system
//! that outlives a restart of the host: what is lost with a reboot cannot keep sessions of before it counted. All its
//! users share the host's boot time (no time namespaces of their own).
//!
//! Guarantees: a slot is given out only under its lock; a held record is on the disk before its session opens.
//! Not yet: order of arrival. Callers that find nothing free wait with chance in the pause (`rules::slots::pause`).

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::budget::Open;
use super::folder::{self, Durably, Folder};
use super::lease::{Fresh, LocalLease};
use super::record::{Occupant, Record};
use super::{AccountKey, Attempt, Busy, Holder, SlotError, SlotStore, SlotTimes};
use crate::clocks::Clocks;
use crate::rules::slots::Slot;
use crate::rules::time::BootTime;

/// The documented connections of an account, while they were documented (protocol reference, 3.14).
pub const SLOTS_DEFAULT: u32 = 5;

/// The opens record is locked for the time of one small write: 50 looks of 10 ms are more than a slow disk needs.
const OPENS_LOCK_LOOKS: u32 = 50;
const OPENS_LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Slots kept in a folder of this host.
#[derive(Clone)]
pub struct LocalStore(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) dir: PathBuf,
    pub(super) limit: u32,
    pub(super) times: SlotTimes,
    pub(super) clocks: Clocks,
    pub(super) boot_id: String,
}

pub(super) enum Tried {
    Taken(Fresh),
    Busy(Busy),
    OpensLocked,
}

impl LocalStore {
    /// A store in `dir`, which is made if it is missing, with `limit` slots an account ([`SLOTS_DEFAULT`]).
    ///
    /// Blocks for some file operations: meant for the start of the program.
    ///
    /// # Errors
    /// [`SlotError::Store`] if sessions would fail later: `dir` cannot be made or written to.
    pub fn new(dir: PathBuf, limit: u32, times: SlotTimes, clocks: Clocks) -> Result<LocalStore, SlotError> {
        folder::check(&dir)?;
        let path = std::path::Path::new("/proc/sys/kernel/random/boot_id");
        let boot_id =
            std::fs::read_to_string(path).map_err(|error| folder::failure(path, "cannot be read", &error))?;
        let boot_id = boot_id.trim().to_owned();
        Ok(LocalStore(Arc::new(Inner { dir, limit, times, clocks, boot_id })))
    }

    fn opens_stay_locked(&self, account: &AccountKey) -> SlotError {
        let path = Folder::of(&self.0.dir, account).path().join("opens.lock");
        let reason = "stays locked: a process that uses it is stopped, let it go on or end it".to_owned();
        SlotError::Store { place: path.display().to_string(), reason }
    }
}

#[async_trait]
impl SlotStore for LocalStore {
    async fn attempt(&self, account: &AccountKey, holder: &Holder) -> Result<Attempt, SlotError> {
        let Holder { run_id, job, connection_id } = holder.clone();
        let occupant = Occupant { pid: std::process::id(), run_id, job, connection_id };
        for _ in 0..OPENS_LOCK_LOOKS {
            let (inner, account, occupant) = (Arc::clone(&self.0), account.clone(), occupant.clone());
            // Dropped meanwhile, the result is dropped too, and a fresh slot gives itself back.
            match blocking(&self.0, move || inner.try_take(&account, occupant)).await? {
                Tried::Taken(fresh) => {
                    return Ok(Attempt::Lease(Box::new(LocalLease::new(fresh, Arc::clone(&self.0)))));
                }
                Tried::Busy(busy) => return Ok(Attempt::Busy(busy)),
                Tried::OpensLocked => self.0.clocks.sleep(OPENS_LOCK_PAUSE).await,
            }
        }
        Err(self.opens_stay_locked(account))
    }

    async fn refused(&self, account: &AccountKey) -> Result<u32, SlotError> {
        for _ in 0..OPENS_LOCK_LOOKS {
            let (inner, account) = (Arc::clone(&self.0), account.clone());
            match blocking(&self.0, move || inner.lower(&account)).await? {
                Some(left) => return Ok(left),
                None => self.0.clocks.sleep(OPENS_LOCK_PAUSE).await,
            }
        }
        Err(self.opens_stay_locked(account))
    }
}

impl Inner {
    /// Goes through the slots once. Blocks for file operations.
    pub(super) fn try_take(
        self: &Arc<Inner>,
        account: &AccountKey,
        occupant: Occupant,
    ) -> Result<Tried, SlotError> {
        let folder = Folder::of(&self.dir, account);
        folder.prepare(account)?;
        let mut busy =
            Busy { held: 0, quarantined: 0, opens_exhausted: false, lowered_to: None, until: None };
        let mut exhausted = None;
        let mut usable = self.limit;
        if let Some((left, rises)) = self.lowered(&folder)? {
            // Slots above the lowered limit are given to nobody; those still in use there count against the others.
            for number in left + 1..=self.limit {
                self.look(&folder, number, &mut busy)?;
            }
            usable = left.saturating_sub(busy.held + busy.quarantined);
            for number in usable + 1..=left {
                self.look(&folder, number, &mut busy)?;
            }
            busy.lowered_to = Some(left);
            busy.until = Some(busy.until.map_or(rises, |until| until.min(rises)));
        }
        for number in 1..=usable {
            let Some((lock, mut slot)) = self.look(&folder, number, &mut busy)? else { continue };
            if exhausted.is_some() {
                continue;
            }
            match self.take_open(&folder)? {
                Open::Taken => {}
                Open::Locked => return Ok(Tried::OpensLocked),
                Open::Exhausted(until) => {
                    exhausted = Some(until);
                    continue;
                }
            }
            let now = self.clocks.boot();
            slot.take(occupant.clone(), now, self.times.terms)
                .expect("a slot that is not quarantined is free here");
            folder.write_record(number, &Record::text(&self.boot_id, &slot), Durably::Yes)?;
            return Ok(Tried::Taken(Fresh::new(Arc::clone(self), folder, number, lock, slot, occupant)));
        }
        if exhausted.is_some() {
            (busy.opens_exhausted, busy.until) = (true, exhausted);
        }
        Ok(Tried::Busy(busy))
    }

    /// Looks at slot `number`: free, with its lock in hand, or counted in `busy`.
    pub(super) fn look(
        &self,
        folder: &Folder,
        number: u32,
        busy: &mut Busy,
    ) -> Result<Option<(File, Slot<Occupant>)>, SlotError> {
        // Read before the lock is tried: looking at a quarantined slot must not make it seem held.
        let record = folder.record(number)?;
        if let Some(until) = record.quarantined_until(&self.boot_id, self.clocks.boot()) {
            note_quarantine(busy, until);
            return Ok(None);
        }
        let Some(lock) = folder.lock_slot(number)? else {
            busy.held += 1;
            return Ok(None);
        };
        let record = folder.record(number)?;
        let now = self.clocks.boot();
        let slot = record.unlocked(&self.boot_id, now, self.times.terms);
        if let Slot::Quarantined(quarantine) = slot {
            // The death was seen just now: its end is fixed from here on.
            folder.write_record(number, &Record::text(&self.boot_id, &slot), Durably::Yes)?;
            note_quarantine(busy, quarantine.until);
            return Ok(None);
        }
        Ok(Some((lock, slot)))
    }
}

fn note_quarantine(busy: &mut Busy, until: BootTime) {
    busy.quarantined += 1;
    busy.until = Some(busy.until.map_or(until, |earlier| earlier.min(until)));
}

/// Runs file operations where they may block.
pub(super) async fn blocking<T: Send + 'static>(
    inner: &Inner,
    work: impl FnOnce() -> Result<T, SlotError> + Send + 'static,
) -> Result<T, SlotError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let reason = format!("a file operation did not end ({error}); this is a bug, please report it");
        Err(SlotError::Store { place: inner.dir.display().to_string(), reason })
    })
}
