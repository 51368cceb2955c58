//! When a job is due: cron fields on the clocks of a zone, or a period.
//!
//! A due time is an instant. Of a [`Cron`] it is one whose civil time in the zone matches. Clocks that change make it
//! more than that: if the hour names moments of the wall clock (neither `*` nor a step), [`Dst`] decides about those
//! that the clocks skip or show twice; every other schedule follows elapsed time, that is to say each instant counts
//! whose civil time matches, and civil times that never come do not.
//!
//! Every search is bounded: by 400 years, after which the calendar repeats, and by the changes of a zone in them.

mod blackout;
mod calendar;
mod cron;
mod interval;
mod parse;
mod policy;
mod show;
#[cfg(test)]
mod tests;
mod weekdays;
mod words;
mod zone;

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use blackout::Blackout;
pub use cron::Cron;
pub use interval::longest_gap;
pub use parse::CronError;
pub use policy::{Missed, Overlapping, RunPolicy};
pub use weekdays::Weekdays;
use zone::OnZone;

use super::duration::show;

/// The shortest and the longest period of `every`, in seconds: a second, and 366 days.
const PERIOD_SECONDS: std::ops::RangeInclusive<u64> = 1..=366 * 86_400;

/// What becomes of the moments of a fixed schedule that a change of the clocks skips or repeats. By default Vixie's
/// rule: once after the gap, once in the overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dst {
    /// For moments that the clocks skip.
    pub gap: Gap,
    /// For moments that the clocks show twice.
    pub overlap: Overlap,
}

/// What becomes of a moment that the clocks skip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Gap {
    /// It is not due.
    Skip,
    /// It is due at the first instant after the gap, all moments of one gap together once.
    #[default]
    After,
}

/// What becomes of a moment that the clocks show twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overlap {
    /// It is due the first time.
    #[default]
    First,
    /// It is due both times.
    Both,
}

/// Why a period is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Below a second, or longer than 366 days.
    #[error("a period is from 1s to 366d")]
    OutOfRange,
    /// Half a second.
    #[error("a period has whole seconds")]
    Fraction,
}

/// One schedule of a job.
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule {
    due: Due,
    /// At most this many milliseconds of delay.
    jitter: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Due {
    Cron(OnZone),
    /// Elapsed seconds, counted from the Unix epoch.
    Every(u32),
}

impl Schedule {
    /// Due when the clocks of a zone show what matches.
    pub fn cron(cron: Cron, zone: TimeZone, dst: Dst) -> Schedule {
        Schedule { due: Due::Cron(OnZone { cron, zone, dst }), jitter: 0 }
    }

    /// Due after each period of elapsed time, aligned to the Unix epoch: `15m` is at :00, :15, :30 and :45 of UTC.
    ///
    /// # Errors
    /// A period that is not of whole seconds between 1 second and 366 days.
    pub fn every(period: Duration) -> Result<Schedule, PeriodError> {
        match (PERIOD_SECONDS.contains(&period.as_secs()), period.subsec_nanos()) {
            (true, 0) if period.as_secs() <= *PERIOD_SECONDS.end() => {
                Ok(Schedule { due: Due::Every(period.as_secs() as u32), jitter: 0 })
            }
            (true, _) => Err(PeriodError::Fraction),
            (false, _) => Err(PeriodError::OutOfRange),
        }
    }

    /// The same schedule, whose occurrences are delayed by up to this long (at most 49 days, in whole milliseconds).
    /// Due times do not change by it.
    pub fn with_jitter(self, at_most: Duration) -> Schedule {
        Schedule { jitter: u32::try_from(at_most.as_millis()).unwrap_or(u32::MAX), ..self }
    }

    /// How long an occurrence is delayed at most.
    pub fn jitter(&self) -> Duration {
        Duration::from_millis(self.jitter.into())
    }

    /// The first due time after this instant; the instant itself is not. `None`: never again, as far as 400 years and
    /// the calendar reach.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let from = floor(after) + 1;
        let due = match &self.due {
            Due::Cron(on_zone) => on_zone.first_from(from)?,
            Due::Every(period) => {
                let period = i64::from(*period);
                (from - 1).div_euclid(period) * period + period
            }
        };
        Timestamp::from_second(due).ok()
    }

    /// The last due time after `after` and not after `through`. One that lies more than 400 years before `through` is
    /// not looked for.
    pub fn last_in(&self, after: Timestamp, through: Timestamp) -> Option<Timestamp> {
        let (from, before) = (floor(after) + 1, floor(through) + 1);
        if from >= before {
            return None;
        }
        let due = match &self.due {
            Due::Cron(on_zone) => on_zone.last_in(from, before)?,
            Due::Every(period) => {
                let period = i64::from(*period);
                Some((before - 1).div_euclid(period) * period).filter(|due| *due >= from)?
            }
        };
        Timestamp::from_second(due).ok()
    }

    /// How many due times there are after `after` and not after `through`.
    pub fn count_in(&self, after: Timestamp, through: Timestamp) -> u64 {
        let (from, before) = (floor(after) + 1, floor(through) + 1);
        if from >= before {
            return 0;
        }
        match &self.due {
            Due::Cron(on_zone) => on_zone.count(from, before),
            Due::Every(period) => {
                let period = i64::from(*period);
                ((before - 1).div_euclid(period) - (from - 1).div_euclid(period)) as u64
            }
        }
    }

    /// The fields, whose clocks they are read on, and what becomes of the moments that these skip or repeat. `None` if
    /// it is due after a period.
    pub fn on_zone(&self) -> Option<(&Cron, &TimeZone, Dst)> {
        match &self.due {
            Due::Cron(OnZone { cron, zone, dst }) => Some((cron, zone, *dst)),
            Due::Every(_) => None,
        }
    }

    /// The period of elapsed time, if it is due after one.
    pub fn period(&self) -> Option<Duration> {
        match self.due {
            Due::Cron(_) => None,
            Due::Every(period) => Some(Duration::from_secs(period.into())),
        }
    }

    /// What makes its due times, as one line: `cron 0 2 * * * Europe/Berlin gap=after overlap=first`, `every 15m`. Two
    /// texts that mean the same have the same line; the jitter is not in it, nor are `gap` and `overlap` where they
    /// have no effect.
    pub fn canonical(&self) -> String {
        match &self.due {
            Due::Cron(on_zone) => on_zone.to_string(),
            Due::Every(period) => format!("every {}", show(Duration::from_secs((*period).into()))),
        }
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule").field("due", &self.canonical()).field("jitter", &self.jitter()).finish()
    }
}

/// The last whole second that is not after an instant.
fn floor(at: Timestamp) -> i64 {
    at.as_second() - i64::from(at.subsec_nanosecond() < 0)
}
