//! A token source that counts what it is asked for.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use exorun::clocks::Clocks;
use exorun::signin::{AccessToken, SigninError, TokenFacts, TokenSource};
use jiff::Timestamp;

pub(crate) struct FakeTokens {
    expires_at: Timestamp,
    pub(crate) asked: AtomicU32,
    pub(crate) renewals: AtomicU32,
}

impl FakeTokens {
    pub(crate) fn new(clocks: &Clocks) -> FakeTokens {
        let expires_at = clocks.wall() + Duration::from_secs(3600);
        FakeTokens { expires_at, asked: AtomicU32::new(0), renewals: AtomicU32::new(0) }
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

    async fn renewed(&self, _stale: &AccessToken, _claims: Option<&str>) -> Result<AccessToken, SigninError> {
        self.renewals.fetch_add(1, Ordering::SeqCst);
        Ok(self.made())
    }
}
