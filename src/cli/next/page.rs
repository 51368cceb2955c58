//! Due times for people, and as one JSON object.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::zone_of;
use crate::rules::duration::show;
use crate::rules::schedule::{RunPolicy, Schedule};
use crate::spec::job::Job;

/// How an instant is written: with its offset, which tells the two passes of an overlap apart.
const FORMAT: &str = "%Y-%m-%dT%H:%M:%S%:z";

/// One schedule with its due times.
pub(super) struct Listing {
    job: Option<String>,
    suspended: bool,
    /// `None`: the job has no schedule.
    schedule: Option<Told>,
}

struct Told {
    line: String,
    zone: TimeZone,
    jitter: Duration,
    /// The second is whether a blackout window holds then.
    due: Vec<(Timestamp, bool)>,
}

impl Listing {
    pub(super) fn new(
        job: Option<&Job>,
        schedule: &Schedule,
        policy: Option<&RunPolicy>,
        due: Vec<Timestamp>,
    ) -> Listing {
        let blacked_out = |at: Timestamp| {
            policy.is_some_and(|policy| policy.blackout.iter().any(|window| window.holds(at)))
        };
        Listing {
            job: job.map(|job| job.name.to_string()),
            suspended: policy.is_some_and(|policy| policy.suspend),
            schedule: Some(Told {
                line: schedule.canonical(),
                zone: zone_of(schedule),
                jitter: schedule.jitter(),
                due: due.into_iter().map(|at| (at, blacked_out(at))).collect(),
            }),
        }
    }

    pub(super) fn without_schedule(job: &Job) -> Listing {
        Listing { job: Some(job.name.to_string()), suspended: job.run_policy.suspend, schedule: None }
    }
}

/// The listings as lines.
pub(super) struct Page<'a>(pub(super) &'a [Listing]);

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Listing { job, suspended, schedule } in self.0 {
            let suspended = if *suspended { " (suspended)" } else { "" };
            let Some(Told { line, zone, jitter, due }) = schedule else {
                writeln!(f, "job {}{suspended}: no schedule", job.as_deref().unwrap_or_default())?;
                continue;
            };
            if let Some(job) = job {
                let jitter = match *jitter {
                    Duration::ZERO => String::new(),
                    jitter => format!(", delayed by up to {}", show(jitter)),
                };
                writeln!(f, "job {job}{suspended}: {line}{jitter}")?;
            }
            let name = zone.iana_name().unwrap_or_default();
            for (at, blacked_out) in due {
                let blackout = if *blacked_out { ", in a blackout window: skipped" } else { "" };
                let shown = at.to_zoned(zone.clone());
                writeln!(f, "{} {} {name}{blackout}", shown.strftime("%a"), shown.strftime(FORMAT))?;
            }
            if due.is_empty() {
                writeln!(f, "not due again")?;
            }
        }
        Ok(())
    }
}

/// The listings as one object.
pub(super) fn json(listings: &[Listing]) -> String {
    let schedules: Vec<Value> = listings
        .iter()
        .filter_map(|listing| {
            let Told { line, zone, jitter, due } = listing.schedule.as_ref()?;
            let blackout: Vec<String> = due
                .iter()
                .filter(|(_, blacked_out)| *blacked_out)
                .map(|(at, _)| instant(*at, zone))
                .collect();
            Some(json!({
                "job": listing.job,
                "suspended": listing.suspended,
                "schedule": line,
                "time_zone": zone.iana_name(),
                "jitter_seconds": jitter.as_secs_f64(),
                "due": due.iter().map(|(at, _)| instant(*at, zone)).collect::<Vec<_>>(),
                "blackout": blackout,
            }))
        })
        .collect();
    format!("{:#}\n", json!({"schedules": schedules}))
}

/// An instant on the clocks of a zone.
pub(super) fn instant(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime(FORMAT).to_string()
}
