//! Texts and values as PowerShell reads them back: nothing of a job can end its quotes or its line.
//!
//! PowerShell takes curly quotes for straight ones. Between single quotes only a single quote means something, and it
//! is doubled; between double quotes the backtick, the dollar sign and double quotes are marked with a backtick.

use serde_json::Value;

use crate::spec::escape::is_hidden;

/// What PowerShell reads as a single quote.
const SINGLE_QUOTES: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];
/// What PowerShell reads as a double quote.
const DOUBLE_QUOTES: [char; 4] = ['"', '\u{201c}', '\u{201d}', '\u{201e}'];

/// Where a value stands: as an argument of a command a plain word needs no quotes, elsewhere it would be a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    Argument,
    Expression,
}

/// A text, quoted if it has to be.
pub(super) fn text(text: &str, position: Position) -> String {
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric());
    if is_word && position == Position::Argument {
        return text.to_owned();
    }
    if text.contains(is_hidden) {
        // Only double quotes have escapes for what is not seen.
        let mut out = String::from("\"");
        push_expandable(&mut out, text);
        return out + "\"";
    }
    let mut out = String::from("'");
    for character in text.chars() {
        out.push(character);
        if SINGLE_QUOTES.contains(&character) {
            out.push(character);
        }
    }
    out + "'"
}

/// Adds a text to what stands between double quotes.
pub(super) fn push_expandable(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\n' => out.push_str("`n"),
            '\r' => out.push_str("`r"),
            '\t' => out.push_str("`t"),
            // PowerShell 5 has no escape by number.
            hidden if is_hidden(hidden) => match u32::from(hidden) {
                number @ 0x1_0000.. => out.push_str(&format!("$([char]::ConvertFromUtf32(0x{number:X}))")),
                number => out.push_str(&format!("$([char]0x{number:04X})")),
            },
            marked if matches!(marked, '`' | '$') || DOUBLE_QUOTES.contains(&marked) => {
                out.push('`');
                out.push(marked);
            }
            plain => out.push(plain),
        }
    }
}

/// A value without expressions.
pub(super) fn value(value: &Value, position: Position) -> String {
    match value {
        Value::Null => "$null".to_owned(),
        Value::Bool(true) => "$true".to_owned(),
        Value::Bool(false) => "$false".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(found) => text(found, position),
        Value::Array(members) => {
            list(members.iter().map(|member| self::value(member, position)).collect(), position)
        }
        Value::Object(members) => hashtable(
            members.iter().map(|(name, found)| (name.as_str(), self::value(found, Position::Expression))),
        ),
    }
}

/// A list of values that are quoted already.
pub(super) fn list(members: Vec<String>, position: Position) -> String {
    match (&members[..], position) {
        ([], _) => "@()".to_owned(),
        // Inside another value a list of one would be its member.
        ([only], Position::Expression) => format!("@({only})"),
        (members, _) => members.join(","),
    }
}

/// A hash table of values that are quoted already.
pub(super) fn hashtable<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> String {
    let entries: Vec<String> = entries.map(|(name, value)| format!("{}={value}", member(name))).collect();
    format!("@{{{}}}", entries.join("; "))
}

/// The name of a property or of an entry of a hash table.
pub(super) fn member(name: &str) -> String {
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    if is_name { name.to_owned() } else { text(name, Position::Expression) }
}

/// What stands for something that cannot be written: running it ends the script.
pub(super) fn throw(what: &str) -> String {
    format!("$({})", throw_statement(what))
}

