//! Runs, and what they do: calls and objects.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::proto::MetricFamily;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Registry};

use super::{Metrics, counter, counters, made};
use crate::exit::Exit;

/// Seconds. A call takes some hundred milliseconds; the service ends one after 15 minutes.
const CALL_BUCKETS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 300.0, 960.0];

/// What became of one object of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectResult {
    /// It was written.
    Changed,
    /// It was in the declared state already.
    Unchanged,
    /// It could not be read or written.
    Failed,
    /// It would be written, but this run only looks.
    Pending,
}

impl ObjectResult {
    pub(super) fn word(self) -> &'static str {
        match self {
            ObjectResult::Changed => "changed",
            ObjectResult::Unchanged => "unchanged",
            ObjectResult::Failed => "failed",
            ObjectResult::Pending => "pending",
        }
    }
}

/// One finished call, repeats included.
#[derive(Clone, Copy, Debug)]
pub struct FinishedCall<'a> {
    /// The job's name.
    pub job: &'a str,
    /// The step's name.
    pub step: &'a str,
    /// Canonical spelling.
    pub cmdlet: &'a str,
    /// `ok`, or the error kind's word; `'static`, so that no text of the service becomes a label.
    pub outcome: &'static str,
    /// From the first byte to the end of the last answer, pauses included.
    pub took: Duration,
    /// Requests that were repeats.
    pub retries: u32,
    /// Answers that said "too many requests".
    pub throttled: u32,
}

pub(super) struct Runs {
    ended: IntCounterVec,
    /// The jobs of which runs ended in this process.
    jobs: Mutex<BTreeSet<String>>,
    calls: IntCounterVec,
    call_duration: HistogramVec,
    call_retries: IntCounter,
    throttled: IntCounter,
    objects: IntCounterVec,
}

impl Runs {
    pub(super) fn new(r: &Registry) -> Runs {
        Runs {
            ended: made(
                r,
                counters("exorun_runs_total", "Runs that ended, by how.", &["job", "target", "outcome"]),
            ),
            jobs: Mutex::default(),
            calls: made(
                r,
                counters(
                    "exorun_calls_total",
                    "Cmdlet calls that ended, by how.",
                    &["job", "step", "cmdlet", "outcome"],
                ),
            ),
            call_duration: made(
                r,
                HistogramVec::new(
                    HistogramOpts::new(
                        "exorun_call_duration_seconds",
                        "How long a cmdlet call took, repeats included.",
                    )
                    .buckets(CALL_BUCKETS.to_vec()),
                    &["cmdlet"],
                ),
            ),
            call_retries: made(r, counter("exorun_call_retries_total", "Requests that were repeats.")),
            throttled: made(r, counter("exorun_throttled_total", "Answers that said: too many requests.")),
            objects: made(
                r,
                counters(
                    "exorun_objects_total",
                    "Objects a step dealt with, by what became of them.",
                    &["job", "step", "result"],
                ),
            ),
        }
    }

    /// Removes the series of `jobs`.
    pub(super) fn forget(&self, jobs: &BTreeSet<&str>) {
        forget(&self.ended, jobs);
        forget(&self.calls, jobs);
        forget(&self.objects, jobs);
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).retain(|job| !jobs.contains(job.as_str()));
    }
}

/// Removes the series of `family` whose label `job` is one of `jobs`.
pub(super) fn forget<T: MetricVecBuilder>(family: &MetricVec<T>, jobs: &BTreeSet<&str>) {
    for series in family.collect().iter().flat_map(MetricFamily::get_metric) {
        let labels: HashMap<&str, &str> =
            series.get_label().iter().map(|label| (label.name(), label.value())).collect();
        if labels.get("job").is_some_and(|job| jobs.contains(job)) {
            // An error would be one of a series that is gone already.
            let _ = family.remove(&labels);
        }
    }
}

impl Metrics {
    /// A run of `job` against `target` ended at `at` after `took`.
    pub fn run_finished(&self, job: &str, target: &str, outcome: Exit, took: Duration, at: Timestamp) {
        self.jobs_of_process().insert(job.to_owned());
        self.0.runs.ended.with_label_values(&[job, target, outcome.word()]).inc();
        self.0.last.finished([job, target], outcome, took, at);
    }

    /// A dry run of `job` ended: it moves nothing, but what earlier runs left of the job is kept.
    pub fn run_looked(&self, job: &str) {
        self.jobs_of_process().insert(job.to_owned());
    }

    /// The jobs of which runs ended in this process.
    pub(in crate::observe) fn jobs(&self) -> BTreeSet<String> {
        self.jobs_of_process().clone()
    }

    fn jobs_of_process(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.runs.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call ended.
    pub fn call_finished(&self, call: &FinishedCall<'_>) {
        self.0.runs.calls.with_label_values(&[call.job, call.step, call.cmdlet, call.outcome]).inc();
        self.0.runs.call_duration.with_label_values(&[call.cmdlet]).observe(call.took.as_secs_f64());
        self.0.runs.call_retries.inc_by(u64::from(call.retries));
        self.0.runs.throttled.inc_by(u64::from(call.throttled));
    }

    /// A step is done with an object.
    pub fn object(&self, job: &str, step: &str, result: ObjectResult) {
        self.0.runs.objects.with_label_values(&[job, step, result.word()]).inc();
    }
}
