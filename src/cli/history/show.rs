//! `exorun history show`: one run.

use std::fmt::Write;

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};

use super::human::{outcome, second, text, word};
use super::{Shown, json};
use crate::history::{
    Found, HistoryError, ListedOccurrence, OccurrenceFilter, OccurrenceResult, Paging, Reader, RunDetail,
    StepRecord,
};
use crate::observe::escape::one_line;

/// Longer reasons are not kept.
const REASON_CHARS_MAX: usize = 4_000;

/// Show one run with its steps.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The run's id, or the beginning of it.
    run: String,
    /// Print one JSON object: docs/history.md.
    #[arg(long)]
    json: bool,
}

pub(super) fn show(args: &ShowArgs, reader: &Reader) -> Result<Shown, HistoryError> {
    match reader.run_by_prefix(&args.run)? {
        Found::One(run) if args.json => Ok(Shown::Text(json(&*run))),
        Found::One(run) => Ok(Shown::Text(detail(&run))),
        Found::Several => {
            Ok(Shown::Refused(format!("several runs begin with `{}`; give more of the id", args.run)))
        }
        Found::Nothing => Ok(Shown::Refused(match still_running(&args.run, reader)? {
            Some(one) => format!(
                "the run `{}` of {} has not ended; `exorun history` shows what runs",
                one.run_id.unwrap_or_default(),
                one.job
            ),
            None => format!("{} has no run `{}`", reader.file().display(), args.run),
        })),
    }
}

fn still_running(prefix: &str, reader: &Reader) -> Result<Option<ListedOccurrence>, HistoryError> {
    let running = OccurrenceFilter { result: Some(OccurrenceResult::Running), ..OccurrenceFilter::default() };
    let page = reader.occurrences(&running, Paging { limit: crate::history::LIMIT_MAX, after: None })?;
    let prefix = prefix.to_ascii_lowercase();
    let is_meant =
        |one: &ListedOccurrence| one.run_id.is_some_and(|run| run.to_string().starts_with(&prefix));
    Ok(page.items.into_iter().find(|one| !prefix.is_empty() && is_meant(one)))
}

fn detail(detail: &RunDetail) -> String {
    let run = &detail.run;
    let mut out = format!("job {}, run {}\n", text(&run.job), run.run);
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "  {name:<8} {value}");
        }
    };
    let due = run.due.map(|due| format!(", due at {}", second(due))).unwrap_or_default();
    line("by", &format!("{}{due}", word(run.trigger)));
    line("began", &second(run.began));
    let took = run.seconds.map(|seconds| format!(", after {seconds:.1} s")).unwrap_or_default();
    line("ended", &format!("{}{took}", second(run.ended)));
    let code = run.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
    line("outcome", &format!("{}{code}", outcome(run)));
    line(
        "reason",
        &run.reason.as_deref().map(|reason| one_line(reason, REASON_CHARS_MAX)).unwrap_or_default(),
    );
    let place = [&run.tenant, &run.environment, &run.service].map(|part| text(part));
    line("where", place.join(" ").trim());
    line("tenant", &run.tenant_id.as_deref().map(text).unwrap_or_default());
    line("as", &run.actor.as_deref().map(text).unwrap_or_default());
    line("mode", &text(&run.mode));
    line("source", &one_line(&run.source, 400));
    line("hash", &text(&run.job_hash));
    line("sessions", &run.sessions.to_string());
    if !detail.steps.is_empty() {
        out.push('\n');
        out.push_str(&steps(&detail.steps));
    }
    out
}

fn steps(steps: &[StepRecord]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_BORDERS_ONLY_CONDENSED);
    table.set_header([
        "step",
        "action",
        "calls",
        "items",
        "changed",
        "unchanged",
        "pending",
        "failed",
        "skipped",
        "time",
    ]);
    for step in steps {
        let numbers =
            [step.calls, step.items, step.changed, step.unchanged, step.pending, step.failed, step.skipped];
        let mut row = vec![text(&step.name), text(&step.action)];
        row.extend(numbers.map(|number| number.to_string()));
        row.push(format!("{:.1} s", step.seconds));
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string() + "\n"
}
