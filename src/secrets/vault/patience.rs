//! Asking Vault more than once: sealed, standby and unreachable pass by themselves.

use std::future::Future;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::door::Answer;
use super::trouble::Trouble;
use crate::clocks::Clocks;
use crate::rules::duration::show_about;
use crate::rules::retry::{Next, RetryPolicy};

/// How patiently Vault is asked.
#[derive(Clone)]
pub(super) struct Patience {
    pub(super) policy: RetryPolicy,
    pub(super) clocks: Clocks,
    /// Cancelled when the program ends: nothing is waited for any more.
    pub(super) ending: CancellationToken,
}

impl Patience {
    /// Asks for what changes nothing, or is harmless to repeat.
    pub(super) async fn ask<F>(&self, doing: &str, mut once: impl FnMut() -> F) -> Result<Answer, Trouble>
    where
        F: Future<Output = Result<Answer, Trouble>>,
    {
        let began = self.clocks.boot();
        let (mut attempt, mut doubt) = (1, false);
        loop {
            let mut trouble = match once().await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => trouble,
            };
            if let Trouble::Refused(refusal) = &mut trouble {
                refusal.after_doubt = doubt;
            }
            doubt |= trouble.in_doubt();
            let next = self.policy.next(attempt, trouble.failure(), self.clocks.boot().since(began), 0.5);
            let Next::After(wait) = next else { return Err(trouble) };
            warn!(
                attempt,
                wait_ms = wait.as_millis() as u64,
                error = %trouble.short(),
                "Vault: cannot {doing} yet, trying again in {}",
                show_about(wait)
            );
            tokio::select! {
                () = self.clocks.sleep(wait) => attempt += 1,
                () = self.ending.cancelled() => return Err(trouble),
            }
        }
    }
}
