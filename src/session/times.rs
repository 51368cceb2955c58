//! How long things take in the life of a session. All are settings; each default has its reason here.

use std::time::Duration;

use crate::rules::slots::opens::Budget;
use crate::rules::slots::working_limit::Pace;
use crate::rules::slots::{Polling, Terms};
use crate::slots::SlotTimes;

/// The times of sessions and slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimes {
    /// How long a slot is held without a renewal.
    pub lease: Duration,
    /// How long the service may count a session that nobody closed.
    pub quarantine: Duration,
    /// Sessions an account may open within [`SessionTimes::OPENS_WINDOW`].
    pub opens_per_minute: u32,
    /// How long a close may take before it counts as unconfirmed.
    pub close_deadline: Duration,
    /// How long the slot store may take to answer.
    pub store_deadline: Duration,
    /// How often a run that waits for a slot looks again.
    pub polling: Polling,
    /// How long a run that waits may be silent before those behind it pass it.
    pub patience: Duration,
}

impl SessionTimes {
    /// A crashed run's slot should not wait much longer than the quarantine asks for, and a renewal must survive some
    /// seconds of a slow disk or API server: half a minute is left for retries when the first renewal starts.
    pub const LEASE: Duration = Duration::from_secs(60);

    /// The old service closed a session after 15 idle minutes; one minute of slack for clocks and the way there. The
    /// REST service has no published successor ("What session and disconnect mean here" in the architecture page).
    pub const QUARANTINE: Duration = Duration::from_secs(16 * 60);

    /// The old service's throttling policy allowed 5 new runspaces per 60 seconds (protocol reference, 3.14); today's
    /// publishes no figure, so the last one that is known holds.
    pub const OPENS_PER_MINUTE: u32 = 5;

    /// The window of [`SessionTimes::OPENS_PER_MINUTE`].
    pub const OPENS_WINDOW: Duration = Duration::from_secs(60);

    /// close_notify and GOAWAY take one round trip; five seconds bear a lost packet or two, and fit into the end of
    /// a lease and of a pod's grace period.
    pub const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

    /// A file takes milliseconds and an API server's slow answer seconds. Less than the half lease in which a
    /// renewal has to succeed.
    pub const STORE_DEADLINE: Duration = Duration::from_secs(15);

    /// Short against a run, long against the read of five small files.
    pub const POLL_MIN: Duration = Duration::from_millis(250);

    /// Other processes' returns are seen only by looking: five seconds are the most that a free slot stands idle.
    pub const POLL_MAX: Duration = Duration::from_secs(5);

    /// Five sessions that are refused within half a minute were refused for the same reason. Throttling policies of
    /// the old service recharged within five minutes; one slot more after each tells whether that is over.
    pub const PACE: Pace = Pace { crowd: Duration::from_secs(30), step: Duration::from_secs(300) };

    /// A waiting run looks every five seconds at the latest, and notes that it waits every third look or so; half a minute
    /// bears a slow store. So long a run that was killed while it waited holds up those behind it.
    pub const PATIENCE: Duration = Duration::from_secs(30);

    /// What the slot store has to know of them.
    pub fn slots(&self) -> SlotTimes {
        SlotTimes {
            terms: self.terms(),
            opens: Budget { limit: self.opens_per_minute, window: SessionTimes::OPENS_WINDOW },
            pace: SessionTimes::PACE,
            patience: self.patience,
        }
    }

    /// Lease and quarantine, as the rules take them.
    pub fn terms(&self) -> Terms {
        Terms { lease: self.lease, quarantine: self.quarantine }
    }
}

impl Default for SessionTimes {
    fn default() -> SessionTimes {
        SessionTimes {
            lease: SessionTimes::LEASE,
            quarantine: SessionTimes::QUARANTINE,
            opens_per_minute: SessionTimes::OPENS_PER_MINUTE,
            close_deadline: SessionTimes::CLOSE_DEADLINE,
            store_deadline: SessionTimes::STORE_DEADLINE,
            polling: Polling { min: SessionTimes::POLL_MIN, max: SessionTimes::POLL_MAX },
            patience: SessionTimes::PATIENCE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_fit_together() {
        let times = SessionTimes::default();
        assert_eq!((times.lease.as_secs(), times.quarantine.as_secs(), times.opens_per_minute), (60, 960, 5));
        assert!(
            times.close_deadline <= times.terms().margin(),
            "a cancelled call's session closes within its lease"
        );
        assert!(
            times.store_deadline + times.terms().margin() < times.lease / 2,
            "a hanging renewal leaves a second try"
        );
        assert!(times.polling.min < times.polling.max);
        assert!(times.polling.max * 2 < times.patience / 3 * 2, "a waiter that looks is never passed over");
    }
}
