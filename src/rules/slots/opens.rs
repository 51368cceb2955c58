//! The opens-per-minute budget of an account: a sliding window of stamps.
//!
//! The old service refused a sixth new runspace within 60 seconds, whatever the number of sessions that were open.
//! The budget is kept beside the slots, so all holders of an account share it.

use std::time::Duration;

use crate::rules::time::BootTime;

/// How many opens a window may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Opens within one window; zero admits none.
    pub limit: u32,
    /// The window's length.
    pub window: Duration,
}

/// The answer to "may a session be opened now?".
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Admission {
    /// Yes: these stamps, which include the new one, are to be kept.
    Admitted(Vec<BootTime>),
    /// No: the window is full until then.
    Exhausted {
        /// When the oldest stamp that matters leaves the window.
        until: BootTime,
    },
}

/// Whether one more session may be opened at `now`.
///
/// A stamp leaves the window exactly `window` after it was made. A stamp after `now` cannot be compared (it comes
/// from another clock) and counts as made now; see [`comparable`].
pub fn admit(stamps: &[BootTime], now: BootTime, budget: Budget) -> Admission {
    let limit = usize::try_from(budget.limit).unwrap_or(usize::MAX);
    let mut live: Vec<BootTime> =
        stamps.iter().map(|stamp| (*stamp).min(now)).filter(|stamp| now < *stamp + budget.window).collect();
    live.sort_unstable();
    if live.len() < limit {
        live.push(now);
        return Admission::Admitted(live);
    }
    // With `limit` or more stamps in the window, the one that has to leave first is the `limit`th from the end.
    let blocking = live.len().checked_sub(limit).and_then(|index| live.get(index)).copied();
    Admission::Exhausted { until: blocking.unwrap_or(now) + budget.window }
}

/// Stamps of a record that cannot be compared with `now` (another boot), as far as they may matter: all made now.
///
/// The result must be written back before it is judged again, else the stamps would never grow old.
pub fn comparable(count: usize, now: BootTime, budget: Budget) -> Vec<BootTime> {
    vec![now; count.min(usize::try_from(budget.limit).unwrap_or(usize::MAX))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BUDGET: Budget = Budget { limit: 5, window: Duration::from_secs(60) };

    fn at(seconds: u64) -> BootTime {
        BootTime::from_millis(seconds * 1000)
    }

    #[test]
    fn the_sixth_open_waits_for_the_first_to_leave_the_window() {
        let mut stamps = Vec::new();
        for second in 10..15 {
            let Admission::Admitted(next) = admit(&stamps, at(second), BUDGET) else { panic!("{second}") };
            stamps = next;
        }
        assert_eq!(admit(&stamps, at(15), BUDGET), Admission::Exhausted { until: at(70) });
        assert_eq!(admit(&stamps, at(69), BUDGET), Admission::Exhausted { until: at(70) });
        assert!(matches!(admit(&stamps, at(70), BUDGET), Admission::Admitted(kept) if kept.len() == 5));
    }

    #[test]
    fn a_lowered_limit_names_the_stamp_that_blocks() {
        let stamps = [at(1), at(2), at(3), at(4)];
        let budget = Budget { limit: 2, ..BUDGET };
        assert_eq!(admit(&stamps, at(5), budget), Admission::Exhausted { until: at(63) });
    }

    #[test]
    fn no_limit_means_no_open() {
        let none = Budget { limit: 0, ..BUDGET };
        assert_eq!(admit(&[], at(5), none), Admission::Exhausted { until: at(65) });
    }

    proptest! {
        /// Over any history, no window of the budget's length holds more than the limit.
        #[test]
        fn no_window_holds_more_than_the_limit(steps in prop::collection::vec(0u64..40_000, 1..60), limit in 1u32..6) {
            let budget = Budget { limit, ..BUDGET };
            let mut now = at(0);
            let (mut stamps, mut admitted) = (Vec::new(), Vec::new());
            for step in steps {
                now = now + Duration::from_millis(step);
                match admit(&stamps, now, budget) {
                    Admission::Admitted(next) => {
                        stamps = next;
                        admitted.push(now);
                    }
                    Admission::Exhausted { until } => {
                        prop_assert!(now < until && until <= now + budget.window);
                        prop_assert!(matches!(admit(&stamps, until, budget), Admission::Admitted(_)));
                    }
                }
                prop_assert!(stamps.len() <= limit as usize);
            }
            for start in &admitted {
                let inside = admitted.iter().filter(|t| **t >= *start && **t < *start + budget.window).count();
                prop_assert!(inside <= limit as usize);
            }
        }
    }
}
