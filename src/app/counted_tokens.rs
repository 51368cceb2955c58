//! A source of tokens whose newest token's end is a metric.

use std::sync::Arc;

use async_trait::async_trait;

use crate::observe::metrics::Metrics;
use crate::signin::{AccessToken, SigninError, TokenSource};
use crate::spec::job::{Auth, MODULE_CLIENT_ID, Method};

/// Says when what it gives out ends. Its labels are of the configuration, not of the token.
pub(super) struct CountedTokens {
    source: Arc<dyn TokenSource>,
    metrics: Metrics,
    target: String,
    client_id: String,
}

impl CountedTokens {
    /// Tokens of `source`, by which `auth` signs in to the tenant `target`.
    pub(super) fn of(
        source: Arc<dyn TokenSource>,
        metrics: Metrics,
        target: String,
        auth: &Auth,
    ) -> Arc<dyn TokenSource> {
        let client_id = match &auth.client_id {
            Some(named) => named.clone(),
            None => match auth.method {
                Method::Device { .. }
                | Method::Browser { .. }
                | Method::InlineCredential
                | Method::Password { .. } => MODULE_CLIENT_ID.to_owned(),
                // A machine's own identity, or a ready token: nobody has configured an id.
                _ => String::new(),
            },
        };
        Arc::new(CountedTokens { source, metrics, target, client_id })
    }

    fn counted(&self, token: AccessToken) -> AccessToken {
        self.metrics.token_ends(&self.target, &self.client_id, token.expires_at);
        token
    }
}

#[async_trait]
impl TokenSource for CountedTokens {
    async fn token(&self) -> Result<AccessToken, SigninError> {
        self.source.token().await.map(|token| self.counted(token))
    }

    async fn renewed(
        &self,
        stale: &AccessToken,
        claims: Option<&str>,
    ) -> Result<Option<AccessToken>, SigninError> {
        Ok(self.source.renewed(stale, claims).await?.map(|token| self.counted(token)))
    }

    async fn refused_again(&self, renewed: &AccessToken) {
        self.source.refused_again(renewed).await;
    }
}
