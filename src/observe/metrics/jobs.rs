//! What is known of each job, whether or not it ever ran: a table of our own, because there may be 100,000 jobs.
//!
//! A series of the library takes about a kilobyte, and a page of it several times as much while it is gathered. Here a job
//! takes some hundred bytes, and its lines are written straight into the page. A job has no counts before something
//! of it was due.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::Metrics;
use crate::observe::exposition::Page;

/// How many jobs are written before others may look at the table: the scheduler must not wait for a scrape.
const JOBS_AT_A_TIME: usize = 500;

/// How occurrences ended: words of closed sets, which are labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// `ran`, `skipped` or `failed`.
    pub result: &'static str,
    /// Why, for the latter two; else nothing.
    pub reason: &'static str,
}

#[derive(Default)]
struct Counts {
    /// Its tenant, once it is loaded; empty if that is not known.
    target: Option<Box<str>>,
    loaded: Option<i64>,
    interval: Option<u64>,
    next_due: Option<i64>,
    oldest_waiting: Option<i64>,
    due: u64,
    /// Few: most jobs end in one or two ways.
    ended: Vec<(Ending, u64)>,
}

/// The table.
pub(super) struct Jobs {
    emulated: &'static str,
    counts: Mutex<BTreeMap<Box<str>, Counts>>,
}

impl Jobs {
    pub(super) fn new(emulated: &'static str) -> Jobs {
        Jobs { emulated, counts: Mutex::default() }
    }

    /// Removes the lines of `jobs`.
    pub(super) fn forget(&self, jobs: &BTreeSet<&str>) {
        let mut counts = self.lock();
        for job in jobs {
            counts.remove(*job);
        }
    }

    /// Writes what is known of every job, scheduled or not.
    pub(super) fn write(&self, page: &mut Page) {
        let name = "exorun_job_info";
        let help = "A job that is loaded, whether or not it ever ran; always 1.";
        self.family(page, [name, "gauge", help], |page, job, counts| {
            if let Some(target) = &counts.target {
                page.sample(name, [("job", job), ("target", target), ("emulated", self.emulated)], 1.0);
            }
        });
        let name = "exorun_job_loaded_timestamp_seconds";
        self.times(page, name, "Since when the job is known.", |counts| counts.loaded);
        let name = "exorun_schedule_interval_seconds";
        let help = "The longest time between two neighbouring due times of the job.";
        self.family(page, [name, "gauge", help], |page, job, counts| {
            if let Some(seconds) = counts.interval {
                page.sample(name, [("job", job), ("emulated", self.emulated)], seconds as f64);
            }
        });
    }

    /// Writes what a scheduler knows of them.
    pub(super) fn write_scheduled(&self, page: &mut Page) {
        let name = "exorun_next_due_timestamp_seconds";
        self.times(page, name, "When the job is due next.", |counts| counts.next_due);
        let name = "exorun_oldest_waiting_timestamp_seconds";
        let help = "When the oldest occurrence of the job was due that has not started.";
        self.times(page, name, help, |counts| counts.oldest_waiting);
        let name = "exorun_occurrences_due_total";
        self.family(page, [name, "counter", "Occurrences that were due."], |page, job, counts| {
            if counts.due > 0 {
                page.sample(name, [("job", job), ("emulated", self.emulated)], counts.due as f64);
            }
        });
        let name = "exorun_occurrences_total";
        let help = "Occurrences that ended, by how: the sum is that of those that were due, but for what waits or runs.";
        self.family(page, [name, "counter", help], |page, job, counts| {
            for (Ending { result, reason }, count) in &counts.ended {
                let labels =
                    [("job", job), ("result", *result), ("reason", *reason), ("emulated", self.emulated)];
                page.sample(name, labels, *count as f64);
            }
        });
    }

    fn times(&self, page: &mut Page, name: &str, help: &str, at: impl Fn(&Counts) -> Option<i64>) {
        self.family(page, [name, "gauge", help], |page, job, counts| {
            if let Some(at) = at(counts) {
                page.sample(name, [("job", job), ("emulated", self.emulated)], at as f64);
            }
        });
    }

    fn family(
        &self,
        page: &mut Page,
        [name, kind, help]: [&str; 3],
        line: impl Fn(&mut Page, &str, &Counts),
    ) {
        page.head(name, kind, help);
        let mut after: Bound<Box<str>> = Bound::Unbounded;
        loop {
            let counts = self.lock();
            let mut last = None;
            for (job, counts) in counts.range((after.clone(), Bound::Unbounded)).take(JOBS_AT_A_TIME) {
                line(page, job, counts);
                last = Some(job);
            }
            let Some(last) = last else { return };
            after = Bound::Excluded(last.clone());
        }
    }

    fn with(&self, job: &str, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.lock();
        match counts.get_mut(job) {
            Some(known) => change(known),
            None => change(counts.entry(job.into()).or_default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Box<str>, Counts>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, ending: Ending, count: u64) {
        match self.ended.iter_mut().find(|(known, _)| *known == ending) {
            Some((_, known)) => *known += count,
            None => {
                // A vector would make room for four at once.
                self.ended.reserve_exact(1);
                self.ended.push((ending, count));
            }
        }
    }
}

impl Metrics {
    /// `job` is loaded. Its runs are against `target`, which is empty if that is not known yet; `interval` is the longest time
    /// between two of its due times.
    pub fn job_loaded(&self, job: &str, target: &str, at: Timestamp, interval: Option<Duration>) {
        self.0.jobs.with(job, |counts| {
            counts.target = Some(target.into());
            counts.interval = interval.map(|interval| interval.as_secs());
        });
        self.job_known_since(job, at);
    }

    /// `job` was known at `at` already.
    pub fn job_known_since(&self, job: &str, at: Timestamp) {
        let at = at.as_second();
        self.0.jobs.with(job, |counts| counts.loaded = Some(counts.loaded.map_or(at, |known| known.min(at))));
    }

    /// The oldest occurrence of `job` that waits was due at this time; `None`: none waits.
    pub fn oldest_waiting(&self, job: &str, due: Option<Timestamp>) {
        self.scheduled(job, |counts| counts.oldest_waiting = due.map(Timestamp::as_second));
    }

    /// `job` is due next at this time; `None`: at none.
    pub fn next_due(&self, job: &str, at: Option<Timestamp>) {
        self.scheduled(job, |counts| counts.next_due = at.map(Timestamp::as_second));
    }

    /// So many more occurrences of `job` were due.
    pub fn occurrences_due(&self, job: &str, count: u64) {
        self.scheduled(job, |counts| counts.due += count);
    }

    /// So many more occurrences of `job` have ended so.
    pub fn occurrences_ended(&self, job: &str, ending: Ending, count: u64) {
        self.scheduled(job, |counts| counts.add(ending, count));
    }

    /// What the history has counted for `job` since it began; what was counted here before counts no more.
    pub fn occurrences_counted(&self, job: &str, due: u64, ended: impl IntoIterator<Item = (Ending, u64)>) {
        self.scheduled(job, |counts| {
            counts.due = due;
            counts.ended.clear();
            for (ending, count) in ended {
                counts.add(ending, count);
            }
        });
    }

    fn scheduled(&self, job: &str, change: impl FnOnce(&mut Counts)) {
        self.schedules();
        self.0.jobs.with(job, change);
    }
}
