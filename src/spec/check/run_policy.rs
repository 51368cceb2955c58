//! What becomes of occurrences that are due at a bad moment.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::{Checker, Fields};
use crate::rules::duration::show;
use crate::rules::schedule::{Blackout, CronError, Missed, Overlapping, RunPolicy, Schedule, Weekdays};
use crate::spec::escape::{escape, quote};
use crate::spec::form::{BLACKOUT, RUN_POLICY};
use crate::spec::limits::BLACKOUTS_MAX;
use crate::spec::problem::Problem;
use crate::spec::tree::Node;

/// How many missed occurrences `missed: all` runs, unless the job says so.
const MISSED_DEFAULT: u32 = 10;

/// An end of a window.
#[derive(Clone, Copy)]
enum Moment {
    Daily(Time),
    Once(DateTime),
}

impl Checker<'_> {
    /// `run_policy` of a job with these schedules.
    pub(super) fn run_policy(&mut self, job: Fields<'_>, schedules: &[Schedule]) -> RunPolicy {
        let Some(entry) = job.entry("run_policy") else { return RunPolicy::default() };
        let Some(fields) = self.fields(&entry.value, &RUN_POLICY) else { return RunPolicy::default() };
        if job.get("schedules").is_none() {
            let problem = Problem::warning(
                entry.key_span.clone(),
                "`run_policy` has no effect: the job has no `schedules`",
            );
            self.report(problem.help("add `schedules`, or remove `run_policy`"));
        }
        let overlap = match self.word_of(fields, "overlap") {
            Some("queue") => Overlapping::Queue,
            Some("replace") => Overlapping::Replace,
            Some("allow") => Overlapping::Allow,
            _ => Overlapping::Forbid,
        };
        let missed = self.missed(fields, overlap);
        let starting_deadline = self.duration_of(fields, "starting_deadline");
        if let (Some(deadline), Some(node)) = (starting_deadline, fields.get("starting_deadline"))
            && let Some(jitter) = schedules.iter().map(Schedule::jitter).max()
            && deadline < jitter
        {
            let title = format!(
                "`starting_deadline` is over before a `jitter` of {} may be: the occurrence would be skipped",
                show(jitter)
            );
            self.report(Problem::error(node.span.clone(), title).help("lengthen it, or shorten `jitter`"));
        }
        let blackout = fields.get("blackout").map(|node| self.blackouts(node)).unwrap_or_default();
        let suspend = self.boolean_of(fields, "suspend").unwrap_or_default();
        RunPolicy { overlap, missed, starting_deadline, blackout, suspend }
    }

    fn missed(&mut self, fields: Fields<'_>, overlap: Overlapping) -> Missed {
        let word = self.word_of(fields, "missed");
        let max = self.integer_of(fields, "missed_max");
        if word != Some("all")
            && let Some(entry) = fields.entry("missed_max")
        {
            let problem = Problem::error(entry.key_span.clone(), "`missed_max` belongs to `missed: all`");
            self.report(problem.help("add `missed: all`, or remove `missed_max`"));
        }
        match (word, fields.get("missed")) {
            (Some("skip"), _) => Missed::Skip,
            (Some("all"), Some(node)) => {
                if !matches!(overlap, Overlapping::Queue | Overlapping::Allow) {
                    let title = "`missed: all` needs `overlap: queue` or `overlap: allow`: of several runs that are due \
                                 at once only one would be left";
                    let problem = Problem::error(node.span.clone(), title);
                    self.report(problem.help("add `overlap: queue`, or write `missed: latest`"));
                }
                Missed::All { max: max.unwrap_or(MISSED_DEFAULT) }
            }
            _ => Missed::Latest,
        }
    }

    fn blackouts(&mut self, node: &Node) -> Vec<Blackout> {
        let Some(items) = self.list(node, "`blackout`") else { return Vec::new() };
        if items.len() > BLACKOUTS_MAX {
            let title = format!(
                "`blackout` has at most {BLACKOUTS_MAX} windows (BLACKOUTS_MAX), found {}",
                items.len()
            );
            self.report(Problem::error(node.span.clone(), title).help("use `days` for several weekdays"));
        }
        items.iter().filter_map(|item| self.blackout(item)).collect()
    }

    fn blackout(&mut self, node: &Node) -> Option<Blackout> {
        let fields = self.fields(node, &BLACKOUT)?;
        let days = match fields.get("days") {
            Some(node) => self.weekdays(node),
            None => Some(Weekdays::ALL),
        };
        let zone = self.needed(fields, "time_zone", "an IANA zone such as `time_zone: Europe/Berlin`");
        let zone = zone.and_then(|node| self.time_zone(node));
        let example = "a time of day, `\"22:00\"`, or a date with one, `2026-12-24T12:00`";
        let [from, until] = ["from", "until"].map(|key| {
            let node = self.needed(fields, key, example)?;
            Some((node, self.moment(node, key, example)?))
        });
        let ((_, from), (node, until)) = (from?, until?);
        let problem = match (from, until) {
            (Moment::Daily(from), Moment::Daily(until)) => {
                return Some(Blackout::Recurring { days: days?, from, until, zone: zone? });
            }
            (Moment::Once(_), Moment::Once(_)) if fields.entry("days").is_some() => {
                let place = fields.entry("days").map_or(node.span.clone(), |entry| entry.key_span.clone());
                Problem::error(place, "`days` does not belong to a window that comes once")
                    .help("remove `days`, or write times of day")
            }
            (Moment::Once(from), Moment::Once(until)) if from < until => {
                return once(from, until, &zone?);
            }
            (Moment::Once(_), Moment::Once(_)) => {
                Problem::error(node.span.clone(), "the window ends before it begins")
                    .help("`until` is the first minute after it")
            }
            _ => Problem::error(node.span.clone(), "`from` and `until` are both times of day, or both dates")
                .help(format!("write {example} for both")),
        };
        self.report(problem);
        None
    }

    /// The value of a key that must be there.
    fn needed<'a>(&mut self, fields: Fields<'a>, key: &str, example: &str) -> Option<&'a Node> {
        let found = fields.get(key);
        if found.is_none() {
            let problem = Problem::error(fields.head(), format!("a blackout window has no `{key}`"));
            self.report(problem.help(format!("add {example}")));
        }
        found
    }

    fn moment(&mut self, node: &Node, key: &str, example: &str) -> Option<Moment> {
        let text = self.text(node, key)?;
        let moment = match text.split_once('T') {
            None => time_of_day(text).map(Moment::Daily),
            Some((date, time)) => {
                day(date).and_then(|date| Some(Moment::Once(date.to_datetime(time_of_day(time)?))))
            }
        };
        if moment.is_none() {
            let title = format!("`{key}` is no time of day and no date with one: {}", quote(text));
            self.report(Problem::error(node.span.clone(), title).help(format!("write {example}")));
        }
        moment
    }

    fn weekdays(&mut self, node: &Node) -> Option<Weekdays> {
        let text = self.text(node, "days")?;
        match Weekdays::parse(text) {
            Ok(days) => Some(days),
            Err(CronError { title, help, .. }) => {
                self.report(Problem::error(node.span.clone(), escape(&title)).help(escape(&help)));
                None
            }
        }
    }
}

