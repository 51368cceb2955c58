//! The end of a certificate: refused when it is over, warned about before, and a metric all the time.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tracing::warn;

use super::Certificate;
use crate::observe::metrics::Metrics;
use crate::rules::validity::{Validity, is_to_be_said, validity};
use crate::signin::{SigninError, SigninErrorKind};

/// Watches one application's certificate.
pub struct Expiry {
    metrics: Metrics,
    target: String,
    said: Mutex<Option<Timestamp>>,
}

impl Expiry {
    /// Of an application of the tenant `target`.
    pub fn new(metrics: Metrics, target: String) -> Expiry {
        Expiry { metrics, target, said: Mutex::new(None) }
    }

    /// # Errors
    /// If the first certificate of `chain` is not within its time at `now`.
    pub(in crate::signin) fn look(
        &self,
        chain: &[Certificate],
        client_id: &str,
        now: Timestamp,
    ) -> Result<(), SigninError> {
        let Some(Certificate { name, not_before, not_after, .. }) = chain.first() else { return Ok(()) };
        self.metrics.certificate_ends(&self.target, client_id, *not_after);
        let refused = |why: String| {
            Err(SigninError::new(
                SigninErrorKind::BadInput,
                format!("the certificate of {client_id} ({name}) {why}"),
            ))
        };
        match validity(*not_before, *not_after, now) {
            Validity::NotYet => {
                refused(format!("is not valid before {not_before}: is this host's clock right?"))
            }
            Validity::Ended => refused(format!(
                "ended at {not_after}: make a new one, upload it to the app registration, and replace the secret"
            )),
            Validity::EndsSoon => {
                let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
                if is_to_be_said(*said, now) {
                    *said = Some(now);
                    let days = not_after.duration_since(now).as_hours() / 24;
                    warn!(
                        client_id, certificate = %name, ends_at = %not_after,
                        "the certificate ends in {days} days: make a new one, upload it beside the old one, then replace the secret"
                    );
                }
                Ok(())
            }
            Validity::Good => Ok(()),
        }
    }
}
