//! The located tree of a document: what was written, how it was spelled, and where. Never leaves `spec`.

use std::ops::Range;

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) content: Content,
    /// Bytes of the file; for a value that came through an alias, where it was written.
    pub(super) span: Range<usize>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Text after YAML's escapes.
    Scalar {
        text: String,
        /// Written without quotes and not as a block: only these can be numbers, booleans or null.
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Node,
}

impl Node {
    /// Whether nothing was written: `key:` and then the next line.
    pub(super) fn is_absent(&self) -> bool {
        matches!(&self.content, Content::Scalar { plain: true, .. }) && self.span.is_empty()
    }

    /// Whether `null` was written, in one of YAML's spellings.
    pub(super) fn is_null(&self) -> bool {
        !self.is_absent()
            && matches!(&self.content, Content::Scalar { text, plain: true }
                if matches!(text.as_str(), "null" | "Null" | "NULL" | "~"))
    }

    /// In words, with its spelling if it is short: what was found.
    pub(super) fn describe(&self) -> String {
        match &self.content {
            _ if self.is_absent() => "nothing".to_owned(),
            Content::Scalar { text, plain: true } => super::escape::quote(text),
            Content::Scalar { text, plain: false } => format!("the text {}", super::escape::quote(text)),
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) => "a map".to_owned(),
        }
    }
}

/// `true` or `false`, if the plain text is one of YAML 1.2's spellings of them.
pub(super) fn core_boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A whole number in plain decimal digits: no `012`, `0x1F`, `1_000` or `1e3`.
pub(super) fn decimal_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}
