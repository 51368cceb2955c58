//! When a failed request is repeated: a policy that is data, and one function that decides.

use std::time::Duration;

/// How often and how patiently a request is repeated. Source of the defaults: protocol reference, 3.11
/// (the module tries 1 + 5 times and waits 2 s × 2^n).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all, the first one counted. At least 1.
    pub attempts_max: u32,
    /// The wait before the second try; it doubles from try to try.
    pub delay_first: Duration,
    /// The longest wait of our own choosing. A `Retry-After` may ask for more.
    pub delay_max: Duration,
    /// The time all tries and waits of one request may take together.
    pub total_max: Duration,
    /// Which failures are repeated at all.
    pub on: Repeated,
}

/// Failures after which a request is repeated. Others never are, and a write in doubt is not whatever this says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// The service asked for patience.
    pub throttled: bool,
    /// What passes by itself.
    pub transient: bool,
}

impl Repeated {
    /// Everything that may be repeated.
    pub const ALL: Repeated = Repeated { throttled: true, transient: true };
}

/// What a failed try means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The service asked for patience; nothing was done.
    Throttled {
        /// The wait it asked for; honoured exactly.
        retry_after: Option<Duration>,
    },
    /// It passes by itself, and repeating is harmless.
    Transient,
    /// Repeating cannot help.
    Permanent,
    /// A write that may have been done: the object must be read before it is repeated.
    InDoubt,
}

/// What to do after a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Wait this long, then try again.
    After(Duration),
    /// Do not try again.
    GiveUp(GiveUp),
}

/// Why there is no further try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// Repeating cannot help.
    Permanent,
    /// Repeating could do a write twice.
    InDoubt,
    /// The policy does not repeat such failures.
    NotWanted,
    /// All tries are used.
    AttemptsUsed,
    /// The next try would begin after the time for all tries.
    TimeUsed,
}

impl RetryPolicy {
    /// Decides after the failed try number `attempt` (from 1), `elapsed` after the first try began.
    ///
    /// `jitter` is a random number in 0..1: our own waits are spread over 75 to 125 percent, so that runs which
    /// failed together do not come back together.
    pub fn next(&self, attempt: u32, failure: Failure, elapsed: Duration, jitter: f64) -> Next {
        let wait = match failure {
            Failure::Permanent => return Next::GiveUp(GiveUp::Permanent),
            Failure::InDoubt => return Next::GiveUp(GiveUp::InDoubt),
            Failure::Throttled { .. } if !self.on.throttled => return Next::GiveUp(GiveUp::NotWanted),
            Failure::Transient if !self.on.transient => return Next::GiveUp(GiveUp::NotWanted),
            Failure::Throttled { retry_after: Some(asked) } => asked,
            Failure::Throttled { retry_after: None } | Failure::Transient => self.backoff(attempt, jitter),
        };
        if attempt >= self.attempts_max {
            Next::GiveUp(GiveUp::AttemptsUsed)
        } else if elapsed.saturating_add(wait) > self.total_max {
            Next::GiveUp(GiveUp::TimeUsed)
        } else {
            Next::After(wait)
        }
    }

    fn backoff(&self, attempt: u32, jitter: f64) -> Duration {
        // 2^20 waits of any first delay are beyond every maximum.
        let doubled = self.delay_first.saturating_mul(1_u32 << attempt.saturating_sub(1).min(20));
        doubled.min(self.delay_max).mul_f64(0.75 + 0.5 * jitter.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts_max: 6,
        delay_first: Duration::from_secs(2),
        delay_max: Duration::from_secs(60),
        total_max: Duration::from_secs(900),
        on: Repeated::ALL,
    };

    #[test]
    fn what_is_not_wanted_is_not_repeated() {
        let next = |on, failure| RetryPolicy { on, ..POLICY }.next(1, failure, Duration::ZERO, 0.5);
        let throttled = Failure::Throttled { retry_after: Some(Duration::from_secs(1)) };
        let only_throttled = Repeated { throttled: true, transient: false };
        assert_eq!(next(only_throttled, throttled), Next::After(Duration::from_secs(1)));
        assert_eq!(next(only_throttled, Failure::Transient), Next::GiveUp(GiveUp::NotWanted));
        let only_transient = Repeated { throttled: false, transient: true };
        assert_eq!(next(only_transient, throttled), Next::GiveUp(GiveUp::NotWanted));
        assert_eq!(next(only_transient, Failure::InDoubt), Next::GiveUp(GiveUp::InDoubt));
    }

    #[test]
    fn waits_double_up_to_the_maximum() {
        let wait = |attempt| POLICY.next(attempt, Failure::Transient, Duration::ZERO, 0.5);
        assert_eq!(wait(1), Next::After(Duration::from_secs(2)));
        assert_eq!(wait(2), Next::After(Duration::from_secs(4)));
        assert_eq!(wait(5), Next::After(Duration::from_secs(32)));
        assert_eq!(wait(6), Next::GiveUp(GiveUp::AttemptsUsed));
    }

    #[test]
    fn retry_after_is_honoured_exactly_even_beyond_our_maximum() {
        let asked = Duration::from_millis(90_500);
        let failure = Failure::Throttled { retry_after: Some(asked) };
        assert_eq!(POLICY.next(1, failure, Duration::ZERO, 0.9), Next::After(asked));
    }

    #[test]
    fn a_wait_beyond_the_total_time_is_not_begun() {
        let failure = Failure::Throttled { retry_after: Some(Duration::from_secs(600)) };
        let next = POLICY.next(2, failure, Duration::from_secs(301), 0.0);
        assert_eq!(next, Next::GiveUp(GiveUp::TimeUsed));
    }

    proptest! {
        #[test]
        fn our_own_waits_stay_within_a_quarter_of_the_plan(attempt in 1_u32..100, jitter in 0.0_f64..1.0) {
            let policy = RetryPolicy { attempts_max: u32::MAX, total_max: Duration::MAX, ..POLICY };
            let Next::After(wait) = policy.next(attempt, Failure::Transient, Duration::ZERO, jitter) else {
                return Err(TestCaseError::fail("a transient failure was not repeated"));
            };
            prop_assert!(wait >= POLICY.delay_first.mul_f64(0.75) && wait <= POLICY.delay_max.mul_f64(1.25));
        }

        #[test]
        fn a_write_in_doubt_is_never_repeated(attempt in 1_u32..100, jitter in 0.0_f64..1.0) {
            let next = POLICY.next(attempt, Failure::InDoubt, Duration::ZERO, jitter);
            prop_assert_eq!(next, Next::GiveUp(GiveUp::InDoubt));
        }
    }
}
