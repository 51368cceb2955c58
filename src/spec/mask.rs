//! Masks what could be a secret before a file is quoted: also where the file cannot be read as YAML.

use std::ops::Range;

/// Keys whose values are never quoted, in lower case, without `_` and `-`.
const SECRET_KEYS: [&str; 8] =
    ["secret", "password", "passwd", "passphrase", "token", "credential", "apikey", "privatekey"];

/// The text with the given places, and the values of keys that sound secret, replaced by as many stars of equal length.
pub(super) fn masked(text: &str, secrets: &[Range<usize>]) -> String {
    let mut places: Vec<Range<usize>> = secrets.to_vec();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(value) = secret_value(line) {
            places.push(start + value..start + line.trim_end().len());
        }
        start += line.len();
    }
    if places.is_empty() {
        return text.to_owned();
    }
    places.sort_by_key(|place| place.start);
    let mut places = places.into_iter().peekable();
    let mut hidden_until = 0;
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        while let Some(place) = places.next_if(|place| place.start <= at) {
            hidden_until = hidden_until.max(place.end);
        }
        if at < hidden_until && !matches!(character, '\n' | '\r') {
            out.push(star(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// A star of as many bytes as the character: places count bytes, columns count characters, and both must hold after it.
fn star(character: char) -> char {
    match character.len_utf8() {
        1 => '*',
        2 => '×',
        3 => '★',
        _ => '🟊',
    }
}

/// Where the value of a key that sounds secret starts in its line; also of a key inside `{ }`.
fn secret_value(line: &str) -> Option<usize> {
    line.match_indices(':').find_map(|(colon, _)| {
        let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
        let before = line[..colon].trim_end_matches([' ', '"', '\'']);
        let key = before.rsplit(|character| !is_word(character)).next().unwrap_or_default();
        let name: String = key.chars().filter(|character| character.is_alphanumeric()).collect();
        let name = name.to_lowercase();
        let sounds_secret = SECRET_KEYS.iter().any(|secret| name.ends_with(secret));
        // Spaces are looked through from one side only: a line of colons and spaces would take its length squared.
        let value = line[colon + 1..].trim_start();
        // A map follows, or a reference: nothing to hide.
        let is_reference = value.is_empty() || value.starts_with(['{', '#', '&', '*']);
        (sounds_secret && !is_reference).then(|| line.len() - value.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_references_are_not() {
        let text = "auth:\n  client_secret: hünter2\n  credential:\n    env: EXORUN_CLIENT_SECRET\nname: x\n";
        let masked = masked(text, &[]);
        assert_eq!(masked.len(), text.len());
        assert!(
            !masked.contains("hünter2")
                && masked.contains("EXORUN_CLIENT_SECRET")
                && masked.contains("name: x")
        );
    }

    #[test]
    fn a_secret_inside_braces_is_masked_too() {
        let masked = masked("auth: {method: client_secret, 'client_secret' : canary, x: y\n", &[]);
        assert!(
            masked.starts_with("auth: {method: client_secret, 'client_secret' : ***")
                && !masked.contains("canary")
        );
    }

    #[test]
    fn what_follows_a_secret_keeps_its_place() {
        let text = "{password: aä€👩, x: y}\n";
        let masked = masked(text, &[]);
        assert_eq!((masked.len(), masked.chars().count()), (text.len(), text.chars().count()));
        assert!(!masked.contains(['ä', '€', '👩']), "{masked}");
    }

    #[test]
    fn given_places_are_masked() {
        assert_eq!(masked("a: bcd e\n", &[3..5, 7..8]), "a: **d *\n");
    }
}
