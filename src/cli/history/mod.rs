//! `exorun history`: what ran, what was skipped and why.

mod human;
mod show;

use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::setting_flags::SettingFlags;
use super::start;
use crate::app::history;
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::history::{
    After, HistoryError, LIMIT_MAX, OccurrenceFilter, OccurrenceResult, Page, Paging, Reader, RunFilter,
    RunOutcome,
};
use crate::observe::escape::json_line;
use crate::rules::duration;

/// Lines that fit on a screen or two.
const LIMIT: u32 = 50;

/// Show what ran, the newest first, and what was skipped and why.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct HistoryArgs {
    #[command(subcommand)]
    command: Option<Command>,
    /// Only this job.
    job: Option<String>,
    /// Only runs that did not end well.
    #[arg(long, conflicts_with = "skipped")]
    failed: bool,
    /// The due times that were not started, with the reason.
    #[arg(long)]
    skipped: bool,
    /// Only what began, or was due, within this time before now, such as `12h` or `7d`.
    #[arg(long, value_name = "DURATION", value_parser = since)]
    since: Option<Duration>,
    /// How many at most, up to 1000.
    #[arg(long, value_name = "N", default_value_t = LIMIT, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIMIT_MAX)))]
    limit: u32,
    /// Go on after this cursor: `next` of a page before.
    #[arg(long, value_name = "CURSOR", value_parser = cursor)]
    page: Option<After>,
    /// Print one JSON object: docs/history.md.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(show::ShowArgs),
}

fn since(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|why| why.to_string())
}

fn cursor(text: &str) -> Result<After, String> {
    text.parse::<After>().map_err(|why| why.to_string())
}

pub(super) fn main(args: &HistoryArgs, flags: SettingFlags) -> Exit {
    let settings = match start::settings_of(flags) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let shown = Reader::open(&history::file(&settings)).and_then(|reader| match &args.command {
        Some(Command::Show(show)) => show::show(show, &reader),
        None => list(args, &reader),
    });
    match shown {
        Ok(Shown::Text(text)) => start::print(&text),
        Ok(Shown::Refused(why)) => start::refuse(&why),
        Err(error) => {
            let exit = start::refuse(&error.to_string());
            if matches!(error, HistoryError::Missing { .. }) { exit } else { Exit::Failed }
        }
    }
}

/// What there is to say.
enum Shown {
    Text(String),
    Refused(String),
}

fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("plain values become JSON");
    json_line(&text).into_owned() + "\n"
}

fn list(args: &HistoryArgs, reader: &Reader) -> Result<Shown, HistoryError> {
    let now = Clocks::system().wall();
    let since = args.since.and_then(|since| now.checked_sub(since).ok());
    let paging = Paging { limit: args.limit, after: args.page };
    let of = |result| OccurrenceFilter { job: args.job.clone(), result: Some(result), since };
    if args.skipped {
        let page = reader.occurrences(&of(OccurrenceResult::Skipped), paging)?;
        return Ok(Shown::Text(if args.json { json(&page) } else { human::skipped(&page) }));
    }
    let outcome = args.failed.then_some(RunOutcome::NotWell);
    let page = reader.runs(&RunFilter { job: args.job.clone(), outcome, since }, paging)?;
    if args.json {
        return Ok(Shown::Text(json(&page)));
    }
    let running = if args.failed || args.page.is_some() {
        Page { items: Vec::new(), next: None }
    } else {
        reader.occurrences(&of(OccurrenceResult::Running), Paging { limit: args.limit, after: None })?
    };
    Ok(Shown::Text(human::runs(&running, &page)))
}
