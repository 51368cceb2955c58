//! Why an action failed, and why a run ends before its last step.

use crate::exchange::errors::{ErrorKind, Happened, RemoteError};
use crate::exit::Exit;
use crate::rules::causes::chain;
use crate::session::{CallError, SessionError};
use crate::signin::{SigninError, SigninErrorKind};
use crate::slots::SlotError;
use crate::spec::template::ExpressionError;

/// One failed action on one object.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// A word of a closed set.
    pub(super) kind: &'static str,
    /// One line.
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    /// Whether the service may have done what was asked.
    pub(super) happened: Happened,
    /// What it means for the run.
    pub(super) weight: Weight,
    /// Requests it took.
    pub(super) requests: u32,
    /// Answers among them that asked for patience.
    pub(super) throttled: u32,
}

/// What a failure means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// The step's `on_error` decides.
    Ordinary,
    /// Nothing more can be done in this run; it ends with this code.
    EndsRun(Exit),
}

/// Why a run ended before its last step.
#[derive(Clone, Debug)]
pub(super) struct Halt {
    pub(super) exit: Exit,
    /// One line.
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Failure {
        Failure {
            kind,
            message: message.into(),
            request_id: None,
            happened: Happened::No,
            weight: Weight::Ordinary,
            requests: 0,
            throttled: 0,
        }
    }

    pub(super) fn ends_run(kind: &'static str, exit: Exit, message: impl Into<String>) -> Failure {
        Failure { weight: Weight::EndsRun(exit), ..Failure::new(kind, message) }
    }

    /// The error of the service behind it, where there is one to look at.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.happened == Happened::Unknown
    }
}

impl Halt {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Halt {
        Halt { exit, message: message.into() }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Failure {
        let kind = error.kind();
        let happened = error.happened();
        let message = chain(&error);
        match error {
            CallError::Remote(remote) => Failure::from(remote),
            CallError::Signin(signin) => Failure { happened, ..Failure::from(&signin) },
            CallError::Renew(_)
            | CallError::LeaseLost { .. }
            | CallError::CutShort { .. }
            | CallError::Gone => Failure { happened, ..Failure::ends_run(kind, Exit::Failed, message) },
        }
    }
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Failure {
        let weight = match error.kind {
            ErrorKind::Throttled | ErrorKind::SessionLimit => Weight::EndsRun(Exit::NoSession),
            ErrorKind::Interrupted => Weight::EndsRun(Exit::Interrupted),
            // A cancelled or expired right does not come back for the next object.
            ErrorKind::Unauthorized => Weight::EndsRun(Exit::SigninRefused),
            _ => Weight::Ordinary,
        };
        Failure {
            kind: error.kind.word(),
            message: error.to_string(),
            request_id: error.request_id.clone(),
            happened: error.happened,
            weight,
            requests: error.attempts,
            throttled: error.throttled,
        }
    }
}

impl From<&SigninError> for Failure {
    fn from(error: &SigninError) -> Failure {
        Failure::ends_run("signin", signin_exit(error.kind), error.to_string())
    }
}

impl From<ExpressionError> for Failure {
    fn from(error: ExpressionError) -> Failure {
        Failure::new("expression", error.to_string())
    }
}

impl From<SessionError> for Halt {
    fn from(error: SessionError) -> Halt {
        let exit = match &error {
            SessionError::NoSession { .. } | SessionError::NoneFree { .. } => Exit::NoSession,
            // It was waited for in vain: as for a session that was not to be had in time.
            SessionError::Slot(SlotError::Unavailable { .. }) => Exit::NoSession,
            SessionError::Slot(_) => Exit::BadInput,
            SessionError::Open(_) => Exit::Failed,
        };
        Halt::new(exit, chain(&error))
    }
}

/// The exit code of a failed sign-in.
pub fn signin_exit(kind: SigninErrorKind) -> Exit {
    match kind {
        SigninErrorKind::Refused | SigninErrorKind::Unfit | SigninErrorKind::NobodyThere => {
            Exit::SigninRefused
        }
        SigninErrorKind::Forbidden => Exit::RefusedByPolicy,
        SigninErrorKind::BadInput => Exit::BadInput,
        SigninErrorKind::Throttled => Exit::NoSession,
        SigninErrorKind::Unavailable => Exit::Failed,
    }
}
