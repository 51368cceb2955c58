//! Text of a file made fit for a message: one line, no control characters, not too long.

/// A quoted piece of a file is cut after this many characters.
const QUOTE_CHARS_MAX: usize = 120;

/// The text in backticks, escaped and cut: for quoting what a user wrote.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("`");
    for (count, character) in text.chars().enumerate() {
        if count == QUOTE_CHARS_MAX {
            out.push('…');
            break;
        }
        push_escaped(&mut out, character);
    }
    out.push('`');
    out
}

/// The text on one line without control characters.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_escaped(&mut out, character);
    }
    out
}

fn push_escaped(out: &mut String, character: char) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        hidden if is_hidden(hidden) => out.extend(hidden.escape_unicode()),
        shown => out.push(shown),
    }
}

/// Whether a character moves the cursor, reorders text or is not seen at all.
pub(super) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_the_line() {
        assert_eq!(quote("a\n\u{1b}[31mb\u{202e}"), "`a\\n\\u{1b}[31mb\\u{202e}`");
        assert_eq!(escape("x\ty"), "x\\ty");
        assert_eq!(quote(&"x".repeat(200)).chars().count(), QUOTE_CHARS_MAX + 3);
    }
}
