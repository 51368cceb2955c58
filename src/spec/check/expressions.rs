//! Expressions of a job: compiled, and every name in them looked up.

use std::ops::Range;

use super::{Checker, did_you_mean};
use crate::catalog::nearest;
use crate::spec::embedded::{self, Piece};
use crate::spec::engine::{self, FILTERS, TESTS};
use crate::spec::escape::quote;
use crate::spec::job::InputSpec;
use crate::spec::keep::Need;
use crate::spec::limits::REGEXES_MAX;
use crate::spec::problem::Problem;
use crate::spec::template::{Expression, Part, Template};
use crate::spec::tree::{Content, Node};
use crate::spec::words::{self, Kind, Word};

/// Where an expression stands: what it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `for_each`: gives the items, so there is none yet.
    ForEach,
    /// A step without a loop.
    Step,
    /// A step with a loop.
    Loop,
    /// The path of an output file: known before the step runs.
    OutputPath,
}

/// What there is to refer to, and what later expressions turned out to need.
pub(super) struct Names<'a> {
    /// All steps of the job in order; a step whose name was refused is empty.
    pub(super) steps: Vec<&'a str>,
    /// The number of the step being checked.
    pub(super) current: usize,
    pub(super) inputs: &'a [InputSpec],
    pub(super) place: Place,
    /// The step whose items the loop goes over as they are.
    pub(super) item_of: Option<usize>,
    /// For each step, what is needed of its items.
    pub(super) needs: Vec<Need>,
}

