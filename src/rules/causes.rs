//! An error and what is behind it, as one text.

use std::error::Error;

/// The error's own words, and after colons those of its causes. Many errors repeat what they were caused by: words that
/// stand there already are not said twice.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::chain;

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Layer {
        words: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn causes_follow_and_nothing_is_said_twice() {
        let of = |words, source: Option<Layer>| Layer { words, source: source.map(Box::new) };
        let error = of("no way: refused", Some(of("refused", Some(of("by the peer", None)))));
        assert_eq!(chain(&error), "no way: refused: by the peer");
    }
}
