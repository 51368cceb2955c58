//! The refresh token of a person, kept in Vault between runs and replaced there at each use.
//!
//! Any number of processes may use one kept token at once. Each reads it anew, and writes its successor only if the
//! secret is still the version that it read. Who comes second leaves the other's in place: Entra does not revoke a token
//! at its use, so both successors are good, and one is enough (protocol reference, 2.11). Where a service refuses a
//! token that was used before, the second finds the first's successor in Vault a moment later.

mod stored;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use super::public_client::{Granted, PublicClient, RefreshError, Renewed};
use super::revoke::{self, Revoked};
use super::{SigninError, SigninErrorKind, advice};
use crate::clocks::Clocks;
use crate::observe::escape::one_line;
use crate::rules::time::BootTime;
use crate::secrets::{Expected, Fields, Kept, SecretErrorKind, SecretSource};
use crate::spec::job::{CredentialRef, VaultRef};
use stored::Stored;

/// How long a refused token's successor is waited for: whoever used it is about to write it.
const SUCCESSOR_WAIT: Duration = Duration::from_secs(6);
/// The first pause between two looks; each is twice as long as the one before, up to the other.
const SUCCESSOR_PAUSE: Duration = Duration::from_millis(20);
const SUCCESSOR_PAUSE_MAX: Duration = Duration::from_millis(500);

/// Writes of a successor that Vault cannot take now, and the pause between them.
const WRITES_MAX: u32 = 4;
const WRITE_PAUSE: Duration = Duration::from_millis(500);

/// How often somebody else may be first while a fresh sign-in is kept: a run's successor once or twice, not for ever.
const CONFLICTS_MAX: u32 = 10;

/// What to do where a person has to sign in again.
const LOG_IN: &str = "run `exorun login JOB` once, with the job's file, or `exorun login --connection NAME`";

/// Where one person's refresh token is kept.
pub struct KeptToken {
    place: VaultRef,
    secrets: Arc<dyn SecretSource>,
    clocks: Clocks,
    /// Finishes a write whose run has been told to stop: the token it replaces may be used up.
    writes: TaskTracker,
    /// A successor that could not be written yet, and the version that it follows.
    unwritten: Mutex<Option<(u64, SecretString)>>,
}

impl KeptToken {
    /// Nothing is read yet. A field or version that `place` names does not count: see [`VaultRef::newest`]. `writes` has to be waited for before the process ends.
    pub fn new(
        place: &VaultRef,
        secrets: Arc<dyn SecretSource>,
        clocks: Clocks,
        writes: TaskTracker,
    ) -> KeptToken {
        KeptToken { place: place.newest(), secrets, clocks, writes, unwritten: Mutex::default() }
    }

    /// That nobody has signed in yet, and what to do.
    pub(super) fn nothing_there(&self) -> SigninError {
        let message = format!(
            "no sign-in is kept at {}, and nobody is at a terminal to sign in: {LOG_IN}, where a person is",
            self.place
        );
        SigninError::new(SigninErrorKind::NobodyThere, message)
    }

    /// Whether a sign-in is kept.
    ///
    /// # Errors
    /// If the place cannot be read, holds something else, or cannot keep a token safely.
    pub(super) async fn check(&self) -> Result<bool, SigninError> {
        Ok(self.read().await?.is_some())
    }

