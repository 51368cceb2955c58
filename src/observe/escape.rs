//! Text from outside, made harmless: no control characters, no forged lines, no spreadsheet formulas.
//!
//! Whoever may set a display name in the tenant decides what our terminals, logs and files show. Everything that
//! comes from the service passes one of these functions before it leaves; the log formatter does it again.

use std::borrow::Cow;
use std::fmt::Write;

/// What stands at the end of a text that was cut.
const CUT: char = '…';

/// `text` on one line of at most `chars_max` characters, with everything that hides, moves or breaks text spelled out.
///
/// A line feed becomes `\n`, a right-to-left override `\u{202e}`, the escape of a terminal sequence `\u{1b}`. A
/// backslash stays as it is: the result is for reading, not for reading back. A text that is too long ends with `…`,
/// and no escape is cut in two.
pub fn one_line(text: &str, chars_max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(chars_max));
    let mut chars = 0;
    let mut before_last = 0; // Where the text would have to be cut to make room for the mark.
    for character in text.chars() {
        let start = line.len();
        let width = if hides(character) { spell(&mut line, character) } else { plain(&mut line, character) };
        if chars + width > chars_max {
            line.truncate(if chars < chars_max { start } else { before_last });
            if chars_max > 0 {
                line.push(CUT);
            }
            return line;
        }
        chars += width;
        before_last = start;
    }
    line
}

/// `text` as the content of a spreadsheet's cell (the CSV writer adds the quotes).
///
/// A text that a spreadsheet would calculate (it starts with `=`, `+`, `-`, `@`, a tab or a line end, or with a
/// full-width form of the signs) gets a `'` in front. Numbers are not text: write them without this function.
/// Control characters, line ends and direction controls are spelled out; zero-width joiners stay, because names in
/// Persian and Hindi need them and a cell cannot be forged with them.
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    let calculated = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let harmful = |character| breaks(character) || turns(character);
    if !calculated && !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut cell = String::with_capacity(text.len() + 8);
    if calculated {
        cell.push('\'');
    }
    for character in text.chars() {
        if harmful(character) {
            spell(&mut cell, character);
        } else {
            cell.push(character);
        }
    }
    Cow::Owned(cell)
}

/// A JSON text with everything that hides, moves or breaks text as `\u` escapes: for programs it says the same, and on a
/// terminal it is harmless. Line feeds between its values stay.
pub fn json_line(json: &str) -> Cow<'_, str> {
    let harmful = |character: char| character != '\n' && hides(character);
    if !json.contains(harmful) {
        return Cow::Borrowed(json);
    }
    let mut line = String::with_capacity(json.len() + 8);
    for character in json.chars() {
        if !harmful(character) {
            line.push(character);
            continue;
        }
        json_escape(&mut line, character);
    }
    Cow::Owned(line)
}

/// Writes `character` as JSON's `\u` escapes.
pub(super) fn json_escape(line: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _written = write!(line, "\\u{unit:04x}");
    }
}

/// Whether `character` is one that a reader would not see, or would see elsewhere: what [`one_line`] spells out.
pub(super) fn hides(character: char) -> bool {
    breaks(character) || turns(character) || vanishes(character)
}

/// Control characters (the escape of terminal sequences is one) and what else ends a line.
fn breaks(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Direction controls: they show text in another order than it is stored.
fn turns(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
    )
}

/// Characters without a width: two names that look the same and are not.
fn vanishes(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

fn plain(line: &mut String, character: char) -> usize {
    line.push(character);
    1
}

/// Writes the visible spelling of `character`; returns its length, which is in characters as in bytes.
fn spell(line: &mut String, character: char) -> usize {
    let start = line.len();
    match character {
        '\n' => line.push_str("\\n"),
        '\r' => line.push_str("\\r"),
        '\t' => line.push_str("\\t"),
        // Writing to a String cannot fail.
        other => drop(write!(line, "\\u{{{:x}}}", u32::from(other))),
    }
    line.len() - start
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{csv_cell, hides, json_line, one_line};

    #[test]
    fn what_hides_or_moves_text_is_spelled_out() {
        for (text, shown) in [
            ("Room 1", "Room 1"),
            ("Zoë Müller 日本", "Zoë Müller 日本"),
            ("a\nlevel=ERROR forged", "a\\nlevel=ERROR forged"),
            ("\r\n\t", "\\r\\n\\t"),
            ("\u{1b}[2J\u{1b}]0;title\u{7}", "\\u{1b}[2J\\u{1b}]0;title\\u{7}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("invoice\u{202e}fdp.exe", "invoice\\u{202e}fdp.exe"),
            ("ad\u{200b}min", "ad\\u{200b}min"),
            ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
            ("\0", "\\u{0}"),
            ("\u{e0041}", "\\u{e0041}"),
            (r"C:\new", r"C:\new"),
        ] {
            assert_eq!(one_line(text, 100), shown);
        }
    }

    #[test]
    fn json_says_the_same_and_hides_nothing() {
        let text = "a\u{202e}b\u{9b}31m\u{e0041}\n\"\\ 日本 é";
        let json = format!("[{},\n1]", serde_json::json!(text));
        let line = json_line(&json);
        assert!(!line.replace('\n', "").contains(hides), "{line}");
        assert_eq!(serde_json::from_str::<(String, u32)>(&line).unwrap(), (text.to_owned(), 1));
        assert!(matches!(json_line("[\n]"), std::borrow::Cow::Borrowed(_)));
    }

    #[test]
    fn a_long_text_is_cut_with_a_mark_and_never_inside_an_escape() {
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
        assert_eq!(one_line("abcd\u{202e}x", 8), "abcd…");
        assert_eq!(one_line("ab\n\n", 4), "ab…");
        assert_eq!(one_line("abc", 1), "…");
        assert_eq!(one_line("abc", 0), "");
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        for (text, cell) in [
            ("plain", "plain"),
            ("a=b", "a=b"),
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\\t=1"),
            ("\r=1", "'\\r=1"),
            ("\n=1", "'\\n=1"),
            ("＝1", "'＝1"),
            ("a\nb", "a\\nb"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("", ""),
        ] {
            assert_eq!(csv_cell(text), cell);
        }
    }

    proptest! {
        #[test]
        fn one_line_is_one_harmless_bounded_line(text in any::<String>(), chars_max in 0usize..80) {
            let line = one_line(&text, chars_max);
            prop_assert!(!line.chars().any(hides));
            prop_assert!(line.chars().count() <= chars_max);
            if !text.chars().any(hides) && text.chars().count() <= chars_max {
                prop_assert_eq!(line, text);
            }
        }
    }
}
