//! The result for people: what is right on standard output, problems on standard error.

use std::io::{self, Write};
use std::path::Path;

use annotate_snippets::{Level, Origin, Renderer};

use super::outcome::{Outcome, Summary};
use super::shown;
use crate::spec::{Severity, Told};

/// A problem without the source line.
pub(super) fn problem(path: &Path, told: &Told, related: &Path, coloured: bool) -> String {
    let level = match told.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let origin = Origin::path(shown(path));
    let origin = match told.place {
        Some(place) => origin.line(place.line).char_column(place.column),
        None => origin,
    };
    let mut group = level.primary_title(told.title.as_str()).element(origin);
    if let Some((place, label)) = &told.related {
        let note = format!("{label}: {}:{}:{}", shown(related), place.line, place.column);
        group = group.element(Level::NOTE.message(note));
    }
    for help in &told.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// Problems with their count, or one line for each job or file of connections.
pub(super) fn file(
    path: &Path,
    outcome: &Outcome,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<()> {
    let path = shown(path);
    if !outcome.problems.is_empty() {
        let problems = outcome.problems.join("\n\n");
        let count = match outcome.errors {
            0 => String::new(),
            errors => format!("{path}: {}; nothing was connected\n", counted(errors, "error")),
        };
        // In one piece: standard error has no buffer.
        err.write_all(format!("{problems}\n\n{count}").as_bytes())?;
    }
    if let Some(connections) = outcome.right_connections() {
        writeln!(out, "ok: {path}: connections: {connections}")?;
    }
    for (job, steps) in outcome.right_jobs() {
        writeln!(out, "ok: {path}: job {job}, {}", counted(*steps, "step"))?;
    }
    Ok(())
}

/// One line over all files.
pub(super) fn end(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let Summary { files, jobs, errors, warnings } = summary;
    let (files, jobs) = (counted(*files, "file"), counted(*jobs, "job"));
    let (errors, warnings) = (counted(*errors, "error"), counted(*warnings, "warning"));
    writeln!(out, "checked {files}: {jobs}, {errors}, {warnings}")
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
