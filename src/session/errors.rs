//! Why there is no session, and why a call has failed.

use std::time::Duration;

use crate::exchange::errors::{Happened, RemoteError};
use crate::rules::duration::show_about;
use crate::signin::SigninError;
use crate::slots::{Busy, SlotError};

/// Why a session could not be had. Nothing was sent in its name.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The time to wait is spent.
    #[error("no session in {}: {}", show_about(*waited), busy_text(busy))]
    NoSession {
        /// What the last look saw.
        busy: Busy,
        /// How long the run has waited.
        waited: Duration,
    },
    /// A further session was asked for, and none is free at once.
    #[error("no further session is free: {held} in use, {quarantined} in quarantine")]
    NoneFree {
        /// Slots held by live holders.
        held: u32,
        /// Slots in quarantine.
        quarantined: u32,
    },
    /// The slot store failed.
    #[error("failed to get a slot")]
    Slot(#[from] SlotError),
    /// The connection could not be opened.
    #[error("failed to open a session")]
    Open(#[from] RemoteError),
}

fn busy_text(busy: &Busy) -> String {
    let mut text = format!("{} in use, {} in quarantine", busy.held, busy.quarantined);
    if busy.ahead > 0 {
        text.push_str(&format!(", {} came earlier and wait too", busy.ahead));
    }
    if busy.opens_exhausted {
        text.push_str(", and the opens per minute are used up");
    }
    if let Some(left) = busy.lowered_to {
        text.push_str(&format!(
            ", and no more than {left} for now, because the service has refused or throttled the account"
        ));
    }
    if busy.is_stuck {
        text.push_str(
            ", and a process that was stopped keeps the account's record locked: let it go on or end it",
        );
    }
    text
}

impl SessionError {
    pub(super) fn no_session(busy: Busy, waited: Duration) -> SessionError {
        SessionError::NoSession { busy, waited }
    }

    /// A word of a closed set, for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            SessionError::NoSession { .. } => "no_session",
            SessionError::NoneFree { .. } => "none_free",
            SessionError::Slot(_) => "slot_store",
            SessionError::Open(_) => "open",
        }
    }
}

/// Why a call has failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service refused or failed it, or the transport broke.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// There is no token for it. Nothing was sent.
    #[error("failed to get a token")]
    Signin(#[from] SigninError),
    /// The lease could not be renewed before the call. Nothing was sent; the session may try again.
    #[error("failed to renew the session's lease before the call")]
    Renew(#[source] SlotError),
    /// The lease is lost: this session makes no further call.
    #[error("the session's lease is lost: {reason}")]
    LeaseLost {
        /// In one line.
        reason: String,
        /// Whether the service may have done what the call asked for.
        happened: Happened,
    },
    /// The call outlasted the last good renewal and was cancelled before the lease could end.
    #[error("the call was cancelled: the session's lease could not be renewed in time")]
    CutShort {
        /// Whether the service may have done what the call asked for.
        happened: Happened,
    },
    /// An earlier call of this session was cut short, or its lease could not be renewed in time: the session can only be
    /// closed. Nothing was sent.
    #[error("the session is over: its lease could not be renewed in time, or a call was cut short")]
    Gone,
}

impl CallError {
    /// Whether the service may have done what the call asked for.
    pub fn happened(&self) -> Happened {
        match self {
            CallError::Remote(error) => error.happened,
            CallError::LeaseLost { happened, .. } | CallError::CutShort { happened } => *happened,
            CallError::Signin(_) | CallError::Renew(_) | CallError::Gone => Happened::No,
        }
    }

    /// Whether the session can only be closed now.
    pub fn ends_session(&self) -> bool {
        matches!(self, CallError::LeaseLost { .. } | CallError::CutShort { .. } | CallError::Gone)
    }

    /// A word of a closed set, for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            CallError::Remote(error) => error.kind.word(),
            CallError::Signin(_) => "signin",
            CallError::Renew(_) => "renew",
            CallError::LeaseLost { .. } => "lease_lost",
            CallError::CutShort { .. } => "cut_short",
            CallError::Gone => "session_gone",
        }
    }
}
