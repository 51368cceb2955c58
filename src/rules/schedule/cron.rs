//! Five cron fields as sets of bits, and the search through civil time.
//!
//! Civil time is counted in seconds as if every day had 86,400 of them and no zone changed its clocks; what the clocks
//! of a zone make of it is `zone`'s.

use super::calendar::{DAY, MONTHS_OF_A_CYCLE, Month};
use super::weekdays::Weekdays;

/// Five cron fields, read by [`Cron::parse`]. Two texts that mean the same are equal: `0,30` and `*/30`.
///
/// 40 bytes without a heap: a scheduler holds 100,000 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cron {
    /// Bits 0 to 59.
    pub(super) minutes: u64,
    /// Bits 0 to 23.
    pub(super) hours: u32,
    /// Bits 1 to 31.
    pub(super) days: u32,
    /// Bit n: the day that is n days before the last one; bit 0 is `L`.
    pub(super) from_end: u32,
    /// Bits 1 to 31: the day from Monday to Friday that is nearest to this one (`15W`). Bit 0: to the last (`LW`).
    pub(super) nearest: u32,
    /// Bits 1 to 12.
    pub(super) months: u16,
    /// Every such weekday.
    pub(super) weekdays: Weekdays,
    /// The first to the fifth such weekday of a month (`FRI#2`).
    pub(super) ordinal: [Weekdays; 5],
    /// The last such weekday of a month (`FRIL`).
    pub(super) last: Weekdays,
    /// The day of month begins with `*`: then day of month and day of week must both match.
    pub(super) day_star: bool,
    /// The same of the day of week.
    pub(super) weekday_star: bool,
    /// The hour has a `*` or a step: the schedule follows elapsed time over clock changes.
    pub(super) hour_open: bool,
}

/// The hours and minutes of one day, in minutes from 00:00.
const MINUTES_OF_AN_HOUR: u32 = 60;

impl Cron {
    /// Whether no date that there is matches: 30 February. It looks at 400 years, after which dates repeat.
    pub fn is_never_due(&self) -> bool {
        self.first_from(0, i64::MAX).is_none()
    }

    /// Whether the hour has neither `*` nor a step. Such a schedule names moments of the wall clock, and
    /// [`Dst`](super::Dst) says what becomes of those that a clock change skips or repeats; every other schedule
    /// follows elapsed time.
    pub fn is_fixed(&self) -> bool {
        !self.hour_open
    }

    /// The first matching civil second at or after `from` and before `before`, within 400 years.
    pub(super) fn first_from(&self, from: i64, before: i64) -> Option<i64> {
        let (day, minute) = ceil_minute(from);
        let (mut month, of_month) = Month::of_day(day);
        let mut days = self.days_of(month) & (u32::MAX << of_month);
        let due = |day: i64, minute: u32| {
            let due = day * DAY + i64::from(minute) * 60;
            (due < before).then_some(due)
        };
        if days >> of_month & 1 == 1 {
            if let Some(minute) = self.minute_from(minute) {
                return due(day, minute);
            }
            days &= days - 1;
        }
        for _ in 0..=MONTHS_OF_A_CYCLE {
            if days != 0 {
                let day = month.first_day() + i64::from(days.trailing_zeros()) - 1;
                return due(day, self.minute_from(0)?);
            }
            month = month.next();
            if month.first_day().saturating_mul(DAY) >= before {
                return None;
            }
            days = self.days_of(month);
        }
        None
    }

    /// The last matching civil second before `before` and not before `from`, within 400 years.
    pub(super) fn last_before(&self, before: i64, from: i64) -> Option<i64> {
        let (day, minute) = ceil_minute(before);
        let (mut month, of_month) = Month::of_day(day);
        let of_days = self.days_of(month);
        let due = |day: i64, minute: u32| {
            let due = day * DAY + i64::from(minute) * 60;
            (due >= from).then_some(due)
        };
        if of_days >> of_month & 1 == 1
            && let Some(minute) = self.minute_before(minute)
        {
            return due(day, minute);
        }
        let mut days = of_days & !(u32::MAX << of_month);
        for _ in 0..=MONTHS_OF_A_CYCLE {
            if days != 0 {
                let day = month.first_day() + i64::from(days.ilog2()) - 1;
                return due(day, self.minute_before(24 * MINUTES_OF_AN_HOUR)?);
            }
            if month.first_day().saturating_mul(DAY) < from {
                return None;
            }
            month = month.previous();
            days = self.days_of(month);
        }
        None
    }

