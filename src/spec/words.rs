//! The words of an expression: enough of its grammar to say what it refers to, and where.
//!
//! The engine compiles and runs expressions; it does not say at which place a name stands. An expression binds no
//! names of its own, so its references can be read from the words alone.

use std::ops::Range;

/// A word of an expression with its place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) span: Range<usize>,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Name(&'a str),
    /// A quoted text, without its quotes; escapes are left as they are.
    Text(&'a str),
    Number,
    /// An operator or a bracket.
    Mark(&'a str),
}

/// A reference such as `steps.shared.items`: a root and the names after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    pub(super) root: &'a str,
    pub(super) names: Vec<&'a str>,
    pub(super) span: Range<usize>,
    /// Number of the first word and of the word after the last.
    pub(super) words: Range<usize>,
    /// Whether it is called as a function or a method.
    pub(super) called: bool,
    /// Whether a computed index follows.
    pub(super) indexed: bool,
}

/// A filter (`| name(...)`) or a test (`is name`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use<'a> {
    pub(super) name: &'a str,
    pub(super) span: Range<usize>,
    /// The words between its parentheses.
    pub(super) arguments: Range<usize>,
    /// The word after it.
    pub(super) next: usize,
}

const KEYWORDS: [&str; 13] =
    ["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"];

/// Splits an expression into words.
pub(super) fn words(source: &str) -> Vec<Word<'_>> {
    each_word(source).collect()
}

/// The words of an expression, read only as far as somebody asks for them.
pub(super) fn each_word(source: &str) -> impl Iterator<Item = Word<'_>> {
    let bytes = source.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let start = at;
        let kind = match *bytes.get(at)? {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let end = at.min(bytes.len());
                at = (at + 1).min(bytes.len());
                // Both ends stand beside ASCII quotes, except in an unclosed text that ends in half an escape.
                Kind::Text(source.get(start + 1..end).unwrap_or_default())
            }
            byte if byte.is_ascii_digit() => {
                while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
                    at += 1;
                }
                Kind::Number
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
                    at += 1;
                }
                Kind::Name(&source[start..at])
            }
            _ => {
                let two = source.get(at..at + 2).unwrap_or_default();
                let length = source[at..].chars().next().map_or(1, char::len_utf8);
                at += if matches!(two, "==" | "!=" | "<=" | ">=" | "//" | "**") { 2 } else { length };
                Kind::Mark(&source[start..at])
            }
        };
        Some(Word { kind, span: start..at })
    })
}

fn is_mark(words: &[Word<'_>], at: usize, mark: &str) -> bool {
    matches!(words.get(at), Some(Word { kind: Kind::Mark(found), .. }) if *found == mark)
}

fn name<'a>(words: &[Word<'a>], at: usize) -> Option<&'a str> {
    match words.get(at)?.kind {
        Kind::Name(name) => Some(name),
        _ => None,
    }
}

/// Whether the word is the name of a test: it follows `is` or `is not`.
fn follows_is(words: &[Word<'_>], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| name(words, at));
    before(1) == Some("is") || (before(1) == Some("not") && before(2) == Some("is"))
}

/// What the expression refers to, in order.
pub(super) fn paths<'a>(words: &[Word<'a>]) -> Vec<Path<'a>> {
    let mut paths = Vec::new();
    for at in 0..words.len() {
        let Some(root) = name(words, at) else { continue };
        let after = |mark: &str| at > 0 && is_mark(words, at - 1, mark);
        let is_keyword_argument = is_mark(words, at + 1, "=");
        if KEYWORDS.contains(&root)
            || after(".")
            || after("|")
            || follows_is(words, at)
            || is_keyword_argument
        {
            continue;
        }
        let (mut names, mut next) = (Vec::new(), at + 1);
        let indexed = loop {
            if is_mark(words, next, ".")
                && let Some(part) = name(words, next + 1)
            {
                names.push(part);
                next += 2;
            } else if is_mark(words, next, "[") {
                match words.get(next + 1) {
                    Some(Word { kind: Kind::Text(part), .. }) if is_mark(words, next + 2, "]") => {
                        names.push(part);
                        next += 3;
                    }
                    _ => break true,
                }
            } else {
                break false;
            }
        };
        paths.push(Path {
            root,
            names,
            span: words[at].span.start..words[next - 1].span.end,
            words: at..next,
            called: is_mark(words, next, "("),
            indexed,
        });
    }
    paths
}

/// The filter whose `|` is the word at this number.
pub(super) fn filter_at<'a>(words: &[Word<'a>], at: usize) -> Option<Use<'a>> {
    if !is_mark(words, at, "|") {
        return None;
    }
    Some(used(words, at + 1, name(words, at + 1)?))
}

fn used<'a>(words: &[Word<'a>], at: usize, name: &'a str) -> Use<'a> {
    let span = words[at].span.clone();
    if !is_mark(words, at + 1, "(") {
        return Use { name, span, arguments: at + 1..at + 1, next: at + 1 };
    }
    let (mut depth, mut next) = (0usize, at + 1);
    while next < words.len() {
        match words[next].kind {
            Kind::Mark("(" | "[" | "{") => depth += 1,
            Kind::Mark(")" | "]" | "}") => depth = depth.saturating_sub(1),
            _ => {}
        }
        next += 1;
        if depth == 0 {
            break;
        }
    }
    Use { name, span, arguments: at + 2..next.saturating_sub(1).max(at + 2), next }
}

