//! The one short set of times that tests use. The defaults have tests of their own, beside them.

use std::time::Duration;

use exorun::rules::slots::Polling;
use exorun::session::SessionTimes;

/// Short, in the same order as the defaults.
pub(crate) const SHORT: SessionTimes = SessionTimes {
    lease: Duration::from_secs(6),
    quarantine: Duration::from_secs(20),
    opens_per_minute: 1000,
    close_deadline: Duration::from_millis(500),
    store_deadline: Duration::from_millis(1500),
    polling: Polling { min: Duration::from_millis(50), max: Duration::from_millis(500) },
    patience: Duration::from_secs(3),
};

/// How long the fake service counts a session that nobody closed: a second less than the quarantine.
pub(crate) const SHORT_IDLE: Duration = Duration::from_secs(19);
