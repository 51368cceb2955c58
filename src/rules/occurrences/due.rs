//! What becomes of a schedule's due times between the last one that is accounted for and now.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::SkipReason;
use crate::rules::schedule::{Missed, RunPolicy, Schedule};

/// An occurrence that is seen later than this after its time was missed: the process was down, could not write its history, or
/// the clock was set forward. A restart or a busy host takes less, and its occurrences are only late.
pub const MISSED_AFTER: Duration = Duration::from_secs(60);

/// Due times that will not run, told as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// How many, at least one.
    pub count: u64,
    /// Why.
    pub reason: SkipReason,
}

/// Everything that a look at a schedule has found: passed and wanted times together are all due times since `handled`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What will not run.
    pub passed: Vec<Passed>,
    /// What is to run, oldest first.
    pub wanted: Vec<Timestamp>,
}

/// How late an occurrence is at `now`, whose start is meant for `delay` after its due time.
pub fn lateness(due: Timestamp, delay: Duration, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(due)).unwrap_or(Duration::ZERO).saturating_sub(delay)
}

/// Why an occurrence that is about to start must not, if it must not.
pub fn barred(policy: &RunPolicy, due: Timestamp, delay: Duration, now: Timestamp) -> Option<SkipReason> {
    if policy.suspend {
        return Some(SkipReason::Suspended);
    }
    if policy.starting_deadline.is_some_and(|deadline| lateness(due, delay, now) > deadline) {
        return Some(SkipReason::StartingDeadline);
    }
    policy
        .blackout
        .iter()
        .any(|window| window.holds(due) || window.holds(now))
        .then_some(SkipReason::Blackout)
}

/// Looks at the due times after `handled` that have come at `now`, `delay` being the schedule's own.
///
/// The work does not grow with the number of due times: what was missed is counted, not listed.
pub fn found(
    schedule: &Schedule,
    handled: Timestamp,
    delay: Duration,
    policy: &RunPolicy,
    now: Timestamp,
) -> Found {
    let through = back(now, delay);
    let mut found = Found::default();
    if policy.suspend {
        found.passed.extend(passed(schedule, handled, through, SkipReason::Suspended));
        return found;
    }
    let in_time_after = back(through, MISSED_AFTER).max(handled);
    let mut in_time = Vec::new();
    let mut at = in_time_after;
    while let Some(due) = schedule.next_after(at).filter(|due| *due > at && *due <= through) {
        in_time.push(due);
        at = due;
    }
    let missed_through = in_time_after.min(through);
    let caught_up = caught_up(schedule, handled, missed_through, policy, in_time.is_empty());
    let gone_through = caught_up.first().map_or(missed_through, |first| just_before(*first));
    found.passed.extend(passed(schedule, handled, gone_through, SkipReason::Missed));
    for due in caught_up.into_iter().chain(in_time) {
        match barred(policy, due, delay, now) {
            Some(reason) => found.passed.push(Passed { first: due, last: due, count: 1, reason }),
            None => found.wanted.push(due),
        }
    }
    found
}

/// Which of the missed due times in (after, through] are made up for, oldest first.
fn caught_up(
    schedule: &Schedule,
    after: Timestamp,
    through: Timestamp,
    policy: &RunPolicy,
    nothing_newer: bool,
) -> Vec<Timestamp> {
    let most = match policy.missed {
        Missed::Skip => 0,
        Missed::Latest => u32::from(nothing_newer),
        Missed::All { max } => max,
    };
    let mut times = Vec::new();
    let mut through = through;
    while (times.len() as u64) < u64::from(most)
        && let Some(due) = schedule.last_in(after, through).filter(|due| *due > after && *due <= through)
    {
        times.push(due);
        through = just_before(due);
    }
    times.reverse();
    times
}

impl Found {
    /// Whether nothing was due.
    pub fn is_empty(&self) -> bool {
        self.passed.is_empty() && self.wanted.is_empty()
    }

    /// The newest due time in it.
    pub fn last(&self) -> Option<Timestamp> {
        self.passed.iter().map(|passed| passed.last).chain(self.wanted.iter().copied()).max()
    }
}

/// The due times in (after, through] as one, if there are any.
pub fn passed(
    schedule: &Schedule,
    after: Timestamp,
    through: Timestamp,
    reason: SkipReason,
) -> Option<Passed> {
    let count = schedule.count_in(after, through);
    let ends = schedule.next_after(after).zip(schedule.last_in(after, through));
    ends.filter(|_| count > 0).map(|(first, last)| Passed { first, last, count, reason })
}

fn back(from: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    from.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

fn just_before(at: Timestamp) -> Timestamp {
    back(at, Duration::from_nanos(1))
}
