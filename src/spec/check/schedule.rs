//! Schedules: five cron fields and a time zone.

use std::sync::LazyLock;

use croner::YEAR_UPPER_LIMIT;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::date;
use jiff::tz::TimeZone;

use super::Checker;
use crate::catalog::nearest;
use crate::spec::escape::{escape, quote};
use crate::spec::form::SCHEDULE;
use crate::spec::job::ScheduleSpec;
use crate::spec::limits::SCHEDULES_MAX;
use crate::spec::problem::Problem;
use crate::spec::tree::Node;

/// The search for the next time that a schedule is due ends with the year 5000: beginning here it is short, and the
/// forty years left have every day that there is, also each weekday on 29 February.
const LATE: i16 = (YEAR_UPPER_LIMIT - 40) as i16;

/// The zones there are, for messages: listing them takes long.
static ZONES: LazyLock<Vec<String>> =
    LazyLock::new(|| jiff::tz::db().available().map(|name| name.to_string()).collect());

const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of month", "1 to 31"),
    ("month", "1 to 12 or JAN to DEC"),
    ("day of week", "0 to 7 or SUN to SAT (0 and 7 are Sunday)"),
];

impl Checker<'_> {
    /// `schedules` of a job.
    pub(super) fn schedules(&mut self, node: &Node) -> Vec<ScheduleSpec> {
        let Some(items) = self.list(node, "`schedules`") else { return Vec::new() };
        if items.len() > SCHEDULES_MAX {
            let title =
                format!("a job has at most {SCHEDULES_MAX} schedules (SCHEDULES_MAX), found {}", items.len());
            self.report(
                Problem::error(node.span.clone(), title).help("use lists and steps: `0,30 8-18/2 * * *`"),
            );
        }
        items.iter().filter_map(|item| self.schedule(item)).collect()
    }

    fn schedule(&mut self, node: &Node) -> Option<ScheduleSpec> {
        let fields = self.fields(node, &SCHEDULE)?;
        let cron = match fields.get("cron") {
            Some(node) => self.cron(node),
            None => {
                let problem = Problem::error(fields.head(), "a schedule has no `cron`");
                self.report(problem.help("add five fields: `cron: \"0 2 * * *\"` is at 02:00 every day"));
                None
            }
        };
        let time_zone = match fields.get("time_zone") {
            Some(node) => self.time_zone(node),
            None => {
                let problem = Problem::error(fields.head(), "a schedule has no `time_zone`");
                self.report(
                    problem.help("add an IANA zone such as `time_zone: Europe/Berlin`, or `time_zone: UTC`"),
                );
                None
            }
        };
        Some(ScheduleSpec { cron: cron?, time_zone: time_zone? })
    }

    fn cron(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node, "cron")?;
        let fields: Vec<&str> = text.split_whitespace().collect();
        if text.trim_start().starts_with('@') {
            let title = format!("the cron nickname {} is not supported", quote(text));
            self.report(
                Problem::error(node.span.clone(), title)
                    .help("write five fields: `0 0 * * *` is every day at midnight"),
            );
            return None;
        }
        if fields.len() != FIELDS.len() {
            let title =
                format!("a cron expression has five fields, found {} in {}", fields.len(), quote(text));
            let help = if fields.len() == 6 {
                "leave the seconds out: minute, hour, day of month, month, day of week"
            } else {
                "write minute, hour, day of month, month, day of week: `0 2 * * *` is at 02:00 every day"
            };
            self.report(Problem::error(node.span.clone(), title).help(help));
            return None;
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        // The crate's errors carry no place: try each field alone.
        let mut wrong = false;
        for (index, field) in fields.iter().enumerate() {
            let mut alone = ["*"; 5];
            alone[index] = field;
            let accepted = parser.parse(&alone.join(" ")).is_ok();
            let step = field.split_once('/').and_then(|(_, step)| step.parse::<u32>().ok());
            let last = [59, 23, 31, 12, 7][index];
            let title = if !accepted {
                format!(
                    "{} of a cron expression is {}, found {}",
                    FIELDS[index].0,
                    FIELDS[index].1,
                    quote(field)
                )
            } else if step.is_some_and(|step| step > last) {
                format!("the step of the {} is larger than its range: {}", FIELDS[index].0, quote(field))
            } else {
                continue;
            };
            wrong = true;
            let place = self.inside(node, index);
            let help = match field.split_once('/') {
                Some((start, step)) if start.bytes().all(|byte| byte.is_ascii_digit()) => {
                    format!(
                        "a step needs a range: `*/{step}` or `{start}-{last}/{step}`",
                        step = escape(step)
                    )
                }
                _ if field.contains('-') && accepted_backwards(&parser, field, index) => {
                    "a range runs upwards: write `22-23,0-2` instead of `22-2`".to_owned()
                }
                _ => "names, lists `1,2`, ranges `1-5` and steps `*/15` are allowed".to_owned(),
            };
            self.report(Problem::error(place, title).help(help));
        }
        if wrong {
            return None;
        }
        let parsed = match parser.parse(text) {
            Ok(parsed) => parsed,
            Err(error) => {
                let title = format!("not a cron expression: {}", escape(&error.to_string()));
                self.report(Problem::error(node.span.clone(), title).help("write five fields: `0 2 * * *`"));
                return None;
            }
        };
        let start = date(LATE, 1, 1).at(0, 0, 0, 0).to_zoned(TimeZone::UTC).ok()?;
        if parsed.find_next_occurrence(&start, true).is_err() {
            let title = format!("{} is never due: there is no such day", quote(text));
            self.report(Problem::error(node.span.clone(), title).help("check day of month and month"));
            return None;
        }
        Some(fields.join(" "))
    }

    /// The place of the field with this number inside a cron expression.
    fn inside(&self, node: &Node, index: usize) -> std::ops::Range<usize> {
        let raw = &self.text[node.span.clone()];
        let start = raw.len() - raw.trim_start_matches(['"', '\'']).len();
        let mut at = start;
        for (number, part) in raw[start..].split_whitespace().enumerate() {
            let found = raw[at..].find(part).map_or(at, |found| at + found);
            if number == index {
                let length = part.trim_end_matches(['"', '\'']).len();
                return node.span.start + found..node.span.start + found + length;
            }
            at = found + part.len();
        }
        node.span.clone()
    }

    fn time_zone(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node, "time_zone")?;
        match TimeZone::get(text) {
            // Names are found whatever their case; keep the canonical spelling.
            Ok(zone) => Some(zone.iana_name().unwrap_or(text).to_owned()),
            Err(_) => {
                let title = format!("there is no time zone {}", quote(text));
                let problem = Problem::error(node.span.clone(), title);
                let help = match nearest(text, ZONES.iter().map(String::as_str)).first() {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write an IANA name such as `Europe/Berlin`, `Asia/Tokyo` or `UTC`".to_owned(),
                };
                self.report(problem.help(help));
                None
            }
        }
    }
}

/// Whether turning a range around makes it right.
fn accepted_backwards(parser: &CronParser, field: &str, index: usize) -> bool {
    let Some((from, to)) = field.split_once('-') else { return false };
    let turned = format!("{to}-{from}");
    let mut alone = ["*"; 5];
    alone[index] = &turned;
    parser.parse(&alone.join(" ")).is_ok()
}
