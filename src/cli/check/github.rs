//! The result as workflow commands of GitHub Actions: each problem becomes an annotation of its file.
//!
//! A line that begins with `::` is a command, and the runner looks for `##[` in every other line. So nothing but the
//! commands and the last line, which is words and numbers of ours, is written, and no text of a file can begin a line.

use std::io::{self, Write};
use std::path::Path;

use super::outcome::Outcome;
use super::shown;
use crate::spec::{Severity, Told};

/// The command for a problem, in one line.
pub(super) fn problem(path: &Path, told: &Told, related: &Path) -> String {
    let command = match told.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    // What `exorun check .` calls `./a.yaml` is `a.yaml` in the list of a change's files.
    let path = path.strip_prefix(".").unwrap_or(path);
    let mut properties = format!("file={}", property(&shown(path)));
    if let Some(place) = told.place {
        properties.push_str(&format!(
            ",line={},col={},endLine={},endColumn={}",
            place.line, place.column, place.end_line, place.end_column
        ));
    }
    let mut message = told.title.clone();
    if let Some((place, label)) = &told.related {
        message.push_str(&format!("\n{label}: {}:{}:{}", shown(related), place.line, place.column));
    }
    for help in &told.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    format!("::{command} {properties},title=exorun check::{}", data(&message))
}

/// The commands of a file.
pub(super) fn file(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    outcome.problems.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// A message as the runner takes it back apart.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value; a colon or a comma would end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Place;

    #[test]
    fn nothing_ends_a_command_or_begins_another() {
        let place = Place { line: 3, column: 1, end_line: 3, end_column: 9 };
        let told = Told {
            severity: Severity::Warning,
            title: "100% wrong: a, b::c%0A".to_owned(),
            place: Some(place),
            label: String::new(),
            related: Some((place, "first here".to_owned())),
            help: vec!["one\r".to_owned(), "two\n::error::x".to_owned()],
        };
        assert_eq!(
            problem(Path::new("a,b:c%\n::error::d.yaml"), &told, Path::new("e%.yaml")),
            "::warning file=a%2Cb%3Ac%25\\n%3A%3Aerror%3A%3Ad.yaml,line=3,col=1,endLine=3,endColumn=9,title=exorun check\
             ::100%25 wrong: a, b::c%250A%0Afirst here: e%25.yaml:3:1%0Ahelp: one%0D%0Ahelp: two%0A::error::x"
        );
        let whole = Told { severity: Severity::Error, place: None, related: None, help: Vec::new(), ..told };
        assert_eq!(
            problem(Path::new("a.yaml"), &whole, Path::new("a.yaml")),
            "::error file=a.yaml,title=exorun check::100%25 wrong: a, b::c%250A"
        );
    }
}
