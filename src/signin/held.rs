//! The token in hand: one fetch at a time, renewed early, forgotten when the service refuses it.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tracing::{info, warn};

use super::{AccessToken, SigninError, SigninErrorKind, TokenSource};
use crate::clocks::Clocks;
use crate::rules::duration::show;
use crate::rules::time::BootTime;
use crate::rules::token::{Plan, RENEW_PAUSE, may_help, plan};

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
    held: Mutex<Option<Held>>,
}

struct Held {
    token: AccessToken,
    /// After a try to renew it that came to nothing: until then there is no other.
    rests_until: BootTime,
    /// The claims that it was asked for with.
    claims: Option<String>,
    /// When the service refused it in the call that it was renewed for.
    in_vain: Option<BootTime>,
}

impl Held {
    fn new(token: AccessToken, claims: Option<&str>) -> Held {
        let claims = claims.map(str::to_owned);
        Held { token, rests_until: BootTime::default(), claims, in_vain: None }
    }

    fn is(&self, token: &AccessToken) -> bool {
        self.token.secret.expose_secret() == token.secret.expose_secret()
    }
}

impl<G: Grant> HeldToken<G> {
    /// Nothing is fetched until a token is asked for.
    pub fn new(grant: G, clocks: Clocks) -> HeldToken<G> {
        HeldToken { grant, clocks, held: Mutex::new(None) }
    }

    /// A token instead of one that is still good for a while; `None` if there is none now, but may be later.
    async fn renewed_early(&self, patience: Duration) -> Result<Option<AccessToken>, SigninError> {
        let why = match self.clocks.timeout(patience, self.grant.fetch(None)).await {
            Ok(Ok(token)) => return Ok(Some(token)),
            Ok(Err(error)) => match error.kind {
                SigninErrorKind::Unavailable | SigninErrorKind::Throttled => error.message,
                _ => return Err(error),
            },
            Err(elapsed) => elapsed.to_string(),
        };
        warn!(error = %why, "the token could not be renewed yet: going on with it, trying again in {}", show(RENEW_PAUSE));
        Ok(None)
    }
}

#[async_trait]
impl<G: Grant> TokenSource for HeldToken<G> {
    /// Within its last minutes a token is given out while no other can be had: the sign-in service may only be busy.
    ///
    /// # Cancel safety
    /// Dropped before it returns, nothing new is held; the next caller fetches.
    async fn token(&self) -> Result<AccessToken, SigninError> {
        let mut held = self.held.lock().await;
        let mut early = None;
        if let Some(Held { token, rests_until, .. }) = &mut *held {
            match plan(token.issued_at, token.expires_at, self.clocks.wall()) {
                Plan::Use => return Ok(token.clone()),
                Plan::Renew { .. } if self.clocks.boot() < *rests_until => return Ok(token.clone()),
                Plan::Renew { patience } => {
                    early = self.renewed_early(patience).await?;
                    if early.is_none() {
                        *rests_until = self.clocks.boot() + RENEW_PAUSE;
                        return Ok(token.clone());
                    }
                }
                Plan::Over => {}
            }
        }
        let token = match early {
            Some(token) => token,
            None => self.grant.fetch(None).await?,
        };
        info!(actor = %token.facts.actor, tenant_id = %token.facts.tenant_id, expires_at = %token.expires_at, "signed in");
        *held = Some(Held::new(token.clone(), None));
        Ok(token)
    }

    async fn renewed(
        &self,
        stale: &AccessToken,
        claims: Option<&str>,
    ) -> Result<Option<AccessToken>, SigninError> {
        let mut held = self.held.lock().await;
        if let Some(own) = &*held {
            // Another session may have been refused with the same token and renewed it already.
            if !own.is(stale) {
                return Ok(Some(own.token.clone()));
            }
            let asks_anew = claims.is_some() && claims != own.claims.as_deref();
            if let Some(since) = own.in_vain
                && !may_help(self.clocks.boot().since(since), asks_anew)
            {
                warn!(actor = %own.token.facts.actor, "the service refuses a token that was renewed in vain: no other is asked for");
                return Ok(None);
            }
        }
        *held = None;
        let token = self.grant.fetch(claims).await?;
        info!(actor = %token.facts.actor, expires_at = %token.expires_at, "the service refused the token, signed in again");
        *held = Some(Held::new(token.clone(), claims));
        Ok(Some(token))
    }

    async fn refused_again(&self, renewed: &AccessToken) {
        if let Some(own) = self.held.lock().await.as_mut().filter(|own| own.is(renewed)) {
            own.in_vain = Some(self.clocks.boot());
        }
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
        /// What a fetch ends as instead of with a token.
        fails: Mutex<Option<SigninErrorKind>>,
        takes: Mutex<Duration>,
    }

