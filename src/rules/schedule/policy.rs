//! What becomes of occurrences that are due at a bad moment.

use std::time::Duration;

use super::Blackout;

/// `run_policy` of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunPolicy {
    /// What happens with an occurrence while an earlier run of the job is not over.
    pub overlap: Overlapping,
    /// What happens with due times that nobody was there for.
    pub missed: Missed,
    /// How long after its due time an occurrence may still start. `None`: however late.
    pub starting_deadline: Option<Duration>,
    /// When nothing starts.
    pub blackout: Vec<Blackout>,
    /// Nothing starts until this is taken away.
    pub suspend: bool,
}

/// What happens with an occurrence while an earlier run of the job is not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlapping {
    /// It is skipped.
    #[default]
    Forbid,
    /// It waits for the end of that run.
    Queue,
    /// That run is asked to stop, then it starts.
    Replace,
    /// It starts beside it.
    Allow,
}

/// What happens with due times that nobody was there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missed {
    /// They are skipped.
    Skip,
    /// The last of them is run, the others are skipped.
    #[default]
    Latest,
    /// The last `max` of them are run, the others are skipped.
    All {
        /// At least 1.
        max: u32,
    },
}
