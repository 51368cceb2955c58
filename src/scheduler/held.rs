//! A job as the dispatcher holds it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::places::AccountKey;
use super::work::{Entry, Work};
use crate::history::{JobId, Occurrence, Registered, ScheduleId};
use crate::rules::occurrences::delay;
use crate::rules::schedule::{Overlapping, RunPolicy, Schedule};

/// A job's place in the table; it stays as long as the job does.
pub(super) type JobKey = u32;

/// One job.
pub(super) struct Held {
    pub(super) name: Arc<str>,
    pub(super) id: JobId,
    pub(super) account: AccountKey,
    pub(super) policy: Arc<RunPolicy>,
    pub(super) work: Arc<dyn Work>,
    pub(super) lines: Vec<Line>,
    pub(super) running: u32,
    pub(super) waiting: VecDeque<Waiting>,
    /// Under which time it stands among those that may start.
    pub(super) ready_at: Option<Timestamp>,
}

/// One of its schedules.
pub(super) struct Line {
    pub(super) schedule: Schedule,
    pub(super) id: ScheduleId,
    /// Due times up to here are accounted for.
    pub(super) handled: Timestamp,
    /// The next one after that; nothing if it never comes again.
    pub(super) next: Option<Timestamp>,
    pub(super) delay: Duration,
}

/// An occurrence that has come and has not started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) occurrence: Occurrence,
    pub(super) delay: Duration,
    /// Whether the history knows of it.
    pub(super) is_written: bool,
}

impl Waiting {
    /// When it should have started.
    pub(super) fn meant_for(&self) -> Timestamp {
        later(self.occurrence.due, self.delay)
    }
}

impl Held {
    pub(super) fn new(entry: Entry, registered: &Registered, account: AccountKey) -> Held {
        let lines =
            entry.schedules.into_iter().zip(&registered.schedules).map(|(schedule, (id, handled))| {
                let delay = delay(&entry.name, &schedule.canonical(), schedule.jitter());
                let next = schedule.next_after(*handled);
                Line { schedule, id: *id, handled: *handled, next, delay }
            });
        Held {
            id: registered.job,
            account,
            policy: entry.policy,
            work: entry.work,
            lines: lines.collect(),
            running: 0,
            waiting: VecDeque::new(),
            ready_at: None,
            name: entry.name,
        }
    }

    /// The time under which its next waiting occurrence may start now, but for a place.
    pub(super) fn may_start(&self) -> Option<Timestamp> {
        let alone = self.policy.overlap != Overlapping::Allow && self.running > 0;
        self.waiting.front().filter(|_| !alone).map(Waiting::meant_for)
    }

    /// The next time that it is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.lines.iter().filter_map(|line| line.next).min()
    }
}

impl Line {
    /// When to look at it next.
    pub(super) fn look_at(&self) -> Option<Timestamp> {
        self.next.map(|next| later(next, self.delay))
    }

    /// Everything up to `due` is accounted for. A schedule whose next time does not come after that has a defect, and is not
    /// looked at again: it would be due for ever.
    pub(super) fn handled_through(&mut self, due: Timestamp) {
        self.handled = self.handled.max(due);
        self.next = self.schedule.next_after(self.handled).filter(|next| *next > self.handled);
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}
