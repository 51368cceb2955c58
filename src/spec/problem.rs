//! What is wrong with a file, where, and how to mend it.

mod told;

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::escape::{escape, is_hidden};
use super::mask;

pub use told::{Place, Told};

/// No more problems of one file than these are shown; the rest is counted.
const PROBLEMS_SHOWN_MAX: usize = 50;

/// A line longer than this is not quoted; its place is named.
const QUOTED_LINE_BYTES_MAX: usize = 300;

/// A quotation that would need more lines than this shows only the line of the problem itself.
const QUOTED_LINES_MAX: usize = 200;

/// Whether a problem keeps the job from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The job does not run.
    Error,
    /// The job runs; somebody should look.
    Warning,
}

/// One thing that is wrong, with its place and its mend.
#[derive(Clone, Debug)]
pub struct Problem {
    severity: Severity,
    title: String,
    span: Option<Range<usize>>,
    label: String,
    related: Option<Box<(Range<usize>, String)>>,
    help: Vec<String>,
}

impl Problem {
    /// An error at a place of the file. The title is one sentence that can be read alone.
    pub(super) fn error(span: Range<usize>, title: impl Into<String>) -> Problem {
        Problem {
            severity: Severity::Error,
            title: title.into(),
            span: Some(span),
            label: String::new(),
            related: None,
            help: Vec::new(),
        }
    }

    /// A warning at a place of the file.
    pub(super) fn warning(span: Range<usize>, title: impl Into<String>) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::error(span, title) }
    }

    /// An error of the file as a whole.
    pub(super) fn of_file(title: impl Into<String>) -> Problem {
        Problem { span: None, ..Problem::error(0..0, title) }
    }

    /// A few words beside the caret.
    pub(super) fn label(mut self, label: impl Into<String>) -> Problem {
        self.label = label.into();
        self
    }

    /// Another place that has to do with it.
    pub(super) fn related(mut self, span: Range<usize>, label: impl Into<String>) -> Problem {
        self.related = Some(Box::new((span, label.into())));
        self
    }

    /// What to do about it.
    pub(super) fn help(mut self, help: impl Into<String>) -> Problem {
        self.help.push(help.into());
        self
    }

    /// Its place; `None` for a problem of the whole file.
    pub(super) fn span(&self) -> Option<&Range<usize>> {
        self.span.as_ref()
    }

    /// Whether it keeps the job from running.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The message without its place, in one line.
    pub fn title(&self) -> String {
        escape(&self.title)
    }
}

/// All problems of one file.
#[derive(Clone, Debug)]
pub struct Problems {
    path: PathBuf,
    /// The file's text, with everything that could be a secret masked.
    text: String,
    list: Vec<Problem>,
}

impl Problems {
    /// The problems of a file; `secrets` are places that are never quoted.
    pub(super) fn new(path: &Path, text: &str, secrets: &[Range<usize>], mut list: Vec<Problem>) -> Problems {
        for problem in &mut list {
            let related = problem.related.as_mut().map(|related| &mut related.0);
            for span in problem.span.iter_mut().chain(related) {
                *span = on_boundaries(text, span);
            }
        }
        list.sort_by_key(|problem| problem.span.as_ref().map_or(0, |span| span.start));
        Problems { path: path.to_owned(), text: mask::masked(text, secrets), list }
    }

    /// The problems, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether one of them keeps the job from running.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Line and column of a problem, from 1, columns in characters; `None` for a problem of the whole file.
    pub fn place(&self, problem: &Problem) -> Option<(usize, usize)> {
        problem.span.as_ref().map(|span| self.line_column(span.start))
    }

    /// Every problem in words, with the source line and a caret; no colours.
    pub fn render_plain(&self) -> String {
        self.render(&Renderer::plain())
    }

    /// As [`Problems::render_plain`], with colours for a terminal.
    pub fn render_coloured(&self) -> String {
        self.render(&Renderer::styled())
    }

    fn render(&self, renderer: &Renderer) -> String {
        let mut out = String::new();
        for problem in self.list.iter().take(PROBLEMS_SHOWN_MAX) {
            out.push_str(&renderer.render(&[self.group(problem)]));
            out.push_str("\n\n");
        }
        if self.list.len() > PROBLEMS_SHOWN_MAX {
            let more = self.list.len() - PROBLEMS_SHOWN_MAX;
            out.push_str(&format!("and {more} more problems in this file; mend these first\n\n"));
        }
        out.truncate(out.trim_end().len());
        out
    }

    fn group(&self, problem: &Problem) -> Group<'_> {
        let path = escape(&self.path.display().to_string());
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(escape(&problem.title));
        let mut group = match &problem.span {
            None => title.element(Origin::path(path)),
            Some(span) => match self.quotation(span, problem.related.as_deref()) {
                None => {
                    let (line, column) = self.line_column(span.start);
                    title.element(Origin::path(path).line(line).char_column(column))
                }
                Some((line, lines, start)) => {
                    let shift = |span: &Range<usize>| {
                        let end = span.end.min(start + lines.len());
                        span.start - start..end.max(span.start) - start
                    };
                    let mut snippet = Snippet::source(lines).line_start(line).path(path);
                    let primary = AnnotationKind::Primary.span(shift(&self.one_line(span)));
                    snippet = snippet.annotation(primary.label(escape(&problem.label)));
                    if let Some((other, label)) = problem.related.as_deref() {
                        let other = shift(&self.one_line(other));
                        if other.end <= lines.len() {
                            snippet =
                                snippet.annotation(AnnotationKind::Context.span(other).label(escape(label)));
                        }
                    }
                    title.element(snippet)
                }
            },
        };
        for help in &problem.help {
            group = group.element(Level::HELP.message(escape(help)));
        }
        group
    }

    /// The lines to quote: number of the first, the text, and where it starts in the file. `None`: too long.
    fn quotation(
        &self,
        span: &Range<usize>,
        related: Option<&(Range<usize>, String)>,
    ) -> Option<(usize, &str, usize)> {
        let line_start = |at: usize| self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line_end = |at: usize| self.text[at..].find('\n').map_or(self.text.len(), |end| at + end);
        let (mut first, mut last) = (line_start(span.start), line_end(span.start));
        if let Some((other, _)) = related {
            first = first.min(line_start(other.start));
            last = last.max(line_end(other.start));
        }
        let lines = &self.text[first..last];
        let lines = lines.strip_suffix('\r').unwrap_or(lines);
        let fits = lines.lines().count() <= QUOTED_LINES_MAX
            && lines.lines().all(|line| line.len() <= QUOTED_LINE_BYTES_MAX)
            && !lines
                .chars()
                .any(|character| is_hidden(character) && !matches!(character, '\n' | '\r' | '\t'));
        fits.then(|| (self.line_column(first).0, lines, first))
    }

    /// The part of a span on its first line: a caret under a whole step says nothing.
    fn one_line(&self, span: &Range<usize>) -> Range<usize> {
        let end = self.text[span.start..span.end].find(['\n', '\r']).map_or(span.end, |end| span.start + end);
        let trimmed = self.text[span.start..end].trim_end().len();
        span.start..span.start + trimmed
    }

    fn line_column(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at];
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }
}

/// The span moved to whole characters of the text: a message must not fail for a place that is off by a byte.
fn on_boundaries(text: &str, span: &Range<usize>) -> Range<usize> {
    let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render_plain())
    }
}

impl std::error::Error for Problems {}
