//! How the process ends: one closed set of exit codes, documented in the README and used by the chart.

use std::process::ExitCode;

/// The way a command ended. The numbers are part of the program's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or everything is in sync.
    Done,
    /// 1: failed.
    Failed,
    /// 2: a dry run found changes that are pending (as Terraform's detailed exit code).
    ChangesPending,
    /// 3: some objects failed, the others are done.
    PartlyFailed,
    /// 64: bad usage, job file or settings; nothing was connected.
    BadInput,
    /// 69: no session in time, or throttled past the budget.
    NoSession,
    /// 75: interrupted, or the drain was cut short; all sessions are closed.
    Interrupted,
    /// 77: sign-in was refused.
    SigninRefused,
    /// 78: refused by policy or by a limit of the job.
    RefusedByPolicy,
}

impl Exit {
    /// All of them.
    pub const ALL: [Exit; 9] = [
        Exit::Done,
        Exit::Failed,
        Exit::ChangesPending,
        Exit::PartlyFailed,
        Exit::BadInput,
        Exit::NoSession,
        Exit::Interrupted,
        Exit::SigninRefused,
        Exit::RefusedByPolicy,
    ];

    /// The number the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::ChangesPending => 2,
            Exit::PartlyFailed => 3,
            Exit::BadInput => 64,
            Exit::NoSession => 69,
            Exit::Interrupted => 75,
            Exit::SigninRefused => 77,
            Exit::RefusedByPolicy => 78,
        }
    }

    /// The closed set of words used as a metric label, in the report and in logs.
    pub fn word(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Failed => "failed",
            Exit::ChangesPending => "changes_pending",
            Exit::PartlyFailed => "partly_failed",
            Exit::BadInput => "bad_input",
            Exit::NoSession => "no_session",
            Exit::Interrupted => "interrupted",
            Exit::SigninRefused => "signin_refused",
            Exit::RefusedByPolicy => "refused_by_policy",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
