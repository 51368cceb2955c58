//! Answers that give back what was sent: whoever refuses a request may quote it, and a message that quotes him would
//! hold its secrets.

/// Anything shorter stands in any text by chance.
const SECRET_BYTES_MIN: usize = 6;

/// What stands where a secret stood.
const MASK: &str = "***";

/// `text` without `secrets`, wherever they stand in it.
pub fn without<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut secrets: Vec<&str> =
        secrets.into_iter().filter(|secret| secret.len() >= SECRET_BYTES_MIN).collect();
    // One may be the beginning of another, whose rest would stay.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.into_iter().fold(text.to_owned(), |text, secret| match text.contains(secret) {
        true => text.replace(secret, MASK),
        false => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_nowhere_in_a_text_and_what_is_none_stays() {
        for (text, secrets, expected) in [
            ("canary-1 was canary-1", &["canary-1"][..], "*** was ***"),
            ("no canary-1-and-2", &["canary-1", "canary-1-and-2"], "no ***"),
            ("all of it", &["a", "", "all"], "all of it"),
            ("", &["canary-1"], ""),
        ] {
            assert_eq!(without(text, secrets.iter().copied()), expected);
        }
    }
}
