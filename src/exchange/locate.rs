//! Where a tenant's service answers: redirects to its region. Source: protocol reference, 1.2.

use secrecy::SecretString;
use tracing::info;

use super::client::{RestConnection, Tally};
use super::errors::{Happened, RemoteError};
use super::redirect::is_global_compliance;
use super::repeat::AfterRedirect;
use super::{CmdletRequest, Intent};

/// Redirects that are followed for one request.
pub(super) const REDIRECTS_MAX: u32 = 3;

impl RestConnection {
    /// Asks Security & Compliance's global host for the tenant's region, before the first call: the host itself fails
    /// calls in ways that name no redirect.
    pub(super) async fn locate(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        tally: &mut Tally,
    ) -> Result<(), RemoteError> {
        if self.is_located || !is_global_compliance(self.origin.host()) {
            return Ok(());
        }
        let asked = self.module_file_asked(request);
        // Whatever becomes of it, the call itself is not sent by it.
        let reading = CmdletRequest { intent: Intent::Read, ..request.clone() };
        let read = self.repeated(token, &reading, &asked, AfterRedirect::Enough, tally).await;
        read.map_err(|error| RemoteError { happened: Happened::No, ..error })?;
        // A global host that names no region is taken at its word.
        self.is_located = true;
        Ok(())
    }

    /// Goes to the host that a redirect names, if the token may.
    ///
    /// # Errors
    /// Why it may not.
    pub(super) async fn go_to(&mut self, location: &str) -> Result<(), String> {
        let next = self.config.family.follow(&self.origin, location)?;
        self.end_transport().await;
        self.forget_cookies();
        info!(from = %self.origin, to = %next, "the service answers at another host for this tenant");
        self.origin = next;
        Ok(())
    }

    /// What an answer, or the want of one, says of the host: one that answers is every session's from now on, one that
    /// never did is left again.
    pub(super) fn noted_host(&mut self, is_answer: bool) {
        if self.origin == self.config.origin || self.located.is(&self.origin) {
            return;
        }
        if is_answer {
            self.located.set(&self.origin);
        } else {
            self.origin = self.config.origin.clone();
            self.is_located = false;
        }
    }
}
