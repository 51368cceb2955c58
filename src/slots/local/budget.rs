//! What an account's holders share beside the slots: when sessions were opened lately, who waits, and a limit that the
//! service has made us lower. All of it stands in `opens.json`, under a lock of its own.

use serde::{Deserialize, Serialize};

use super::folder::{self, Folder};
use super::record::{Stamp, VERSION, version};
use super::{AccountKey, Busy, Inner, SlotError};
use crate::rules::slots::opens::{Admission, Budget, admit, comparable};
use crate::rules::slots::waiting::{self, Queue};
use crate::rules::slots::working_limit::{Lowered, after_refusal};
use crate::rules::time::BootTime;

#[derive(Serialize, Deserialize)]
struct StoredOpens {
    version: u32,
    #[serde(flatten)]
    stamp: Stamp,
    opens: Vec<BootTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lowered: Option<Lowered>,
    #[serde(default)]
    waiting: Queue,
}

/// The record as it counts now.
#[derive(Default)]
struct Known {
    opens: Vec<BootTime>,
    lowered: Option<Lowered>,
    waiting: Queue,
    /// It was written before the host started anew, or cannot be read: it has to be written back.
    is_foreign: bool,
}

pub(super) enum Open {
    Taken,
    Exhausted(BootTime),
    /// Somebody came earlier and waits.
    Overtaken {
        ahead: u32,
    },
    Locked,
}

/// Counts for listings.
pub(super) struct SharedCounts {
    pub(super) opens: u32,
    pub(super) waiting: u32,
}

impl Inner {
    /// Takes one open from the budget, under the budget's own lock, and `id` out of the line. `free` slots were seen.
    pub(super) fn take_open(&self, folder: &Folder, id: &str, free: u32) -> Result<Open, SlotError> {
        let Some(_lock) = folder.lock_opens()? else { return Ok(Open::Locked) };
        let (mut known, now) = self.known(folder)?;
        let ahead = known.waiting.ahead(id, now, self.times.patience);
        if !waiting::may_take(free, ahead) {
            return Ok(Open::Overtaken { ahead });
        }
        match admit(&known.opens, now, self.times.opens) {
            Admission::Admitted(opens) => {
                known.waiting.leave(id);
                self.write_opens(folder, Known { opens, ..known })?;
                Ok(Open::Taken)
            }
            Admission::Exhausted { until } => {
                if known.is_foreign {
                    self.write_opens(folder, known)?;
                }
                Ok(Open::Exhausted(until))
            }
        }
    }

    /// How many wait in front of `id`. Read without the lock: the record is replaced whole.
    pub(super) fn ahead(&self, folder: &Folder, id: &str) -> Result<u32, SlotError> {
        let (known, now) = self.known(folder)?;
        Ok(known.waiting.ahead(id, now, self.times.patience))
    }

    /// `id` waits. False while the record is locked by somebody else.
    pub(super) fn stand(&self, folder: &Folder, id: &str) -> Result<bool, SlotError> {
        let (mut known, now) = self.known(folder)?;
        if !known.waiting.stand(id, now, self.times.patience) {
            return Ok(true);
        }
        let Some(_lock) = folder.lock_opens()? else { return Ok(false) };
        let (mut known, now) = self.known(folder)?;
        if known.waiting.stand(id, now, self.times.patience) {
            self.write_opens(folder, known)?;
        }
        Ok(true)
    }

    /// `id` waits no longer; `None` while the record is locked by somebody else.
    pub(super) fn leave(&self, account: &AccountKey, id: &str) -> Result<Option<()>, SlotError> {
        let folder = self.folder(account);
        if !self.known(&folder)?.0.waiting.leave(id) {
            return Ok(Some(()));
        }
        let Some(_lock) = folder.lock_opens()? else { return Ok(None) };
        let (mut known, _) = self.known(&folder)?;
        if known.waiting.leave(id) {
            self.write_opens(&folder, known)?;
        }
        Ok(Some(()))
    }

    /// The limit if it is lowered, and when it rises. Read without the lock, as [`Inner::ahead`].
    pub(super) fn lowered(&self, folder: &Folder) -> Result<Option<(u32, BootTime)>, SlotError> {
        let (known, now) = self.known(folder)?;
        let Some(lowered) = known.lowered else { return Ok(None) };
        let rises = lowered.rises_at(self.limit, now, self.times.pace);
        Ok(rises.map(|rises| (lowered.limit(self.limit, now, self.times.pace), rises)))
    }

    /// Lowers the limit after a refusal; `None` while the budget is locked by somebody else.
    pub(super) fn lower(&self, account: &AccountKey) -> Result<Option<u32>, SlotError> {
        let folder = self.folder(account);
        folder.prepare(account)?;
        let Some(_lock) = folder.lock_opens()? else { return Ok(None) };
        let mut busy = Busy::default();
        for number in 1..=self.limit {
            self.look(&folder, number, &mut busy)?;
        }
        let (known, now) = self.known(&folder)?;
        let lowered = after_refusal(known.lowered, self.limit, busy.held, now, self.times.pace);
        self.write_opens(&folder, Known { lowered: Some(lowered), ..known })?;
        Ok(Some(lowered.limit(self.limit, now, self.times.pace)))
    }

