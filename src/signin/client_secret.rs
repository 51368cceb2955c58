//! An application with a client secret (the client credentials grant).
//!
//! The service accepts it, although Microsoft's module offers no such parameter; certificates are the recommended
//! way. Source: protocol reference, 2.8.

use std::sync::Arc;

use async_trait::async_trait;
use oauth2::basic::BasicClient;
use oauth2::{AuthType, ClientId, ClientSecret, Scope, TokenUrl};
use secrecy::ExposeSecret;

use super::claims;
use super::endpoint::LoginEndpoint;
use super::held::Grant;
use super::{AccessToken, SigninError, SigninErrorKind};
use crate::secrets::SecretSource;
use crate::spec::job::CredentialRef;

/// Signs in as an application; the secret is read anew for every token, so that it can be rotated.
pub struct ClientSecretGrant {
    /// Where.
    pub endpoint: LoginEndpoint,
    /// The application.
    pub client_id: String,
    /// Where its secret is kept.
    pub credential: CredentialRef,
    /// Reads it.
    pub secrets: Arc<dyn SecretSource>,
}

#[async_trait]
impl Grant for ClientSecretGrant {
    async fn fetch(&self, challenge: Option<&str>) -> Result<AccessToken, SigninError> {
        let secret = self.secrets.text(&self.credential, "client_secret").await?;
        let url = TokenUrl::new(self.endpoint.url("token"));
        let url = url.map_err(|error| {
            SigninError::new(SigninErrorKind::BadInput, format!("login endpoint: {error}"))
        })?;
        let client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(url);
        let http = self.endpoint.http();
        let mut request =
            client.exchange_client_credentials().add_scope(Scope::new(self.endpoint.scope.clone()));
        // What asks for a fresh proof of a person, no application can give: the next call is refused then, for good.
        if let Some(challenge) = challenge {
            request = request.add_extra_param("claims", claims::parameter(challenge));
        }
        let answer = request.request_async(&http).await.map_err(|error| self.endpoint.refused(error))?;
        self.endpoint.accept(&answer)
    }
}
