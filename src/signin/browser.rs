//! A person signs in in this machine's browser: authorization code with PKCE, and a redirect to loopback.
//!
//! Source: protocol reference, 2.6.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::{AuthUrl, AuthorizationCode, CsrfToken, PkceCodeChallenge, RedirectUrl};
use serde_json::Value;
use tracing::warn;

use super::claims;
use super::loopback::{Loopback, Returned};
use super::people::{People, Presence};
use super::person::Way;
use super::public_client::{Answer, Granted, PublicClient, bad_endpoint};
use super::refusal::Refusal;
use super::{SigninError, SigninErrorKind};
use crate::observe::escape::one_line;
use crate::rules::duration::show;

/// The page of the sign-in service, and where it sends the person back to.
pub struct Browser {
    /// Who is expected; the page has the name already then.
    pub login_hint: Option<String>,
    /// How long the person may take.
    pub wait: Duration,
    /// Who sees the address, and whose browser is opened.
    pub people: Arc<dyn People>,
}

#[async_trait]
impl Way for Browser {
    async fn ask(&self, client: &PublicClient, challenge: Option<&str>) -> Result<Granted, SigninError> {
        let nobody = |why: String| SigninError::new(SigninErrorKind::NobodyThere, why);
        if self.people.presence() == Presence::Nobody {
            return Err(nobody(
                "`method: browser` needs a person at this machine, and there is no terminal: sign in once with \
                 `exorun login JOB` where a person is (`auth` needs `credential: {vault: …}` to keep it), or use \
                 `method: device`"
                    .to_owned(),
            ));
        }
        let listening = Loopback::listen().await;
        let mut loopback = listening
            .map_err(|error| SigninError::new(SigninErrorKind::Unavailable, format!("loopback: {error}")))?;
        let redirect = loopback.redirect();
        let redirect_url = RedirectUrl::new(redirect).map_err(bad_endpoint)?;
        let page = AuthUrl::new(client.endpoint.url("authorize")).map_err(bad_endpoint)?;
        let oauth = client.oauth()?.set_auth_uri(page).set_redirect_uri(redirect_url);
        let (proof, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random();
        let claims = claims::parameter(challenge);
        let mut request = oauth
            .authorize_url(CsrfToken::new_random)
            .add_scopes(client.scopes())
            .set_pkce_challenge(proof)
            .add_extra_param("response_mode", "query")
            .add_extra_param("nonce", nonce.secret())
            .add_extra_param(claims::NAME, claims.as_str());
        if let Some(hint) = &self.login_hint {
            request = request.add_extra_param("login_hint", hint);
        }
        let (address, state) = request.url();
        self.people.show(&format!("to sign in, open this address in a browser on this machine: {address}"));
        // What the opener gets is seen by every user of the machine: an address of ours that leads on, once.
        if let Err(why) = self.people.open(&loopback.leads_to(address.as_str())).await {
            warn!("no browser could be opened ({}): open the address by hand", one_line(&why, 200));
        }
        let returned = client.endpoint.clocks.timeout(self.wait, loopback.returned(state.secret())).await;
        drop(loopback);
        let code = match returned {
            Ok(Ok(Returned::Code(code))) => code,
            Ok(Ok(Returned::Refused { error, description })) => {
                return Err(Refusal::new(&error, &description).into_error());
            }
            Ok(Err(error)) => {
                return Err(SigninError::new(SigninErrorKind::Unavailable, format!("loopback: {error}")));
            }
            Err(_) => {
                let wait = show(self.wait);
                return Err(nobody(format!("nobody signed in in the browser within `device_wait` ({wait})")));
            }
        };
        let answer = oauth
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(verifier)
            .add_extra_param(claims::NAME, claims.as_str())
            .request_async(&client.endpoint.http())
            .await
            .map_err(|error| client.endpoint.refused(error))?;
        if !answers(&answer, nonce.secret()) {
            let message = "the sign-in service's answer belongs to another sign-in (`nonce`): start again";
            return Err(SigninError::new(SigninErrorKind::Refused, message));
        }
        client.granted(&answer)
    }
}

/// Whether the ID token is of the sign-in with this nonce. It came from the token endpoint over TLS, so its signature
/// need not be looked at (OpenID Connect Core, 3.1.3.7).
fn answers(answer: &Answer, nonce: &str) -> bool {
    let Some(token) = &answer.extra_fields().id_token else { return false };
    let payload =
        token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
    let claims = payload.and_then(|payload| serde_json::from_slice::<Value>(&payload).ok());
    claims.is_some_and(|claims| claims.get("nonce").and_then(Value::as_str) == Some(nonce))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(id_token: Option<Value>) -> Answer {
        let mut body = json!({"access_token": "x", "token_type": "Bearer"});
        if let Some(claims) = id_token {
            let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
            body["id_token"] = json!(format!("e30.{payload}.c2ln"));
        }
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn an_answer_of_another_sign_in_is_not_taken() {
        assert!(answers(&answer(Some(json!({"nonce": "own"}))), "own"));
        for other in [Some(json!({"nonce": "other"})), Some(json!({})), Some(json!({"nonce": 7})), None] {
            assert!(!answers(&answer(other), "own"));
        }
    }
}
