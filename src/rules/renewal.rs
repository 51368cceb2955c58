//! When a token with a life of its own is used, renewed, or replaced by a new one.
//!
//! Vault grants a life at each login and renewal, and grants less and less of it where the token's maximum is near.

use std::time::Duration;

/// What was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// At the login.
    pub first: Duration,
    /// At the last renewal, else at the login; counted from then.
    pub granted: Duration,
    /// Whether it may be renewed at all.
    pub renewable: bool,
}

/// What to do with the token now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tend {
    /// It is good.
    Use,
    /// It is to be renewed; it is still good.
    Renew,
    /// A new one is needed; it is still good.
    Replace,
    /// It has ended.
    Over,
}

impl Life {
    /// What to do `age` after the last grant.
    pub fn tend(&self, age: Duration) -> Tend {
        if age >= self.granted {
            Tend::Over
        } else if age < self.due() {
            Tend::Use
        } else if self.renewable && !self.is_capped() {
            Tend::Renew
        } else {
            Tend::Replace
        }
    }

    /// How long after the last grant something is to be done: two thirds of the life.
    pub fn due(&self) -> Duration {
        // In this order, because Vault may grant as much as a number holds.
        self.granted / 3 * 2
    }

    /// Whether the last renewal gave so little that the maximum must be near. Without this the token would be renewed
    /// ever more often for ever less.
    fn is_capped(&self) -> bool {
        self.granted < self.first / 2
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const HOUR: Life = Life { first: seconds(3600), granted: seconds(3600), renewable: true };

    #[test]
    fn a_token_is_renewed_at_two_thirds_of_its_life() {
        assert_eq!(HOUR.tend(seconds(2399)), Tend::Use);
        assert_eq!(HOUR.tend(seconds(2400)), Tend::Renew);
        assert_eq!(HOUR.tend(seconds(3599)), Tend::Renew);
        assert_eq!(HOUR.tend(seconds(3600)), Tend::Over);
    }

    #[test]
    fn what_cannot_be_renewed_is_replaced() {
        let fixed = Life { renewable: false, ..HOUR };
        assert_eq!(fixed.tend(seconds(2399)), Tend::Use);
        assert_eq!(fixed.tend(seconds(2400)), Tend::Replace);
    }

    #[test]
    fn a_renewal_that_gave_less_than_half_is_the_last() {
        let capped = Life { granted: seconds(1700), ..HOUR };
        assert_eq!(capped.tend(seconds(1200)), Tend::Replace);
        let nearly = Life { granted: seconds(1800), ..HOUR };
        assert_eq!(nearly.tend(seconds(1200)), Tend::Renew);
    }

    proptest! {
        #[test]
        fn a_token_is_never_used_after_its_end(
            granted in prop_oneof![0_u64..1_000_000, any::<u64>()], age in prop_oneof![0_u64..1_000_000, any::<u64>()],
            renewable: bool,
        ) {
            let life = Life { first: seconds(granted), granted: seconds(granted), renewable };
            let over = life.tend(seconds(age)) == Tend::Over;
            prop_assert_eq!(over, age >= granted);
        }
    }
}
