//! What the last run of a job was: times and results that outlive the process, so that "no success for a day" can be asked.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus::{GaugeVec, IntGaugeVec, Opts, Registry};

use super::runs::forget;
use super::{Metrics, ObjectResult, gauges, made};
use crate::exit::Exit;

/// A family whose value of an earlier process is kept until a run of this one has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// When a run ended, whatever its outcome.
    Completion,
    /// When one ended with exit code 0.
    Success,
    /// When one ended with another.
    Failure,
    /// Which exit code the last one had.
    ExitCode,
}

impl Kept {
    /// All of them.
    pub const ALL: [Kept; 4] = [Kept::Completion, Kept::Success, Kept::Failure, Kept::ExitCode];

    /// The family's name.
    pub fn family(self) -> &'static str {
        match self {
            Kept::Completion => "exorun_last_completion_timestamp_seconds",
            Kept::Success => "exorun_last_success_timestamp_seconds",
            Kept::Failure => "exorun_last_failure_timestamp_seconds",
            Kept::ExitCode => "exorun_last_exit_code",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Kept::Completion => "When the last run ended, whatever its outcome.",
            Kept::Success => "When the last run ended that did all it had to do (exit code 0).",
            Kept::Failure => "When the last run ended that did not (any other exit code).",
            Kept::ExitCode => "The exit code of the last run.",
        }
    }
}

pub(super) struct Last {
    kept: [IntGaugeVec; Kept::ALL.len()],
    duration: GaugeVec,
    objects: IntGaugeVec,
    /// Which values are of this process: a kept one never overwrites them.
    own: Mutex<BTreeSet<(String, String, Kept)>>,
}

impl Last {
    pub(super) fn new(r: &Registry) -> Last {
        let run = ["job", "target"];
        let kept = |kept: Kept| made(r, gauges(kept.family(), kept.help(), &run));
        let duration = Opts::new("exorun_run_duration_seconds", "How long the last run took.");
        let objects = "Objects of the last run, by what became of them.";
        Last {
            kept: Kept::ALL.map(kept),
            duration: made(r, GaugeVec::new(duration, &run)),
            objects: made(r, gauges("exorun_last_run_objects", objects, &["job", "target", "result"])),
            own: Mutex::default(),
        }
    }

    /// Removes the series of `jobs`.
    pub(super) fn forget(&self, jobs: &BTreeSet<&str>) {
        for family in self.kept.iter().chain([&self.objects]) {
            forget(family, jobs);
        }
        forget(&self.duration, jobs);
        self.own().retain(|(job, ..)| !jobs.contains(job.as_str()));
    }

    pub(super) fn finished(&self, [job, target]: [&str; 2], outcome: Exit, took: Duration, at: Timestamp) {
        self.duration.with_label_values(&[job, target]).set(took.as_secs_f64());
        let end = if outcome == Exit::Done { Kept::Success } else { Kept::Failure };
        let at = at.as_second();
        for (kept, value) in [(Kept::Completion, at), (end, at), (Kept::ExitCode, i64::from(outcome.code()))]
        {
            self.own().insert((job.to_owned(), target.to_owned(), kept));
            self.set(kept, job, target, value);
        }
    }

    fn set(&self, kept: Kept, job: &str, target: &str, value: i64) {
        self.kept[kept as usize].with_label_values(&[job, target]).set(value);
    }

    fn own(&self) -> MutexGuard<'_, BTreeSet<(String, String, Kept)>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Metrics {
    /// What became of the objects of the last run of `job` against `target`.
    pub fn run_objects(&self, job: &str, target: &str, objects: [(ObjectResult, u64); 4]) {
        for (result, count) in objects {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.0.last.objects.with_label_values(&[job, target, result.word()]).set(count);
        }
    }

    /// A value of an earlier process, unless a run of this one has its own.
    pub fn keep(&self, kept: Kept, job: &str, target: &str, value: i64) {
        if !self.0.last.own().contains(&(job.to_owned(), target.to_owned(), kept)) {
            self.0.last.set(kept, job, target, value);
        }
    }
}
