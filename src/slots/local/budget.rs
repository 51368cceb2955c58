//! What an account's holders share beside the slots: when sessions were opened lately, who waits, and a limit that the
//! service has made us lower. All of it stands in `opens.json`, under a lock of its own.

use serde::{Deserialize, Serialize};

use super::folder::{self, Folder};
use super::record::{Stamp, VERSION};
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
        let now = self.clocks.boot();
        let mut known = self.known(folder, now)?;
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
        let now = self.clocks.boot();
        Ok(self.known(folder, now)?.waiting.ahead(id, now, self.times.patience))
    }

    /// `id` waits. False while the record is locked by somebody else.
    pub(super) fn stand(&self, folder: &Folder, id: &str) -> Result<bool, SlotError> {
        let now = self.clocks.boot();
        if !self.known(folder, now)?.waiting.stand(id, now, self.times.patience) {
            return Ok(true);
        }
        let Some(_lock) = folder.lock_opens()? else { return Ok(false) };
        let mut known = self.known(folder, now)?;
        if known.waiting.stand(id, now, self.times.patience) {
            self.write_opens(folder, known)?;
        }
        Ok(true)
    }

    /// `id` waits no longer; `None` while the record is locked by somebody else.
    pub(super) fn leave(&self, account: &AccountKey, id: &str) -> Result<Option<()>, SlotError> {
        let folder = self.folder(account);
        let now = self.clocks.boot();
        if !self.known(&folder, now)?.waiting.leave(id) {
            return Ok(Some(()));
        }
        let Some(_lock) = folder.lock_opens()? else { return Ok(None) };
        let mut known = self.known(&folder, now)?;
        if known.waiting.leave(id) {
            self.write_opens(&folder, known)?;
        }
        Ok(Some(()))
    }

    /// The limit if it is lowered, and when it rises. Read without the lock, as [`Inner::ahead`].
    pub(super) fn lowered(&self, folder: &Folder) -> Result<Option<(u32, BootTime)>, SlotError> {
        let now = self.clocks.boot();
        let Some(lowered) = self.known(folder, now)?.lowered else { return Ok(None) };
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
        let now = self.clocks.boot();
        let known = self.known(&folder, now)?;
        let lowered = after_refusal(known.lowered, self.limit, busy.held, now, self.times.pace);
        self.write_opens(&folder, Known { lowered: Some(lowered), ..known })?;
        Ok(Some(lowered.limit(self.limit, now, self.times.pace)))
    }

    pub(super) fn shared(&self, folder: &Folder) -> Result<SharedCounts, SlotError> {
        let now = self.clocks.boot();
        let known = self.known(folder, now)?;
        let inside = known.opens.iter().filter(|stamp| now < **stamp + self.times.opens.window).count();
        let opens = u32::try_from(inside).unwrap_or(u32::MAX);
        Ok(SharedCounts { opens, waiting: known.waiting.waiting(now, self.times.patience) })
    }

    fn known(&self, folder: &Folder, now: BootTime) -> Result<Known, SlotError> {
        let Some(text) = folder.opens()? else { return Ok(Known::default()) };
        let Budget { limit, .. } = self.times.opens;
        let full = usize::try_from(limit).unwrap_or(usize::MAX);
        let Ok(stored) = serde_json::from_slice::<StoredOpens>(&text) else {
            if let Some(version) = version(&text).filter(|version| *version > VERSION) {
                return Err(folder::newer(&folder.path().join("opens.json"), version));
            }
            let opens = comparable(full, now, self.times.opens);
            return Ok(Known { opens, is_foreign: true, ..Known::default() });
        };
        let StoredOpens { version, stamp, opens, lowered, mut waiting } = stored;
        if version > VERSION {
            return Err(folder::newer(&folder.path().join("opens.json"), version));
        }
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

fn version(text: &[u8]) -> Option<u32> {
    let value: serde_json::Value = serde_json::from_slice(text).ok()?;
    u32::try_from(value.get("version")?.as_u64()?).ok()
}
