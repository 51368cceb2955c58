//! Problems in words with their places, for forms that programs read: no source line, no caret.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Problems, Severity};
use crate::spec::escape::escape;

/// A part of one line of a file. Lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The first character.
    pub column: usize,
    /// The same as `line`: of what goes over several lines, the first is marked.
    pub end_line: usize,
    /// After the last character.
    pub end_column: usize,
}

/// One problem; every text is one line without control characters.
#[derive(Clone, Debug)]
pub struct Told {
    /// Whether it keeps the job from running.
    pub severity: Severity,
    /// One sentence that can be read alone.
    pub title: String,
    /// Where; `None` for a problem of the whole file.
    pub place: Option<Place>,
    /// A few words about the place; may be empty.
    pub label: String,
    /// Another place of the same file that has to do with it, and how.
    pub related: Option<(Place, String)>,
    /// What to do about it, one sentence each.
    pub help: Vec<String>,
}

impl Problems {
    /// Every problem with its places, in the order of the file.
    pub fn told(&self) -> Vec<Told> {
        let span = |span: &Range<usize>| self.one_line(span);
        let related = |problem: &super::Problem| problem.related.as_ref().map(|related| span(&related.0));
        let spans = self
            .list
            .iter()
            .flat_map(|problem| problem.span.as_ref().map(span).into_iter().chain(related(problem)));
        let places = Places::of(&self.text, spans);
        let told = |problem: &super::Problem| Told {
            severity: problem.severity,
            title: problem.title(),
            place: problem.span.as_ref().map(|at| places.place(&span(at))),
            label: escape(&problem.label),
            related: problem
                .related
                .as_ref()
                .map(|related| (places.place(&span(&related.0)), escape(&related.1))),
            help: problem.help.iter().map(|help| escape(help)).collect(),
        };
        self.list.iter().map(told).collect()
    }
}

impl Place {
    /// Where a part of a line stands in the text.
    pub(in crate::spec) fn of(text: &str, span: Range<usize>) -> Place {
        Places::of(text, [span.clone()]).place(&span)
    }
}

/// Line and column of the ends of some spans, found in one pass: thousands of problems in one long line must not
/// cost the length of the line each.
struct Places(BTreeMap<usize, (usize, usize)>);

impl Places {
    fn of(text: &str, spans: impl IntoIterator<Item = Range<usize>>) -> Places {
        let mut found: BTreeMap<usize, (usize, usize)> =
            spans.into_iter().flat_map(|span| [(span.start, (1, 1)), (span.end, (1, 1))]).collect();
        let (mut line, mut column, mut before) = (1, 1, 0);
        for (at, place) in &mut found {
            for character in text[before..*at].chars() {
                (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            before = *at;
            *place = (line, column);
        }
        Places(found)
    }

    /// The place of one of the spans that were given.
    fn place(&self, span: &Range<usize>) -> Place {
        let ((line, column), (end_line, end_column)) = (self.0[&span.start], self.0[&span.end]);
        Place { line, column, end_line, end_column }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::spec::problem::Problem;

    #[test]
    fn places_are_those_of_the_caret() {
        let text = "one: ä1\r\ntwo:\n  - three\n  - four\n";
        let at = |piece: &str| text.find(piece).expect("is there");
        let list = vec![
            Problem::error(at("- three")..text.len(), "a list\nof two").label("here").help("mend it"),
            Problem::warning(at("1")..at("1") + 1, "a one").related(at("two")..at("two") + 3, "and a two"),
            Problem::of_file("no place"),
        ];
        let problems = Problems::new(Path::new("x.yaml"), text, &[], list);
        let told = problems.told();
        assert_eq!(told[0].place, None);
        assert_eq!(told[1].place, Some(Place { line: 1, column: 7, end_line: 1, end_column: 8 }));
        let (related, label) = told[1].related.as_ref().expect("there is one");
        assert_eq!(
            (related.line, related.column, related.end_column, label.as_str()),
            (2, 1, 4, "and a two")
        );
        // Only the first line of the list is marked, as the caret does it.
        assert_eq!(told[2].place, Some(Place { line: 3, column: 3, end_line: 3, end_column: 10 }));
        assert_eq!(
            (told[2].title.as_str(), told[2].help.as_slice()),
            ("a list\\nof two", &["mend it".to_owned()][..])
        );
        for (told, problem) in told.iter().zip(problems.iter()) {
            assert_eq!(told.place.map(|place| (place.line, place.column)), problems.place(problem));
        }
    }
}
