//! Whether a certificate is within its time.

use std::time::Duration;

use jiff::Timestamp;

/// From this long before its end a certificate is warned about.
const WARN_BEFORE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A log says it again after this long, however often it is asked.
const WARN_AGAIN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Its time has not begun.
    NotYet,
    /// It is good, and for a while.
    Good,
    /// It is good for less than 30 days.
    EndsSoon,
    /// Its time is over.
    Ended,
}

/// How a certificate of `not_before` to `not_after` stands at `now`.
pub fn validity(not_before: Timestamp, not_after: Timestamp, now: Timestamp) -> Validity {
    let left = Duration::try_from(not_after.duration_since(now)).unwrap_or(Duration::ZERO);
    if now < not_before {
        Validity::NotYet
    } else if now > not_after {
        Validity::Ended
    } else if left < WARN_BEFORE {
        Validity::EndsSoon
    } else {
        Validity::Good
    }
}

/// Whether what was last said at `said` is to be said again at `now`.
pub fn is_to_be_said(said: Option<Timestamp>, now: Timestamp) -> bool {
    said.is_none_or(|said| now.duration_since(said).unsigned_abs() >= WARN_AGAIN_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + days * 24 * 60 * 60).expect("a timestamp of this century")
    }

    #[test]
    fn a_certificate_is_warned_about_in_its_last_thirty_days() {
        let at = |now| validity(day(0), day(365), now);
        assert_eq!(
            [at(day(-1)), at(day(0)), at(day(335))],
            [Validity::NotYet, Validity::Good, Validity::Good]
        );
        assert_eq!(
            [at(day(336)), at(day(365)), at(day(366))],
            [Validity::EndsSoon, Validity::EndsSoon, Validity::Ended]
        );
    }

    #[test]
    fn a_warning_is_said_once_a_day() {
        assert!(is_to_be_said(None, day(0)));
        assert!(!is_to_be_said(Some(day(0)), day(0)));
        assert!(is_to_be_said(Some(day(0)), day(1)));
    }
}