    pub(super) fn shared(&self, folder: &Folder) -> Result<SharedCounts, SlotError> {
        let (known, now) = self.known(folder)?;
        let inside = known.opens.iter().filter(|stamp| now < **stamp + self.times.opens.window).count();
        let opens = u32::try_from(inside).unwrap_or(u32::MAX);
        Ok(SharedCounts { opens, waiting: known.waiting.waiting(now, self.times.patience) })
    }

    /// The record, and the moment it was judged at: after it was read, for what another process has noted until then would
    /// be of the future else.
    fn known(&self, folder: &Folder) -> Result<(Known, BootTime), SlotError> {
        let text = folder.opens()?;
        let now = self.clocks.boot();
        let known = text.map_or(Ok(Known::default()), |text| self.understood(folder, &text, now))?;
        Ok((known, now))
    }

    fn understood(&self, folder: &Folder, text: &[u8], now: BootTime) -> Result<Known, SlotError> {
        let Budget { limit, .. } = self.times.opens;
        let full = usize::try_from(limit).unwrap_or(usize::MAX);
        if let Some(version) = version(text).filter(|version| *version > VERSION) {
            return Err(folder::newer(&folder.path().join("opens.json"), version));
        }
        let Ok(stored) = serde_json::from_slice::<StoredOpens>(text) else {
            let opens = comparable(full, now, self.times.opens);
            return Ok(Known { opens, is_foreign: true, ..Known::default() });
        };
        let StoredOpens { stamp, opens, lowered, mut waiting, .. } = stored;
        self.host.check(&stamp, folder.path(), &self.clocks)?;
        if stamp.boot_id == self.host.boot_id && opens.iter().all(|stamp| *stamp <= now) {
            waiting.tidy(now, self.times.patience);
            return Ok(Known { opens, lowered, waiting, is_foreign: false });
        }
        let opens = comparable(opens.len(), now, self.times.opens);
        let lowered = lowered.map(|lowered| Lowered { since: now, ..lowered });
        // Who waited before the restart is gone.
        Ok(Known { opens, lowered, waiting: Queue::default(), is_foreign: true })
    }

    fn write_opens(&self, folder: &Folder, known: Known) -> Result<(), SlotError> {
        let Known { opens, lowered, waiting, .. } = known;
        let stored = StoredOpens { version: VERSION, stamp: self.stamp(), opens, lowered, waiting };
        folder.write_opens(&serde_json::to_vec(&stored).expect("strings and numbers"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LocalStore, SlotTimes};
    use super::*;
    use crate::clocks::Clocks;
    use crate::rules::slots::Terms;
    use crate::rules::slots::waiting::{LENGTH_MAX, Waiter};
    use crate::rules::slots::working_limit::Pace;
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A store that allows as many opens as can be set, and the folder of an account in it.
    fn store(dir: &std::path::Path) -> (LocalStore, Folder) {
        let times = SlotTimes {
            pace: Pace { crowd: MINUTE, step: MINUTE },
            terms: Terms { lease: MINUTE, quarantine: MINUTE },
            opens: Budget { limit: 6000, window: MINUTE },
            patience: MINUTE,
        };
        let store = LocalStore::new(dir.to_owned(), 1, times, Clocks::system()).unwrap();
        let text = || "x".to_owned();
        let account = AccountKey { cloud: text(), tenant_id: text(), object_id: text() };
        let folder = store.0.folder(&account);
        folder.prepare(&account).unwrap();
        (store, folder)
    }

    #[test]
    fn what_is_noted_while_it_is_read_is_not_of_the_future() {
        let dir = tempfile::tempdir().unwrap();
        let (store, folder) = store(dir.path());
        let path = folder.path().join("opens.json");
        // A pipe lets the test write after the reader has begun.
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        let inner = std::sync::Arc::clone(&store.0);
        let reader = std::thread::spawn(move || inner.ahead(&folder, "b").unwrap());
        let mut pipe = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        let opened = store.0.clocks.boot();
        while store.0.clocks.boot() == opened {
            std::hint::spin_loop();
        }
        let now = store.0.clocks.boot();
        let waiting = Queue(vec![Waiter { id: "a".to_owned(), seen: now }]);
        let (stamp, opens) = (store.0.stamp(), vec![now]);
        let stored = StoredOpens { version: VERSION, stamp, opens, lowered: None, waiting };
        serde_json::to_writer(&mut pipe, &stored).unwrap();
        drop(pipe);
        assert_eq!(reader.join().unwrap(), 1, "who waits is not forgotten");
    }

    #[test]
    fn the_longest_record_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let (store, folder) = store(dir.path());
        let now = store.0.clocks.boot();
        let waiter = |number| Waiter { id: format!("{number:>036}"), seen: now };
        let waiting = Queue((0..LENGTH_MAX).map(waiter).collect());
        let known =
            Known { opens: vec![now; 6000], lowered: None, waiting: waiting.clone(), is_foreign: false };
        store.0.write_opens(&folder, known).unwrap();
        let (read, _) = store.0.known(&folder).unwrap();
        assert_eq!((read.opens.len(), read.is_foreign), (6000, false));
        assert!(read.waiting == waiting, "{} wait", read.waiting.0.len());
    }
}