/// `HH:MM`.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok()).flatten();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let (hour, minute) = (i8::try_from(number(hour)?).ok()?, i8::try_from(number(minute)?).ok()?);
    digits.then(|| Time::new(hour, minute, 0, 0).ok()).flatten()
}

/// `YYYY-MM-DD`.
fn day(text: &str) -> Option<Date> {
    (text.len() == "YYYY-MM-DD".len()).then(|| text.parse().ok()).flatten()
}

/// Where the clocks skip or repeat an end of the window, it is the longer one of the two that are possible.
fn once(from: DateTime, until: DateTime, zone: &TimeZone) -> Option<Blackout> {
    let from = zone.to_ambiguous_timestamp(from).earlier().ok()?;
    let until = zone.to_ambiguous_timestamp(until).later().ok()?;
    Some(Blackout::Once { from, until })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_one_way() {
        assert_eq!(time_of_day("07:05"), Time::new(7, 5, 0, 0).ok());
        for refused in ["7:05", "24:00", "07:60", "07:05:00", "+7:05", "0705", "", "٠٧:٠٥"] {
            assert_eq!(time_of_day(refused), None, "{refused}");
        }
        assert_eq!(day("2026-12-24"), Date::new(2026, 12, 24).ok());
        for refused in ["2026-02-30", "20261224", "26-12-24", "2026-12-24T"] {
            assert_eq!(day(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_window_whose_ends_come_twice_is_the_longer_one() {
        let berlin = TimeZone::get("Europe/Berlin").expect("is a zone");
        let at = |text: &str| text.parse::<DateTime>().expect("is a date");
        let window = once(at("2026-10-25T02:30"), at("2026-10-25T02:45"), &berlin);
        let expected = Blackout::Once {
            from: "2026-10-25T02:30+02".parse().expect("is an instant"),
            until: "2026-10-25T02:45+01".parse().expect("is an instant"),
        };
        assert_eq!(window, Some(expected));
    }
}
