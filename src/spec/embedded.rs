//! Finds the `${{ … }}` inside a text.

use super::words::{Kind, each_word};

/// A piece of a text, with where it starts in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// What stands between the braces.
    Expression(&'a str),
}

/// An expression that is opened and not closed; where it starts in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    pub(super) at: usize,
}

/// Splits a text. Braces and quotes inside an expression belong to it: `${{ "}}" }}` is one expression.
pub(super) fn split(text: &str) -> Result<Vec<Piece<'_>>, Unclosed> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${{") {
        let open = at + found;
        if open > at {
            pieces.push(Piece::Text(&text[at..open]));
        }
        let inside = &text[open + 3..];
        let close = close_of(inside).ok_or(Unclosed { at: open })?;
        pieces.push(Piece::Expression(&inside[..close]));
        at = open + 3 + close + 2;
    }
    if at < text.len() || pieces.is_empty() {
        pieces.push(Piece::Text(&text[at..]));
    }
    Ok(pieces)
}

fn close_of(inside: &str) -> Option<usize> {
    // Not further than to the end: a text may hold thousands of expressions.
    let mut words = each_word(inside).peekable();
    let mut depth = 0usize;
    while let Some(word) = words.next() {
        match word.kind {
            Kind::Mark("{") => depth += 1,
            Kind::Mark("}") if depth > 0 => depth -= 1,
            Kind::Mark("}") => {
                let next = words.peek()?;
                let closes = next.kind == Kind::Mark("}") && next.span.start == word.span.end;
                return closes.then_some(word.span.start);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_at_their_expressions() {
        assert_eq!(split("plain"), Ok(vec![Piece::Text("plain")]));
        assert_eq!(split(""), Ok(vec![Piece::Text("")]));
        assert_eq!(split("${{ a }}"), Ok(vec![Piece::Expression(" a ")]));
        assert_eq!(
            split("x ${{ '}}' }} y"),
            Ok(vec![Piece::Text("x "), Piece::Expression(" '}}' "), Piece::Text(" y")])
        );
        assert_eq!(split("${{ {'a': {'b': 1}} }}"), Ok(vec![Piece::Expression(" {'a': {'b': 1}} ")]));
        assert_eq!(split("a ${{ b"), Err(Unclosed { at: 2 }));
        assert_eq!(split("${{ b }"), Err(Unclosed { at: 0 }));
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_split(text in "[ -~äß${}'\"]{0,40}") {
            let _ = split(&text);
        }
    }
}
