//! The application that people sign in by: what its token requests have in common.

use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, Client, ClientId, EndpointNotSet, EndpointSet, ExtraTokenFields, RefreshToken,
    RequestTokenError, Scope, StandardErrorResponse, StandardRevocableToken, StandardTokenResponse,
    TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::claims;
use super::endpoint::{LoginEndpoint, NoAnswer};
use super::{AccessToken, SigninError, SigninErrorKind};

/// Errors by which a refresh token is no longer good for what is asked. Source: protocol reference, 2.2 and 2.11.
const NOT_GOOD: [&str; 4] = ["invalid_grant", "interaction_required", "login_required", "consent_required"];

/// An application without a secret, at one tenant's sign-in service.
#[derive(Clone)]
pub struct PublicClient {
    pub(super) endpoint: LoginEndpoint,
    pub(super) client_id: String,
}

/// What a person's sign-in brings besides the access token.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(super) struct IdToken {
    #[serde(default)]
    pub(super) id_token: Option<String>,
}

impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdToken")
    }
}

impl ExtraTokenFields for IdToken {}

/// An answer of the token endpoint.
pub(super) type Answer = StandardTokenResponse<IdToken, BasicTokenType>;

/// A client of the oauth2 crate that knows the token endpoint.
pub(super) type OAuth = Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What a person's sign-in, or its renewal, brought.
pub struct Granted {
    pub(super) token: AccessToken,
    /// For the next time; wiped when dropped.
    pub(super) refresh: Option<SecretString>,
}

/// An answer to a refresh token.
pub(super) struct Renewed {
    /// The access token, or why it is not the one that is wanted.
    pub(super) token: Result<AccessToken, SigninError>,
    /// The successor. It is worth keeping whatever the access token is: its predecessor may be used up.
    pub(super) refresh: Option<SecretString>,
}

/// A refresh that was not answered with a token.
pub(super) enum RefreshError {
    /// The token is not good for it (any more).
    NotGood(SigninError),
    /// Anything else.
    Other(SigninError),
}

impl PublicClient {
    pub(super) fn oauth(&self) -> Result<OAuth, SigninError> {
        let url = TokenUrl::new(self.endpoint.url("token")).map_err(bad_endpoint)?;
        Ok(Client::new(ClientId::new(self.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(url))
    }

    /// What a person's sign-in asks for. Source: protocol reference, 2.2.
    pub(super) fn scopes(&self) -> [Scope; 4] {
        [&self.endpoint.scope, "offline_access", "openid", "profile"]
            .map(|scope: &str| Scope::new(scope.to_owned()))
    }

    pub(super) fn granted(&self, answer: &Answer) -> Result<Granted, SigninError> {
        let token = self.endpoint.accept(answer)?;
        Ok(Granted { token, refresh: refresh_of(answer) })
    }

    /// A new token for a refresh token, with the claims the service asked for.
    pub(super) async fn refresh(
        &self,
        refresh: &SecretString,
        challenge: Option<&str>,
    ) -> Result<Renewed, RefreshError> {
        let client = self.oauth().map_err(RefreshError::Other)?;
        let refresh = RefreshToken::new(refresh.expose_secret().to_owned());
        let request = client
            .exchange_refresh_token(&refresh)
            .add_scopes(self.scopes())
            .add_extra_param(claims::NAME, claims::parameter(challenge));
        match request.request_async(&self.endpoint.http()).await {
            Ok(answer) => Ok(Renewed { token: self.endpoint.accept(&answer), refresh: refresh_of(&answer) }),
            Err(error) if is_not_good(&error) => Err(RefreshError::NotGood(self.endpoint.refused(error))),
            Err(error) => Err(RefreshError::Other(self.endpoint.refused(error))),
        }
    }
}

fn refresh_of(answer: &Answer) -> Option<SecretString> {
    answer.refresh_token().map(|token| SecretString::from(token.secret().clone()))
}

fn is_not_good(error: &RequestTokenError<NoAnswer, StandardErrorResponse<BasicErrorResponseType>>) -> bool {
    match error {
        RequestTokenError::ServerResponse(answer) => NOT_GOOD.contains(&answer.error().as_ref()),
        _ => false,
    }
}

pub(super) fn bad_endpoint(error: oauth2::url::ParseError) -> SigninError {
    SigninError::new(SigninErrorKind::BadInput, format!("login endpoint: {error}"))
}