/// All filters of the expression.
pub(super) fn filters<'a>(words: &[Word<'a>]) -> Vec<Use<'a>> {
    (0..words.len()).filter_map(|at| filter_at(words, at)).collect()
}

/// All tests of the expression.
pub(super) fn tests<'a>(words: &[Word<'a>]) -> Vec<Use<'a>> {
    (0..words.len())
        .filter(|at| follows_is(words, *at))
        .filter_map(|at| name(words, at).filter(|name| *name != "not").map(|name| used(words, at, name)))
        .collect()
}

/// Operators of PowerShell and C, with what is written here.
const FOREIGN: [(&str, &str); 15] = [
    ("&&", "and"),
    ("||", "or"),
    ("!", "not"),
    ("=", "=="),
    ("-eq", "=="),
    ("-ne", "!="),
    ("-gt", ">"),
    ("-ge", ">="),
    ("-lt", "<"),
    ("-le", "<="),
    ("-and", "and"),
    ("-or", "or"),
    ("-not", "not"),
    ("-like", "is matches('…')"),
    ("-match", "is matches('…')"),
];

/// The first operator of another language: where it stands, and what is written instead.
pub(super) fn foreign_operator<'a>(words: &[Word<'a>]) -> Option<(Range<usize>, String, &'static str)> {
    let mut depth = 0usize;
    for (at, word) in words.iter().enumerate() {
        let Kind::Mark(mark) = word.kind else { continue };
        match mark {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            // Between parentheses it names an argument: `map(attribute='A')`.
            "=" if depth > 0 => continue,
            _ => {}
        }
        let (text, span) = match words.get(at + 1) {
            Some(Word { kind: Kind::Name(next) | Kind::Mark(next), span }) if span.start == word.span.end => {
                (format!("{mark}{next}"), word.span.start..span.end)
            }
            _ => (mark.to_owned(), word.span.clone()),
        };
        let known = |text: &str| FOREIGN.iter().find(|(foreign, _)| foreign.eq_ignore_ascii_case(text));
        if let Some((_, ours)) = known(&text) {
            return Some((span, text, ours));
        }
        if let Some((_, ours)) = known(mark) {
            return Some((word.span.clone(), mark.to_owned(), ours));
        }
    }
    None
}

/// How deep its brackets are nested.
pub(super) fn depth(words: &[Word<'_>]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for word in words {
        match word.kind {
            Kind::Mark("(" | "[" | "{") => depth += 1,
            Kind::Mark(")" | "]" | "}") => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// How many of its words combine, change or look into values, and so may stand inside each other without brackets.
pub(super) fn operators(words: &[Word<'_>]) -> usize {
    let is_operator = |word: &&Word<'_>| match word.kind {
        Kind::Mark(mark) => !matches!(mark, "," | ":" | ")" | "]" | "}"),
        Kind::Name(name) => matches!(name, "and" | "or" | "not" | "in" | "is" | "if" | "else"),
        Kind::Text(_) | Kind::Number => false,
    };
    words.iter().filter(is_operator).count()
}

#[cfg(test)]
mod tests_of_words {
    use super::*;

    fn roots(source: &str) -> Vec<String> {
        let words = words(source);
        paths(&words).iter().map(|path| format!("{}.{}", path.root, path.names.join("."))).collect()
    }

    #[test]
    fn references_are_found_and_other_words_are_not() {
        assert_eq!(
            roots("item.A in steps.b.items | map(attribute=\"C\") | list and not inputs['x'] is none"),
            ["item.A", "steps.b.items", "inputs.x"]
        );
        assert_eq!(roots("'item.A' ~ \"steps.x\""), Vec::<String>::new());
        assert_eq!(roots("[item.A, item]"), ["item.A", "item."]);
    }

    #[test]
    fn filters_and_tests_are_found() {
        let source = "item.A | default('x(') | upper is not startingwith('b') and item.C is string";
        let words = words(source);
        let named = |uses: Vec<Use<'_>>| uses.iter().map(|used| used.name.to_owned()).collect::<Vec<_>>();
        assert_eq!(named(filters(&words)), ["default", "upper"]);
        assert_eq!(named(tests(&words)), ["startingwith", "string"]);
    }

    #[test]
    fn operators_of_other_languages_are_found() {
        let found = |source: &str| {
            foreign_operator(&words(source)).map(|(_, theirs, ours)| format!("{theirs} {ours}"))
        };
        assert_eq!(found("a && b").as_deref(), Some("&& and"));
        assert_eq!(found("a | map(attribute='x') || b").as_deref(), Some("|| or"));
        assert_eq!(found("a -EQ 'x'").as_deref(), Some("-EQ =="));
        assert_eq!(found("!a").as_deref(), Some("! not"));
        assert_eq!(found("a - b != c and d == '&&'"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_split(source in "\\PC{0,60}") {
            let words = words(&source);
            let _ = (paths(&words), filters(&words), tests(&words), depth(&words), foreign_operator(&words));
        }
    }
}