impl Checker<'_> {
    /// A bare expression: `when`, `for_each`.
    pub(super) fn bare_expression(
        &mut self,
        node: &Node,
        key: &str,
        names: &mut Names<'_>,
    ) -> Option<Expression> {
        let text = match &node.content {
            Content::Scalar { text, .. } if !text.is_empty() && !node.is_absent() => text,
            _ => {
                let title = format!("`{key}` is an expression, found {}", node.describe());
                let help = if key == "for_each" {
                    "write `for_each: steps.NAME.items`"
                } else {
                    "write a comparison: `when: item.Name == 'x'`"
                };
                self.report(Problem::error(node.span.clone(), title).help(help));
                return None;
            }
        };
        if text.contains("${{") {
            let title = format!("`{key}` takes a bare expression, without `${{{{ }}}}` around it");
            let bare = text.trim().trim_start_matches("${{").trim_end_matches("}}").trim();
            self.report(Problem::error(node.span.clone(), title).help(format!("write `{key}: {bare}`")));
            return None;
        }
        self.cut_by_comment(node);
        self.expression(node, text, names)
    }

    /// A text of the file: plain text, one whole expression, or text with expressions between.
    pub(super) fn template(&mut self, node: &Node, text: &str, names: &mut Names<'_>) -> Option<Template> {
        let pieces = match embedded::split(text) {
            Ok(pieces) => pieces,
            Err(unclosed) => {
                self.unclosed(node, &text[unclosed.at..]);
                return None;
            }
        };
        if let [Piece::Text(text)] = pieces[..] {
            self.forgotten_dollar(node, text);
            return Some(Template::Literal(serde_json::Value::String(text.to_owned())));
        }
        if let [Piece::Expression(source)] = pieces[..] {
            return self.expression(node, source, names).map(Template::Expression);
        }
        let mut parts = Vec::with_capacity(pieces.len());
        let mut complete = true;
        for piece in pieces {
            match piece {
                Piece::Text(text) => parts.push(Part::Text(text.to_owned())),
                Piece::Expression(source) => match self.expression(node, source, names) {
                    Some(expression) => parts.push(Part::Expression(expression)),
                    None => complete = false,
                },
            }
        }
        complete.then_some(Template::Text(parts))
    }

    fn unclosed(&mut self, node: &Node, rest: &str) {
        if self.cut_by_comment(node) {
            return;
        }
        let place = self.locate(node, rest.lines().next().unwrap_or(rest));
        let problem = Problem::error(place, "an expression is opened with `${{` and not closed");
        let problem = if rest.contains("}}") {
            problem.help("a bracket or a quote inside it is not closed, so the `}}` belongs to that")
        } else {
            problem.help("close it with `}}`")
        };
        self.report(problem.help("a text that really holds `${{` is written `${{ \"${{\" }}`"));
    }

    /// YAML ends a plain text at ` #`: an expression with one in it is silently cut there.
    fn cut_by_comment(&mut self, node: &Node) -> bool {
        if !matches!(node.content, Content::Scalar { plain: true, .. }) {
            return false;
        }
        let rest = &self.text[node.span.end..];
        let rest = rest.split('\n').next().unwrap_or_default();
        let open = &self.text[node.span.clone()];
        let cut = rest.trim_start().starts_with('#')
            && (open.rfind("${{").is_some_and(|at| !open[at..].contains("}}")) || unclosed_quote(open));
        if cut {
            let hash = node.span.end + (rest.len() - rest.trim_start().len());
            let title = "YAML takes ` #` for the start of a comment and cuts the expression here";
            let help = "put the whole value between quotes: double ones if the expression uses single ones";
            self.report(Problem::error(hash..hash + 1, title).help(help));
        }
        cut
    }

    /// Plain text that was probably meant to be computed.
    fn forgotten_dollar(&mut self, node: &Node, text: &str) {
        let variable = text.strip_prefix('$').filter(|name| {
            name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
        });
        if let Some(name) = variable {
            let title = format!("{} is plain text: there are no PowerShell variables in a job", quote(text));
            let help = match name.to_ascii_lowercase().as_str() {
                "null" => "write null".to_owned(),
                "true" | "false" => format!("write {}", name.to_ascii_lowercase()),
                _ => format!("write ${{{{ {name} }}}} if it is meant as an expression"),
            };
            self.report(Problem::warning(node.span.clone(), title).help(help));
        }
        let Some(open) = text.find("{{").filter(|open| text[*open..].contains("}}")) else { return };
        let place = self.locate(node, &text[open..]);
        let title = "this is plain text: an expression starts with `${{`";
        self.report(
            Problem::warning(place, title).help("write ${{ … }} with the dollar sign if it is meant as one"),
        );
    }

    /// The place of a piece of a scalar; the whole scalar if YAML's escapes stand between.
    pub(super) fn locate(&self, node: &Node, piece: &str) -> Range<usize> {
        let piece = piece.trim();
        match self.text[node.span.clone()].find(piece) {
            Some(at) if !piece.is_empty() => node.span.start + at..node.span.start + at + piece.len(),
            _ => node.span.clone(),
        }
    }

    pub(super) fn expression(
        &mut self,
        node: &Node,
        source: &str,
        names: &mut Names<'_>,
    ) -> Option<Expression> {
        let whole = self.locate(node, source);
        let source = source.trim();
        let exact = whole.len() == source.len();
        let at = |span: &Range<usize>| {
            if exact { whole.start + span.start..whole.start + span.end } else { whole.clone() }
        };
        let expression = match Expression::parse(source) {
            Ok(expression) => expression,
            Err(error) => {
                let place = error.at.as_ref().map_or(whole.clone(), &at);
                let place = if place.is_empty() { whole.clone() } else { place };
                let help = "an expression compares, filters and joins values: `item.Name | lower`, `a == b and c is not none`";
                self.report(Problem::error(place, error.message).help(help));
                return None;
            }
        };
        let before = self.problems.len();
        let words = words::words(source);
        self.filters_and_tests(&words, &at);
        for path in words::paths(&words) {
            self.path(&words, &path, &at, names);
        }
        (self.problems.len() == before).then_some(expression)
    }

    fn filters_and_tests(&mut self, words: &[Word<'_>], at: &dyn Fn(&Range<usize>) -> Range<usize>) {
        for filter in words::filters(words) {
            if !FILTERS.contains(&filter.name) {
                let title = format!("there is no filter {}", quote(filter.name));
                let removed = (filter.name == "replace").then(|| {
                    "write `x | split('a') | join('b')`: filters that make text grow are left out".to_owned()
                });
                let help = removed
                    .or_else(|| did_you_mean(&nearest(filter.name, FILTERS.into_iter())))
                    .unwrap_or_else(|| format!("the filters are: {}", FILTERS.join(", ")));
                self.report(Problem::error(at(&filter.span), title).help(help));
            } else if filter.name == "matches" {
                self.pattern(words, &filter, at);
            }
        }
        for test in words::tests(words) {
            if test.name == "matches" {
                self.pattern(words, &test, at);
            } else if !TESTS.contains(&test.name) {
                let title = format!("there is no test {}", quote(test.name));
                let help = did_you_mean(&nearest(test.name, TESTS.iter().copied())).unwrap_or_else(|| {
                    format!("the tests are: {}; values are compared with `==`", TESTS.join(", "))
                });
                self.report(Problem::error(at(&test.span), title).help(help));
            }
        }
    }

    /// A regular expression that is written out is compiled now, not in the middle of a run.
    fn pattern(
        &mut self,
        words: &[Word<'_>],
        used: &words::Use<'_>,
        at: &dyn Fn(&Range<usize>) -> Range<usize>,
    ) {
        let Some(Word { kind: Kind::Text(pattern), span }) = words.get(used.arguments.start) else { return };
        // Escapes are the engine's to read. Of what is over the limit one place is enough.
        if pattern.contains('\\') || self.patterns.len() > REGEXES_MAX {
            return;
        }
        if self.patterns.len() == REGEXES_MAX && !self.patterns.contains_key(*pattern) {
            self.patterns.insert((*pattern).to_owned(), None);
            let title =
                format!("the file has more than {REGEXES_MAX} different regular expressions (REGEXES_MAX)");
            return self.report(Problem::error(at(span), title).help("split the file"));
        }
        let wrong = self
            .patterns
            .entry((*pattern).to_owned())
            .or_insert_with(|| engine::regex(pattern).err())
            .clone();
        if let Some(message) = wrong {
            self.report(Problem::error(at(span), message));
        }
    }
}

/// Whether a text ends inside quotes.
fn unclosed_quote(text: &str) -> bool {
    let mut open = None;
    for character in text.chars() {
        match open {
            None if matches!(character, '\'' | '"') => open = Some(character),
            Some(quote) if quote == character => open = None,
            _ => {}
        }
    }
    open.is_some()
}
