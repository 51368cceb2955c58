//! Months of the Gregorian calendar as numbers: what a search through years needs, without an allocation or an error.

/// Seconds of a civil day.
pub(super) const DAY: i64 = 86_400;

/// After this many months weekdays and leap years repeat: 400 years are 146,097 days, and those are whole weeks.
pub(super) const MONTHS_OF_A_CYCLE: u32 = 400 * 12;

/// Weekday of the day 0, 1 January 1970: a Thursday, where Sunday is 0.
const WEEKDAY_OF_THE_EPOCH: i64 = 4;

/// One month of one year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Month {
    year: i64,
    /// 1 to 12.
    number: u8,
    /// The number of its first day; 1 January 1970 is 0.
    first_day: i64,
}

impl Month {
    /// The month of a day, and which day of it that is (1 to 31).
    ///
    /// The years begin in March here, so that 29 February is the last day of one (H. Hinnant, "chrono-compatible
    /// low-level date algorithms").
    pub(super) fn of_day(day: i64) -> (Month, u8) {
        let shifted = day + 719_468;
        let cycle = shifted.div_euclid(146_097);
        let of_cycle = shifted.rem_euclid(146_097);
        let year = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
        let of_year = of_cycle - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let of_month = of_year - (153 * from_march + 2) / 5 + 1;
        let number = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let month = Month {
            year: cycle * 400 + year + i64::from(number <= 2),
            number: number as u8,
            first_day: day - (of_month - 1),
        };
        (month, of_month as u8)
    }

    pub(super) fn number(self) -> u8 {
        self.number
    }

    /// The number of its first day.
    pub(super) fn first_day(self) -> i64 {
        self.first_day
    }

    /// The weekday of its first day; Sunday is 0.
    pub(super) fn first_weekday(self) -> u8 {
        (self.first_day + WEEKDAY_OF_THE_EPOCH).rem_euclid(7) as u8
    }

    /// How many days it has.
    pub(super) fn length(self) -> u8 {
        length(self.year, self.number)
    }

    pub(super) fn next(self) -> Month {
        let first_day = self.first_day + i64::from(self.length());
        match self.number {
            12 => Month { year: self.year + 1, number: 1, first_day },
            number => Month { year: self.year, number: number + 1, first_day },
        }
    }

    pub(super) fn previous(self) -> Month {
        let (year, number) = match self.number {
            1 => (self.year - 1, 12),
            number => (self.year, number - 1),
        };
        Month { year, number, first_day: self.first_day - i64::from(length(year, number)) }
    }
}

fn length(year: i64, number: u8) -> u8 {
    match number {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        let epoch = date(1970, 1, 1);
        let mut day = i64::from((date(-1999, 12, 31) - epoch).get_days());
        let (mut month, _) = Month::of_day(day);
        let mut civil = date(-1999, 12, 31);
        while civil < date(4001, 1, 1) {
            let (found, of_month) = Month::of_day(day);
            assert_eq!(
                (found.year, found.number as i8, of_month as i8),
                (civil.year().into(), civil.month(), civil.day())
            );
            if of_month == 1 {
                assert_eq!(month.next(), found);
                assert_eq!(found.previous(), month);
                month = found;
                assert_eq!(month.length() as i8, civil.days_in_month());
                assert_eq!(month.first_weekday() as i8, civil.weekday().to_sunday_zero_offset());
            }
            // A step that is no divisor of a month, but meets each first day of a month.
            let step = if of_month < 25 { 1 + i64::from(of_month == 1) * 3 } else { 1 };
            day += step;
            civil += jiff::Span::new().days(step);
        }
    }
}
