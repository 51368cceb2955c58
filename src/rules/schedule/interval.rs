//! How far apart the due times of a job lie at most: what "too long ago" means for that job.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Schedule;

/// In seconds: 366 days. Whatever the calendar does, it does within a year.
const HORIZON: i64 = 366 * 86_400;

/// A gap is looked for over so many times its own length (a year at most), so that a job of every minute costs no more
/// than one of every night. Of a job of every few hours the hour of a clock change may be missed, a weekend never.
const LENGTHS: i64 = 400;

/// The longest time between two neighbouring due times of all `schedules` together, from the first one after `after`
/// on. `None`: there are no two.
///
/// Blackouts, suspension and jitter are not in it: it is what the schedules say.
pub fn longest_gap(schedules: &[Schedule], after: Timestamp) -> Option<Duration> {
    if let [Schedule { due: super::Due::Every(period), .. }] = schedules {
        return Some(Duration::from_secs((*period).into()));
    }
    let first = next(schedules, after)?;
    // From the longest down: a window of this length that starts at a due time and has no other begins a longer gap.
    let mut window = HORIZON;
    loop {
        let found = longest_over(schedules, first, window);
        if found.is_some() || window == 0 {
            return found;
        }
        window /= 2;
    }
}

/// The longest gap that is longer than `window`, if there is one within reach.
fn longest_over(schedules: &[Schedule], first: Timestamp, mut window: i64) -> Option<Duration> {
    let reach = |window: i64| later(first, (window * LENGTHS).clamp(1, HORIZON));
    let (mut at, mut end, mut longest) = (first, reach(window), None);
    while at < end {
        let through = later(at, window);
        // No gap between `at` and this one is longer than the window that both are in.
        if let Some(last) = schedules.iter().filter_map(|schedule| schedule.last_in(at, through)).max() {
            at = last;
            continue;
        }
        let Some(next) = next(schedules, at) else { break };
        window = next.as_second() - at.as_second();
        longest = u64::try_from(window).ok().map(Duration::from_secs);
        (at, end) = (next, reach(window));
    }
    longest
}

fn next(schedules: &[Schedule], after: Timestamp) -> Option<Timestamp> {
    schedules.iter().filter_map(|schedule| schedule.next_after(after)).min()
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}
