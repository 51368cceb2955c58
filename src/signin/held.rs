//! The token in hand: one fetch at a time, renewed early, forgotten when the service refuses it.

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tracing::info;

use super::{AccessToken, SigninError, TokenSource};
use crate::clocks::Clocks;
use crate::rules::token::{Plan, plan};

/// One way to sign in.
#[async_trait]
pub trait Grant: Send + Sync + 'static {
    /// A new token, with the claims the service asked for.
    async fn fetch(&self, claims: Option<&str>) -> Result<AccessToken, SigninError>;
}

/// Holds the token of one account for all sessions of the process.
pub struct HeldToken<G> {
    grant: G,
    clocks: Clocks,
    held: Mutex<Option<AccessToken>>,
}

impl<G: Grant> HeldToken<G> {
    /// Nothing is fetched until a token is asked for.
    pub fn new(grant: G, clocks: Clocks) -> HeldToken<G> {
        HeldToken { grant, clocks, held: Mutex::new(None) }
    }
}

#[async_trait]
impl<G: Grant> TokenSource for HeldToken<G> {
    /// # Cancel safety
    /// Dropped before it returns, nothing is held; the next caller fetches.
    async fn token(&self) -> Result<AccessToken, SigninError> {
        let mut held = self.held.lock().await;
        if let Some(token) = &*held
            && plan(token.issued_at, token.expires_at, self.clocks.wall()) == Plan::Use
        {
            return Ok(token.clone());
        }
        let token = self.grant.fetch(None).await?;
        info!(actor = %token.facts.actor, tenant_id = %token.facts.tenant_id, expires_at = %token.expires_at, "signed in");
        *held = Some(token.clone());
        Ok(token)
    }

    async fn renewed(&self, stale: &AccessToken, claims: Option<&str>) -> Result<AccessToken, SigninError> {
        let mut held = self.held.lock().await;
        // Another session may have been refused with the same token and renewed it already.
        if let Some(token) = &*held
            && token.secret.expose_secret() != stale.secret.expose_secret()
        {
            return Ok(token.clone());
        }
        *held = None;
        let token = self.grant.fetch(claims).await?;
        info!(actor = %token.facts.actor, expires_at = %token.expires_at, "the service refused the token, signed in again");
        *held = Some(token.clone());
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use jiff::ToSpan;
    use secrecy::SecretString;

    use super::*;
    use crate::signin::TokenFacts;

    struct Counting {
        clocks: Clocks,
        fetches: AtomicU32,
    }

    #[async_trait]
    impl Grant for Counting {
        async fn fetch(&self, _: Option<&str>) -> Result<AccessToken, SigninError> {
            let number = self.fetches.fetch_add(1, Ordering::SeqCst);
            self.clocks.sleep(Duration::from_millis(10)).await;
            let issued_at = self.clocks.wall();
            let expires_at = issued_at + 1.hour();
            let secret = SecretString::from(format!("token-{number}"));
            Ok(AccessToken { secret, facts: TokenFacts::default(), issued_at, expires_at })
        }
    }

    fn held() -> HeldToken<Counting> {
        let clocks = Clocks::simulated(Duration::ZERO, "2026-11-22T02:00:00Z".parse().unwrap(), 1.0);
        HeldToken::new(Counting { clocks: clocks.clone(), fetches: AtomicU32::new(0) }, clocks)
    }

    #[tokio::test(start_paused = true)]
    async fn many_askers_cause_one_fetch() {
        let held = held();
        let tokens = futures_util::future::join_all((0..20).map(|_| held.token())).await;
        assert!(tokens.iter().all(|token| token.as_ref().unwrap().secret.expose_secret() == "token-0"));
        assert_eq!(held.grant.fetches.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_five_minutes_before_its_end() {
        let held = held();
        held.token().await.unwrap();
        held.clocks.sleep(Duration::from_secs(54 * 60)).await;
        held.token().await.unwrap();
        assert_eq!(held.grant.fetches.load(Ordering::SeqCst), 1);
        held.clocks.sleep(Duration::from_secs(90)).await;
        held.token().await.unwrap();
        assert_eq!(held.grant.fetches.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_renewed_once_for_all_sessions() {
        let held = held();
        let stale = held.token().await.unwrap();
        let renewals = (0..5).map(|_| held.renewed(&stale, None));
        futures_util::future::join_all(renewals).await;
        assert_eq!(held.grant.fetches.load(Ordering::SeqCst), 2);
    }
}
