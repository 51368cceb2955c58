//! A token source that counts what it is asked for.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use exorun::clocks::Clocks;
use exorun::signin::{AccessToken, SigninError, TokenFacts, TokenSource};
use jiff::Timestamp;

pub(crate) struct FakeTokens {
    expires_at: Timestamp,
    pub(crate) asked: AtomicU32,
    pub(crate) renewals: AtomicU32,
    pub(crate) refused_again: AtomicU32,
    /// No renewal would help.
    pub(crate) spent: AtomicBool,
}

impl FakeTokens {
    pub(crate) fn new(clocks: &Clocks) -> FakeTokens {
        let expires_at = clocks.wall() + Duration::from_secs(3600);
        let [asked, renewals, refused_again] = std::array::from_fn(|_| AtomicU32::new(0));
        FakeTokens { expires_at, asked, renewals, refused_again, spent: AtomicBool::new(false) }
    }

    fn made(&self) -> AccessToken {
        let secret = format!("token-{}", self.renewals.load(Ordering::SeqCst));
        AccessToken {
            secret: secret.into(),
            facts: TokenFacts::default(),
            issued_at: self.expires_at - Duration::from_secs(3600),
            expires_at: self.expires_at,
        }
    }
}

#[async_trait]
impl TokenSource for FakeTokens {
    async fn token(&self) -> Result<AccessToken, SigninError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.made())
    }

    async fn renewed(
        &self,
        _stale: &AccessToken,
        _claims: Option<&str>,
    ) -> Result<Option<AccessToken>, SigninError> {
        if self.spent.load(Ordering::SeqCst) {
            return Ok(None);
        }
        self.renewals.fetch_add(1, Ordering::SeqCst);
        Ok(Some(self.made()))
    }

    async fn refused_again(&self, _renewed: &AccessToken) {
        self.refused_again.fetch_add(1, Ordering::SeqCst);
    }
}
