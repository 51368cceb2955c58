//! A user's name and password (ROPC): Microsoft is retiring it. Source: protocol reference, 2.4 and 2.5.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use oauth2::{ResourceOwnerPassword, ResourceOwnerUsername};
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

use super::endpoint::LoginEndpoint;
use super::held::Grant;
use super::people::{People, Presence};
use super::person::Way;
use super::public_client::{Granted, PublicClient};
use super::realm::Realm;
use super::{AccessToken, SigninError, SigninErrorKind, claims};
use crate::observe::escape::one_line;
use crate::rules::duration::show;
use crate::secrets::{Secret, SecretSource};
use crate::spec::job::CredentialRef;

/// What is said each time a password is used.
const RETIRING: &str = "SIGNING IN BY USER NAME AND PASSWORD: Microsoft is retiring it (announced on 2026-02-12, \
                        MC1248389), and accounts with multi-factor authentication are refused; move to a certificate \
                        (`method: certificate`), or to `method: device` with `exorun login`";

/// Fields of a secret in Vault.
const PASSWORD: &str = "password";
const USER_FIELDS: [&str; 2] = ["username", "user_principal_name"];

/// Signs in as the user whose password is kept; it is read anew for every token, so that it can be changed.
pub struct PasswordGrant {
    client: PublicClient,
    /// As the job names them; a secret in Vault may know it instead.
    user: Option<String>,
    credential: CredentialRef,
    secrets: Arc<dyn SecretSource>,
}

impl PasswordGrant {
    /// A grant that has read nothing yet.
    pub fn new(
        endpoint: LoginEndpoint,
        client_id: String,
        user: Option<String>,
        credential: CredentialRef,
        secrets: Arc<dyn SecretSource>,
    ) -> PasswordGrant {
        PasswordGrant { client: PublicClient { endpoint, client_id }, user, credential, secrets }
    }

    fn user(&self, secret: &Secret) -> Result<String, SigninError> {
        if let Some(user) = &self.user {
            return Ok(user.clone());
        }
        let fields = match secret {
            Secret::Fields(fields) => USER_FIELDS.iter().find_map(|name| fields.get(name)),
            Secret::Whole(_) => None,
        };
        fields.map(|user| user.expose_secret().trim().to_owned()).ok_or_else(|| {
            let message = format!(
                "credential {}: nothing says whose password this is: add `user_principal_name` to `auth`, or a field \
                 `username` to the secret",
                self.credential
            );
            SigninError::new(SigninErrorKind::BadInput, message)
        })
    }
}

#[async_trait]
impl Grant for PasswordGrant {
    async fn fetch(&self, challenge: Option<&str>) -> Result<AccessToken, SigninError> {
        claims::of_a_password(challenge)?;
        let secret = self.secrets.read(&self.credential).await?;
        let user = self.user(&secret)?;
        // Without its trailing line end: the seam cuts it.
        let password = secret.text(&self.credential, PASSWORD)?;
        Ok(granted(&self.client, &user, &password, challenge).await?.token)
    }
}

/// Asks for name and password on the terminal, once; later tokens come by the refresh token.
pub struct InlineCredential {
    /// As the job names them; asked for otherwise.
    pub user: Option<String>,
    /// Who is asked.
    pub people: Arc<dyn People>,
    /// How long they may take.
    pub wait: Duration,
}

impl InlineCredential {
    async fn typed(&self) -> Result<(String, SecretString), String> {
        let user = match &self.user {
            Some(user) => user.clone(),
            None => self.people.line("User name (user@domain): ").await?,
        };
        if user.is_empty() {
            return Err("no user name was given".to_owned());
        }
        let password = self.people.secret(&format!("Password of {user}: ")).await?;
        if password.expose_secret().is_empty() {
            return Err("no password was given".to_owned());
        }
        Ok((user, password))
    }
}

