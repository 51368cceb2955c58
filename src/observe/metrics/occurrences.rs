//! The counts of each job's occurrences: a table of our own, because there may be 100,000 jobs.
//!
//! A series of the library takes about a kilobyte, and a page of it several times as much while it is gathered. Here a job
//! takes some hundred bytes, and its lines are written straight into the page. A job has no line before something
//! of it was due, but for the one that says when it is due next.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    next_due: Option<i64>,
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

    /// Writes the three families that the table holds.
    pub(super) fn write(&self, page: &mut Page) {
        let name = "exorun_next_due_timestamp_seconds";
        self.family(page, [name, "gauge", "When the job is due next."], |page, job, counts| {
            if let Some(at) = counts.next_due {
                page.sample(name, [("job", job), ("emulated", self.emulated)], at as f64);
            }
        });
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
    /// `job` is due next at this time; `None`: at none.
    pub fn next_due(&self, job: &str, at: Option<Timestamp>) {
        self.schedule().jobs.with(job, |counts| counts.next_due = at.map(Timestamp::as_second));
    }

    /// So many more occurrences of `job` were due.
    pub fn occurrences_due(&self, job: &str, count: u64) {
        self.schedule().jobs.with(job, |counts| counts.due += count);
    }

    /// So many more occurrences of `job` have ended so.
    pub fn occurrences_ended(&self, job: &str, ending: Ending, count: u64) {
        self.schedule().jobs.with(job, |counts| counts.add(ending, count));
    }

    /// What the history has counted for `job` since it began; what was counted here before counts no more.
    pub fn occurrences_counted(&self, job: &str, due: u64, ended: impl IntoIterator<Item = (Ending, u64)>) {
        self.schedule().jobs.with(job, |counts| {
            counts.due = due;
            counts.ended.clear();
            for (ending, count) in ended {
                counts.add(ending, count);
            }
        });
    }
}
