//! When a held token is used, when a new one is fetched, and when no other would help.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A token is renewed this long before it ends. Source: protocol reference, 2.11.
const REFRESH_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// A token that ends this soon is no longer sent: it may end on its way.
const LAST_MARGIN: SignedDuration = SignedDuration::from_secs(20);

/// An early renewal keeps its callers no longer than this: they have a token that is good.
const PATIENCE_MAX: Duration = Duration::from_secs(20);

/// After an early renewal that came to nothing, the next is tried this much later.
pub const RENEW_PAUSE: Duration = Duration::from_secs(30);

/// For this long a token that was renewed in vain is not renewed again: whoever is refused for good would cost the sign-in
/// service a request a call.
const IN_VAIN: Duration = Duration::from_secs(60);

/// What to do for the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The held token is good.
    Use,
    /// It is good for now, and a new one is wanted.
    Renew {
        /// How long the new one may be waited for.
        patience: Duration,
    },
    /// It has ended: a new one is needed.
    Over,
}

/// Decides about a token issued at `issued_at` that ends at `expires_at`.
///
/// A token that lives shorter than four margins is used for three quarters of its life, so that a short one is
/// not fetched anew for every call.
pub fn plan(issued_at: Timestamp, expires_at: Timestamp, now: Timestamp) -> Plan {
    let life = expires_at.duration_since(issued_at);
    let left = expires_at.duration_since(now);
    if left > REFRESH_MARGIN.min(life / 4) {
        return Plan::Use;
    }
    let last = LAST_MARGIN.min(life / 8);
    if left <= last {
        return Plan::Over;
    }
    // Half of what is left: whoever waited in vain still has a token that is good.
    let half = Duration::try_from((left - last) / 2).unwrap_or(Duration::ZERO);
    Plan::Renew { patience: half.min(PATIENCE_MAX) }
}

/// Whether another token may help against a refusal of one that was renewed in vain so long `ago`; `asks_anew` if the
/// service asks for claims that it was not got for.
pub fn may_help(ago: Duration, asks_anew: bool) -> bool {
    asks_anew || ago >= IN_VAIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).expect("a timestamp of this century")
    }

    fn renew(seconds: u64) -> Plan {
        Plan::Renew { patience: Duration::from_secs(seconds) }
    }

    #[test]
    fn an_hour_long_token_is_renewed_five_minutes_early_and_is_good_until_shortly_before_its_end() {
        assert_eq!(plan(at(0), at(3600), at(3299)), Plan::Use);
        assert_eq!(plan(at(0), at(3600), at(3300)), renew(20));
        assert_eq!(plan(at(0), at(3600), at(3560)), renew(10));
        assert_eq!(plan(at(0), at(3600), at(3578)), renew(1));
        assert_eq!(plan(at(0), at(3600), at(3580)), Plan::Over);
    }

    #[test]
    fn a_short_token_is_used_for_three_quarters_of_its_life() {
        assert_eq!(plan(at(0), at(64), at(47)), Plan::Use);
        assert_eq!(plan(at(0), at(64), at(48)), renew(4));
        assert_eq!(plan(at(0), at(64), at(56)), Plan::Over);
    }

    #[test]
    fn an_expired_token_is_never_used() {
        for (expires, now) in [(60, 60), (60, 61), (0, 0), (3600, 1_000_000)] {
            assert_eq!(plan(at(0), at(expires), at(now)), Plan::Over);
        }
    }

    #[test]
    fn callers_that_waited_in_vain_have_a_token_that_is_good() {
        for life in [1, 10, 100, 1000, 10_000] {
            for now in 0..=life {
                if let Plan::Renew { patience } = plan(at(0), at(life), at(now)) {
                    assert_ne!(plan(at(0), at(life), at(now) + patience), Plan::Over, "{life} {now}");
                }
            }
        }
    }

    #[test]
    fn a_renewal_in_vain_is_not_followed_by_another_unless_claims_are_asked_for() {
        assert!(!may_help(Duration::ZERO, false) && !may_help(Duration::from_secs(59), false));
        assert!(may_help(Duration::from_secs(60), false) && may_help(Duration::ZERO, true));
    }
}
