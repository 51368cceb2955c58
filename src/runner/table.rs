//! The report as people read it.

use comfy_table::{CellAlignment, Table, presets};

use super::report::RunReport;
use super::tally::NamedFailure;

/// The report as text for a terminal or a log.
pub fn table(report: &RunReport) -> String {
    let mut text = String::new();
    if report.peer == super::EMULATED {
        text.push_str(
            "EMULATED: these are not a tenant's objects; nothing in production was read or changed.\n\n",
        );
    }
    text.push_str(&format!(
        "job {} ({}) on {}, run {}\n",
        report.job, report.mode, report.tenant, report.run_id
    ));
    if let Some(actor) = &report.actor {
        text.push_str(&format!("as {actor}\n"));
    }
    text.push('\n');
    text.push_str(&steps(report));
    text.push('\n');
    for step in &report.steps {
        for failure in &step.counts.failures {
            text.push_str(&failure_line(&step.name, failure));
        }
        let unnamed = step.counts.failed.saturating_sub(step.counts.failures.len() as u64);
        if unnamed > 0 {
            text.push_str(&format!("failed: {}: and {unnamed} more\n", step.name));
        }
        if let Some(output) = &step.output {
            text.push_str(&format!("wrote {output}\n"));
        }
    }
    text.push_str(&sessions(report));
    if let Some(reason) = &report.reason {
        text.push_str(&format!("ended early: {reason}\n"));
    }
    text.push_str(&format!(
        "{} (exit code {}) after {:.1} s",
        report.outcome.replace('_', " "),
        report.exit_code,
        report.seconds
    ));
    text
}

fn steps(report: &RunReport) -> String {
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
    for step in &report.steps {
        let counts = &step.counts;
        let numbers = [
            counts.calls,
            counts.items,
            counts.changed,
            counts.unchanged,
            counts.pending,
            counts.failed,
            counts.skipped,
        ];
        let mut row = vec![step.name.clone(), step.action.clone()];
        row.extend(numbers.map(|number| number.to_string()));
        row.push(format!("{:.1} s", step.seconds));
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string() + "\n"
}

fn failure_line(step: &str, failure: &NamedFailure) -> String {
    match &failure.object {
        Some(object) => format!("failed: {step}: {object}: {}\n", failure.message),
        None => format!("failed: {step}: {}\n", failure.message),
    }
}

fn sessions(report: &RunReport) -> String {
    let opened = report.sessions.len();
    let clean = report.sessions.iter().filter(|session| session.closed == Some("cleanly")).count();
    let nothing = report.sessions.iter().filter(|session| session.closed == Some("nothing_opened")).count();
    let left = opened - clean - nothing;
    let mut line = format!("sessions: {opened} opened, {} closed", opened - left);
    if left > 0 {
        line.push_str(&format!(
            ", {left} without the service's confirmation (their slots are in quarantine)"
        ));
    }
    line.push('\n');
    line
}
