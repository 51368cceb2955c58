//! The slots of all accounts of one host, in a folder.
//!
//! A holder keeps a file lock for as long as it holds the slot; the kernel frees it when the process dies, however it
//! dies. The record beside the lock says what a successor has to wait for. The folder belongs on a local file system
//! that outlives a restart of the host: what is lost with a reboot cannot keep sessions of before it counted. All its
//! users share the host's boot time (no time namespaces of their own).
//!
//! Guarantees: a slot is given out only under its lock; a held record is on the disk before its session opens; who waits
//! is served in order of arrival. A process that is stopped (SIGSTOP) keeps its slot, because it keeps the lock.

mod budget;
mod disk;
mod folder;
mod host;
mod lease;
mod list;
mod record;
mod release;
mod sharing;
mod take;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::folder::Folder;
use self::host::Host;
use self::lease::LocalLease;
use self::record::{Occupant, Record, Stamp};
use self::sharing::Sharing;
use self::take::Tried;
use super::{
    AccountKey, Ask, Attempt, Busy, Holder, ListedAccount, Meant, Released, SlotError, SlotId, SlotStore,
    SlotTimes,
};
use crate::clocks::Clocks;

/// The opens record is locked for the time of one small write: 50 looks of 10 ms are more than a slow disk needs.
const OPENS_LOCK_LOOKS: u32 = 50;
const OPENS_LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Slots kept in a folder of this host.
#[derive(Clone)]
pub struct LocalStore(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    sharing: Sharing,
    limit: u32,
    times: SlotTimes,
    clocks: Clocks,
    host: Host,
}

impl LocalStore {
    /// A store in `dir`, which is made if it is missing, with `limit` slots an account.
    ///
    /// A folder that its group may write to is shared by the group's users: files are made for the group then.
    ///
    /// Blocks for some file operations: meant for the start of the program.
    ///
    /// # Errors
    /// [`SlotError::Store`] if sessions would fail later: `dir` cannot be made or written to, or lies on a file system
    /// that several hosts share.
    pub fn new(dir: PathBuf, limit: u32, times: SlotTimes, clocks: Clocks) -> Result<LocalStore, SlotError> {
        let sharing = folder::check(&dir)?;
        let host = Host::here()?;
        Ok(LocalStore(Arc::new(Inner { dir, sharing, limit, times, clocks, host })))
    }

    /// Does `work` on the record that all holders share, again while another process has it locked.
    async fn with_opens<T: Send + 'static>(
        &self,
        work: impl Fn(&Arc<Inner>) -> Result<Option<T>, SlotError> + Clone + Send + 'static,
    ) -> Result<Option<T>, SlotError> {
        for _ in 0..OPENS_LOCK_LOOKS {
            let (inner, work) = (Arc::clone(&self.0), work.clone());
            // Dropped meanwhile, the result is dropped too, and a fresh slot gives itself back.
            match blocking(&self.0, move || work(&inner)).await? {
                Some(done) => return Ok(Some(done)),
                None => self.0.clocks.sleep(OPENS_LOCK_PAUSE).await,
            }
        }
        Ok(None)
    }

    fn opens_stay_locked(&self, account: &AccountKey) -> SlotError {
        let path = self.0.folder(account).path().join("opens.lock");
        let reason = "stays locked: a process that uses it is stopped, let it go on or end it".to_owned();
        SlotError::Unavailable { place: path.display().to_string(), reason }
    }
}

#[async_trait]
impl SlotStore for LocalStore {
    async fn attempt(&self, account: &AccountKey, holder: &Holder, ask: Ask) -> Result<Attempt, SlotError> {
        let Holder { run_id, job, connection_id } = holder.clone();
        let occupant = Occupant { pid: std::process::id(), run_id, job, connection_id };
        let account = account.clone();
        let tried = self.with_opens(move |inner| {
            Ok(match inner.try_take(&account, occupant.clone(), ask)? {
                Tried::Taken(fresh, seen) => Some(Ok((fresh, seen))),
                Tried::Busy(busy) => Some(Err(busy)),
                Tried::OpensLocked => None,
            })
        });
        Ok(match tried.await? {
            Some(Ok((fresh, seen))) => {
                Attempt::Lease(Box::new(LocalLease::new(fresh, Arc::clone(&self.0), seen)))
            }
            Some(Err(busy)) => Attempt::Busy(busy),
            None => Attempt::Busy(Busy { is_stuck: true, ..Busy::default() }),
        })
    }

    async fn leave(&self, account: &AccountKey, holder: &Holder) -> Result<(), SlotError> {
        let (of, id) = (account.clone(), holder.connection_id.clone());
        let left = self.with_opens(move |inner| inner.leave(&of, &id)).await?;
        left.ok_or_else(|| self.opens_stay_locked(account))
    }

    async fn refused(&self, account: &AccountKey) -> Result<u32, SlotError> {
        let of = account.clone();
        let lowered = self.with_opens(move |inner| inner.lower(&of)).await?;
        lowered.ok_or_else(|| self.opens_stay_locked(account))
    }

    /// Looking at a held slot tries its lock for a moment: another process may see a dead holder's slot as held.
    async fn list(&self, account: Option<&AccountKey>) -> Result<Vec<ListedAccount>, SlotError> {
        let (inner, account) = (Arc::clone(&self.0), account.cloned());
        blocking(&self.0, move || inner.list(account.as_ref())).await
    }

    async fn release(
        &self,
        account: &AccountKey,
        slot: SlotId,
        meant: &Meant,
    ) -> Result<Released, SlotError> {
        let (inner, account, meant) = (Arc::clone(&self.0), account.clone(), meant.clone());
        blocking(&self.0, move || inner.release(&account, slot, &meant)).await
    }
}

impl Inner {
    fn folder(&self, account: &AccountKey) -> Folder {
        Folder::of(&self.dir, account, self.sharing)
    }

    fn folder_at(&self, path: &Path) -> Folder {
        Folder::at(path.to_owned(), self.sharing)
    }

    /// What a record written now is marked with.
    fn stamp(&self) -> Stamp {
        self.host.stamp(self.clocks.wall())
    }

    /// The record of a slot.
    ///
    /// # Errors
    /// Also where another host has written it.
    fn record(&self, folder: &Folder, number: u32) -> Result<Record, SlotError> {
        let record = folder.record(number)?;
        if let Record::Good { stamp, .. } = &record {
            self.host.check(stamp, folder.path(), &self.clocks)?;
        }
        Ok(record)
    }
}

/// Runs file operations where they may block.
async fn blocking<T: Send + 'static>(
    inner: &Inner,
    work: impl FnOnce() -> Result<T, SlotError> + Send + 'static,
) -> Result<T, SlotError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let reason = format!("a file operation did not end ({error}); this is a bug, please report it");
        Err(SlotError::Store { place: inner.dir.display().to_string(), reason })
    })
}
