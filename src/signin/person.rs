//! A person signs in once, and the refresh token they leave renews the sign-in silently.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::Mutex;
use tracing::warn;

use super::endpoint::LoginEndpoint;
use super::held::Grant;
use super::kept::{KeptToken, LoggedOut};
use super::people::{People, Presence};
use super::public_client::{Granted, PublicClient, RefreshError, Renewed};
use super::{AccessToken, SigninError, SigninErrorKind};

/// One way to ask a person to sign in.
#[async_trait]
pub trait Way: Send + Sync + 'static {
    /// Asks, and waits for the answer within the way's own budget.
    async fn ask(&self, client: &PublicClient, challenge: Option<&str>) -> Result<Granted, SigninError>;
}

/// Signs in as a person. Asked once, before there is a session: later renewals are silent or fail, because nobody
/// may hold a place of the account while a person is looked for.
pub struct PersonGrant {
    client: PublicClient,
    way: Box<dyn Way>,
    people: Arc<dyn People>,
    kept: Option<Arc<KeptToken>>,
    past: Mutex<Past>,
}

/// What this grant has seen.
#[derive(Default)]
struct Past {
    /// The newest refresh token of a sign-in that nobody keeps.
    refresh: Option<SecretString>,
    /// Whether a token was given out: from then on a session may be open.
    given: bool,
}

impl PersonGrant {
    /// A grant that has asked nobody yet. With `kept`, the sign-in outlives the process.
    pub fn new(
        endpoint: LoginEndpoint,
        client_id: String,
        way: Box<dyn Way>,
        people: Arc<dyn People>,
        kept: Option<KeptToken>,
    ) -> PersonGrant {
        let client = PublicClient { endpoint, client_id };
        PersonGrant { client, way, people, kept: kept.map(Arc::new), past: Mutex::default() }
    }

    /// Asks a person whatever is kept already; what they leave is to be kept.
    ///
    /// # Errors
    /// As the way to ask says; or the place to keep it in.
    ///
    /// # Cancel safety
    /// May be dropped at any time: nothing is written.
    pub async fn login(self) -> Result<Confirmed, SigninError> {
        let kept = self.kept.ok_or_else(|| {
            SigninError::new(
                SigninErrorKind::BadInput,
                "there is no place to keep the sign-in: `auth` has no `credential: {vault: …}`",
            )
        })?;
        // Before anybody is asked: what is wrong with the place is told first.
        kept.check().await?;
        let granted = self.way.ask(&self.client, None).await?;
        Ok(Confirmed { granted, client_id: self.client.client_id, kept })
    }

    /// Takes back what is kept.
    ///
    /// # Errors
    /// If it cannot be read or deleted.
    pub async fn logout(&self) -> Result<LoggedOut, SigninError> {
        match &self.kept {
            Some(kept) => kept.forget(&self.client).await,
            None => Ok(LoggedOut::NothingThere),
        }
    }

    async fn silently(&self, past: &Past, challenge: Option<&str>) -> Result<Option<Granted>, SigninError> {
        if let Some(kept) = &self.kept {
            return kept.renewed(&self.client, challenge).await;
        }
        let Some(refresh) = &past.refresh else { return Ok(None) };
        match self.client.refresh(refresh, challenge).await {
            Ok(Renewed { token, refresh }) => token.map(|token| Some(Granted { token, refresh })),
            Err(RefreshError::NotGood(error)) => {
                let message = format!(
                    "{error}; a person is not asked while the run may hold a session: start the run again"
                );
                Err(SigninError { message, ..error })
            }
            Err(RefreshError::Other(error)) => Err(error),
        }
    }

    async fn ask(&self, challenge: Option<&str>) -> Result<Granted, SigninError> {
        if let Some(kept) = &self.kept
            && self.people.presence() == Presence::Nobody
        {
            return Err(kept.nothing_there());
        }
        let granted = self.way.ask(&self.client, challenge).await?;
        if let Some(kept) = &self.kept
            && let Err(why) = kept.keep_new(&self.client.client_id, &granted).await
        {
            // This run has what it needs; the next one will ask again.
            warn!("the sign-in is not kept: {why}");
        }
        Ok(granted)
    }
}

/// A sign-in that a person has confirmed, and that is not kept yet.
pub struct Confirmed {
    granted: Granted,
    client_id: String,
    kept: Arc<KeptToken>,
}

impl Confirmed {
    /// Writes it to its place, whatever was there.
    ///
    /// # Errors
    /// If it cannot be written, or the service gave no refresh token.
    ///
    /// # Cancel safety
    /// Dropped, it may be written or not.
    pub async fn keep(self) -> Result<LoggedIn, SigninError> {
        let version = self.kept.keep_new(&self.client_id, &self.granted).await?;
        Ok(LoggedIn { token: self.granted.token, version })
    }
}

/// A sign-in that is kept now.
pub struct LoggedIn {
    /// Whose, and until when its first token is good.
    pub token: AccessToken,
    /// Of the secret in Vault.
    pub version: u64,
}

#[async_trait]
impl Grant for PersonGrant {
    async fn fetch(&self, challenge: Option<&str>) -> Result<AccessToken, SigninError> {
        let mut past = self.past.lock().await;
        let granted = match self.silently(&past, challenge).await? {
            Some(granted) => granted,
            None if past.given => {
                let message = "the sign-in has ended, and a person is not asked while the run may hold a session: start \
                               the run again";
                return Err(SigninError::new(SigninErrorKind::NobodyThere, message));
            }
            None => self.ask(challenge).await?,
        };
        past.given = true;
        // A service may leave the token as it is.
        if granted.refresh.is_some() {
            past.refresh = granted.refresh;
        }
        Ok(granted.token)
    }
}
