//! When a held token is used and when a new one is fetched.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A token is renewed this long before it ends. Source: protocol reference, 2.11.
const REFRESH_MARGIN: Duration = Duration::from_secs(5 * 60);

/// What to do for the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The held token is good.
    Use,
    /// A new one is needed.
    Fetch,
}

/// Decides about a token issued at `issued_at` that ends at `expires_at`.
///
/// A token that lives shorter than four margins is used for three quarters of its life, so that a short one is
/// not fetched anew for every call.
pub fn plan(issued_at: Timestamp, expires_at: Timestamp, now: Timestamp) -> Plan {
    let life = expires_at.duration_since(issued_at);
    let margin = SignedDuration::try_from(REFRESH_MARGIN).unwrap_or(SignedDuration::ZERO).min(life / 4);
    if expires_at.duration_since(now) > margin { Plan::Use } else { Plan::Fetch }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).expect("a timestamp of this century")
    }

    #[test]
    fn an_hour_long_token_is_renewed_five_minutes_early() {
        assert_eq!(plan(at(0), at(3600), at(3299)), Plan::Use);
        assert_eq!(plan(at(0), at(3600), at(3300)), Plan::Fetch);
    }

    #[test]
    fn a_short_token_is_used_for_three_quarters_of_its_life() {
        assert_eq!(plan(at(0), at(60), at(44)), Plan::Use);
        assert_eq!(plan(at(0), at(60), at(45)), Plan::Fetch);
    }

    #[test]
    fn an_expired_token_is_never_used() {
        assert_eq!(plan(at(0), at(60), at(60)), Plan::Fetch);
        assert_eq!(plan(at(0), at(0), at(0)), Plan::Fetch);
    }
}
