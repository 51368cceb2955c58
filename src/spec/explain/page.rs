//! Lines of text: labels, facts beside them, and code below.

use crate::spec::escape::escape;

/// Columns of a line.
pub(super) const WIDTH: usize = 110;
/// Where a fact begins; its label stands before it.
const FACT_COLUMN: usize = 15;
/// Where code begins.
pub(super) const CODE_COLUMN: usize = 4;

/// A text that grows. Whatever is added stays on lines of its own place: text of a job is escaped, and what is too
/// long goes on below where it began, so that it cannot look like another label.
pub(super) struct Page {
    text: String,
}

impl Page {
    pub(super) fn new() -> Page {
        Page { text: String::new() }
    }

    /// A heading, after an empty line.
    pub(super) fn section(&mut self, title: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&escape(title));
        self.text.push('\n');
    }

    /// A label with what is to be said of it.
    pub(super) fn fact(&mut self, label: &str, text: &str) {
        let first = format!("  {:<width$}", escape(label), width = FACT_COLUMN - 2);
        // A label that fills its column still stands apart from the text.
        let first = if first.ends_with(' ') { first } else { first + " " };
        self.wrapped(&first, FACT_COLUMN, text);
    }

    /// More of the last fact.
    pub(super) fn more(&mut self, text: &str) {
        self.wrapped(&" ".repeat(FACT_COLUMN), FACT_COLUMN + 2, text);
    }

    /// A sentence below a heading.
    pub(super) fn note(&mut self, text: &str) {
        self.wrapped("  ", 2, text);
    }

    /// A label for the code below it.
    pub(super) fn label(&mut self, label: &str) {
        self.text.push_str(&format!("  {}\n", escape(label)));
    }

    /// Lines of code, as they are: they were quoted and broken by who made them.
    pub(super) fn code(&mut self, lines: &[String]) {
        for line in lines {
            self.text.push_str(&format!("{}{}\n", " ".repeat(CODE_COLUMN), escape(line)));
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn wrapped(&mut self, first: &str, column: usize, text: &str) {
        let mut line = first.to_owned();
        let mut is_empty = true;
        for word in escape(text).split(' ') {
            if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.push_line(&line);
                line = " ".repeat(column);
            } else if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        self.push_line(&line);
    }

    fn push_line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
