//! Repeats of one request to whoever gives tokens: asking for a token changes nothing.

use std::time::Duration;

use tracing::warn;

use crate::clocks::Clocks;
use crate::rules::duration::show_about;
use crate::rules::retry::{Failure, Next, RetryPolicy};
use crate::rules::time::BootTime;

/// The tries of one request so far.
pub(super) struct Tries<'a> {
    clocks: &'a Clocks,
    retry: &'a RetryPolicy,
    /// Who is asked, for the log.
    who: &'static str,
    began: BootTime,
    attempt: u32,
}

impl<'a> Tries<'a> {
    pub(super) fn begin(clocks: &'a Clocks, retry: &'a RetryPolicy, who: &'static str) -> Tries<'a> {
        Tries { clocks, retry, who, began: clocks.boot(), attempt: 1 }
    }

    /// How many there were, this one counted.
    pub(super) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// A try failed with `why`. True after the wait for the next one; false if there is none.
    ///
    /// # Cancel safety
    /// Dropped while it waits, there is no further try.
    pub(super) async fn again(&mut self, failure: Failure, why: &str) -> bool {
        let elapsed = self.clocks.boot().since(self.began);
        let Next::After(wait) = self.retry.next(self.attempt, failure, elapsed, 0.5) else { return false };
        let (attempt, who) = (self.attempt, self.who);
        warn!(attempt, wait_ms = millis(wait), error = %why, "{who}: no answer yet, trying again in {}", show_about(wait));
        self.clocks.sleep(wait).await;
        self.attempt += 1;
        true
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
