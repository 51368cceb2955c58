//! The places for sessions an account has, kept where all processes that share the account can see them.

pub mod kubernetes;
mod listed;
pub mod local;

pub use kubernetes::KubernetesStore;
pub use listed::{ListedAccount, ListedSlot, ListedState, Meant, Released};
pub use local::LocalStore;

use std::time::Duration;

use async_trait::async_trait;

use crate::rules::slots::Terms;
use crate::rules::slots::opens::Budget;
use crate::rules::slots::working_limit::Pace;
use crate::rules::time::BootTime;

/// Who signs in: cloud + tenant id + object id. Never taken from a job's text. The key of the session limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountKey {
    /// The sign-in endpoint's host: which cloud.
    pub cloud: String,
    /// The token's `tid`.
    pub tenant_id: String,
    /// The token's `oid`, else its `appid`.
    pub object_id: String,
}

impl AccountKey {
    /// A name for it that is safe in paths and in Kubernetes: half a SHA-256 in hexadecimal, of lower case, so that spellings
    /// of a GUID agree.
    pub fn digest(&self) -> String {
        let AccountKey { cloud, tenant_id, object_id } = self;
        let text = format!("{cloud}\n{tenant_id}\n{object_id}").to_ascii_lowercase();
        let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Which of the account's places; counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub u32);

/// Who holds a slot, as the record and `exorun sessions` show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The run's id.
    pub run_id: String,
    /// The job's name.
    pub job: String,
    /// The session's connection id.
    pub connection_id: String,
}

/// Whether the caller waits if it gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// It does: it keeps a place in the line of those who wait, until it has a slot or leaves.
    InLine,
    /// It does not, and takes only what nobody waits for.
    InPassing,
}

/// How a slot comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// The close was confirmed, or nothing was opened: free at once.
    Free,
    /// The service may still count the session: quarantined.
    Quarantine,
}

/// An attempt to get a slot.
pub enum Attempt {
    /// Got one; an open was taken from the opens-per-minute budget with it.
    Lease(Box<dyn SlotLease>),
    /// None is free, or the opens budget is used up. Try again at the time given at the latest.
    Busy(Busy),
}

/// Why no slot could be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// Slots held by live holders.
    pub held: u32,
    /// Slots in quarantine.
    pub quarantined: u32,
    /// The opens-per-minute budget was the reason.
    pub opens_exhausted: bool,
    /// How many may be in use for now, if the service has made that fewer than there are slots.
    pub lowered_to: Option<u32>,
    /// Others who came earlier and wait too.
    pub ahead: u32,
    /// A process that was stopped keeps what all holders share: nobody gets a slot until it goes on or ends.
    pub is_stuck: bool,
    /// When something may change by itself; `None` where only a holder can change it.
    pub until: Option<BootTime>,
}

impl Busy {
    /// Counts one more slot in quarantine.
    pub(crate) fn note_quarantine(&mut self, until: BootTime) {
        self.quarantined += 1;
        self.note_change(until);
    }

    /// Something may change by itself at `at`.
    pub(crate) fn note_change(&mut self, at: BootTime) {
        self.until = Some(self.until.map_or(at, |earlier| earlier.min(at)));
    }
}

/// How long leases, quarantines and the memory of opens last. The same for all holders of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotTimes {
    /// Lease and quarantine.
    pub terms: Terms,
    /// Opens per window.
    pub opens: Budget,
    /// How the limit moves after the service has refused.
    pub pace: Pace,
    /// A waiting run that was not seen for longer is passed over by those behind it.
    pub patience: Duration,
}

