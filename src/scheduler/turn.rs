//! What one turn of the dispatcher has decided: written down whole before any of it is done.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::work::Work;
use crate::history::{Occurrence, ScheduleId, Write};
use crate::rules::occurrences::{Passed, SkipReason};
use crate::runner::stop::Stop;

/// Decisions, in the order in which they were made.
#[derive(Default)]
#[must_use]
pub struct Turn {
    /// What the history is told, in one transaction.
    pub writes: Vec<Write>,
    /// The runs to begin once that is written.
    pub starts: Vec<Start>,
    /// The runs to ask to stop once that is written: newer ones wait for their end.
    pub stops: Vec<Stop>,
    /// Schedules that are no more.
    pub retires: Vec<ScheduleId>,
    /// How many occurrences of which jobs were met for the first time, for the metrics.
    pub due: Vec<(Arc<str>, u64)>,
    /// What was skipped, for log and metrics.
    pub skipped: Vec<Skipped>,
    /// Whether due jobs are left that this turn had no time for.
    pub is_cut: bool,
}

/// A run to begin.
pub struct Start {
    /// Its id.
    pub run: Uuid,
    /// What it is for.
    pub occurrence: Occurrence,
    /// The job's name.
    pub job: Arc<str>,
    /// When it was meant to begin: the due time and the schedule's delay.
    pub meant_for: Timestamp,
    /// What to do.
    pub work: Arc<dyn Work>,
    /// How it is asked to stop.
    pub stop: Stop,
}

/// Occurrences of a job that will not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The job's name.
    pub job: Arc<str>,
    /// Which, how many and why.
    pub passed: Passed,
}

impl Turn {
    /// The history wants to hear of a schedule's due times in their order; decided were they in another.
    pub(super) fn in_order(&mut self) {
        self.writes.sort_by_key(|write| match write {
            Write::Waiting { occurrence, .. }
            | Write::Started { occurrence, .. }
            | Write::Ended { occurrence, .. } => occurrence.due,
            Write::Skipped { first, .. } => *first,
        });
    }

    /// Adds another turn, which begins and stops no run.
    pub(super) fn append(&mut self, other: Turn) {
        self.writes.extend(other.writes);
        self.retires.extend(other.retires);
        self.due.extend(other.due);
        self.skipped.extend(other.skipped);
    }

    /// Whether there is nothing to write and nothing to do.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.starts.is_empty() && self.stops.is_empty() && self.retires.is_empty()
    }
}

impl Skipped {
    pub(super) fn one(job: &Arc<str>, due: Timestamp, reason: SkipReason) -> Skipped {
        Skipped { job: Arc::clone(job), passed: Passed { first: due, last: due, count: 1, reason } }
    }
}