    #[async_trait]
    impl Grant for Counting {
        async fn fetch(&self, _: Option<&str>) -> Result<AccessToken, SigninError> {
            let number = self.fetches.fetch_add(1, Ordering::SeqCst);
            let takes = *self.takes.lock().await;
            self.clocks.sleep(takes).await;
            if let Some(kind) = *self.fails.lock().await {
                return Err(SigninError::new(kind, "no token now"));
            }
            let issued_at = self.clocks.wall();
            let expires_at = issued_at + 1.hour();
            let secret = SecretString::from(format!("token-{number}"));
            Ok(AccessToken { secret, facts: TokenFacts::default(), issued_at, expires_at })
        }
    }

    fn held() -> HeldToken<Counting> {
        let clocks = Clocks::simulated(Duration::ZERO, "2026-11-22T02:00:00Z".parse().unwrap(), 1.0);
        let counting = Counting {
            clocks: clocks.clone(),
            fetches: AtomicU32::new(0),
            fails: Mutex::default(),
            takes: Mutex::new(Duration::from_millis(10)),
        };
        HeldToken::new(counting, clocks)
    }

    impl HeldToken<Counting> {
        async fn passes(&self, minutes: u64) {
            self.clocks.sleep(Duration::from_secs(minutes * 60)).await;
        }

        /// The token that is given out now, and the fetches so far.
        async fn seen(&self) -> (Result<String, SigninErrorKind>, u32) {
            let token = self.token().await.map_err(|error| error.kind);
            let token = token.map(|token| token.secret.expose_secret().to_owned());
            (token, self.grant.fetches.load(Ordering::SeqCst))
        }
    }

    fn first() -> Result<String, SigninErrorKind> {
        Ok("token-0".to_owned())
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

    #[tokio::test(start_paused = true)]
    async fn while_the_sign_in_service_is_away_a_token_is_used_to_its_end() {
        for kind in [SigninErrorKind::Unavailable, SigninErrorKind::Throttled] {
            let held = held();
            held.token().await.unwrap();
            *held.grant.fails.lock().await = Some(kind);
            held.passes(56).await;
            assert_eq!(held.seen().await, (first(), 2));
            assert_eq!(held.seen().await, (first(), 2), "it is not asked for each call");
            held.passes(1).await;
            assert_eq!(held.seen().await, (first(), 3));
            *held.grant.fails.lock().await = None;
            held.passes(1).await;
            assert_eq!(held.seen().await, (Ok("token-3".to_owned()), 4));
            // A token that has ended is not given out.
            *held.grant.fails.lock().await = Some(kind);
            held.passes(60).await;
            assert_eq!(held.seen().await, (Err(kind), 5));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_for_good_is_told_at_once_though_the_token_lasts() {
        let held = held();
        held.token().await.unwrap();
        *held.grant.fails.lock().await = Some(SigninErrorKind::Refused);
        held.passes(56).await;
        assert_eq!(held.seen().await, (Err(SigninErrorKind::Refused), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sign_in_service_that_hangs_does_not_hold_up_who_has_a_good_token() {
        let held = held();
        held.token().await.unwrap();
        *held.grant.takes.lock().await = Duration::from_secs(3600);
        held.passes(56).await;
        let began = held.clocks.boot();
        assert_eq!(held.seen().await, (first(), 2));
        assert_eq!(held.clocks.boot().since(began), Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_no_token_cures_costs_one_fetch_and_another_a_minute_later() {
        let held = held();
        let fetches = || held.grant.fetches.load(Ordering::SeqCst);
        let stale = held.token().await.unwrap();
        let second = held.renewed(&stale, None).await.unwrap().unwrap();
        held.refused_again(&second).await;
        for _ in 0..10 {
            assert!(held.renewed(&second, None).await.unwrap().is_none());
            // The next call begins with the same token: it may be allowed what this one was not.
            assert_eq!(held.token().await.unwrap().secret.expose_secret(), "token-1");
        }
        assert_eq!(fetches(), 2);
        // Claims that it was not got for are asked for, once.
        let third = held.renewed(&second, Some("{\"a\":1}")).await.unwrap().unwrap();
        held.refused_again(&second).await;
        held.refused_again(&third).await;
        assert!(held.renewed(&third, Some("{\"a\":1}")).await.unwrap().is_none());
        assert!(held.renewed(&third, None).await.unwrap().is_none());
        assert_eq!(fetches(), 3);
        held.passes(1).await;
        assert!(held.renewed(&third, None).await.unwrap().is_some());
        assert_eq!(fetches(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewed_token_that_was_good_for_a_call_is_renewed_again() {
        let held = held();
        let mut stale = held.token().await.unwrap();
        for number in 1..4 {
            stale = held.renewed(&stale, None).await.unwrap().unwrap();
            assert_eq!(stale.secret.expose_secret(), format!("token-{number}"));
        }
    }
}
