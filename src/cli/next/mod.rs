//! `exorun next`: when a job or an expression is due; connects to nothing.

mod expression;
mod lines;
mod page;

use std::io;
use std::path::Path;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::start;
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::rules::schedule::{Dst, Gap, Overlap, Schedule};
use crate::spec::job::Job;
use crate::spec::{read_jobs, time_zone};
use expression::{Asked, Refused};
use page::{Listing, Page};

/// More due times of one schedule than anybody reads; it bounds the work for one line of standard input.
const COUNT_MAX: u32 = 10_000;

/// Print when the schedules of a job file, or an expression, are due.
///
/// An expression is five cron fields in one argument, a nickname such as `@daily`, or `every 15m`. With --stdin each line
/// of standard input is a JSON object, {"cron": "0 2 * * *", "time_zone": "Europe/Berlin", "from":
/// "2026-03-28T00:00:00Z", "count": 3, "dst": {"gap": "after", "overlap": "first"}}, and is answered by one line: {"due":
/// […]} or {"error": "…", "help": "…"}.
#[derive(Debug, Args)]
pub(super) struct NextArgs {
    /// A job file, or an expression.
    #[arg(value_name = "JOB|EXPR", required_unless_present = "stdin")]
    what: Option<String>,
    /// Only this job of the file.
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// How many due times of each schedule.
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(1..=i64::from(COUNT_MAX)))]
    count: u32,
    /// Due times after this one: `2026-03-28T00:00:00Z`, or without an offset on the schedule's own clocks. Without it, after
    /// now.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The IANA zone of the expression; without it UTC.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// What becomes of times of the expression that the clocks skip; without it `after`.
    #[arg(long, value_enum, value_name = "RULE")]
    dst_gap: Option<GapName>,
    /// What becomes of times of the expression that the clocks repeat; without it `first`.
    #[arg(long, value_enum, value_name = "RULE")]
    dst_overlap: Option<OverlapName>,
    /// Write one JSON object.
    #[arg(long)]
    json: bool,
    /// Answer the lines of standard input.
    #[arg(long, conflicts_with_all = ["what", "job", "count", "from", "time_zone", "dst_gap", "dst_overlap", "json"])]
    stdin: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum GapName {
    /// Not due.
    Skip,
    /// Due once, at the first instant after the gap.
    After,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OverlapName {
    /// Due the first time.
    First,
    /// Due both times.
    Both,
}

pub(super) fn main(args: &NextArgs) -> Exit {
    let now = Clocks::system().wall();
    let Some(what) = &args.what else {
        return lines::answer(io::stdin().lock(), &mut io::BufWriter::new(io::stdout().lock()), now);
    };
    let listings =
        if expression::is_one(what) { of_expression(what, args, now) } else { of_file(what, args, now) };
    match listings {
        Ok(listings) if args.json => start::print(&page::json(&listings)),
        Ok(listings) => start::print(&Page(&listings).to_string()),
        Err(exit) => exit,
    }
}

fn of_expression(text: &str, args: &NextArgs, now: Timestamp) -> Result<Vec<Listing>, Exit> {
    if args.job.is_some() {
        return Err(start::refuse("--job belongs to a job file, and this is an expression"));
    }
    let dst = Dst {
        gap: match args.dst_gap {
            Some(GapName::Skip) => Gap::Skip,
            Some(GapName::After) | None => Gap::After,
        },
        overlap: match args.dst_overlap {
            Some(OverlapName::Both) => Overlap::Both,
            Some(OverlapName::First) | None => Overlap::First,
        },
    };
    let asked = Asked { text, time_zone: args.time_zone.as_deref(), dst };
    let schedule = asked.schedule().map_err(refuse)?;
    listing(None, &schedule, None, args, now).map(|listing| vec![listing])
}

fn of_file(path: &str, args: &NextArgs, now: Timestamp) -> Result<Vec<Listing>, Exit> {
    if args.time_zone.is_some() || args.dst_gap.is_some() || args.dst_overlap.is_some() {
        return Err(start::refuse(
            "--time-zone, --dst-gap and --dst-overlap belong to an expression; the schedules of a job have their own",
        ));
    }
    let path = Path::new(path);
    if !path.exists() {
        return Err(refuse(Refused {
            title: format!("`{}` is no file, and no expression", path.display()),
            help: "an expression is five fields in quotes, `'0 2 * * *'`, a nickname, `@daily`, or `'every 15m'`".to_owned(),
        }));
    }
    let jobs = read_jobs(path).map_err(|problems| start::refuse_file(&problems))?;
    let wanted: Vec<&Job> =
        jobs.iter().filter(|job| args.job.as_deref().is_none_or(|name| job.name.as_str() == name)).collect();
    if let (true, Some(name)) = (wanted.is_empty(), &args.job) {
        let names: Vec<String> = jobs.iter().map(|job| job.name.to_string()).collect();
        let message = format!("{} has no job `{name}`; it has {}", path.display(), names.join(", "));
        return Err(start::refuse(&message));
    }
    let mut listings = Vec::new();
    for job in wanted {
        if job.schedules.is_empty() {
            listings.push(Listing::without_schedule(job));
        }
        for schedule in &job.schedules {
            listings.push(listing(Some(job), schedule, Some(&job.run_policy), args, now)?);
        }
    }
    Ok(listings)
}

fn listing(
    job: Option<&Job>,
    schedule: &Schedule,
    policy: Option<&crate::rules::schedule::RunPolicy>,
    args: &NextArgs,
    now: Timestamp,
) -> Result<Listing, Exit> {
    let zone = zone_of(schedule);
    let from = match &args.from {
        None => now,
        Some(text) => expression::instant(text, &zone).map_err(refuse)?,
    };
    Ok(Listing::new(job, schedule, policy, expression::due(schedule, from, args.count)))
}

/// On whose clocks the due times are shown.
fn zone_of(schedule: &Schedule) -> TimeZone {
    schedule.on_zone().map_or(TimeZone::UTC, |(_, zone, _)| zone.clone())
}

fn refuse(Refused { title, help }: Refused) -> Exit {
    start::refuse(&format!("{title}; {help}"))
}

/// Text of the user's on one line.
fn shown(text: &str) -> String {
    one_line(text, 500)
}
