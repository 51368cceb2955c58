//! Patterns over names, as PowerShell's `Get-Command` takes them: `*` for any characters, `?` for one.

/// Whether a text is a pattern and no name.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether the whole name fits the pattern, whatever the case of both.
pub fn fits(pattern: &str, name: &str) -> bool {
    fits_by(pattern, name, |one, other| one.eq_ignore_ascii_case(&other))
}

/// Whether the whole name fits the pattern, letter by letter: for what is told apart by case, as paths are.
pub fn fits_exactly(pattern: &str, name: &str) -> bool {
    fits_by(pattern, name, |one, other| one == other)
}

fn fits_by(pattern: &str, name: &str, same: fn(u8, u8) -> bool) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut in_name) = (0, 0);
    // The last star, and where what it stands for ends: the only place to come back to.
    let mut star = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(expected) if *expected == b'?' || same(*expected, name[in_name]) => {
                at += 1;
                in_name += 1;
            }
            _ => {
                let Some((star_at, end)) = star else { return false };
                star = Some((star_at, end + 1));
                (at, in_name) = (star_at + 1, end + 1);
            }
        }
    }
    pattern[at..].iter().all(|left| *left == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        for (pattern, name, expected) in [
            ("get-*mailbox", "Get-CASMailbox", true),
            ("get-*mailbox", "Get-MailboxStatistics", false),
            ("*-mailbox", "Set-Mailbox", true),
            ("???-Mailbox", "Set-Mailbox", true),
            ("????-Mailbox", "Set-Mailbox", false),
            ("*mail*box*", "Get-MailMailbo-xbox", true),
            ("**", "x", true),
            ("*", "", true),
            ("?", "", false),
            ("", "x", false),
            ("Set-Mailbox", "set-mailbox", true),
            ("Set-Mailbox?", "Set-Mailbox", false),
            ("Set-Mail", "Set-Mailbox", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
            assert_eq!(
                fits_exactly(&pattern.to_lowercase(), &name.to_lowercase()),
                expected,
                "{pattern} {name}"
            );
        }
        assert!(fits("kv/*", "KV/exo") && !fits_exactly("kv/*", "KV/exo") && fits_exactly("kv/*", "kv/exo"));
        // Every star could end anywhere; one place to come back to is enough.
        assert!(!fits(&"*a".repeat(1_000), &"a".repeat(999)));
        assert!(is_pattern("Get-*") && is_pattern("Get-?") && !is_pattern("Get-Mailbox"));
    }
}
