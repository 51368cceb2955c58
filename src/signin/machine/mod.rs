//! A machine's own identity: the instance metadata service, App Service and the like, Azure Arc.
//!
//! Source: protocol reference, 2.9.

mod arc;
mod host;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

pub use host::Host;

use super::body::bounded;
use super::endpoint::LoginEndpoint;
use super::held::Grant;
use super::tries::Tries;
use super::{AccessToken, SigninError, SigninErrorKind, claims, facts};
use crate::observe::escape::one_line;
use crate::rules::retry::Failure;
use crate::spec::job::MachineIdentity;

/// A machine in Azure answers at once; elsewhere nobody may ever refuse the connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Tries of a connection that nobody takes: repeating does not make this a machine in Azure.
const CONNECT_TRIES: u32 = 2;

/// Signs in as the machine.
pub struct MachineGrant {
    /// What the token is for; the sign-in service itself is not asked.
    pub endpoint: LoginEndpoint,
    /// Who is asked.
    pub host: Host,
    /// Which of the machine's identities, by its application.
    pub client_id: Option<String>,
    /// Which of the machine's identities, otherwise.
    pub identity: MachineIdentity,
    /// Without a proxy: the addresses are the machine's own. Redirects off, retries off, time-out set.
    pub http: reqwest::Client,
}

/// The members of a good answer that are looked at. The token says itself when it ends: `expires_in` counts from when it
/// was made, which may be a while ago.
#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
}

/// The members of an error that are looked at.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: serde_json::Value,
    error_description: String,
    message: String,
}

/// What one request came to.
struct Answer {
    status: u16,
    body: Zeroizing<Vec<u8>>,
    /// Where Azure Arc keeps what proves that the caller is on the machine.
    challenge: Option<String>,
}

#[async_trait]
impl Grant for MachineGrant {
    async fn fetch(&self, challenge: Option<&str>) -> Result<AccessToken, SigninError> {
        claims::of_an_application(challenge)?;
        let resource = self.endpoint.scope.trim_end_matches("/.default").trim_end_matches('/');
        let url = self.host.url(resource, self.client_id.as_deref(), &self.identity)?;
        let mut answer = self.asked(&url, None).await?;
        if let (Host::Arc { .. }, Some(proof)) = (&self.host, &answer.challenge) {
            let key = arc::key(proof).await.map_err(|why| self.error(SigninErrorKind::Refused, &why))?;
            answer = self.asked(&url, Some(&key)).await?;
        }
        if answer.status != 200 {
            return Err(self.refused(&answer));
        }
        let granted: Granted = serde_json::from_slice(&answer.body)
            .map_err(|_| self.error(SigninErrorKind::Unavailable, "the answer holds no token"))?;
        let now = self.endpoint.clocks.wall();
        let left = facts::ends_at(&granted.access_token).map(|ends_at| ends_at.duration_since(now));
        let left = left.map(|left| Duration::try_from(left).unwrap_or(Duration::ZERO));
        self.endpoint.accept_token(granted.access_token, left)
    }
}

impl MachineGrant {
    /// The answer, tried again as the reference says: 404, 410, 429 and 5xx pass by themselves.
    async fn asked(&self, url: &reqwest::Url, key: Option<&SecretString>) -> Result<Answer, SigninError> {
        let LoginEndpoint { clocks, retry, .. } = &self.endpoint;
        let mut tries = Tries::begin(clocks, retry, "managed identity");
        loop {
            let (failure, why, kind) = match self.once(url, key).await {
                Ok(answer) => match answer.status {
                    429 => (
                        Failure::Throttled { retry_after: None },
                        "HTTP 429".to_owned(),
                        SigninErrorKind::Throttled,
                    ),
                    status @ (404 | 410 | 500..) => {
                        (Failure::Transient, format!("HTTP {status}"), SigninErrorKind::Unavailable)
                    }
                    _ => return Ok(answer),
                },
                Err(error) => {
                    let is_vain = error.is_connect() && tries.attempt() >= CONNECT_TRIES;
                    let failure = if is_vain { Failure::Permanent } else { Failure::Transient };
                    let what = if error.is_connect() || error.is_timeout() {
                        "nobody answers: is this a machine in Azure with an identity, and does a network policy allow the address?"
                    } else {
                        "the answer was cut off"
                    };
                    (failure, what.to_owned(), SigninErrorKind::Unavailable)
                }
            };
            if !tries.again(failure, &why).await {
                return Err(self.error(kind, &format!("{why} (given up after {} tries)", tries.attempt())));
            }
        }
    }

    async fn once(&self, url: &reqwest::Url, key: Option<&SecretString>) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.get(url.clone()).header("metadata", "true");
        if let Host::AppService { header, .. } = &self.host {
            request = request.header("x-identity-header", header.expose_secret());
        }
        if let Some(key) = key {
            let value = Zeroizing::new(format!("Basic {}", key.expose_secret()));
            request = request.header("authorization", value.as_str());
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let challenge = answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
        let challenge = challenge.map(str::to_owned);
        let body = bounded(answer).await?;
        Ok(Answer { status, body, challenge })
    }

    fn refused(&self, answer: &Answer) -> SigninError {
        let said: Refused = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = [said.error_description.as_str(), &said.message, said.error.as_str().unwrap_or_default()]
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or("no reason given");
        let text = one_line(text, 300);
        let mend = match (answer.status, self.host.chosen(self.client_id.as_deref(), &self.identity)) {
            (400, Some(chosen)) => format!(
                " -> assign the identity with this {chosen} to the machine, or correct it; the scope `{}` must be the cloud's",
                self.endpoint.scope
            ),
            (400, None) => {
                " -> assign an identity to the machine; if it has several, name one by `client_id`, `object_id` or `resource_id`"
                    .to_owned()
            }
            _ => String::new(),
        };
        self.error(SigninErrorKind::Refused, &format!("refused (HTTP {}): {text}{mend}", answer.status))
    }

    fn error(&self, kind: SigninErrorKind, why: &str) -> SigninError {
        SigninError::new(kind, format!("managed identity ({}): {why}", self.host.shown()))
    }
}
