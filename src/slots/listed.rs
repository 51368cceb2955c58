//! What slots are doing, for people.

use std::time::Duration;

use jiff::Timestamp;

use super::{AccountKey, Holder, SlotId};

/// An account's slots at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAccount {
    /// Whose.
    pub account: AccountKey,
    /// How many slots there are.
    pub limit: u32,
    /// How many may be in use for now, if the service has made that fewer.
    pub lowered_to: Option<u32>,
    /// Sessions opened within the opens budget's window.
    pub opens: u32,
    /// Runs that wait.
    pub waiting: u32,
    /// Those that are not free, in their order.
    pub slots: Vec<ListedSlot>,
}

/// One slot that is not free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSlot {
    /// Which.
    pub slot: SlotId,
    /// What it is doing.
    pub state: ListedState,
}

/// What a slot that is not free is doing. Times are wall times, as well as the store's records allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListedState {
    /// Somebody holds it.
    Held {
        /// Who.
        holder: Holder,
        /// The holder's process or pod: `process 123`, `pod exorun-28712345-abcde`.
        place: String,
        /// When it was taken.
        since: Timestamp,
        /// When the lease ends if it is not renewed. On the host's own store a living holder keeps its slot beyond it.
        lease_ends: Timestamp,
        /// How long the service may work on the call in hand after the lease's end.
        call_limit: Duration,
    },
    /// It comes back by itself.
    Quarantined {
        /// When it was known that the holder is gone, or that its close was not confirmed.
        since: Timestamp,
        /// The first moment at which it may be taken.
        until: Timestamp,
    },
}

/// What an operator's release has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// It was held: its holder has lost it, and it is in quarantine.
    Quarantined,
    /// It was in quarantine: anybody may take it now.
    Free,
    /// Nobody had it.
    WasFree,
    /// It is not as it was meant: another holder has it, or it went into or out of quarantine. Nothing was done.
    Changed,
}

/// What an operator has seen of a slot, and means to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// The lease of the holder with this connection id.
    Holder(String),
    /// The quarantine.
    Quarantine,
}