/// As [`throw`], where a statement is wanted.
pub(super) fn throw_statement(what: &str) -> String {
    format!("throw {}", text(what, Position::Expression))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// PowerShell's reader of quoted texts, from the language specification (2.3.5.2): `None` if the text does not
    /// end where the quotes end, or if something between them would be evaluated.
    fn read_back(quoted: &str) -> Option<String> {
        let mut left = quoted.chars().peekable();
        let mut out = String::new();
        let first = left.next()?;
        if "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(first) {
            while let Some(character) = left.next() {
                if "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(character) {
                    let doubled = left.next_if(|next| "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(*next));
                    if doubled.is_none() {
                        return left.peek().is_none().then_some(out);
                    }
                }
                out.push(character);
            }
            return None;
        }
        if first != '"' {
            let is_word = quoted.chars().all(|character| character.is_ascii_alphanumeric());
            return (first.is_ascii_alphabetic() && is_word).then(|| quoted.to_owned());
        }
        while let Some(character) = left.next() {
            match character {
                '`' => out.push(match left.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    '0' => '\0',
                    other => other,
                }),
                '$' => {
                    let inside: String =
                        left.by_ref().take_while(|character| *character != '\u{29}').collect();
                    let number = match inside.strip_prefix("([char]0x") {
                        Some(number) => number,
                        None => {
                            let number = inside.strip_prefix("([char]::ConvertFromUtf32(0x")?;
                            (left.next()? == ')').then_some(number)?
                        }
                    };
                    out.push(char::from_u32(u32::from_str_radix(number, 16).ok()?)?);
                }
                quote if "\"\u{201c}\u{201d}\u{201e}".contains(quote) => {
                    return left.peek().is_none().then_some(out);
                }
                plain => out.push(plain),
            }
        }
        None
    }

    #[test]
    fn texts_are_quoted_where_they_must_be() {
        for (given, argument) in [
            ("SharedMailbox", "SharedMailbox"),
            ("", "''"),
            ("a b", "'a b'"),
            ("50GB", "'50GB'"),
            ("-Force", "'-Force'"),
            ("a;b", "'a;b'"),
            ("a,b", "'a,b'"),
            ("$true", "'$true'"),
            ("@x", "'@x'"),
            ("a`nb", "'a`nb'"),
            ("O'Brien", "'O''Brien'"),
            ("O\u{2019}Brien", "'O\u{2019}\u{2019}Brien'"),
            ("\u{201a}\u{201b}\u{2018}", "'\u{201a}\u{201a}\u{201b}\u{201b}\u{2018}\u{2018}'"),
            ("\u{201d}; x \"", "'\u{201d}; x \"'"),
            ("a\n$(b)\u{201d}`", "\"a`n`$(b)`\u{201d}``\""),
            (
                "\u{1b}[1m\u{202e}\u{e0001}",
                "\"$([char]0x001B)[1m$([char]0x202E)$([char]::ConvertFromUtf32(0xE0001))\"",
            ),
        ] {
            assert_eq!(text(given, Position::Argument), argument);
            assert_eq!(read_back(argument).as_deref(), Some(given));
        }
        assert_eq!(text("Shared", Position::Expression), "'Shared'");
    }

    #[test]
    fn values_have_their_own_forms() {
        for (given, expected) in [
            (json!(null), "$null"),
            (json!(true), "$true"),
            (json!(-5), "-5"),
            (json!(1.5), "1.5"),
            (json!(["a", "b c"]), "a,'b c'"),
            (json!(["a"]), "a"),
            (json!([]), "@()"),
            (json!({"add": ["x", "y"], "remove": "z"}), "@{add='x','y'; remove='z'}"),
            (json!({"a b'": {"c": ["d"]}, "n": 3}), "@{'a b'''=@{c=@('d')}; n=3}"),
        ] {
            assert_eq!(value(&given, Position::Argument), expected);
        }
    }

    /// What means something to PowerShell or moves the line, more often than chance would give it.
    const SPECIAL: &str =
        "'\u{2018}\u{2019}\u{201a}\u{201b}\"\u{201c}\u{201d}\u{201e}`$(){};|&#,@ \n\r\t\u{0}\u{85}\u{202e}";

    fn character() -> impl Strategy<Value = char> {
        prop_oneof![any::<char>(), "[a-z]".prop_map(|text| text.chars().next().unwrap_or('a')), special()]
    }

    fn special() -> impl Strategy<Value = char> {
        proptest::sample::select(SPECIAL.chars().collect::<Vec<char>>())
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_as_it_was(given in proptest::collection::vec(character(), 0..24)) {
            let given: String = given.into_iter().collect();
            for position in [Position::Argument, Position::Expression] {
                let quoted = text(&given, position);
                prop_assert!(!quoted.contains(is_hidden), "{quoted:?}");
                prop_assert_eq!(read_back(&quoted), Some(given.clone()), "{}", quoted);
            }
        }
    }
}