    /// How many matching civil seconds there are at or after `from` and before `before`.
    pub(super) fn count(&self, from: i64, before: i64) -> u64 {
        if from >= before {
            return 0;
        }
        let ((first, first_minute), (last, last_minute)) = (ceil_minute(from), ceil_minute(before));
        let a_day = self.count_before(24 * MINUTES_OF_AN_HOUR);
        let mut count = 0;
        let (mut month, of_month) = Month::of_day(first);
        let mut days = self.days_of(month) & (u32::MAX << of_month);
        if days >> of_month & 1 == 1 {
            count += a_day - self.count_before(first_minute);
            days &= days - 1;
        }
        // Whole months, then the month of the last day, of which only what comes before that day counts.
        while month.first_day() + i64::from(month.length()) <= last {
            count += u64::from(days.count_ones()) * a_day;
            month = month.next();
            days = self.days_of(month);
        }
        let of_month = (last - month.first_day() + 1) as u32;
        count += u64::from((days & !(u32::MAX << of_month)).count_ones()) * a_day;
        if self.days_of(month) >> of_month & 1 == 1 {
            let until_then = self.count_before(last_minute);
            // On one and the same day the whole of it was counted above, or what is left of it.
            count = match first == last {
                true => until_then - self.count_before(first_minute),
                false => count + until_then,
            };
        }
        count
    }

    /// The matching days of a month, as bits 1 to 31.
    pub(super) fn days_of(&self, month: Month) -> u32 {
        if self.months >> month.number() & 1 == 0 {
            return 0;
        }
        let (length, first) = (month.length(), month.first_weekday());
        let all = ((2u64 << length) - 2) as u32;
        let mut by_day = self.days;
        let mut from_end = self.from_end & !(u32::MAX << length);
        while from_end != 0 {
            by_day |= 1 << (u32::from(length) - from_end.trailing_zeros());
            from_end &= from_end - 1;
        }
        let mut nearest = self.nearest;
        while nearest != 0 {
            let day = nearest.trailing_zeros() as u8;
            // A month without a 31st has no day that is nearest to it.
            if day <= length {
                by_day |= 1 << nearest_working_day(if day == 0 { length } else { day }, length, first);
            }
            nearest &= nearest - 1;
        }
        let mut by_weekday = self.weekdays.of_month(first);
        for (week, weekdays) in self.ordinal.iter().enumerate() {
            by_weekday |= weekdays.of_month(first) & (0b1111_1110u64 << (7 * week)) as u32;
        }
        by_weekday |= self.last.of_month(first) & (all & (u32::MAX << (length - 6)));
        let both = if self.day_star || self.weekday_star { by_day & by_weekday } else { by_day | by_weekday };
        both & all
    }

    /// The first matching minute of a day at or after this one.
    fn minute_from(&self, minute: u32) -> Option<u32> {
        let (hour, of_hour) = (minute / MINUTES_OF_AN_HOUR, minute % MINUTES_OF_AN_HOUR);
        let minutes = self.minutes & (u64::MAX << of_hour);
        if self.hours >> hour & 1 == 1 && minutes != 0 {
            return Some(hour * MINUTES_OF_AN_HOUR + minutes.trailing_zeros());
        }
        let hours = self.hours & (u32::MAX << (hour + 1));
        (hours != 0).then(|| hours.trailing_zeros() * MINUTES_OF_AN_HOUR + self.minutes.trailing_zeros())
    }

    /// The last matching minute of a day before this one, which may be 24:00.
    fn minute_before(&self, minute: u32) -> Option<u32> {
        let (hour, of_hour) = (minute / MINUTES_OF_AN_HOUR, minute % MINUTES_OF_AN_HOUR);
        let minutes = self.minutes & !(u64::MAX << of_hour);
        if self.hours >> hour & 1 == 1 && minutes != 0 {
            return Some(hour * MINUTES_OF_AN_HOUR + minutes.ilog2());
        }
        let hours = self.hours & !(u32::MAX << hour);
        (hours != 0).then(|| hours.ilog2() * MINUTES_OF_AN_HOUR + self.minutes.ilog2())
    }

    /// How many minutes of a day match before this one, which may be 24:00.
    fn count_before(&self, minute: u32) -> u64 {
        let (hour, of_hour) = (minute / MINUTES_OF_AN_HOUR, minute % MINUTES_OF_AN_HOUR);
        let whole = (self.hours & !(u32::MAX << hour)).count_ones() * self.minutes.count_ones();
        let begun = (self.minutes & !(u64::MAX << of_hour)).count_ones();
        u64::from(whole + begun * (self.hours >> hour & 1))
    }
}

/// The day and the minute of the day of the first whole minute at or after a civil second.
fn ceil_minute(civil: i64) -> (i64, u32) {
    let minutes = civil.div_euclid(60) + i64::from(civil.rem_euclid(60) > 0);
    let of_a_day = DAY / 60;
    (minutes.div_euclid(of_a_day), minutes.rem_euclid(of_a_day) as u32)
}

/// The day from Monday to Friday that is nearest to a day and in the same month.
fn nearest_working_day(day: u8, length: u8, first_weekday: u8) -> u8 {
    match (first_weekday + day - 1) % 7 {
        6 if day > 1 => day - 1,
        6 => day + 2,
        0 if day < length => day + 1,
        0 => day - 2,
        _ => day,
    }
}
