//! Our clock against theirs. Source: protocol reference, 8 (more than five minutes break assertions and tokens).

use jiff::{SignedDuration, Timestamp};

/// A difference that is worth mending before it grows.
const WARNED: SignedDuration = SignedDuration::from_secs(60);
/// A difference beyond which assertions are refused.
const BROKEN: SignedDuration = SignedDuration::from_secs(5 * 60);

/// What a difference of clocks means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skew {
    /// Nothing.
    Fine,
    /// It works, and should be mended.
    Growing,
    /// Assertions and tokens are refused.
    Broken,
}

/// What it means that it is `theirs` there while it is `ours` here.
pub fn skew(ours: Timestamp, theirs: Timestamp) -> Skew {
    let apart = theirs.duration_since(ours).abs();
    if apart > BROKEN {
        Skew::Broken
    } else if apart >= WARNED {
        Skew::Growing
    } else {
        Skew::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_minutes_break_and_one_is_warned_of() {
        let ours: Timestamp = "2026-11-22T02:00:00Z".parse().unwrap();
        for (seconds, expected) in [
            (0, Skew::Fine),
            (59, Skew::Fine),
            (60, Skew::Growing),
            (-60, Skew::Growing),
            (300, Skew::Growing),
            (301, Skew::Broken),
            (-86_400, Skew::Broken),
        ] {
            assert_eq!(skew(ours, ours + SignedDuration::from_secs(seconds)), expected, "{seconds}");
        }
    }
}
