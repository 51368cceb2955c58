//! What somebody asks about outside of a job file, and its due times.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{shown, time_zone};
use crate::rules::duration;
use crate::rules::schedule::{Cron, CronError, Dst, Schedule};

/// What a period begins with.
const EVERY: &str = "every ";

/// Why an expression is none, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) title: String,
    pub(super) help: String,
}

impl Refused {
    pub(super) fn new(title: &str, help: impl Into<String>) -> Refused {
        Refused { title: shown(title), help: shown(&help.into()) }
    }
}

/// An expression and what it is read with.
pub(super) struct Asked<'a> {
    pub(super) text: &'a str,
    pub(super) time_zone: Option<&'a str>,
    pub(super) dst: Dst,
}

/// Whether an argument is meant as an expression: file names with blanks are given with a folder, `./a b.yaml`.
pub(super) fn is_one(text: &str) -> bool {
    let is_path = text.contains(".yaml") || text.contains(".yml") || text.starts_with(['/', '.']);
    text.starts_with('@') || !is_path && text.trim().contains(char::is_whitespace)
}

impl Asked<'_> {
    /// The schedule that the expression is.
    ///
    /// # Errors
    /// It is none, or is never due, or its zone is unknown.
    pub(super) fn schedule(&self) -> Result<Schedule, Refused> {
        let zone = match self.time_zone {
            None => TimeZone::UTC,
            Some(name) => time_zone(name).map_err(|unknown| Refused::new(&unknown.title, unknown.help))?,
        };
        match self.text.trim().strip_prefix(EVERY) {
            Some(period) if self.time_zone.is_none() => every(period.trim()),
            Some(_) => Err(Refused::new(
                "a period of elapsed time has no time zone",
                "leave the time zone out, or write five fields",
            )),
            None => Ok(Schedule::cron(cron(self.text)?, zone, self.dst)),
        }
    }
}

fn every(text: &str) -> Result<Schedule, Refused> {
    let period = duration::parse(text)
        .map_err(|why| Refused::new(&format!("`{text}` is no period: {why}"), "write `every 15m`"))?;
    Schedule::every(period).map_err(|why| Refused::new(&why.to_string(), "write `every 15m`"))
}

fn cron(text: &str) -> Result<Cron, Refused> {
    let cron = Cron::parse(text).map_err(|CronError { title, help, .. }| Refused::new(&title, help))?;
    if cron.is_never_due() {
        let title = format!("`{}` is never due: there is no such day", text.trim());
        return Err(Refused::new(&title, "check day of month and month"));
    }
    Ok(cron)
}

/// An instant, or a civil time on the clocks of a zone.
///
/// # Errors
/// It is neither, or further away than time goes.
pub(super) fn instant(text: &str, zone: &TimeZone) -> Result<Timestamp, Refused> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    // jiff would read a civil time out of one with an offset that it has refused.
    let is_civil = !text.contains(['Z', 'z', '+', '[']);
    let civil = is_civil.then(|| text.parse::<DateTime>().ok()).flatten();
    civil.and_then(|civil| zone.to_timestamp(civil).ok()).ok_or_else(|| {
        Refused::new(
            &format!("`{text}` is no time"),
            "write `2026-03-28T00:00:00Z`, or `2026-03-28T00:00` for the clocks of the time zone",
        )
    })
}

/// The first due times after an instant, at most `count`.
pub(super) fn due(schedule: &Schedule, from: Timestamp, count: u32) -> Vec<Timestamp> {
    let next = |at: &Timestamp| schedule.next_after(*at);
    std::iter::successors(schedule.next_after(from), next).take(count as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_expressions_are_told_apart() {
        for text in ["@daily", "0 2 * * *", "every 15m", " */5 * * * * ", "1/2 3 4 5 6"] {
            assert!(is_one(text), "{text}");
        }
        for text in ["job.yaml", "a b.yaml", "./a b", "/a b/c", "jobs", "daily"] {
            assert!(!is_one(text), "{text}");
        }
    }

    #[test]
    fn a_time_has_an_offset_or_is_one_of_the_zone() {
        let berlin = TimeZone::get("Europe/Berlin").expect("is a zone");
        let at =
            |text: &str| instant(text, &berlin).map(|at| at.to_string()).map_err(|refused| refused.title);
        assert_eq!(at("2026-07-01T00:00:00Z").as_deref(), Ok("2026-07-01T00:00:00Z"));
        assert_eq!(at("2026-07-01T00:00+05:45").as_deref(), Ok("2026-06-30T18:15:00Z"));
        assert_eq!(at("2026-07-01").as_deref(), Ok("2026-06-30T22:00:00Z"));
        assert_eq!(at("2026-07-01T12:30").as_deref(), Ok("2026-07-01T10:30:00Z"));
        for wrong in ["tomorrow", "", "2026-13-01", "2026-07-01T00:00+99:00", "9999-12-31T23:59:59"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }
}
