//! A person confirms a code in a browser (the device authorization grant). Source: protocol reference, 2.3.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, ClientId, DeviceAuthorizationUrl, RefreshToken, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse, TokenResponse, TokenUrl,
};
use tokio::sync::Mutex;
use tracing::warn;

use super::claims;
use super::endpoint::LoginEndpoint;
use super::held::Grant;
use super::{AccessToken, SigninError, SigninErrorKind};
use crate::observe::escape::one_line;
use crate::observe::logs::PROMPT_TARGET;
use crate::rules::duration::show;

/// Shows a person where to enter the code. The runner decides how.
pub trait Prompt: Send + Sync + 'static {
    /// `message` is one line with address and code; nobody is asked if it returns an error, whose text says why.
    fn show(&self, message: &str) -> Result<(), String>;
}

/// Asks through the log: on a terminal a person sees it, and in a pod it is one line to act on.
#[derive(Clone, Copy, Debug)]
pub struct LogPrompt;

impl Prompt for LogPrompt {
    fn show(&self, message: &str) -> Result<(), String> {
        warn!(target: PROMPT_TARGET, "{message}");
        Ok(())
    }
}

/// Signs in as the person who confirms the code; renewed silently with the refresh token afterwards.
pub struct DeviceCodeGrant {
    endpoint: LoginEndpoint,
    client_id: String,
    /// How long the person may take.
    wait: Duration,
    prompt: Arc<dyn Prompt>,
    refresh: Mutex<Option<RefreshToken>>,
}

impl DeviceCodeGrant {
    /// A grant that has asked nobody yet.
    pub fn new(
        endpoint: LoginEndpoint,
        client_id: String,
        wait: Duration,
        prompt: Arc<dyn Prompt>,
    ) -> DeviceCodeGrant {
        DeviceCodeGrant { endpoint, client_id, wait, prompt, refresh: Mutex::new(None) }
    }

    async fn ask(&self, challenge: Option<&str>) -> Result<oauth2::basic::BasicTokenResponse, SigninError> {
        let bad = |error: oauth2::url::ParseError| {
            SigninError::new(SigninErrorKind::BadInput, format!("login endpoint: {error}"))
        };
        let client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::new(self.endpoint.url("token")).map_err(bad)?)
            .set_device_authorization_url(
                DeviceAuthorizationUrl::new(self.endpoint.url("devicecode")).map_err(bad)?,
            );
        let http = self.endpoint.http();
        let held = self.refresh.lock().await.clone();
        if let Some(refresh) = held {
            let mut request = client.exchange_refresh_token(&refresh).add_scopes(self.scopes());
            if let Some(challenge) = challenge {
                request = request.add_extra_param("claims", claims::parameter(challenge));
            }
            match (request.request_async(&http).await, challenge) {
                // What the refresh token cannot satisfy, the person may: they are asked again.
                (Err(RequestTokenError::ServerResponse(_)), Some(_)) => {}
                (answer, _) => return answer.map_err(|error| self.endpoint.refused(error)),
            }
        }
        let details: StandardDeviceAuthorizationResponse = client
            .exchange_device_code()
            .add_scopes(self.scopes())
            .request_async(&http)
            .await
            .map_err(|error| self.endpoint.refused(error))?;
        let address = one_line(details.verification_uri().as_str(), 200);
        let code = one_line(details.user_code().secret(), 40);
        self.prompt
            .show(&format!("to sign in, open {address} in a browser and enter the code {code}"))
            .map_err(|why| SigninError::new(SigninErrorKind::NobodyThere, why))?;
        let clocks = self.endpoint.clocks.clone();
        let sleep = move |duration| {
            let clocks = clocks.clone();
            async move { clocks.sleep(duration).await }
        };
        let began = self.endpoint.clocks.boot();
        let answer = client
            .exchange_device_access_token(&details)
            .request_async(&http, sleep, Some(self.wait.min(details.expires_in())))
            .await;
        // The crate's own end of waiting looks like the service's.
        let waited = self.endpoint.clocks.boot().since(began);
        answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(_) if waited >= self.wait && self.wait < details.expires_in() => {
                let message = format!(
                    "nobody confirmed the code within `device_wait` ({}): run it where a person sees the code, or \
                     use a method without a person",
                    show(self.wait)
                );
                SigninError::new(SigninErrorKind::NobodyThere, message)
            }
            error => self.endpoint.refused(error),
        })
    }

    fn scopes(&self) -> [Scope; 4] {
        [&self.endpoint.scope, "offline_access", "openid", "profile"]
            .map(|scope: &str| Scope::new(scope.to_owned()))
    }
}

#[async_trait]
impl Grant for DeviceCodeGrant {
    async fn fetch(&self, challenge: Option<&str>) -> Result<AccessToken, SigninError> {
        let answer = self.ask(challenge).await?;
        let token = self.endpoint.accept(&answer)?;
        *self.refresh.lock().await = answer.refresh_token().cloned();
        Ok(token)
    }
}
