//! A token that somebody else has got. It is not renewed. Source: protocol reference, 2.11.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tracing::warn;

use super::endpoint::LoginEndpoint;
use super::facts;
use super::held::Grant;
use super::{AccessToken, SigninError, SigninErrorKind};
use crate::rules::duration::show_about;
use crate::secrets::SecretSource;
use crate::spec::job::CredentialRef;

/// Takes a token from where it is kept, as long as it is good; whoever keeps it may put a newer one there.
pub struct GivenToken {
    endpoint: LoginEndpoint,
    credential: CredentialRef,
    secrets: Arc<dyn SecretSource>,
    has_said: AtomicBool,
}

impl GivenToken {
    /// The token at `credential`; nothing is read yet.
    pub fn new(
        endpoint: LoginEndpoint,
        credential: CredentialRef,
        secrets: Arc<dyn SecretSource>,
    ) -> GivenToken {
        GivenToken { endpoint, credential, secrets, has_said: AtomicBool::new(false) }
    }
}

#[async_trait]
impl Grant for GivenToken {
    async fn fetch(&self, challenge: Option<&str>) -> Result<AccessToken, SigninError> {
        let place = &self.credential;
        let refused = |why: &str| {
            let message = format!(
                "the access token at {place} {why}: `access_token` is not renewed, put a new one there"
            );
            SigninError::new(SigninErrorKind::Refused, message)
        };
        if challenge.is_some() {
            return Err(refused("does not have what the service asks for now (a claims challenge)"));
        }
        let secret = self.secrets.text(place, "access_token").await?;
        let now = self.endpoint.clocks.wall();
        let Some(ends_at) = facts::ends_at(&secret) else {
            let message = format!("credential {place}: holds no access token (a JWT with `exp`)");
            return Err(SigninError::new(SigninErrorKind::BadInput, message));
        };
        let left = Duration::try_from(ends_at.duration_since(now)).unwrap_or(Duration::ZERO);
        if left.is_zero() {
            return Err(refused(&format!("ended at {ends_at}")));
        }
        let token = self.endpoint.accept_token(secret, Some(left))?;
        if !self.has_said.swap(true, Ordering::Relaxed) {
            warn!(
                actor = %token.facts.actor, ends_at = %ends_at,
                "a ready access token is used: it is not renewed and ends in {}; calls after that fail", show_about(left)
            );
        }
        Ok(AccessToken { expires_at: ends_at, ..token })
    }
}