#[async_trait]
impl Way for InlineCredential {
    async fn ask(&self, client: &PublicClient, challenge: Option<&str>) -> Result<Granted, SigninError> {
        let nobody = |why: String| SigninError::new(SigninErrorKind::NobodyThere, why);
        if self.people.presence() == Presence::Nobody {
            return Err(nobody(
                "`method: inline_credential` asks for the password on a terminal, and there is none: start it at a \
                 terminal, or keep the password in Vault (`method: password`)"
                    .to_owned(),
            ));
        }
        claims::of_a_password(challenge)?;
        let typed = client.endpoint.clocks.timeout(self.wait, self.typed()).await;
        let typed = typed
            .map_err(|_| nobody(format!("nothing was typed within `device_wait` ({})", show(self.wait))))?;
        let (user, password) = typed.map_err(nobody)?;
        granted(client, &user, &password, challenge).await
    }
}

/// The sign-in itself: the realm first, so that a password of another service's is not sent to this one.
async fn granted(
    client: &PublicClient,
    user: &str,
    password: &SecretString,
    challenge: Option<&str>,
) -> Result<Granted, SigninError> {
    warn!("{RETIRING}");
    without_outer_spaces(password).map_err(|why| SigninError::new(SigninErrorKind::BadInput, why))?;
    let realm = client.endpoint.realm(user).await?;
    may_be_sent(&realm, user).map_err(|why| SigninError::new(SigninErrorKind::Refused, why))?;
    let oauth = client.oauth()?;
    let name = ResourceOwnerUsername::new(user.to_owned());
    let password = ResourceOwnerPassword::new(password.expose_secret().to_owned());
    let request = oauth
        .exchange_password(&name, &password)
        .add_scopes(client.scopes())
        .add_extra_param(claims::NAME, claims::parameter(challenge));
    let answer = request
        .request_async(&client.endpoint.http())
        .await
        .map_err(|error| client.endpoint.refused(error))?;
    client.granted(&answer)
}

/// Source: protocol reference, 2.4.
fn without_outer_spaces(password: &SecretString) -> Result<(), String> {
    let text = password.expose_secret();
    if text.trim() == text {
        return Ok(());
    }
    Err("the password begins or ends with a space: the sign-in service takes no such password in this way; change it, \
         or remove the space if it is a slip"
        .to_owned())
}

/// Refuses a password that is another service's. A realm that is not known proves nothing: the token endpoint will say.
fn may_be_sent(realm: &Realm, user: &str) -> Result<(), String> {
    let Realm::Federated { sts } = realm else { return Ok(()) };
    let host = sts.as_ref().map(|sts| format!(" ({})", sts.host)).unwrap_or_default();
    Err(format!(
        "{} is a federated account: the password belongs to another sign-in service{host} and was not sent. Use `method: \
         device` or `method: browser`, where that service is asked itself, or an account of the tenant's initial domain \
         (…onmicrosoft.com), which is not federated",
        one_line(user, 120)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signin::realm::Sts;

    #[test]
    fn a_password_of_another_services_is_not_sent() {
        let sts = Some(Sts { host: "sts.example".to_owned(), port: 443 });
        let why = may_be_sent(&Realm::Federated { sts }, "a@b.example").unwrap_err();
        assert!(why.contains("sts.example") && why.contains("`method: device`"), "{why}");
        assert!(may_be_sent(&Realm::Federated { sts: None }, "a@b.example").is_err());
        assert!(may_be_sent(&Realm::Managed, "a@b.example").is_ok());
    }

    #[test]
    fn a_space_at_an_end_of_a_password_is_refused_and_not_shown() {
        for bad in [" canary", "canary ", "\tcanary"] {
            let why = without_outer_spaces(&SecretString::from(bad)).unwrap_err();
            assert!(!why.contains("canary"), "{why}");
        }
        assert!(without_outer_spaces(&SecretString::from("a b")).is_ok());
    }
}
