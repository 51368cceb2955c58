//! What an account's holders share beside the slots: when sessions were opened lately, and a limit that the service has
//! made us lower. Both stand in `opens.json`, under a lock of their own.

use serde::{Deserialize, Serialize};

use super::folder::{self, Folder};
use super::local::Inner;
use super::record::VERSION;
use super::{AccountKey, Busy, SlotError};
use crate::rules::opens::{Admission, Budget, admit, comparable};
use crate::rules::time::BootTime;
use crate::rules::working_limit::{Lowered, after_refusal};

#[derive(Serialize, Deserialize)]
struct StoredOpens {
    version: u32,
    boot_id: String,
    opens: Vec<BootTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lowered: Option<Lowered>,
}

/// The record as it counts now.
struct Known {
    opens: Vec<BootTime>,
    lowered: Option<Lowered>,
    /// It was written before the host started anew, or cannot be read: it has to be written back.
    foreign: bool,
}

pub(super) enum Open {
    Taken,
    Exhausted(BootTime),
    Locked,
}

impl Inner {
    /// Takes one open from the budget, under the budget's own lock.
    pub(super) fn take_open(&self, folder: &Folder) -> Result<Open, SlotError> {
        let Some(_lock) = folder.lock_opens()? else { return Ok(Open::Locked) };
        let now = self.clocks.boot();
        let Known { opens, lowered, foreign } = self.known(folder, now)?;
        match admit(&opens, now, self.times.opens) {
            Admission::Admitted(opens) => {
                self.write_opens(folder, opens, lowered)?;
                Ok(Open::Taken)
            }
            Admission::Exhausted { until } => {
                if foreign {
                    self.write_opens(folder, opens, lowered)?;
                }
                Ok(Open::Exhausted(until))
            }
        }
    }

    /// The limit if it is lowered, and when it rises. Read without the lock: the record is replaced whole.
    pub(super) fn lowered(&self, folder: &Folder) -> Result<Option<(u32, BootTime)>, SlotError> {
        let now = self.clocks.boot();
        let Some(lowered) = self.known(folder, now)?.lowered else { return Ok(None) };
        let rises = lowered.rises_at(self.limit, now, self.times.pace);
        Ok(rises.map(|rises| (lowered.limit(self.limit, now, self.times.pace), rises)))
    }

    /// Lowers the limit after a refusal; `None` while the budget is locked by somebody else.
    pub(super) fn lower(&self, account: &AccountKey) -> Result<Option<u32>, SlotError> {
        let folder = Folder::of(&self.dir, account);
        folder.prepare(account)?;
        let Some(_lock) = folder.lock_opens()? else { return Ok(None) };
        let mut busy =
            Busy { held: 0, quarantined: 0, opens_exhausted: false, lowered_to: None, until: None };
        for number in 1..=self.limit {
            self.look(&folder, number, &mut busy)?;
        }
        let now = self.clocks.boot();
        let Known { opens, lowered, .. } = self.known(&folder, now)?;
        let lowered = after_refusal(lowered, self.limit, busy.held, now, self.times.pace);
        self.write_opens(&folder, opens, Some(lowered))?;
        Ok(Some(lowered.limit(self.limit, now, self.times.pace)))
    }

    fn known(&self, folder: &Folder, now: BootTime) -> Result<Known, SlotError> {
        let Some(text) = folder.opens()? else {
            return Ok(Known { opens: Vec::new(), lowered: None, foreign: false });
        };
        let Budget { limit, .. } = self.times.opens;
        let full = usize::try_from(limit).unwrap_or(usize::MAX);
        let Ok(StoredOpens { version, boot_id, opens, lowered }) = serde_json::from_slice(&text) else {
            if let Some(version) = version(&text).filter(|version| *version > VERSION) {
                return Err(folder::newer(&folder.path().join("opens.json"), version));
            }
            let opens = comparable(full, now, self.times.opens);
            return Ok(Known { opens, lowered: None, foreign: true });
        };
        if version > VERSION {
            return Err(folder::newer(&folder.path().join("opens.json"), version));
        }
        let foreign = boot_id != self.boot_id || opens.iter().any(|stamp| now < *stamp);
        if !foreign {
            return Ok(Known { opens, lowered, foreign });
        }
        let opens = comparable(opens.len(), now, self.times.opens);
        let lowered = lowered.map(|lowered| Lowered { since: now, ..lowered });
        Ok(Known { opens, lowered, foreign })
    }

    fn write_opens(
        &self,
        folder: &Folder,
        opens: Vec<BootTime>,
        lowered: Option<Lowered>,
    ) -> Result<(), SlotError> {
        let stored = StoredOpens { version: VERSION, boot_id: self.boot_id.clone(), opens, lowered };
        folder.write_opens(&serde_json::to_vec(&stored).expect("strings and numbers"))
    }
}

fn version(text: &[u8]) -> Option<u32> {
    let value: serde_json::Value = serde_json::from_slice(text).ok()?;
    u32::try_from(value.get("version")?.as_u64()?).ok()
}
