//! How many of an account's slots may be in use for now, after the service has refused for concurrency.
//!
//! The five are ours to keep, but the service has limits of its own that it does not publish, and other programs may
//! use the account. A refusal says that there is too much; how much less is right, only trying tells. So the limit
//! goes down at once, and up again one by one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rules::time::BootTime;

/// How fast a lowered limit moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Refusals within this time of one that counted are of the same crowd, and lower nothing more.
    pub crowd: Duration,
    /// How long until one more slot may be used.
    pub step: Duration,
}

/// A limit that the service has made us lower. Kept beside the slots, because all holders of an account share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowered {
    /// What was left to use.
    pub to: u32,
    /// When that was decided.
    pub since: BootTime,
}

impl Lowered {
    /// How many slots may be in use at `now`, of `full`; never less than one.
    ///
    /// A decision after `now` cannot be compared (it was made before the host started anew) and counts as made now.
    pub fn limit(self, full: u32, now: BootTime, pace: Pace) -> u32 {
        let steps = now.since(self.since).as_millis().checked_div(pace.step.as_millis()).unwrap_or(u128::MAX);
        let risen = self.to.max(1).saturating_add(u32::try_from(steps).unwrap_or(u32::MAX));
        risen.min(full)
    }

    /// When [`Lowered::limit`] is higher than at `now`; `None` if it is full already.
    pub fn rises_at(self, full: u32, now: BootTime, pace: Pace) -> Option<BootTime> {
        let limit = self.limit(full, now, pace);
        let steps = (limit + 1).checked_sub(self.to.max(1))?;
        (limit < full).then(|| self.since.min(now) + pace.step * steps)
    }
}

/// What is left to use after the service has refused at `now`, while `in_use` of `full` slots were held.
///
/// One less than were in use or allowed, at least one. A refusal of the same crowd changes nothing.
pub fn after_refusal(before: Option<Lowered>, full: u32, in_use: u32, now: BootTime, pace: Pace) -> Lowered {
    if let Some(lowered) = before
        && lowered.since <= now
        && now < lowered.since + pace.crowd
    {
        return lowered;
    }
    let allowed = before.map_or(full, |lowered| lowered.limit(full, now, pace));
    Lowered { to: allowed.min(in_use.max(1)).saturating_sub(1).max(1), since: now }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACE: Pace = Pace { crowd: Duration::from_secs(30), step: Duration::from_secs(300) };

    fn at(seconds: u64) -> BootTime {
        BootTime::from_millis(seconds * 1000)
    }

    #[test]
    fn a_crowd_of_refusals_lowers_it_once_and_it_rises_one_by_one() {
        let first = after_refusal(None, 5, 5, at(1000), PACE);
        let crowd = after_refusal(Some(first), 5, 5, at(1029), PACE);
        assert_eq!((first, crowd), (Lowered { to: 4, since: at(1000) }, first));
        assert_eq!(first.limit(5, at(1299), PACE), 4);
        assert_eq!(first.rises_at(5, at(1299), PACE), Some(at(1300)));
        assert_eq!(first.limit(5, at(1300), PACE), 5);
        assert_eq!(first.rises_at(5, at(1300), PACE), None);
        let second = after_refusal(Some(first), 5, 4, at(1030), PACE);
        assert_eq!(second, Lowered { to: 3, since: at(1030) });
        assert_eq!(second.limit(5, at(1030 + 600), PACE), 5);
    }

    #[test]
    fn what_others_use_is_left_to_them() {
        // Two of ours were too many: somebody else has the rest.
        assert_eq!(after_refusal(None, 5, 2, at(9), PACE).to, 1);
        assert_eq!(after_refusal(None, 5, 1, at(9), PACE).to, 1, "never none");
    }

    #[test]
    fn a_decision_of_another_boot_counts_as_made_now() {
        let lowered = Lowered { to: 2, since: at(9000) };
        assert_eq!(lowered.limit(5, at(5), PACE), 2);
        assert_eq!(lowered.rises_at(5, at(5), PACE), Some(at(305)));
        assert_eq!(after_refusal(Some(lowered), 5, 2, at(5), PACE), Lowered { to: 1, since: at(5) });
    }

    proptest! {
        /// Whatever comes, at least one slot may be used and never more than all, and without refusals all come back.
        #[test]
        fn it_stays_between_one_and_all_and_comes_back(
            refusals in prop::collection::vec((0u64..2000, 0u32..8), 1..40),
            full in 1u32..=5,
        ) {
            let (mut now, mut lowered) = (at(100), None);
            for (later, in_use) in refusals {
                now = now + Duration::from_secs(later);
                let before = lowered.map_or(full, |l: Lowered| l.limit(full, now, PACE));
                let next = after_refusal(lowered, full, in_use, now, PACE);
                let after = next.limit(full, now, PACE);
                prop_assert!((1..=full).contains(&after) && after <= before);
                if let Some(rises) = next.rises_at(full, now, PACE) {
                    prop_assert!(now < rises && next.limit(full, rises, PACE) == after + 1);
                }
                lowered = Some(next);
            }
            let rest = now + PACE.step * full;
            prop_assert_eq!(lowered.map(|l| l.limit(full, rest, PACE)), Some(full));
        }
    }
}
