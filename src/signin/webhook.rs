//! A device code for people who do not see the run: posted to an address of the platform's.
//!
//! A code can be phished: who reads it can send it to somebody else, and sign in as whoever confirms it. So it is off
//! unless a setting names the address, and each use is warned of.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::observe::escape::one_line;

/// Where codes are posted.
pub struct Webhook {
    /// The address; whoever knows it can post there too, so it is never shown.
    pub address: SecretString,
    /// As for sign-in: no redirects, a time-out.
    pub http: reqwest::Client,
    /// Whom the code is for: the tenant, and the user if the job names one.
    pub tenant: String,
    /// As the job names them.
    pub user_principal_name: Option<String>,
}

impl Webhook {
    /// Posts one code as JSON; `text` is for chat programs, which show nothing else.
    ///
    /// # Errors
    /// Why it was not taken; without the address.
    pub(super) async fn post(&self, uri: &str, code: &str, life: Duration) -> Result<(), String> {
        let who = self.user_principal_name.as_deref().unwrap_or("an administrator");
        let body = json!({
            "text": format!(
                "exorun waits for {who} to sign in to {}: open {uri} and enter the code {code}. Confirm it only if you \
                 expect this run.",
                self.tenant
            ),
            "verification_uri": uri,
            "user_code": code,
            "expires_in": life.as_secs(),
            "tenant": self.tenant,
            "user_principal_name": self.user_principal_name,
        });
        let sent = self.http.post(self.address.expose_secret()).json(&body).send().await;
        match sent {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("HTTP {}", answer.status())),
            Err(error) => Err(one_line(&super::endpoint::in_one_line(&error.without_url()), 200)),
        }
    }
}
