//! One file a way to sign in; all of them behind [`TokenSource`].

pub mod advice;
pub mod application;
mod assertion;
mod body;
pub mod browser;
pub mod certificate;
mod claims;
pub mod client_secret;
mod date;
pub mod declared;
pub mod device_code;
pub mod discovery;
mod echo;
pub mod endpoint;
mod facts;
pub mod federated;
pub mod given;
pub mod held;
pub mod kept;
mod loopback;
pub mod machine;
pub mod password;
pub mod people;
pub mod person;
mod public_client;
pub mod realm;
mod refusal;
pub mod revoke;
pub mod terminal;
pub mod transit;
mod tries;
pub mod webhook;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::secrets::{SecretError, SecretErrorKind};

/// Gives tokens for one account, one fetch at a time.
#[async_trait]
pub trait TokenSource: Send + Sync + 'static {
    /// A token that is good for a while: the held one, or a new one.
    async fn token(&self) -> Result<AccessToken, SigninError>;

    /// The service refused `stale` (401): a new token, with the claims it asked for. `None` if no token would help: `stale`
    /// was itself renewed and refused again a moment ago.
    async fn renewed(
        &self,
        stale: &AccessToken,
        claims: Option<&str>,
    ) -> Result<Option<AccessToken>, SigninError>;

    /// The service refused `renewed` too, at once: what it objects to may be no token's fault.
    async fn refused_again(&self, renewed: &AccessToken);
}

/// An access token and what it says about itself. The secret is wiped when dropped.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// What goes into the Authorization header.
    pub secret: SecretString,
    /// What the token says. Decoded, not verified: the service verifies.
    pub facts: TokenFacts,
    /// When it was given.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The claims of a token that the program needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// `tid`.
    pub tenant_id: String,
    /// `oid`, else `appid`.
    pub object_id: String,
    /// `upn` of a person, `appid` of an application.
    pub actor: String,
    /// A person signed in (`upn` is there): decides the anchor.
    pub delegated: bool,
    /// `aud`.
    pub audience: String,
    /// `roles` and the words of `scp`.
    pub rights: Vec<String>,
    /// `iss`.
    pub issuer: String,
}

/// A sign-in that failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SigninError {
    /// The class.
    pub kind: SigninErrorKind,
    /// What happened and what to do next, in one line; never a secret.
    pub message: String,
    /// The number of Entra's `AADSTS` code, if it said one.
    pub code: Option<u32>,
}

impl SigninError {
    /// An error of `kind` with a message for people.
    pub fn new(kind: SigninErrorKind, message: impl Into<String>) -> SigninError {
        SigninError { kind, message: message.into(), code: None }
    }
}

impl From<SecretError> for SigninError {
    fn from(error: SecretError) -> SigninError {
        let kind = match error.kind {
            SecretErrorKind::Wrong | SecretErrorKind::Absent => SigninErrorKind::BadInput,
            SecretErrorKind::Unavailable => SigninErrorKind::Unavailable,
        };
        SigninError::new(kind, error.to_string())
    }
}

/// The class of a failed sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigninErrorKind {
    /// The service said no, for good: exit code 77.
    Refused,
    /// A token came, and it is not the one that is needed: exit code 77.
    Unfit,
    /// The host's profile does not take what the credential turned out to be: exit code 78.
    Forbidden,
    /// The credential could not be read, or a setting is wrong: exit code 64.
    BadInput,
    /// The sign-in service asked for patience past the budget: exit code 69.
    Throttled,
    /// No answer, or one that passes by itself: exit code 1 after retries.
    Unavailable,
    /// Nobody confirmed the code in time, or nobody can be asked: exit code 77.
    NobodyThere,
}
