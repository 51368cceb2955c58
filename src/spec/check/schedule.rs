//! Schedules: cron fields on the clocks of a zone, or a period.

use std::ops::Range;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::{Checker, Fields};
use crate::rules::duration::show;
use crate::rules::schedule::{Cron, CronError, Dst, Gap, Overlap, PeriodError, Schedule};
use crate::spec::escape::{escape, quote};
use crate::spec::form::{DST, SCHEDULE};
use crate::spec::limits::SCHEDULES_MAX;
use crate::spec::problem::Problem;
use crate::spec::tree::Node;
use crate::spec::zones::time_zone;

/// Longer delays are slips: the occurrence of a day would start on the next one.
const JITTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

impl Checker<'_> {
    /// `schedules` of a job. Each has due times of its own: the same ones twice are a mistake.
    pub(super) fn schedules(&mut self, node: &Node) -> Vec<Schedule> {
        let Some(items) = self.list(node, "`schedules`") else { return Vec::new() };
        if items.len() > SCHEDULES_MAX {
            let title =
                format!("a job has at most {SCHEDULES_MAX} schedules (SCHEDULES_MAX), found {}", items.len());
            self.report(
                Problem::error(node.span.clone(), title).help("use lists and steps: `0,30 8-18/2 * * *`"),
            );
        }
        let mut known: Vec<(String, Range<usize>)> = Vec::new();
        let mut schedules = Vec::with_capacity(items.len().min(SCHEDULES_MAX));
        for item in items {
            let Some(schedule) = self.schedule(item) else { continue };
            let line = schedule.canonical();
            if let Some((_, first)) = known.iter().find(|(known, _)| *known == line) {
                let problem = Problem::error(item.span.clone(), "this schedule is in the list twice");
                let problem = problem.label("again here").related(first.clone(), "first here");
                self.report(problem.help("remove one of the two"));
                continue;
            }
            known.push((line, item.span.clone()));
            schedules.push(schedule);
        }
        schedules
    }

    fn schedule(&mut self, node: &Node) -> Option<Schedule> {
        let fields = self.fields(node, &SCHEDULE)?;
        let jitter = self.jitter(fields);
        let schedule = match (fields.get("cron"), fields.get("every")) {
            (Some(cron), None) => self.on_zone(fields, cron),
            (None, Some(every)) => self.every(fields, every, jitter),
            (Some(_), Some(every)) => {
                let problem =
                    Problem::error(every.span.clone(), "a schedule has `cron` or `every`, not both");
                self.report(problem.help("make two entries of the list: the job is due by each of them"));
                None
            }
            (None, None) => {
                let problem = Problem::error(fields.head(), "a schedule has no `cron` and no `every`");
                self.report(problem.help(
                    "add five fields, `cron: \"0 2 * * *\"` is at 02:00 every day, or a period, `every: 15m`",
                ));
                None
            }
        };
        match (schedule, jitter) {
            (Some(schedule), Some(jitter)) => Some(schedule.with_jitter(jitter)),
            (schedule, _) => schedule,
        }
    }

    fn on_zone(&mut self, fields: Fields<'_>, node: &Node) -> Option<Schedule> {
        let cron = self.cron(node);
        let zone = match fields.get("time_zone") {
            Some(node) => self.time_zone(node),
            None => {
                let problem = Problem::error(fields.head(), "a schedule has no `time_zone`");
                self.report(
                    problem.help("add an IANA zone such as `time_zone: Europe/Berlin`, or `time_zone: UTC`"),
                );
                None
            }
        };
        let dst = self.dst(fields);
        if let (Some(cron), Some(entry)) = (&cron, fields.entry("dst"))
            && !cron.is_fixed()
        {
            let title = "`dst` has no effect here: the hour has a `*` or a step, so the schedule follows elapsed time";
            self.report(
                Problem::warning(entry.key_span.clone(), title)
                    .help("remove `dst`, or list the hours: `0 2,14 * * *`"),
            );
        }
        Some(Schedule::cron(cron?, zone?, dst))
    }

    fn every(&mut self, fields: Fields<'_>, node: &Node, jitter: Option<Duration>) -> Option<Schedule> {
        for key in ["time_zone", "dst"] {
            if let Some(entry) = fields.entry(key) {
                let title = format!("`{key}` does not belong to `every`, which counts elapsed time");
                self.report(
                    Problem::error(entry.key_span.clone(), title)
                        .help(format!("remove `{key}`, or write the times of a zone as `cron`")),
                );
            }
        }
        let period = self.duration(node, "every")?;
        let problem = match Schedule::every(period) {
            Ok(_) if jitter.is_some_and(|jitter| jitter >= period) => {
                let title = format!("`jitter` must be shorter than the period, {}", show(period));
                let span = fields.get("jitter").map_or(node.span.clone(), |node| node.span.clone());
                Problem::error(span, title).help("shorten `jitter`, or lengthen `every`")
            }
            Ok(schedule) => return Some(schedule),
            Err(why) => {
                let help = match why {
                    PeriodError::Fraction => "leave the milliseconds out",
                    PeriodError::OutOfRange => "the shortest period is `every: 1s`",
                };
                Problem::error(node.span.clone(), why.to_string()).help(help)
            }
        };
        self.report(problem);
        None
    }

    fn jitter(&mut self, fields: Fields<'_>) -> Option<Duration> {
        let jitter = self.duration_of(fields, "jitter")?;
        if jitter > JITTER_MAX {
            let span = fields.get("jitter")?.span.clone();
            let title = format!("`jitter` is at most {}, found {}", show(JITTER_MAX), show(jitter));
            self.report(Problem::error(span, title).help("write a shorter delay: `jitter: 10m`"));
            return None;
        }
        Some(jitter)
    }

    fn dst(&mut self, fields: Fields<'_>) -> Dst {
        let Some(fields) = fields.get("dst").and_then(|node| self.fields(node, &DST)) else {
            return Dst::default();
        };
        let gap = match self.word_of(fields, "gap") {
            Some("skip") => Gap::Skip,
            _ => Gap::After,
        };
        let overlap = match self.word_of(fields, "overlap") {
            Some("both") => Overlap::Both,
            _ => Overlap::First,
        };
        Dst { gap, overlap }
    }

    fn cron(&mut self, node: &Node) -> Option<Cron> {
        let text = self.text(node, "cron")?;
        let cron = match Cron::parse_whole(text) {
            Ok(cron) => cron,
            Err(errors) => {
                for CronError { range, title, help } in errors {
                    let place = self.inside(node, text, range);
                    self.report(Problem::error(place, escape(&title)).help(escape(&help)));
                }
                return None;
            }
        };
        if cron.is_never_due() {
            let title = format!("{} is never due: there is no such day", quote(text));
            self.report(Problem::error(node.span.clone(), title).help("check day of month and month"));
            return None;
        }
        Some(cron)
    }

    /// The place in the file of a part of a value.
    fn inside(&self, node: &Node, text: &str, part: Range<usize>) -> Range<usize> {
        let raw = &self.text[node.span.clone()];
        let start = raw.len() - raw.trim_start_matches(['"', '\'']).len();
        if part == (0..text.len()) {
            return node.span.clone();
        }
        if raw[start..].starts_with(text) {
            let at = node.span.start + start;
            return at + part.start..at + part.end;
        }
        // With escapes or line breaks in it: the field of the same number.
        let field = text[..part.start].split_ascii_whitespace().count();
        let Some(found) = raw[start..].split_ascii_whitespace().nth(field) else { return node.span.clone() };
        let at = node.span.start + (found.as_ptr() as usize - raw.as_ptr() as usize);
        at..at + found.trim_end_matches(['"', '\'']).len()
    }

    /// A zone by its name.
    pub(super) fn time_zone(&mut self, node: &Node) -> Option<TimeZone> {
        let text = self.text(node, "time_zone")?;
        match time_zone(text) {
            Ok(zone) => Some(zone),
            Err(unknown) => {
                self.report(Problem::error(node.span.clone(), unknown.title).help(unknown.help));
                None
            }
        }
    }
}
