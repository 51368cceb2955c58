//! GitHub Actions' token service. Source: protocol reference, 2.10.

use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::observe::escape::one_line;
use crate::rules::retry::Failure;
use crate::signin::body::bounded;
use crate::signin::endpoint::LoginEndpoint;
use crate::signin::tries::Tries;
use crate::signin::{SigninError, SigninErrorKind};

/// Asks for a token of the workflow.
pub struct Actions {
    /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
    pub url: String,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub token: SecretString,
    /// For whom the token is.
    pub audience: String,
    /// Redirects off, retries off, time-out set.
    pub http: reqwest::Client,
}

#[derive(Deserialize)]
struct Answer {
    value: SecretString,
}

impl Actions {
    /// A token for one sign-in.
    pub(super) async fn token(&self, endpoint: &LoginEndpoint) -> Result<SecretString, SigninError> {
        let error = |kind, why: String| {
            SigninError::new(
                kind,
                format!("GitHub Actions' token service (ACTIONS_ID_TOKEN_REQUEST_URL): {why}"),
            )
        };
        let mut url = Url::parse(&self.url)
            .map_err(|_| error(SigninErrorKind::BadInput, "the address is no URL".to_owned()))?;
        url.query_pairs_mut().append_pair("audience", &self.audience);
        let mut tries = Tries::begin(&endpoint.clocks, &endpoint.retry, "GitHub Actions");
        loop {
            let (failure, why) = match self.once(&url).await {
                Ok((status, body)) if status.is_success() => {
                    return serde_json::from_slice::<Answer>(&body).map(|answer| answer.value).map_err(
                        |_| error(SigninErrorKind::Unavailable, "the answer holds no token".to_owned()),
                    );
                }
                Ok((status, _)) => {
                    let failure = match status.as_u16() {
                        429 => Failure::Throttled { retry_after: None },
                        500.. => Failure::Transient,
                        _ => Failure::Permanent,
                    };
                    (failure, format!("HTTP {status}"))
                }
                // Its text may quote the address; what is named here is the layer alone.
                Err(failed) => (Failure::Transient, one_line(&failed.without_url().to_string(), 200)),
            };
            if !tries.again(failure, &why).await {
                let kind = match failure {
                    Failure::Throttled { .. } => SigninErrorKind::Throttled,
                    Failure::Permanent => SigninErrorKind::Refused,
                    _ => SigninErrorKind::Unavailable,
                };
                return Err(error(kind, format!("{why}: has the job `permissions: {{id-token: write}}`?")));
            }
        }
    }

    async fn once(&self, url: &Url) -> Result<(StatusCode, Zeroizing<Vec<u8>>), reqwest::Error> {
        let request = self.http.get(url.clone()).bearer_auth(self.token.expose_secret());
        let answer = request.header("accept", "application/json").send().await?;
        Ok((answer.status(), bounded(answer).await?))
    }
}
