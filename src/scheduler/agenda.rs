//! When to look at which schedule next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;

use super::held::JobKey;

/// A schedule of a job: its place in the list.
pub(super) type LineKey = u16;

/// The looks that are planned, the soonest first. What has become wrong since stays in it and is passed over by who takes it out.
#[derive(Default)]
pub(super) struct Agenda(BinaryHeap<Reverse<(Timestamp, JobKey, LineKey)>>);

impl Agenda {
    pub(super) fn put(&mut self, at: Timestamp, job: JobKey, line: LineKey) {
        self.0.push(Reverse((at, job, line)));
    }

    /// The soonest look that is to be taken at `now`, with the time it was planned for.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<(Timestamp, JobKey, LineKey)> {
        self.next().filter(|at| *at <= now)?;
        self.0.pop().map(|Reverse(look)| look)
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.peek().map(|Reverse((at, ..))| *at)
    }
}
