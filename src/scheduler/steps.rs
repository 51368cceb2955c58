//! Noticing that somebody has set the wall clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::clocks::Clocks;
use crate::observe::metrics::{ClockStep, Metrics};
use crate::rules::duration::show_about;
use crate::rules::time::BootTime;

/// What a clock that is kept by NTP is never moved by at once.
const STEP_MIN: SignedDuration = SignedDuration::from_secs(5);

/// The clocks when they were last looked at.
pub(super) struct ClockSteps {
    boot: BootTime,
    wall: Timestamp,
}

impl ClockSteps {
    pub(super) fn new(clocks: &Clocks) -> ClockSteps {
        ClockSteps { boot: clocks.boot(), wall: clocks.wall() }
    }

    /// Says so, once, if the wall clock has gone another way than the time since boot.
    pub(super) fn look(&mut self, clocks: &Clocks, metrics: &Metrics) {
        let before = std::mem::replace(self, ClockSteps::new(clocks));
        let passed = SignedDuration::try_from(self.boot.since(before.boot)).unwrap_or(SignedDuration::MAX);
        let step = self.wall.duration_since(before.wall).saturating_sub(passed);
        let by = show_about(Duration::try_from(step.abs()).unwrap_or(Duration::MAX));
        if step >= STEP_MIN {
            metrics.clock_stepped(ClockStep::Forward);
            warn!(to = %self.wall, "the wall clock was set forward by {by}: what was due in between is missed");
        } else if step <= -STEP_MIN {
            metrics.clock_stepped(ClockStep::Back);
            warn!(
                to = %self.wall,
                "the wall clock was set back by {by}: no due time comes twice, so nothing is due until it is again what it was"
            );
        }
    }
}
