//! What the dispatcher has done when a job is due: the one seam between deciding and doing.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

use crate::history::RunRecord;
use crate::rules::occurrences::{Ended, FailReason};
use crate::rules::schedule::{RunPolicy, Schedule};
use crate::runner::stop::Stop;

/// A job as the dispatcher is given it: checked, and ready to run.
#[derive(Clone)]
pub struct Entry {
    /// The job's name, unique among all jobs.
    pub name: Arc<str>,
    /// When it is due; none: it is run by hand only.
    pub schedules: Vec<Schedule>,
    /// What becomes of occurrences that meet others, come late, or must not run.
    pub policy: Arc<RunPolicy>,
    /// Whose sessions its runs share, as far as the spec tells: jobs with equal texts share the places of one account. The
    /// account itself is known after sign-in only.
    pub account: Arc<str>,
    /// What to do.
    pub work: Arc<dyn Work>,
}

impl Entry {
    /// The canonical texts of its schedules, by which the history knows them.
    pub(super) fn texts(&self) -> Vec<String> {
        self.schedules.iter().map(Schedule::canonical).collect()
    }
}

/// What a job does when it is due.
pub trait Work: Send + Sync + 'static {
    /// Does it, from sign-in to the last closed session. It ends soon after it was asked to stop.
    ///
    /// # Cancel safety
    /// It is not dropped before its end, unless the process ends.
    fn run(self: Arc<Self>, order: Order) -> BoxFuture<'static, Done>;
}

/// What a run is told.
#[derive(Clone, Debug)]
pub struct Order {
    /// The run's id.
    pub run: Uuid,
    /// The due time that it is for.
    pub due: Timestamp,
    /// How it is asked to stop.
    pub stop: Stop,
}

/// How a run ended.
pub struct Done {
    /// What its occurrence ends as.
    pub ended: Ended,
    /// What the history keeps of it.
    pub record: Box<RunRecord>,
}

impl Done {
    /// Of a run that has panicked where nothing caught it. The hook has logged the panic.
    pub(super) fn panicked(run: Uuid, job: &str, due: Timestamp) -> Done {
        let reason = FailReason::Failed;
        let record = RunRecord {
            reason: Some("panicked (a defect of exorun; please report it)".to_owned()),
            ..RunRecord::bare(run, job, reason.word(), due, due)
        };
        Done { ended: Ended::Failed(reason), record: Box::new(record) }
    }
}