    async fn read(&self) -> Result<Option<Stored>, SigninError> {
        match self.secrets.read(&CredentialRef::Vault(self.place.clone())).await {
            Ok(secret) => Stored::read(&self.place, secret).map(Some),
            Err(error) if error.kind == SecretErrorKind::Absent => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A token by what is kept; `None`: nobody has signed in yet.
    ///
    /// # Cancel safety
    /// Dropped, the refresh and its write go on by themselves.
    pub(super) async fn renewed(
        self: &Arc<Self>,
        client: &PublicClient,
        challenge: Option<&str>,
    ) -> Result<Option<Granted>, SigninError> {
        let (own, client, challenge) = (Arc::clone(self), client.clone(), challenge.map(str::to_owned));
        let work = async move { own.renew(&client, challenge.as_deref()).await };
        self.writes.spawn(work).await.unwrap_or_else(|ended| match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(SigninError::new(SigninErrorKind::Unavailable, "the program is ending")),
        })
    }

    async fn renew(
        &self,
        client: &PublicClient,
        challenge: Option<&str>,
    ) -> Result<Option<Granted>, SigninError> {
        let Some(mut stored) = self.read().await? else { return Ok(None) };
        let until = self.clocks.boot() + SUCCESSOR_WAIT;
        loop {
            self.belongs(&stored, client)?;
            if let Some((version, token)) = &*self.unwritten.lock().await
                && *version == stored.version
            {
                stored.token = token.clone();
            }
            match client.refresh(&stored.token, challenge).await {
                Ok(Renewed { token, refresh }) => {
                    if let Some(successor) = &refresh {
                        self.keep_successor(&stored, successor).await;
                    }
                    return token.map(|token| Some(Granted { token, refresh }));
                }
                Err(RefreshError::Other(error)) => return Err(error),
                Err(RefreshError::NotGood(error)) => match self.successor(&stored, until).await? {
                    Some(newer) => {
                        debug!(
                            version = newer.version,
                            "another process has used the kept token, taking its successor"
                        );
                        stored = newer;
                    }
                    None => return Err(self.over(error)),
                },
            }
        }
    }

    /// Refresh tokens are bound to the application that they were given to. Source: protocol reference, 2.11.
    fn belongs(&self, stored: &Stored, client: &PublicClient) -> Result<(), SigninError> {
        match &stored.client_id {
            Some(id) if !id.eq_ignore_ascii_case(&client.client_id) => {
                let message = format!(
                    "credential {}: the kept sign-in belongs to application {}, the job signs in by {}: correct \
                     `client_id`, or {LOG_IN}",
                    self.place,
                    one_line(id, 64),
                    client.client_id
                );
                Err(SigninError::new(SigninErrorKind::BadInput, message))
            }
            _ => Ok(()),
        }
    }

    /// What another process has written since, waited for until then.
    async fn successor(&self, stored: &Stored, until: BootTime) -> Result<Option<Stored>, SigninError> {
        let mut pause = SUCCESSOR_PAUSE;
        loop {
            match self.read().await? {
                Some(now) if now.version != stored.version => return Ok(Some(now)),
                None => return Ok(None),
                Some(_) if self.clocks.boot() >= until => return Ok(None),
                Some(_) => self.clocks.sleep(pause).await,
            }
            pause = (pause * 2).min(SUCCESSOR_PAUSE_MAX);
        }
    }

    /// The service's refusal, and that the person has to sign in again, where that helps.
    fn over(&self, refused: SigninError) -> SigninError {
        if refused.code.is_some_and(|code| !advice::may_end_by_a_new_sign_in(code)) {
            return refused;
        }
        let message = format!("{}; the sign-in kept at {} is over: {LOG_IN}", refused.message, self.place);
        SigninError { message, ..refused }
    }

    async fn keep_successor(&self, stored: &Stored, successor: &SecretString) {
        if stored.holds(successor) {
            return;
        }
        let fields = stored.with_successor(successor, self.clocks.wall());
        let mut unwritten = self.unwritten.lock().await;
        match self.written(&fields, Expected::Version(stored.version)).await {
            Ok(Kept::Now(version)) => {
                *unwritten = None;
                debug!(version, "the kept token is replaced by its successor");
            }
            Ok(Kept::Conflict) => {
                *unwritten = None;
                debug!("another process has replaced the kept token first, its successor stays");
            }
            Err(error) => {
                *unwritten = Some((stored.version, successor.clone()));
                error!(
                    "the new refresh token could not be written, and the old one may be used up: if the next run is refused, \
                     {LOG_IN}. {error}"
                );
            }
        }
    }

    /// Keeps a person's fresh sign-in, whatever was there.
    ///
    /// # Errors
    /// If it cannot be written, others are always first, or the service gave no refresh token.
    pub(super) async fn keep_new(&self, client_id: &str, granted: &Granted) -> Result<u64, SigninError> {
        let Some(token) = &granted.refresh else {
            let message =
                "the sign-in service gave no refresh token: the application may not have `offline_access`";
            return Err(SigninError::new(SigninErrorKind::Refused, message));
        };
        for _ in 0..CONFLICTS_MAX {
            // A run may be using what was there: a conflict with its successor is no reason to keep that.
            let (before, expected) = match self.read().await? {
                Some(stored) => (stored.fields, Expected::Version(stored.version)),
                None => (Fields::default(), Expected::Absent),
            };
            let fields = stored::fresh(before, token, client_id, granted, self.clocks.wall());
            if let Kept::Now(version) = self.written(&fields, expected).await? {
                *self.unwritten.lock().await = None;
                info!(place = %self.place, version, actor = %granted.token.facts.actor, "the sign-in is kept");
                return Ok(version);
            }
            self.clocks.sleep(SUCCESSOR_PAUSE).await;
        }
        let message = format!(
            "the sign-in is not kept: in {CONFLICTS_MAX} tries somebody else was first to write {}; see who writes there, and \
             sign in again",
            self.place
        );
        Err(SigninError::new(SigninErrorKind::Unavailable, message))
    }

    /// Writes, and tries again what cannot be written now.
    async fn written(&self, fields: &Fields, expected: Expected) -> Result<Kept, SigninError> {
        let mut attempt = 1;
        loop {
            match self.secrets.keep(&self.place, fields, expected).await {
                Err(error) if error.kind == SecretErrorKind::Unavailable && attempt < WRITES_MAX => {
                    warn!(attempt, "the refresh token is not written yet, trying again: {error}");
                    self.clocks.sleep(WRITE_PAUSE).await;
                    attempt += 1;
                }
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Takes back what is kept: at the sign-in service if it has a way, and in Vault with all versions.
    ///
    /// # Errors
    /// If it cannot be read or deleted. A revocation that failed is no error: see [`LoggedOut`].
    pub(super) async fn forget(&self, client: &PublicClient) -> Result<LoggedOut, SigninError> {
        let Some(stored) = self.read().await? else { return Ok(LoggedOut::NothingThere) };
        let client = match &stored.client_id {
            Some(id) => PublicClient { client_id: id.clone(), ..client.clone() },
            None => client.clone(),
        };
        let user = stored.user();
        // First the service: what is deleted here could not be named there any more.
        let revoked = revoke::revoke(&client, &stored.token).await;
        self.secrets.forget(&self.place).await?;
        Ok(LoggedOut::Deleted { user, revoked })
    }
}

/// What became of a kept sign-in.
#[derive(Debug)]
pub enum LoggedOut {
    /// There was none.
    NothingThere,
    /// It is deleted from Vault.
    Deleted {
        /// Whose it was, as far as that was written down.
        user: Option<String>,
        /// What the sign-in service did.
        revoked: Revoked,
    },
}
