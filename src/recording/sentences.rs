//! The service's own sentences: those the protocol reference quotes stay, with the names in them replaced.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A sentence that is known, and what is recorded of it. `{}` is the next name found, replaced.
struct Sentence {
    pattern: Regex,
    recorded: &'static str,
}

/// Source: protocol reference, 3.7 to 3.11 and 3.14.
static SENTENCES: LazyLock<Vec<Sentence>> = LazyLock::new(|| {
    [
        (r"^Error executing cmdlet$", "Error executing cmdlet"),
        (r"^Invalid Operation\.?$", "Invalid Operation"),
        (
            r"^The operation couldn't be performed because object '(.*)' couldn't be found on '(.*)'\.$",
            "The operation couldn't be performed because object '{}' couldn't be found on '{}'.",
        ),
        (
            r"^Parameter set cannot be resolved using the specified named parameters\b.*$",
            "Parameter set cannot be resolved using the specified named parameters.",
        ),
        (
            r"^The role assigned to application (\S+) isn't supported in this scenario\b.*$",
            "The role assigned to application {} isn't supported in this scenario.",
        ),
        (
            r"^.*maximum number of connections allowed : \d+\b.*$",
            "Fail to create a runspace because you have exceeded the maximum number of connections allowed : 5 for the \
             policy party : MaxConcurrency. Please close existing runspace and try again.",
        ),
        (
            r"^.*maximum number of concurrent requests per tenant.*$",
            "You have reached the maximum number of concurrent requests per tenant.",
        ),
        (
            r"^Expired or Invalid pagination request\. Default Expiry time is (\d\d:\d\d:\d\d)\.?$",
            "Expired or Invalid pagination request. Default Expiry time is {}",
        ),
        (
            r"^There are more results available\b.*$",
            "There are more results available than are currently displayed.",
        ),
        (
            r"^The command completed successfully but no settings of '(.*)' have been modified\.$",
            "The command completed successfully but no settings of '{}' have been modified.",
        ),
        (r"^Too many requests\b.*$", "Too many requests."),
        (r"^A transient error occurred\b.*$", "A transient error occurred."),
        (r"^The (?:access )?token has expired\.?$", "The token has expired."),
    ]
    .map(|(pattern, recorded)| Sentence {
        pattern: Regex::new(&format!("(?s){pattern}")).expect("a pattern of our own"),
        recorded,
    })
    .into()
});

/// What is recorded of a sentence that is known; `replaced` gives a name's stand-in.
pub(super) fn known(text: &str, mut replaced: impl FnMut(&str) -> String) -> Option<String> {
    let filled = |sentence: &Sentence, found: &Captures<'_>, replaced: &mut dyn FnMut(&str) -> String| {
        let mut pieces = sentence.recorded.split("{}");
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for (piece, name) in pieces.zip(found.iter().skip(1).flatten()) {
            out.push_str(&replaced(name.as_str()));
            out.push_str(piece);
        }
        out
    };
    let text = text.trim();
    SENTENCES.iter().find_map(|sentence| {
        sentence.pattern.captures(text).map(|found| filled(sentence, &found, &mut replaced))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_sentence_stays_without_its_names() {
        let of = |text: &str| known(text, |name| format!("<{}>", name.len()));
        assert_eq!(
            of("The operation couldn't be performed because object 'Anna's Box' couldn't be found on 'DC01.x'.")
                .unwrap(),
            "The operation couldn't be performed because object '<10>' couldn't be found on '<6>'."
        );
        assert_eq!(of("Too many requests, Anna").unwrap(), "Too many requests.");
        assert_eq!(of("Anna was here."), None);
    }
}
