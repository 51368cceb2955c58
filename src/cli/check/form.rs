//! The forms of the result. What does not fit all of them is in a file for each.

use std::io::{self, Write};
use std::path::Path;

use super::outcome::{Outcome, Summary};
use super::{github, human, json};
use crate::spec::{Problems, Told};

/// How the result is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Lines for people.
    Human {
        /// With colours for a terminal.
        coloured: bool,
    },
    /// One JSON object.
    Json,
    /// Workflow commands of GitHub Actions.
    Github,
}

impl Form {
    /// The problems of a file, ready to be written.
    pub(super) fn problems(self, problems: &Problems) -> Vec<String> {
        let path = problems.path();
        match self {
            _ if problems.is_empty() => Vec::new(),
            Form::Human { coloured: false } => vec![problems.render_plain()],
            Form::Human { coloured: true } => vec![problems.render_coloured()],
            Form::Json | Form::Github => {
                problems.told().iter().map(|told| self.problem(path, told, path)).collect()
            }
        }
    }

    /// One problem without its source line; its related place is in the file `related`.
    pub(super) fn problem(self, path: &Path, told: &Told, related: &Path) -> String {
        match self {
            Form::Human { coloured } => human::problem(path, told, related, coloured),
            Form::Json => json::problem(told, related),
            Form::Github => github::problem(path, told, related),
        }
    }

    /// What stands before the first file.
    pub(super) fn begin(self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Form::Json => json::begin(out),
            Form::Human { .. } | Form::Github => Ok(()),
        }
    }

    /// What came of a file; the files come with the numbers 0, 1, 2 and so on.
    pub(super) fn file(
        self,
        number: usize,
        path: &Path,
        outcome: &Outcome,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> io::Result<()> {
        match self {
            Form::Human { .. } => human::file(path, outcome, out, err),
            Form::Json => json::file(number, path, outcome, out),
            Form::Github => github::file(outcome, out),
        }
    }

    /// What stands after the last file.
    pub(super) fn end(self, summary: &Summary, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
        match self {
            // Beside the errors, so that standard output says only what is right.
            Form::Human { .. } if summary.errors > 0 => human::end(summary, err),
            Form::Human { .. } | Form::Github => human::end(summary, out),
            Form::Json => json::end(summary, out),
        }
    }
}
