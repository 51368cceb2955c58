//! Times at which nothing starts.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::Weekdays;

/// A window in which nothing starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blackout {
    /// Once: from this instant on, until before that one.
    Once {
        /// The first instant of it.
        from: Timestamp,
        /// The first instant after it.
        until: Timestamp,
    },
    /// Whenever the clocks of a zone show a time of the window: while they repeat an hour of it, it lasts longer, and
    /// what they skip is not in it.
    Recurring {
        /// The days on which it begins.
        days: Weekdays,
        /// The first time of it.
        from: Time,
        /// The first time after it. Not after `from`: it goes over midnight, into the day after the one it begins on.
        until: Time,
        /// Whose clocks.
        zone: TimeZone,
    },
}

impl Blackout {
    /// Whether an instant is in the window.
    pub fn holds(&self, at: Timestamp) -> bool {
        match self {
            Blackout::Once { from, until } => (*from..*until).contains(&at),
            Blackout::Recurring { days, from, until, zone } => {
                let civil = zone.to_datetime(at);
                let time = civil.time();
                let begins = |date: jiff::civil::Date| days.holds(date.weekday());
                if from < until {
                    return begins(civil.date()) && (*from..*until).contains(&time);
                }
                let began_yesterday = || civil.date().checked_sub(1.day()).is_ok_and(begins);
                time >= *from && begins(civil.date()) || time < *until && began_yesterday()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn held(window: &Blackout, at: &str) -> bool {
        window.holds(at.parse().unwrap())
    }

    fn berlin(days: &str, from: Time, until: Time) -> Blackout {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        Blackout::Recurring { days: Weekdays::parse(days).unwrap(), from, until, zone }
    }

    #[test]
    fn a_window_holds_from_its_first_time_until_before_its_last() {
        let once = Blackout::Once {
            from: "2026-12-24T12:00Z".parse().unwrap(),
            until: "2026-12-27T06:00Z".parse().unwrap(),
        };
        for (at, expected) in [
            ("2026-12-24T11:59:59.999Z", false),
            ("2026-12-24T12:00:00Z", true),
            ("2026-12-27T05:59:59Z", true),
            ("2026-12-27T06:00:00Z", false),
        ] {
            assert_eq!(held(&once, at), expected, "{at}");
        }
        let office = berlin("MON-FRI", time(8, 0, 0, 0), time(18, 0, 0, 0));
        for (at, expected) in [
            ("2026-07-03T07:59:59+02", false),
            ("2026-07-03T08:00:00+02", true),
            ("2026-07-03T17:59:59+02", true),
            ("2026-07-03T18:00:00+02", false),
            ("2026-07-04T09:00:00+02", false),
        ] {
            assert_eq!(held(&office, at), expected, "{at}");
        }
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_begins() {
        let friday_night = berlin("FRI", time(22, 0, 0, 0), time(6, 0, 0, 0));
        for (at, expected) in [
            ("2026-07-03T05:00:00+02", false),
            ("2026-07-03T22:00:00+02", true),
            ("2026-07-04T05:59:00+02", true),
            ("2026-07-04T06:00:00+02", false),
            ("2026-07-04T22:00:00+02", false),
        ] {
            assert_eq!(held(&friday_night, at), expected, "{at}");
        }
        let a_whole_day = berlin("FRI", time(6, 0, 0, 0), time(6, 0, 0, 0));
        assert!(held(&a_whole_day, "2026-07-04T05:59:00+02"));
        assert!(!held(&a_whole_day, "2026-07-04T06:00:00+02"));
    }

    #[test]
    fn a_window_goes_by_the_clocks_on_the_wall() {
        let night = berlin("*", time(2, 0, 0, 0), time(3, 0, 0, 0));
        // The hour from 02:00 does not come on 29 March, and comes twice on 25 October.
        for (at, expected) in [
            ("2026-03-29T01:59:59+01", false),
            ("2026-03-29T03:00:00+02", false),
            ("2026-10-25T01:59:59+02", false),
            ("2026-10-25T02:00:00+02", true),
            ("2026-10-25T02:59:59+02", true),
            ("2026-10-25T02:00:00+01", true),
            ("2026-10-25T02:59:59+01", true),
            ("2026-10-25T03:00:00+01", false),
        ] {
            assert_eq!(held(&night, at), expected, "{at}");
        }
    }
}
