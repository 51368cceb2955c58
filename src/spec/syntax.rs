//! The YAML parser's errors in words for people who do not think in YAML's grammar.

use granit_parser::{ErrorKind, ScanError};

use super::limits::DEPTH_MAX;
use super::problem::Problem;

/// A syntax error as a problem at the place where it was noticed.
pub(super) fn explain(text: &str, error: &ScanError, at: usize) -> Problem {
    if let Some(problem) = expression_in_yaml(text, at) {
        return problem;
    }
    let here = at..text[at..].chars().next().map_or(at, |character| at + character.len_utf8());
    let (title, help): (String, &str) = match error.kind() {
        ErrorKind::TabInIndentation
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabNotAllowed
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => (
            "a tab is used for indentation".to_owned(),
            "YAML indents with spaces only: replace the tab by spaces",
        ),
        ErrorKind::RecursionLimitExceeded => (
            format!("lists and maps are nested deeper than {DEPTH_MAX} (DEPTH_MAX)"),
            "a job needs no such depth",
        ),
        ErrorKind::MappingValueNotAllowed => (
            "a second `: ` on this line, or a line indented too far".to_owned(),
            "put quotes around a text that holds `: `, or line the key up with its neighbours",
        ),
        ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::InvalidIndentation => (
            "this line fits neither the map before it nor a new one".to_owned(),
            "write `key: value` with a space after the colon, indented like its neighbours",
        ),
        ErrorKind::ExpectedBlockSequenceEntry | ErrorKind::BlockSequenceEntryNotAllowed => (
            "a list entry is not allowed here".to_owned(),
            "each entry starts with `- `, all at the same indentation, on lines of their own",
        ),
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => {
            ("a quoted text is not closed".to_owned(), "close it with the same kind of quote it starts with")
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            "the value goes on after its closing quote".to_owned(),
            "put quotes of the other kind around the whole value: \"'a' == item.Name\"",
        ),
        ErrorKind::CommentNotSeparated | ErrorKind::CommentInterceptedScalar => (
            "a `#` starts a comment in the middle of a value".to_owned(),
            "put quotes around a text that holds `#`",
        ),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => (
            format!("`{open}` is closed by `{close}`"),
            "close `[` with `]` and `{` with `}`, or write the list or map in block style",
        ),
        ErrorKind::UnclosedFlowCollection { open } => {
            (format!("`{open}` is not closed"), "close it, or write the list or map in block style")
        }
        ErrorKind::UnknownQuotedScalarEscape => (
            "an unknown escape in a double-quoted text".to_owned(),
            "use single quotes: between them a backslash is only a backslash",
        ),
        ErrorKind::DirectiveDisallowed => (
            "YAML directives (`%…`) are not allowed".to_owned(),
            "remove the line; a text that starts with % needs quotes",
        ),
        ErrorKind::UnexpectedCharacter { character } => (
            format!("a value cannot start with `{}`", character.escape_debug()),
            "put quotes around the text",
        ),
        ErrorKind::BomInsideDocument => (
            "a byte order mark in the middle of the file".to_owned(),
            "it came with a pasted file: remove the character before this place",
        ),
        _ => (
            format!("not readable as YAML: {}", error.info()),
            "check indentation and quotes around this place",
        ),
    };
    Problem::error(here, title).help(help)
}

/// An expression that YAML cut into pieces: in a flow collection, or holding `: `.
fn expression_in_yaml(text: &str, at: usize) -> Option<Problem> {
    let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line_end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    let line = &text[line_start..line_end];
    // The error may be noticed after the expression: at the next line's start.
    let (line_start, line) = if line.contains("{{") || line_start == 0 {
        (line_start, line)
    } else {
        let before = text[..line_start - 1].rfind('\n').map_or(0, |end| end + 1);
        (before, &text[before..line_start - 1])
    };
    let Some(open) = line.find("${{") else {
        let bare = line.find("{{")?;
        let value = line[..bare].trim_end().ends_with(':');
        return value.then(|| forgotten_dollar(text, line_start + bare));
    };
    let end = line[open..].find("}}").map_or(line.trim_end().len(), |end| open + end + 2);
    let place = line_start + open..line_start + end;
    let before = &line[..open];
    let flow =
        |opening: char, closing: char| before.matches(opening).count() > before.matches(closing).count();
    if flow('[', ']') || flow('{', '}') {
        let title = "an expression without quotes inside [ ] or { }: YAML takes its braces for a map";
        return Some(
            Problem::error(place, title)
                .help("write the list or map in block style, one entry a line")
                .help("or put the whole expression between single quotes"),
        );
    }
    if line[open..end].contains(": ") {
        let title = "an expression holds `: `, where YAML starts a map";
        return Some(Problem::error(place, title).help("put the whole value between single quotes"));
    }
    None
}

/// `{{` without its dollar sign: YAML reads a map inside a map.
pub(super) fn forgotten_dollar(text: &str, at: usize) -> Problem {
    let line = text[at..].lines().next().unwrap_or_default();
    let length = line.find("}}").map_or(2, |end| end + 2);
    Problem::error(at..at + length, "an expression starts with `${{`")
        .help("write ${{ … }} with the dollar sign; a text that starts with a brace needs quotes")
}
