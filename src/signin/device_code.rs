//! A person confirms a code in a browser (the device authorization grant). Source: protocol reference, 2.3.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use oauth2::{DeviceAuthorizationUrl, RequestTokenError, StandardDeviceAuthorizationResponse};
use tracing::{info, warn};

use super::claims;
use super::people::{People, Presence};
use super::person::Way;
use super::public_client::{Granted, PublicClient, bad_endpoint};
use super::webhook::Webhook;
use super::{SigninError, SigninErrorKind};
use crate::observe::escape::one_line;
use crate::rules::duration::show;

/// Between two questions whether the code is confirmed, whatever the answer wishes: none in between would be a flood,
/// and a long one would outlast `device_wait`.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
const INTERVAL_MAX: Duration = Duration::from_secs(30);

/// The code that is shown, and where.
pub struct DeviceCode {
    /// How long the person may take.
    pub wait: Duration,
    /// Who sees it here.
    pub people: Arc<dyn People>,
    /// Where it is sent besides.
    pub webhook: Option<Webhook>,
}

#[async_trait]
impl Way for DeviceCode {
    async fn ask(&self, client: &PublicClient, challenge: Option<&str>) -> Result<Granted, SigninError> {
        let endpoint = &client.endpoint;
        let address = DeviceAuthorizationUrl::new(endpoint.url("devicecode")).map_err(bad_endpoint)?;
        let oauth = client.oauth()?.set_device_authorization_url(address);
        let http = endpoint.http();
        let claims = claims::parameter(challenge);
        let request = oauth
            .exchange_device_code()
            .add_scopes(client.scopes())
            .add_extra_param(claims::NAME, claims.clone());
        let details: StandardDeviceAuthorizationResponse =
            request.request_async(&http).await.map_err(|error| endpoint.refused(error))?;
        let details = paced(details).ok_or_else(|| endpoint.no_endpoint())?;
        let wait = self.wait.min(details.expires_in());
        let address = one_line(details.verification_uri().as_str(), 200);
        let code = one_line(details.user_code().secret(), 40);
        self.people.show(&format!("to sign in, open {address} in a browser and enter the code {code}"));
        if self.people.presence() == Presence::Nobody {
            info!("waiting {} for the code to be confirmed (`device_wait`)", show(wait));
        }
        let said = async {
            if let Some(webhook) = &self.webhook {
                warn!(
                    "the code is sent to `device_webhook`: whoever reads it there can have somebody else confirm it, \
                     and sign in as them"
                );
                match webhook.post(&address, &code, wait).await {
                    Ok(()) => info!("`device_webhook` has taken the code"),
                    Err(why) => {
                        warn!("`device_webhook` has not taken the code: {why}; it stands above all the same")
                    }
                }
            }
        };
        let clocks = endpoint.clocks.clone();
        let sleep = move |duration: Duration| {
            let clocks = clocks.clone();
            async move { clocks.sleep(duration.min(INTERVAL_MAX)).await }
        };
        let began = endpoint.clocks.boot();
        let polled = oauth
            .exchange_device_access_token(&details)
            .add_extra_param(claims::NAME, claims)
            .request_async(&http, sleep, Some(wait));
        let ((), answer) = futures_util::future::join(said, polled).await;
        // The crate's own end of waiting looks like the service's.
        let waited = endpoint.clocks.boot().since(began);
        let answer = answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(_) if waited >= self.wait && self.wait < details.expires_in() => {
                let message = format!(
                    "nobody confirmed the code within `device_wait` ({}): run it where a person sees the code, or \
                     use a method without a person",
                    show(self.wait)
                );
                SigninError::new(SigninErrorKind::NobodyThere, message)
            }
            error => endpoint.refused(error),
        })?;
        client.granted(&answer)
    }
}

/// The answer with an interval that can be waited: the crate takes any, and reckons with it.
fn paced(details: StandardDeviceAuthorizationResponse) -> Option<StandardDeviceAuthorizationResponse> {
    let interval = details.interval();
    if (INTERVAL_MIN..=INTERVAL_MAX).contains(&interval) {
        return Some(details);
    }
    let mut fields = serde_json::to_value(&details).ok()?;
    fields["interval"] = interval.clamp(INTERVAL_MIN, INTERVAL_MAX).as_secs().into();
    serde_json::from_value(fields).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_interval_can_always_be_waited() {
        for (said, waited) in [
            (json!(0), 1),
            (json!(1), 1),
            (json!(5), 5),
            (json!(3600), 30),
            (json!(u64::MAX), 30),
            (json!(null), 5),
        ] {
            let details = json!({
                "device_code": "d", "user_code": "u", "verification_uri": "https://login.example/device",
                "expires_in": 900, "interval": said,
            });
            let details = serde_json::from_value(details).unwrap();
            let details: StandardDeviceAuthorizationResponse = paced(details).unwrap();
            assert_eq!(details.interval(), Duration::from_secs(waited), "{said}");
            assert_eq!((details.user_code().secret().as_str(), details.expires_in().as_secs()), ("u", 900));
        }
    }
}
