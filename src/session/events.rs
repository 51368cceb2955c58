//! What happens to sessions, for metrics and logs.

use std::time::Duration;

use jiff::Timestamp;

use super::SessionError;
use crate::exchange::{Closed, ConnectionId};
use crate::slots::{AccountKey, Busy, Returned, SlotError, SlotId};

/// What a report says about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFacts {
    /// Correlation data for the service.
    pub connection_id: ConnectionId,
    /// Which of the account's places.
    pub slot: SlotId,
    /// Who signed in.
    pub account: AccountKey,
    /// The run's id.
    pub run_id: String,
    /// The job's name.
    pub job: String,
    /// Where the connection is: `https://HOST[:PORT]`; nothing before it is open.
    pub endpoint: Option<String>,
    /// When the connection was open.
    pub opened_at: Timestamp,
    /// When the token of the last call ends; nothing before the first call.
    pub token_expires_at: Option<Timestamp>,
}

/// Which way a session came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The work returned.
    Return,
    /// The scope was dropped: cancelled, timed out, or unwinding after a panic.
    Drop,
    /// The connection could not be opened.
    FailedOpen,
}

/// How a session ended.
#[derive(Debug)]
pub struct Ended<'a> {
    /// Which way.
    pub by: EndedBy,
    /// How the transport ended.
    pub closed: Closed,
    /// How the slot went back; an error means that it ends in quarantine by itself.
    pub returned: Result<Returned, &'a SlotError>,
    /// From the slot's lease to its return.
    pub held_for: Duration,
    /// When the slot is free again, if it is in quarantine by our own word.
    pub free_at: Option<Timestamp>,
}

/// An observer of sessions. Called from the task that runs the session: it must not block.
pub trait SessionEvents: Send + Sync + 'static {
    /// No slot is to be had now; the run waits, for `_left` at the most. Called after each look.
    fn waiting(&self, _account: &AccountKey, _busy: &Busy, _left: Duration) {}

    /// The store could not be looked at; the run looks again while it has time to wait, `_left`.
    fn store_failed(&self, _account: &AccountKey, _error: &SlotError, _left: Duration) {}

    /// The run got no session.
    fn refused(&self, _account: &AccountKey, _why: &SessionError) {}

    /// A slot was taken, after that wait, and a session is to be opened; `_seen` are the account's other slots.
    fn taken(&self, _facts: &SessionFacts, _waited: Duration, _seen: &Busy) {}

    /// A session is open, after that wait for its slot.
    fn opened(&self, _facts: &SessionFacts, _waited: Duration) {}

    /// A run that waited was cut short: it waits no longer.
    fn stopped_waiting(&self, _account: &AccountKey) {}

    /// A session has ended and its slot went back. Also called for one that could not be opened.
    fn closed(&self, _facts: &SessionFacts, _ended: &Ended<'_>) {}

    /// A renewal failed; it is repeated while the lease lasts.
    fn renewal_failed(&self, _facts: &SessionFacts, _error: &SlotError) {}

    /// The service has refused for concurrency or throttled the account: so many slots may be in use for now.
    fn lowered(&self, _facts: &SessionFacts, _left: u32) {}

    /// That could not be noted where other holders see it.
    fn not_lowered(&self, _facts: &SessionFacts, _error: &SlotError) {}

    /// The lease could not be renewed in time: the session was closed before it ends.
    fn not_renewed(&self, _facts: &SessionFacts) {}

    /// The lease is lost: the session makes no further call.
    fn lease_lost(&self, _facts: &SessionFacts, _reason: &str) {}
}

/// Observes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl SessionEvents for NoEvents {}
