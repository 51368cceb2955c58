//! How an occurrence ends. The words are stored in the history and are labels of metrics: they never change their meaning.

/// Why an occurrence was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// The occurrence before it was still running.
    Overlap,
    /// It would have waited, and as many waited as may.
    QueueFull,
    /// Nobody was there when it was due: a downtime, or a clock that was set forward.
    Missed,
    /// It could not be started in time.
    StartingDeadline,
    /// It was due in a window in which nothing may start.
    Blackout,
    /// The job was suspended.
    Suspended,
    /// A newer occurrence took its place while it waited.
    Replaced,
    /// The job or the schedule was removed while it waited.
    Removed,
}

/// Why an occurrence that was started did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailReason {
    /// The run failed.
    Failed,
    /// Some objects failed, the others are done.
    PartlyFailed,
    /// The job could not be used.
    BadInput,
    /// No session in time, or throttled past the budget.
    NoSession,
    /// The run was cut short by a stop.
    Interrupted,
    /// Sign-in was refused.
    SigninRefused,
    /// Refused by policy or by a limit of the job.
    RefusedByPolicy,
    /// A newer occurrence ended it.
    Replaced,
    /// Its process died; nobody knows how far it came.
    Lost,
}

/// How an occurrence that was started has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// The run did what it was to do.
    Ran,
    /// It did not.
    Failed(FailReason),
}

impl SkipReason {
    /// All of them.
    pub const ALL: [SkipReason; 8] = [
        SkipReason::Overlap,
        SkipReason::QueueFull,
        SkipReason::Missed,
        SkipReason::StartingDeadline,
        SkipReason::Blackout,
        SkipReason::Suspended,
        SkipReason::Replaced,
        SkipReason::Removed,
    ];

    /// Its word: stored, and a label of metrics.
    pub fn word(self) -> &'static str {
        match self {
            SkipReason::Overlap => "overlap",
            SkipReason::QueueFull => "queue_full",
            SkipReason::Missed => "missed",
            SkipReason::StartingDeadline => "starting_deadline",
            SkipReason::Blackout => "blackout",
            SkipReason::Suspended => "suspended",
            SkipReason::Replaced => "replaced",
            SkipReason::Removed => "removed",
        }
    }

    /// The reason of a word.
    pub fn parse(word: &str) -> Option<SkipReason> {
        SkipReason::ALL.into_iter().find(|reason| reason.word() == word)
    }
}

impl FailReason {
    /// All of them.
    pub const ALL: [FailReason; 9] = [
        FailReason::Failed,
        FailReason::PartlyFailed,
        FailReason::BadInput,
        FailReason::NoSession,
        FailReason::Interrupted,
        FailReason::SigninRefused,
        FailReason::RefusedByPolicy,
        FailReason::Replaced,
        FailReason::Lost,
    ];

    /// Its word: stored, and a label of metrics. Where the process's exit code has one, it is the same.
    pub fn word(self) -> &'static str {
        match self {
            FailReason::Failed => "failed",
            FailReason::PartlyFailed => "partly_failed",
            FailReason::BadInput => "bad_input",
            FailReason::NoSession => "no_session",
            FailReason::Interrupted => "interrupted",
            FailReason::SigninRefused => "signin_refused",
            FailReason::RefusedByPolicy => "refused_by_policy",
            FailReason::Replaced => "replaced",
            FailReason::Lost => "lost",
        }
    }

    /// The reason of a word.
    pub fn parse(word: &str) -> Option<FailReason> {
        FailReason::ALL.into_iter().find(|reason| reason.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_what_wrote_it() {
        for reason in SkipReason::ALL {
            assert_eq!(SkipReason::parse(reason.word()), Some(reason));
        }
        for reason in FailReason::ALL {
            assert_eq!(FailReason::parse(reason.word()), Some(reason));
        }
        assert_eq!(SkipReason::parse("Missed"), None);
    }
}
