//! What a slot's file says, and what that means now.
//!
//! Times are boot times: they mean something only beside the boot id that stands with them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rules::slots::{Hold, Quarantine, Slot, Terms};
use crate::rules::time::BootTime;

/// The format that this version writes. A newer one is refused, not guessed at.
pub(super) const VERSION: u32 = 1;

/// Who holds a slot. The connection id is never used twice, so equal values are the same lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Occupant {
    pub(super) pid: u32,
    pub(super) run_id: String,
    pub(super) job: String,
    pub(super) connection_id: String,
}

/// Where and when a record was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) boot_id: String,
    /// Records of the first version have neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) machine_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) written: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    #[serde(flatten)]
    stamp: Stamp,
    slot: StoredSlot,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredSlot {
    Free,
    Held {
        #[serde(flatten)]
        holder: Occupant,
        since: BootTime,
        renewed: BootTime,
        lease_ends: BootTime,
        call_limit_ends: BootTime,
    },
    Quarantined {
        since: BootTime,
        until: BootTime,
    },
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// The format that a file of ours says it has; `None` if it says none.
pub(super) fn version(text: &[u8]) -> Option<u32> {
    serde_json::from_slice::<Versioned>(text).ok().map(|Versioned { version }| version)
}

/// What is to be told of a slot that turns out to be held by nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Its holder is gone.
    Vanished(Occupant),
    /// Its holder went with the host.
    BeforeRestart(Occupant),
    /// Nobody knows who held it.
    Unreadable,
}

/// A slot's file, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// There is none: the slot was never taken.
    Absent,
    /// A record and the boot it belongs to.
    Good { stamp: Stamp, slot: Slot<Occupant> },
    /// Not a record: torn by a power cut, or edited. The slot may have been held.
    Garbage,
    /// Of a newer format.
    Newer(u32),
}

impl Record {
    pub(super) fn parse(text: &[u8]) -> Record {
        match version(text) {
            Some(version) if version > VERSION => return Record::Newer(version),
            Some(_) => {}
            None => return Record::Garbage,
        }
        let Ok(Stored { stamp, slot, .. }) = serde_json::from_slice::<Stored>(text) else {
            return Record::Garbage;
        };
        let slot = match slot {
            StoredSlot::Free => Slot::Free,
            StoredSlot::Held { holder, since, renewed, lease_ends, call_limit_ends } => {
                Slot::Held(Hold { holder, since, renewed, lease_ends, call_limit_ends })
            }
            StoredSlot::Quarantined { since, until } => Slot::Quarantined(Quarantine { since, until }),
        };
        Record::Good { stamp, slot }
    }

    pub(super) fn text(stamp: &Stamp, slot: &Slot<Occupant>) -> Vec<u8> {
        let slot = match slot.clone() {
            Slot::Free => StoredSlot::Free,
            Slot::Held(Hold { holder, since, renewed, lease_ends, call_limit_ends }) => {
                StoredSlot::Held { holder, since, renewed, lease_ends, call_limit_ends }
            }
            Slot::Quarantined(Quarantine { since, until }) => StoredSlot::Quarantined { since, until },
        };
        let stored = Stored { version: VERSION, stamp: stamp.clone(), slot };
        serde_json::to_vec_pretty(&stored).expect("numbers, strings and no map keys but strings")
    }

    /// What the record means to somebody who has the slot's lock at `now`: whoever held it is dead. Never `Held`.
    pub(super) fn unlocked(self, boot_id: &str, now: BootTime, terms: Terms) -> Slot<Occupant> {
        let mut slot = match self {
            Record::Absent => Slot::Free,
            // Nobody knows what was in it; as for a holder that vanished now, but no call limit is known.
            Record::Garbage | Record::Newer(_) => {
                Slot::Quarantined(Quarantine { since: now, until: now + terms.lease + terms.quarantine })
            }
            Record::Good { stamp, mut slot } => {
                if stamp.boot_id != boot_id || slot.from_the_future(now) {
                    slot.host_restarted(now, terms);
                } else {
                    slot.holder_vanished(now, terms);
                }
                slot
            }
        };
        slot.settle(now);
        slot
    }

    /// What there is to tell where [`Record::unlocked`] begins a quarantine; one that goes on was told when it began.
    pub(super) fn left(&self, boot_id: &str, now: BootTime) -> Option<Left> {
        match self {
            Record::Garbage | Record::Newer(_) => Some(Left::Unreadable),
            Record::Good { stamp, slot: slot @ Slot::Held(hold) } => {
                let holder = hold.holder.clone();
                let is_ours = stamp.boot_id == boot_id && !slot.from_the_future(now);
                Some(if is_ours { Left::Vanished(holder) } else { Left::BeforeRestart(holder) })
            }
            Record::Absent | Record::Good { .. } => None,
        }
    }

