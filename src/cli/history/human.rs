//! The lists for people.

use std::fmt::Write;

use jiff::Timestamp;

use crate::history::{ListedOccurrence, Page, RunRecord, Trigger};
use crate::observe::escape::one_line;
use crate::runner::EMULATED;

const REASON_CHARS_MAX: usize = 100;
const TEXT_CHARS_MAX: usize = 80;

/// What runs, and what has run.
pub(super) fn runs(running: &Page<ListedOccurrence>, page: &Page<RunRecord>) -> String {
    let mut rows: Vec<[String; 7]> = Vec::new();
    for one in &running.items {
        rows.push([
            one.started_at.map(second).unwrap_or_default(),
            text(&one.job),
            word(Trigger::Schedule).to_owned(),
            "running".to_owned(),
            String::new(),
            one.run_id.map(|run| short(&run.to_string())).unwrap_or_default(),
            String::new(),
        ]);
    }
    for run in &page.items {
        let reason =
            run.reason.as_deref().map(|reason| one_line(reason, REASON_CHARS_MAX)).unwrap_or_default();
        rows.push([
            second(run.began),
            text(&run.job),
            word(run.trigger).to_owned(),
            outcome(run),
            run.seconds.map(|seconds| format!("{seconds:.1} s")).unwrap_or_default(),
            short(&run.run.to_string()),
            reason,
        ]);
    }
    if rows.is_empty() {
        return "no run\n".to_owned();
    }
    aligned(["began", "job", "by", "outcome", "took", "run", ""], &rows) + &more(page.next.as_deref())
}

/// What was not started.
pub(super) fn skipped(page: &Page<ListedOccurrence>) -> String {
    let rows: Vec<[String; 6]> = page
        .items
        .iter()
        .map(|one| {
            let last = if one.count == 1 { String::new() } else { second(one.last_due_at) };
            [
                second(one.due_at),
                last,
                one.count.to_string(),
                text(&one.job),
                one.reason.as_deref().map(text).unwrap_or_default(),
                text(&one.schedule),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "nothing was skipped\n".to_owned();
    }
    aligned(["due", "until", "count", "job", "reason", "schedule"], &rows) + &more(page.next.as_deref())
}

fn more(next: Option<&str>) -> String {
    next.map(|cursor| format!("there is more: --page {cursor}\n")).unwrap_or_default()
}

/// An emulator's run must not pass for a tenant's.
pub(super) fn outcome(run: &RunRecord) -> String {
    let outcome = text(&run.outcome);
    if run.peer == EMULATED { format!("{outcome} ({EMULATED})") } else { outcome }
}

pub(super) fn word(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Schedule => "schedule",
        Trigger::Hand => "hand",
    }
}

pub(super) fn text(text: &str) -> String {
    one_line(text, TEXT_CHARS_MAX)
}

/// To the second.
pub(super) fn second(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

fn short(run: &str) -> String {
    run.get(..8).unwrap_or(run).to_owned()
}

fn aligned<const COLUMNS: usize>(head: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    });
    let mut out = String::new();
    let mut line = |cells: [&str; COLUMNS]| {
        let mut written = String::new();
        for (cell, width) in cells.into_iter().zip(widths) {
            let _ = write!(written, "{cell:<width$}  ");
        }
        out.push_str(written.trim_end());
        out.push('\n');
    };
    line(head);
    for row in rows {
        line(std::array::from_fn(|column| row[column].as_str()));
    }
    out
}
