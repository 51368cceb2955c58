//! An application's token (the client credentials grant): one request, whatever proves who asks.
//!
//! Source: protocol reference, 2.2 (the fields), 2.7 and 2.8 (the proofs), 2.12 (what is asked again).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use oauth2::url::form_urlencoded;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tracing::warn;
use zeroize::Zeroizing;

use super::endpoint::LoginEndpoint;
use super::held::Grant;
use super::refusal::Refusal;
use super::{AccessToken, SigninError, SigninErrorKind, advice, claims};
use crate::rules::duration::show_about;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long apart a new application or certificate is tried. Source: protocol reference, 2.7.
const SETTLE_PAUSE: Duration = Duration::from_secs(10);

/// How an application proves who it is.
#[async_trait]
pub trait Proof: Send + Sync + 'static {
    /// A proof for one request: asked for again for each try, because an assertion is good for one.
    ///
    /// # Errors
    /// If the credential cannot be read or used.
    async fn made(&self, endpoint: &LoginEndpoint, client_id: &str) -> Result<Made, SigninError>;
}

/// A proof, made. Wiped when dropped.
pub enum Made {
    /// A client secret.
    Secret(SecretString),
    /// A signed JWT: the application's own, or another issuer's.
    Assertion(SecretString),
}

/// Signs in as an application.
pub struct ApplicationGrant<P> {
    endpoint: LoginEndpoint,
    client_id: String,
    proof: P,
    /// How long a credential that the service does not know yet is waited for.
    settle_wait: Duration,
    /// What was good once is not new.
    was_good: AtomicBool,
}

impl<P: Proof> ApplicationGrant<P> {
    /// Nothing is read or sent until a token is asked for.
    pub fn new(
        endpoint: LoginEndpoint,
        client_id: String,
        proof: P,
        settle_wait: Duration,
    ) -> ApplicationGrant<P> {
        ApplicationGrant { endpoint, client_id, proof, settle_wait, was_good: AtomicBool::new(false) }
    }

    async fn ask(&self, challenge: Option<&str>) -> Result<AccessToken, SigninError> {
        let answer = self.endpoint.answer(|| self.request(challenge)).await?;
        let is_good = answer.status().is_success();
        let body = Zeroizing::new(answer.into_body());
        if !is_good {
            let refusal = Refusal::read(&body).ok_or_else(|| self.endpoint.no_endpoint())?;
            return Err(refusal.into_error());
        }
        let granted: Granted = serde_json::from_slice(&body).map_err(|_| self.endpoint.no_endpoint())?;
        self.endpoint.accept_token(granted.access_token, granted.expires_in.map(Duration::from_secs))
    }

    async fn request(&self, challenge: Option<&str>) -> Result<oauth2::HttpRequest, SigninError> {
        let proof = self.proof.made(&self.endpoint, &self.client_id).await?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.client_id)
            .append_pair("scope", &self.endpoint.scope)
            .append_pair(claims::NAME, &claims::parameter(challenge));
        match &proof {
            Made::Secret(secret) => form.append_pair("client_secret", secret.expose_secret()),
            Made::Assertion(assertion) => form
                .append_pair("client_assertion_type", ASSERTION_TYPE)
                .append_pair("client_assertion", assertion.expose_secret()),
        };
        oauth2::http::Request::builder()
            .method("POST")
            .uri(self.endpoint.url("token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form.finish().into_bytes())
            .map_err(|error| SigninError::new(SigninErrorKind::BadInput, format!("login endpoint: {error}")))
    }
}

/// The members of a good answer that are looked at.
#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    /// Seconds.
    expires_in: Option<u64>,
}

#[async_trait]
impl<P: Proof> Grant for ApplicationGrant<P> {
    async fn fetch(&self, challenge: Option<&str>) -> Result<AccessToken, SigninError> {
        claims::of_an_application(challenge)?;
        let began = self.endpoint.clocks.boot();
        let pause = SETTLE_PAUSE.min(self.settle_wait / 3);
        loop {
            let error = match self.ask(challenge).await {
                Ok(token) => {
                    self.was_good.store(true, Ordering::Relaxed);
                    return Ok(token);
                }
                Err(error) => error,
            };
            let may_settle =
                error.code.is_some_and(advice::may_settle) && !self.was_good.load(Ordering::Relaxed);
            let waited = self.endpoint.clocks.boot().since(began);
            if !may_settle || pause.is_zero() || waited + pause > self.settle_wait {
                return Err(error);
            }
            warn!(error = %error, "sign-in: application or certificate may be too new, trying again in {}", show_about(pause));
            self.endpoint.clocks.sleep(pause).await;
        }
    }
}