    /// Whether it says that nobody has the slot at `now`.
    pub(super) fn is_free(&self, boot_id: &str, now: BootTime) -> bool {
        match self {
            Record::Absent | Record::Good { slot: Slot::Free, .. } => true,
            Record::Good { stamp, slot: slot @ Slot::Quarantined(quarantine) } => {
                stamp.boot_id == boot_id && !slot.from_the_future(now) && quarantine.until <= now
            }
            Record::Good { slot: Slot::Held(_), .. } | Record::Garbage | Record::Newer(_) => false,
        }
    }

    /// The end of a quarantine that lasts at `now`; for it alone nobody needs the lock.
    pub(super) fn quarantined_until(&self, boot_id: &str, now: BootTime) -> Option<BootTime> {
        match self {
            Record::Good { stamp, slot: slot @ Slot::Quarantined(quarantine) }
                if stamp.boot_id == boot_id && !slot.from_the_future(now) && now < quarantine.until =>
            {
                Some(quarantine.until)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const TERMS: Terms = Terms { lease: Duration::from_secs(60), quarantine: Duration::from_secs(960) };

    fn at(seconds: u64) -> BootTime {
        BootTime::from_millis(seconds * 1000)
    }

    fn held() -> Slot<Occupant> {
        let holder = Occupant { pid: 7, run_id: "r".into(), job: "j".into(), connection_id: "c".into() };
        let mut slot = Slot::Free;
        slot.take(holder, at(100), TERMS).unwrap();
        slot
    }

    fn stamp(boot_id: &str) -> Stamp {
        let written = Some("2026-03-02T09:00:00Z".parse().unwrap());
        Stamp { boot_id: boot_id.into(), machine_id: Some("m".into()), written }
    }

    fn until(slot: Slot<Occupant>) -> Option<BootTime> {
        match slot {
            Slot::Quarantined(quarantine) => Some(quarantine.until),
            _ => None,
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was_written() {
        let quarantined = Slot::Quarantined(Quarantine { since: at(1), until: at(2) });
        for slot in [Slot::Free, held(), quarantined] {
            let read = Record::parse(&Record::text(&stamp("boot"), &slot));
            assert_eq!(read, Record::Good { stamp: stamp("boot"), slot });
        }
    }

    #[test]
    fn whoever_left_a_held_record_behind_is_dead() {
        let record = Record::Good { stamp: stamp("a"), slot: held() };
        assert_eq!(until(record.clone().unlocked("a", at(110), TERMS)), Some(at(100 + 60 + 960)));
        assert_eq!(record.clone().unlocked("a", at(100 + 60 + 960), TERMS), Slot::Free);
        assert_eq!(until(record.clone().unlocked("b", at(110), TERMS)), Some(at(110 + 960)), "another boot");
        assert_eq!(until(record.unlocked("a", at(99), TERMS)), Some(at(99 + 960)), "from the future");
    }

    #[test]
    fn what_cannot_be_read_is_quarantined() {
        for text in
            [&b""[..], b"{", b"{\"version\":1}", b"null", b"{\"version\":1,\"boot_id\":\"a\",\"slot\":3}"]
        {
            let record = Record::parse(text);
            assert_eq!(record, Record::Garbage);
            assert_eq!(until(record.unlocked("a", at(5), TERMS)), Some(at(5 + 60 + 960)));
        }
        assert_eq!(Record::parse(br#"{"version":2,"anything":[]}"#), Record::Newer(2));
    }

    #[test]
    fn what_was_left_is_told_as_it_is() {
        let Slot::Held(Hold { holder, .. }) = held() else { panic!("it is held") };
        let good = |slot| Record::Good { stamp: stamp("a"), slot };
        let left = |record: Record, boot_id| record.left(boot_id, at(110));
        assert_eq!(left(good(held()), "a"), Some(Left::Vanished(holder.clone())));
        assert_eq!(left(good(held()), "b"), Some(Left::BeforeRestart(holder)));
        assert_eq!(left(Record::Garbage, "a"), Some(Left::Unreadable));
        let quarantined = Slot::Quarantined(Quarantine { since: at(1), until: at(2000) });
        for told_before in [good(quarantined), good(Slot::Free), Record::Absent] {
            assert_eq!(left(told_before, "b"), None);
        }
    }
}
