//! What the scheduler says of its turns: log lines, as few as can be, and metrics.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{info, warn};

use super::dispatcher::Dispatcher;
use super::turn::Skipped;
use crate::history::Write;
use crate::observe::metrics::{Ending, Metrics};
use crate::rules::occurrences::{Ended, SkipReason};

/// Lines about skipped occurrences in one turn: a clock that is set forward makes every job miss something at once.
const LINES_MAX: usize = 20;

/// Where it is told.
pub(super) struct Teller {
    metrics: Metrics,
}

impl Teller {
    pub(super) fn new(metrics: Metrics) -> Teller {
        Teller { metrics }
    }

    /// A turn is written down: what of it was due for the first time, what was skipped, and what has ended.
    pub(super) fn written(&self, due: &[(Arc<str>, u64)], skipped: &[Skipped], writes: &[Write]) {
        for (job, count) in due {
            self.metrics.occurrences_due(job, *count);
        }
        for write in writes {
            if let Write::Ended { ended, run, .. } = write {
                self.metrics.occurrences_ended(&run.job, ending(*ended), 1);
            }
        }
        for (number, Skipped { job, passed }) in skipped.iter().enumerate() {
            self.metrics.occurrences_ended(job, skipping(passed.reason), passed.count);
            if number < LINES_MAX {
                line(job, passed.reason, passed.count, passed.first, passed.last);
            }
        }
        if skipped.len() > LINES_MAX {
            warn!(
                jobs = skipped.len() - LINES_MAX,
                "skipped occurrences of further jobs; `exorun history --skipped` has them"
            );
        }
    }

    /// When the job is due next, and since when something of it waits.
    pub(super) fn times(&self, job: &str, dispatcher: &Dispatcher) {
        self.metrics.next_due(job, dispatcher.next_due(job));
        self.metrics.oldest_waiting(job, dispatcher.oldest_waiting(job));
    }

    /// A run begins.
    pub(super) fn started(&self, meant_for: Timestamp, now: Timestamp) {
        let late = Duration::try_from(now.duration_since(meant_for)).unwrap_or(Duration::ZERO);
        self.metrics.occurrence_started(late);
    }

    /// So many runs run, and so many occurrences wait.
    pub(super) fn busy(&self, running: u32, waiting: usize) {
        self.metrics.runs_in_hand(running, u32::try_from(waiting).unwrap_or(u32::MAX));
    }
}

/// As the metrics name how a run ended.
pub fn ending(ended: Ended) -> Ending {
    match ended {
        Ended::Ran => Ending { result: "ran", reason: "" },
        Ended::Failed(reason) => Ending { result: "failed", reason: reason.word() },
    }
}

/// As the metrics name why nothing ran.
pub fn skipping(reason: SkipReason) -> Ending {
    Ending { result: "skipped", reason: reason.word() }
}

fn line(job: &str, reason: SkipReason, count: u64, first: Timestamp, last: Timestamp) {
    let reason = reason.word();
    match count {
        1 => info!(job, reason, due = %first, "skipped: {reason}"),
        _ => info!(job, reason, count, first = %first, last = %last, "skipped {count} occurrences: {reason}"),
    }
}
