//! A cron on the clocks of a zone: stretches of time between two changes, in which civil time and time run together.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::calendar::DAY;
use super::cron::Cron;
use super::{Dst, Gap, Overlap};

/// How far a search goes: after 400 years the calendar repeats.
const HORIZON: i64 = 146_097 * DAY;

/// How long clocks can go on showing what they have shown before: offsets are less than 26 hours from UTC, so that no
/// change sets them back by more than 52.
const REPEATING: i64 = 52 * 3600;

/// Changes of a zone within [`REPEATING`] that are looked at. Real zones have one; a broken file may have many.
const CHANGES_MAX: usize = 16;

/// The span of instants there are, in seconds.
pub(super) const EARLIEST: i64 = -377_705_023_201;
pub(super) const LATEST: i64 = 253_402_207_200;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OnZone {
    pub(super) cron: Cron,
    pub(super) zone: TimeZone,
    pub(super) dst: Dst,
}

/// Instants from `start` until before `end` that have one offset.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: i64,
    end: i64,
    offset: i64,
    /// Clocks have shown every civil second before this one by the time the stretch starts. Beyond `start + offset`
    /// the stretch repeats some; below it, it has skipped some.
    shown: i64,
}

impl OnZone {
    /// The first due second from this one on.
    pub(super) fn first_from(&self, from: i64) -> Option<i64> {
        let mut from = from.max(EARLIEST);
        let horizon = from.saturating_add(HORIZON).min(LATEST + 1);
        while from < horizon {
            let stretch = self.stretch(from);
            if from == stretch.start && self.makes_up(&stretch) {
                return Some(from);
            }
            let civil =
                self.cron.first_from(self.fresh(&stretch, from), stretch.end.min(horizon) + stretch.offset);
            if let Some(civil) = civil {
                return Some(civil - stretch.offset);
            }
            from = stretch.end;
        }
        None
    }

    /// The last due second from `from` on and before `before`.
    pub(super) fn last_in(&self, from: i64, before: i64) -> Option<i64> {
        let from = from.max(EARLIEST).max(before.saturating_sub(HORIZON));
        let mut before = before.min(LATEST + 1);
        while before > from {
            // As its beginning sees it: what it repeats is forgotten later.
            let stretch = self.stretch(self.stretch(before - 1).start.max(from));
            let start = stretch.start.max(from);
            let civil = self.cron.last_before(before + stretch.offset, self.fresh(&stretch, start));
            if let Some(civil) = civil {
                return Some(civil - stretch.offset);
            }
            if start == stretch.start && self.makes_up(&stretch) {
                return Some(start);
            }
            before = start;
        }
        None
    }

    /// How many due seconds there are from `from` on and before `before`.
    pub(super) fn count(&self, from: i64, before: i64) -> u64 {
        let mut from = from.max(EARLIEST);
        let before = before.min(LATEST + 1);
        let mut count = 0;
        while from < before {
            let stretch = self.stretch(from);
            let civil_start = stretch.start + stretch.offset;
            if from == stretch.start && self.makes_up(&stretch) {
                // What is due at the same instant anyway is counted below.
                count += 1 - self.cron.count(civil_start, civil_start + 1);
            }
            count += self.cron.count(self.fresh(&stretch, from), stretch.end.min(before) + stretch.offset);
            from = stretch.end;
        }
        count
    }

    /// From which civil second on a stretch has due times, if it is looked at from this instant on.
    fn fresh(&self, stretch: &Stretch, from: i64) -> i64 {
        let civil = from + stretch.offset;
        match self.dst.overlap {
            Overlap::First if self.cron.is_fixed() => civil.max(stretch.shown),
            _ => civil,
        }
    }

    /// Whether the first instant of a stretch makes up for a moment that the clocks skipped.
    fn makes_up(&self, stretch: &Stretch) -> bool {
        let skipped_until = stretch.start + stretch.offset;
        self.dst.gap == Gap::After
            && self.cron.is_fixed()
            && stretch.shown < skipped_until
            && self.cron.first_from(stretch.shown, skipped_until).is_some()
    }

    /// The stretch that an instant is in.
    fn stretch(&self, at: i64) -> Stretch {
        let instant = clamped(at);
        let offset = i64::from(self.zone.to_offset(instant).seconds());
        let end =
            self.zone.following(instant).next().map_or(LATEST + 1, |change| change.timestamp().as_second());
        let start = self.zone.preceding(clamped(at + 1)).next().map(|change| change.timestamp().as_second());
        let Some(start) = start else {
            return Stretch { start: EARLIEST, end, offset, shown: EARLIEST + offset };
        };
        let mut shown = start + offset;
        if at - start <= REPEATING {
            shown = i64::MIN;
            for change in self.zone.preceding(clamped(at + 1)).take(CHANGES_MAX) {
                let change = change.timestamp();
                if change.as_second() < start - REPEATING {
                    break;
                }
                let before = self
                    .zone
                    .to_offset(change.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(change));
                shown = shown.max(change.as_second() + i64::from(before.seconds()));
            }
        }
        Stretch { start, end, offset, shown }
    }
}

/// An instant, or the nearest there is.
fn clamped(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(if second < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

impl fmt::Display for OnZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cron {} ", self.cron)?;
        match self.zone.iana_name() {
            Some(name) => f.write_str(name)?,
            None => write!(f, "{}", self.zone.to_offset(Timestamp::UNIX_EPOCH))?,
        }
        if self.cron.is_fixed() {
            write!(f, " gap={} overlap={}", self.dst.gap, self.dst.overlap)?;
        }
        Ok(())
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Gap::Skip => "skip",
            Gap::After => "after",
        })
    }
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Overlap::First => "first",
            Overlap::Both => "both",
        })
    }
}
