//! The API server's clock, as far as its last answer tells.
//!
//! A `Date` is cut off to whole seconds, and somewhere between question and answer. So two readings are kept apart: the
//! earliest time that it may be, for "is this over?", and the latest, for what is written down. Both err to the side
//! where nothing is ever early. The host's own wall clock is never asked.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::rules::time::BootTime;

/// The second that a `Date` has lost, and the milliseconds that two readings of the boot clock have.
const UNCERTAIN: Duration = Duration::from_millis(1002);

/// A `Date` and the moments between which it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerClock {
    pub(super) stated: Timestamp,
    pub(super) sent: BootTime,
    pub(super) received: BootTime,
}

impl ServerClock {
    /// It is at least this late on the server.
    pub(super) fn earliest(&self, now: BootTime) -> Timestamp {
        later(self.stated, now.since(self.received))
    }

    /// It is at most this late on the server.
    pub(super) fn latest(&self, now: BootTime) -> Timestamp {
        later(self.stated, now.since(self.sent) + UNCERTAIN)
    }

    /// The first moment at which it is surely `at` on the server.
    pub(super) fn boot(&self, at: Timestamp) -> BootTime {
        match Duration::try_from(at.duration_since(self.stated)) {
            Ok(ahead) => self.received + ahead,
            Err(_) => self.received - self.stated.duration_since(at).unsigned_abs(),
        }
    }
}

/// `at` plus `duration`, or the end of time.
pub(super) fn later(at: Timestamp, duration: Duration) -> Timestamp {
    let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    at.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

/// Server time for the rules, which reckon in one line of milliseconds and do not ask which.
pub(super) fn line(at: Timestamp) -> BootTime {
    BootTime::from_millis(u64::try_from(at.as_millisecond()).unwrap_or(0))
}

/// The way back from [`line()`].
pub(super) fn from_line(at: BootTime) -> Timestamp {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> ServerClock {
        ServerClock {
            stated: "2026-03-02T09:00:00Z".parse().unwrap(),
            sent: BootTime::from_millis(100_000),
            received: BootTime::from_millis(100_400),
        }
    }

    #[test]
    fn the_two_readings_enclose_what_the_server_may_show() {
        let now = BootTime::from_millis(101_000);
        assert_eq!(clock().earliest(now).to_string(), "2026-03-02T09:00:00.6Z");
        assert_eq!(clock().latest(now).to_string(), "2026-03-02T09:00:02.002Z");
    }

    #[test]
    fn a_moment_of_the_server_is_never_mapped_too_early() {
        for at in ["2026-03-02T08:59:00Z", "2026-03-02T09:00:00Z", "2026-03-02T09:16:00Z"] {
            let at: Timestamp = at.parse().unwrap();
            let boot = clock().boot(at);
            if boot >= clock().received {
                assert_eq!(clock().earliest(boot), at);
                assert!(clock().earliest(boot - Duration::from_millis(1)) < at || boot == clock().received);
            }
        }
        let year_ago = "2025-03-02T09:00:00Z".parse().unwrap();
        assert_eq!(clock().boot(year_ago), BootTime::default(), "before the host started");
        assert_eq!(from_line(line(year_ago)), year_ago);
    }
}