/// Where slots are kept: on the host, or as Kubernetes Leases.
#[async_trait]
pub trait SlotStore: Send + Sync + 'static {
    /// Tries once to get a slot (and an open of the opens budget) for `account`; never waits for one.
    ///
    /// # Cancel safety
    /// Dropped before it returns, a slot that was taken is given back free, where the store can still be reached, or ends
    /// in quarantine; a place in the line is left with [`SlotStore::leave`], or passed over after the patience.
    ///
    /// # Errors
    /// [`SlotError::Store`] or [`SlotError::Unavailable`].
    async fn attempt(&self, account: &AccountKey, holder: &Holder, ask: Ask) -> Result<Attempt, SlotError>;

    /// `holder`, who has asked [`Ask::InLine`] and has got nothing, waits no longer. Nothing happens if it does not wait.
    ///
    /// # Cancel safety
    /// Dropped before it returns, the place in the line is left, or passed over after the patience.
    ///
    /// # Errors
    /// As [`SlotStore::attempt`]; the place is passed over after the patience then.
    async fn leave(&self, account: &AccountKey, holder: &Holder) -> Result<(), SlotError>;

    /// The service has refused `account` for concurrency or throttled it: fewer slots are given out for a while.
    /// Returns how many may be in use now. Sessions that are open stay.
    ///
    /// # Cancel safety
    /// Dropped before it returns, the limit may have been lowered or not.
    ///
    /// # Errors
    /// As [`SlotStore::attempt`], if that could not be noted.
    async fn refused(&self, account: &AccountKey) -> Result<u32, SlotError>;

    /// The slots of `account`, or of all accounts that the store knows. Changes nothing.
    ///
    /// # Errors
    /// As [`SlotStore::attempt`].
    async fn list(&self, account: Option<&AccountKey>) -> Result<Vec<ListedAccount>, SlotError>;

    /// An operator takes a slot away from whoever has it: from a holder, who loses its lease, into quarantine; out of
    /// quarantine, because the operator knows that the service has forgotten the session. Only what is `meant` is ended.
    ///
    /// # Cancel safety
    /// Dropped before it returns, it was done or not.
    ///
    /// # Errors
    /// As [`SlotStore::attempt`]; also where the store cannot take it away, with the mend.
    async fn release(&self, account: &AccountKey, slot: SlotId, meant: &Meant)
    -> Result<Released, SlotError>;

    /// Waits until attempts whose callers are gone have given their slots back: for the end of the program.
    async fn settled(&self) {}
}

/// A slot that is held. Dropped without `give_back`, it ends in quarantine.
#[async_trait]
pub trait SlotLease: Send + 'static {
    /// Which slot.
    fn slot(&self) -> SlotId;

    /// When the lease ends if it is not renewed.
    fn ends(&self) -> BootTime;

    /// What the look that led to it has seen of the account's other slots.
    fn seen(&self) -> Busy;

    /// Renews the lease and records how long the service may work on the call in hand after the holder's death.
    ///
    /// A lease that has ended is renewed nevertheless if nobody has declared its holder dead.
    ///
    /// # Cancel safety
    /// May be dropped, and is, whenever a call ends while a renewal is on its way. Whether the dropped renewal took
    /// effect or not, [`SlotLease::ends`] never says more than the record, and later calls work.
    ///
    /// # Errors
    /// [`SlotError::Lost`] if somebody else may hold the slot: no further call may be made.
    async fn renew(&mut self, call_limit: Duration) -> Result<(), SlotError>;

    /// Gives the slot back.
    ///
    /// # Cancel safety
    /// Dropped before it returns, the slot is returned as asked or ends in quarantine.
    ///
    /// # Errors
    /// [`SlotError`] if the record could not be written: the slot ends in quarantine then. A store repeats by itself
    /// what is worth repeating.
    async fn give_back(self: Box<Self>, how: Returned) -> Result<(), SlotError>;
}

/// What can go wrong with the store itself.
#[derive(Debug, thiserror::Error)]
pub enum SlotError {
    /// The lease is lost: the holder stops.
    #[error("the lease of slot {slot} is lost: {reason}")]
    Lost {
        /// Which slot.
        slot: u32,
        /// In one line.
        reason: String,
    },
    /// The store cannot be used until somebody mends it.
    #[error("slot store {place}: {reason}")]
    Store {
        /// The folder or object.
        place: String,
        /// In one line, with the mend.
        reason: String,
    },
    /// The store cannot be used now; that may pass by itself.
    #[error("slot store {place}: {reason}")]
    Unavailable {
        /// The folder or object.
        place: String,
        /// In one line, with the mend.
        reason: String,
    },
}
