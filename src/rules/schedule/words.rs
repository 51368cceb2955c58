//! A cron in words.

use super::cron::Cron;
use super::show::{Form, bits, entries};
use super::weekdays::Weekdays;

/// Up to so many times of a day are listed one by one.
const TIMES_LISTED_MAX: u32 = 6;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

const ALL_HOURS: u32 = 24;
const ALL_DAYS: u32 = 31;
const ALL_MONTHS: u32 = 12;

impl Cron {
    /// When it is due, without the zone: `at 02:00, every day`.
    pub fn words(&self) -> String {
        let times = self.times();
        let days = match self.which_days() {
            None if times.starts_with("every") => String::new(),
            None => ", every day".to_owned(),
            Some(days) => format!(", {days}"),
        };
        let months = match self.months.count_ones() {
            ALL_MONTHS => String::new(),
            _ => {
                let names = bits(self.months.into()).map(|month| MONTHS[month as usize - 1].to_owned());
                format!(", in {}", listed(&names.collect::<Vec<_>>()))
            }
        };
        format!("{times}{days}{months}")
    }

    fn times(&self) -> String {
        let (minutes, hours) = (self.minutes.count_ones(), self.hours.count_ones());
        if hours < ALL_HOURS && minutes * hours <= TIMES_LISTED_MAX {
            let of_hour = |hour: u32| {
                (0..60).filter(|minute| self.minutes >> minute & 1 == 1).map(move |minute| (hour, minute))
            };
            let times: Vec<String> = bits(self.hours)
                .flat_map(of_hour)
                .map(|(hour, minute)| format!("{hour:02}:{minute:02}"))
                .collect();
            return format!("at {}", listed(&times));
        }
        let each = entries(self.minutes, 0, 59, Form::Any);
        let minute = match (minutes, &each[..]) {
            (60, _) => "every minute".to_owned(),
            (1, [only]) if only == "0" && hours == ALL_HOURS => return "every hour".to_owned(),
            (1, [only]) => format!("at minute {only}"),
            (_, [step]) if step.starts_with("*/") => format!("every {} minutes", &step[2..]),
            _ => format!("at minutes {}", listed(&each)),
        };
        match (hours, &entries(self.hours.into(), 0, 23, Form::Any)[..]) {
            (ALL_HOURS, _) if minute.starts_with("every") => minute,
            (ALL_HOURS, _) => format!("{minute} of every hour"),
            (1, hour) => format!("{minute} of the hour {}", listed(hour)),
            (_, [step]) if step.starts_with("*/") => format!("{minute} of every {} hours from 0", &step[2..]),
            _ => {
                let hours = entries(self.hours.into(), 0, 23, Form::Lists);
                format!("{minute} of the hours {}", listed(&hours))
            }
        }
    }

    /// `None`: every day.
    fn which_days(&self) -> Option<String> {
        let by_day = (self.days.count_ones() < ALL_DAYS).then(|| self.by_day());
        let by_weekday = (self.weekdays != Weekdays::ALL).then(|| self.by_weekday());
        match (by_day, by_weekday, self.day_star || self.weekday_star) {
            (Some(day), Some(weekday), true) => {
                Some(format!("{day}, if that is also {}", weekday.strip_prefix("on ").unwrap_or(&weekday)))
            }
            (Some(day), Some(weekday), false) => Some(format!("{day}, and also {weekday}")),
            (Some(days), None, true) | (None, Some(days), true) => Some(days),
            _ => None,
        }
    }

    fn by_day(&self) -> String {
        let mut phrases = Vec::new();
        let days = entries(self.days.into(), 1, 31, Form::Lists);
        if !days.is_empty() {
            phrases.push(format!("on day {} of the month", listed(&days)));
        }
        phrases.extend(bits(self.nearest).map(|day| match day {
            0 => "on the last day from Monday to Friday of the month".to_owned(),
            day => format!("on the day from Monday to Friday nearest to day {day} of the month"),
        }));
        phrases.extend(bits(self.from_end).map(|before| match before {
            0 => "on the last day of the month".to_owned(),
            1 => "1 day before the last of the month".to_owned(),
            before => format!("{before} days before the last of the month"),
        }));
        listed(&phrases)
    }

    fn by_weekday(&self) -> String {
        let name = |day: u32| WEEKDAYS[day as usize];
        let mut phrases = Vec::new();
        let every = entries(self.weekdays.0.into(), 0, 6, Form::Lists);
        let named = |entry: &String| match entry.split_once('-') {
            Some((from, to)) => {
                let day = |text: &str| text.parse().map_or("", name);
                format!("{} to {}", day(from), day(to))
            }
            None => entry.parse().map_or_else(|_| entry.clone(), |day| name(day).to_owned()),
        };
        if !every.is_empty() {
            let days: Vec<String> = every.iter().map(named).collect();
            phrases.push(format!("on {}", listed(&days)));
        }
        for (which, Weekdays(weekdays)) in
            ORDINALS.iter().zip(self.ordinal).chain(std::iter::once((&"last", self.last)))
        {
            phrases.extend(
                bits(weekdays.into()).map(|day| format!("on the {which} {} of the month", name(day))),
            );
        }
        listed(&phrases)
    }
}

/// `a, b and c`.
fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
