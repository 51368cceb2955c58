//! Near names, for messages about names that do not exist.

use super::{Cmdlet, cmdlets};

/// No more names than these are suggested.
const SUGGESTIONS_MAX: usize = 3;

/// Names longer than this are not compared: the distance costs the product of the lengths.
const NAME_BYTES_MAX: usize = 128;

/// The cmdlets with the nearest names, nearest first; empty if none is near.
pub fn suggest_cmdlet(name: &str) -> Vec<&'static str> {
    nearest(name, cmdlets().map(|cmdlet| cmdlet.as_str()))
}

/// The parameters of the cmdlet with the nearest names, nearest first; empty if none is near.
pub fn suggest_parameter(cmdlet: &Cmdlet, name: &str) -> Vec<&'static str> {
    nearest(name, cmdlet.parameters().map(|parameter| parameter.name()))
}

/// The nearest of some names by edit distance, whatever their case: a slip of the keyboard, not another word.
///
/// Allowed is one edit for every four characters, but at least one and at most four; a short name (up to three
/// characters) allows one.
pub fn nearest<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Vec::new();
    }
    let wanted = name.to_lowercase();
    let allowed = (wanted.chars().count() / 4).clamp(1, 4);
    let wanted_letters = letters(&wanted);
    let mut found: Vec<(usize, &str)> = among
        .filter(|candidate| candidate.len().abs_diff(wanted.len()) <= allowed * 4)
        .filter_map(|candidate| {
            let lower = candidate.to_lowercase();
            if !may_be_near(wanted_letters, letters(&lower), allowed) {
                return None;
            }
            let distance = strsim::osa_distance(&wanted, &lower);
            (distance <= allowed).then_some((distance, candidate))
        })
        .collect();
    found.sort_unstable();
    // The nearest is meant; `Set-Mailbox` beside it would only be noise for `Get-Mailboxs`.
    let best = found.first().map_or(0, |(distance, _)| *distance);
    found.retain(|(distance, _)| *distance == best);
    found.truncate(SUGGESTIONS_MAX);
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Which letters a name in lower case has, a bit for each of `a` to `z`.
fn letters(lower: &str) -> u32 {
    lower.bytes().filter(u8::is_ascii_lowercase).fold(0, |letters, letter| letters | 1 << (letter - b'a'))
}

/// Whether so few edits could make one name of the other: each brings in at most one letter and takes out at most one.
/// Most names are told apart by that, at a hundredth of what their distance costs.
fn may_be_near(one: u32, other: u32, allowed: usize) -> bool {
    let only = |these: u32, those: u32| (these & !those).count_ones() as usize;
    only(one, other) <= allowed && only(other, one) <= allowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::cmdlet;

    #[test]
    fn one_changed_letter_is_found_again() {
        for found in cmdlets().step_by(20) {
            let name = found.as_str();
            let mut letters: Vec<char> = name.chars().collect();
            let at = letters.len() / 2;
            letters[at] = if letters[at] == 'q' { 'z' } else { 'q' };
            let slip: String = letters.into_iter().collect();
            assert!(suggest_cmdlet(&slip).contains(&name), "{slip}: {:?}", suggest_cmdlet(&slip));
        }
    }

    #[test]
    fn slips_are_suggested_and_other_words_are_not() {
        assert_eq!(suggest_cmdlet("Get-Mailboxs"), ["Get-Mailbox"]);
        assert_eq!(suggest_cmdlet("Get-Mialbox")[0], "Get-Mailbox");
        assert!(suggest_cmdlet("Frobnicate-Everything").is_empty());
        assert!(suggest_cmdlet("").is_empty());
        assert!(suggest_cmdlet(&"x".repeat(10_000)).is_empty());
        let set = cmdlet("Set-CASMailbox").expect("is in the catalog");
        assert_eq!(suggest_parameter(&set, "PopEnable"), ["PopEnabled"]);
    }

    proptest::proptest! {
        #[test]
        fn letters_tell_apart_only_what_is_far_apart(one in "[a-fä]{0,8}", other in "[a-fä]{0,8}") {
            let distance = strsim::osa_distance(&one, &other);
            proptest::prop_assert!(may_be_near(letters(&one), letters(&other), distance));
        }
    }
}
