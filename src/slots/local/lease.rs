//! A slot of the local store, held: its lock, its record, and the way back.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::folder::{Durably, Folder};
use super::record::{Occupant, Record};
use super::{Inner, SlotError, SlotId, blocking};
use crate::rules::slots::Slot;
use crate::rules::time::BootTime;
use crate::slots::{Busy, Returned, SlotLease};

/// A slot with its lock. The lock goes with the last owner of this value, and never before the record is written.
pub(super) struct Held {
    inner: Arc<Inner>,
    folder: Folder,
    number: u32,
    occupant: Occupant,
    /// Nothing once the slot has been given back: a renewal that comes late writes nothing any more.
    owned: Mutex<Option<Owned>>,
}

struct Owned {
    lock: File,
    slot: Slot<Occupant>,
}

impl Held {
    fn owned(&self) -> MutexGuard<'_, Option<Owned>> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lost(&self, reason: &str) -> SlotError {
        let reason = format!("{reason} in {}", self.folder.path().display());
        SlotError::Lost { slot: self.number, reason }
    }

    /// Renews the lease: the record first, then what we believe. Returns the lease's new end.
    fn renew(&self, call_limit: Duration) -> Result<BootTime, SlotError> {
        let mut owned = self.owned();
        let Some(Owned { lock, slot }) = owned.as_mut() else {
            return Err(self.lost("the slot has been given back"));
        };
        if !self.folder.is_lock_of(lock, self.number) {
            return Err(self.lost("the slot's lock file was removed or replaced"));
        }
        let now = self.inner.clocks.boot();
        let mut renewed = slot.clone();
        if renewed.renew(&self.occupant, call_limit, now, self.inner.times.terms).is_err() {
            return Err(self.lost("the slot is not ours"));
        }
        self.folder.write_record(self.number, &Record::text(&self.inner.stamp(), &renewed), Durably::Yes)?;
        *slot = renewed;
        Ok(now + self.inner.times.terms.lease)
    }

    /// Writes the record, then frees the lock. A record that cannot be written stays held without a lock: whoever
    /// looks next quarantines the slot.
    fn give_back(&self, how: Returned) -> Result<(), SlotError> {
        let mut owned = self.owned();
        let Some(Owned { lock, mut slot }) = owned.take() else { return Ok(()) };
        if !self.folder.is_lock_of(&lock, self.number) {
            return Err(self.lost("the slot's lock file was removed or replaced"));
        }
        let (changed, durably) = match how {
            Returned::Free => (slot.give_back_free(&self.occupant), Durably::No),
            Returned::Quarantine => {
                let now = self.inner.clocks.boot();
                let terms = self.inner.times.terms;
                (slot.give_back_quarantined(&self.occupant, now, terms), Durably::Yes)
            }
        };
        if changed.is_err() {
            return Err(self.lost("the slot is not ours"));
        }
        self.folder.write_record(self.number, &Record::text(&self.inner.stamp(), &slot), durably)?;
        drop(lock);
        Ok(())
    }
}

/// A slot that was just taken and that nobody has got yet: dropped like this, it goes back free.
pub(super) struct Fresh(Option<Arc<Held>>);

impl Fresh {
    pub(super) fn new(
        inner: Arc<Inner>,
        folder: Folder,
        number: u32,
        lock: File,
        slot: Slot<Occupant>,
        occupant: Occupant,
    ) -> Fresh {
        let owned = Mutex::new(Some(Owned { lock, slot }));
        Fresh(Some(Arc::new(Held { inner, folder, number, occupant, owned })))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(held) = self.0.take() {
            // Nothing was opened. If the record cannot be written, the slot ends in quarantine: safe, and rare.
            drop(held.give_back(Returned::Free));
        }
    }
}

/// The lease of a local slot. Dropped, its lock is freed while the record says held: quarantine.
pub(super) struct LocalLease {
    held: Arc<Held>,
    inner: Arc<Inner>,
    ends: BootTime,
    seen: Busy,
}

impl LocalLease {
    pub(super) fn new(mut fresh: Fresh, inner: Arc<Inner>, seen: Busy) -> LocalLease {
        let held = fresh.0.take().expect("a fresh slot is claimed once");
        let ends = match held.owned().as_ref().map(|owned| &owned.slot) {
            Some(Slot::Held(hold)) => hold.lease_ends,
            _ => BootTime::default(),
        };
        LocalLease { held, inner, ends, seen }
    }
}

#[async_trait]
impl SlotLease for LocalLease {
    fn slot(&self) -> SlotId {
        SlotId(self.held.number)
    }

    fn ends(&self) -> BootTime {
        self.ends
    }

    fn seen(&self) -> Busy {
        self.seen
    }

    async fn renew(&mut self, call_limit: Duration) -> Result<(), SlotError> {
        let held = Arc::clone(&self.held);
        self.ends = blocking(&self.inner, move || held.renew(call_limit)).await?;
        Ok(())
    }

    async fn give_back(self: Box<Self>, how: Returned) -> Result<(), SlotError> {
        let held = Arc::clone(&self.held);
        blocking(&self.inner, move || held.give_back(how)).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::take::Tried;
    use super::super::{AccountKey, Ask, LocalStore, SlotTimes};
    use super::*;
    use crate::clocks::Clocks;
    use crate::rules::slots::Terms;
    use crate::rules::slots::opens::Budget;
    use crate::rules::slots::working_limit::Pace;

    /// A renewal whose caller is gone may come to its turn after the return; the slot may be somebody else's then.
    #[test]
    fn a_renewal_that_comes_after_the_return_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let minute = Duration::from_secs(60);
        let times = SlotTimes {
            pace: Pace { crowd: Duration::from_secs(30), step: Duration::from_secs(300) },
            terms: Terms { lease: minute, quarantine: minute },
            opens: Budget { limit: 5, window: minute },
            patience: minute,
        };
        let store = LocalStore::new(dir.path().to_owned(), 1, times, Clocks::system()).unwrap();
        let text = || "x".to_owned();
        let account = AccountKey { cloud: text(), tenant_id: text(), object_id: text() };
        let occupant = Occupant { pid: 1, run_id: text(), job: text(), connection_id: text() };
        let Tried::Taken(mut fresh, _) = store.0.try_take(&account, occupant, Ask::InPassing).unwrap() else {
            panic!("busy")
        };
        let held = fresh.0.take().unwrap();
        held.give_back(Returned::Free).unwrap();
        assert!(matches!(held.renew(minute), Err(SlotError::Lost { slot: 1, .. })));
        assert!(matches!(held.folder.record(1).unwrap(), Record::Good { slot: Slot::Free, .. }));
    }
}
