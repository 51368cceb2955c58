//! An application that another issuer vouches for: AKS, GitHub Actions, or whoever writes a token into a file.
//!
//! Source: protocol reference, 2.10.

mod actions;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

pub use actions::Actions;

use super::application::{Made, Proof};
use super::endpoint::LoginEndpoint;
use super::{SigninError, SigninErrorKind};
use crate::observe::escape::one_line;
use crate::secrets::{SecretSource, Surroundings};
use crate::spec::job::CredentialRef;

/// For whom tokens are asked for, where one is asked for.
pub const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Where the other issuer's tokens come from.
pub enum Issuer {
    /// A file, read again for each token: it is rotated.
    File {
        /// Which.
        path: PathBuf,
        /// What named it, for messages: a variable or a key of the job.
        named_by: &'static str,
    },
    /// GitHub Actions.
    Actions(Actions),
}

impl Issuer {
    /// Where a token is to be had: the job's file first, then what the platform set.
    ///
    /// # Errors
    /// If nothing says where.
    pub fn found(
        token_file: Option<PathBuf>,
        audience: Option<&str>,
        around: &Surroundings,
        http: &reqwest::Client,
    ) -> Result<Issuer, SigninError> {
        if let Some(path) = token_file {
            return Ok(Issuer::File { path, named_by: "token_file" });
        }
        if let Some(path) = &around.federated_token_file {
            return Ok(Issuer::File { path: path.clone(), named_by: "AZURE_FEDERATED_TOKEN_FILE" });
        }
        let audience = audience.unwrap_or(AUDIENCE).to_owned();
        match (&around.actions_url, &around.actions_token) {
            (Some(url), Some(token)) => Ok(Issuer::Actions(Actions {
                url: url.clone(),
                token: token.clone(),
                audience,
                http: http.clone(),
            })),
            _ => Err(SigninError::new(
                SigninErrorKind::BadInput,
                "nothing says where a workload's token is: in AKS label the pod `azure.workload.identity/use: \"true\"` (it sets \
                 AZURE_FEDERATED_TOKEN_FILE), in GitHub Actions add `permissions: {id-token: write}` (it sets \
                 ACTIONS_ID_TOKEN_REQUEST_URL), elsewhere name the file by `token_file`",
            )),
        }
    }
}

/// Another issuer's token, as an application's proof.
pub struct Federated {
    issuer: Issuer,
    secrets: Arc<dyn SecretSource>,
    /// What the platform says of tenant and authority, which the job overrides.
    around: Surroundings,
    has_compared: AtomicBool,
}

impl Federated {
    /// Nothing is read yet.
    pub fn new(issuer: Issuer, secrets: Arc<dyn SecretSource>, around: Surroundings) -> Federated {
        Federated { issuer, secrets, around, has_compared: AtomicBool::new(false) }
    }

    /// The job decides where to sign in; a platform that says something else is likely to be the wrong one.
    fn compare(&self, endpoint: &LoginEndpoint) {
        if self.has_compared.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(host) = &self.around.azure_authority_host
            && !is_same_host(host, &endpoint.base)
        {
            let host = one_line(host, 200);
            warn!(job = %endpoint.base, "AZURE_AUTHORITY_HOST says {host}: the job decides, and signs in at {}", endpoint.base);
        }
        let Some(tenant) = &self.around.azure_tenant_id else { return };
        // A domain and a GUID are compared where the discovery document said which GUID it is.
        let known = [Some(&endpoint.tenant), endpoint.expected.tenant_id.as_ref()];
        let is_comparable =
            endpoint.expected.tenant_id.is_some() || uuid::Uuid::try_parse(&endpoint.tenant).is_ok();
        if is_comparable && !known.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(tenant)) {
            let tenant = one_line(tenant, 100);
            warn!(job = %endpoint.tenant, "AZURE_TENANT_ID says {tenant}: the job decides, and signs in to {}", endpoint.tenant);
        }
    }
}

#[async_trait]
impl Proof for Federated {
    async fn made(&self, endpoint: &LoginEndpoint, _: &str) -> Result<Made, SigninError> {
        self.compare(endpoint);
        let token = match &self.issuer {
            Issuer::File { path, named_by } => {
                let place = CredentialRef::File(path.clone());
                let read = self.secrets.text(&place, "token").await;
                read.map_err(|error| {
                    let message = format!(
                        "{error} (named by {named_by}; the platform writes a workload's token into it)"
                    );
                    SigninError { message, ..error.into() }
                })?
            }
            Issuer::Actions(actions) => actions.token(endpoint).await?,
        };
        if !looks_like_jwt(&token) {
            return Err(SigninError::new(
                SigninErrorKind::BadInput,
                "the workload's token is no JWT (three parts with dots between): is this the right file?",
            ));
        }
        Ok(Made::Assertion(token))
    }
}

fn is_same_host(one: &str, other: &str) -> bool {
    let host = |text: &str| {
        reqwest::Url::parse(text.trim())
            .ok()
            .map(|url| (url.host_str().map(str::to_owned), url.port_or_known_default()))
    };
    host(one).is_some_and(|one| Some(one) == host(other))
}

fn looks_like_jwt(token: &SecretString) -> bool {
    let parts = token.expose_secret().split('.');
    parts.clone().count() == 3
        && parts.into_iter().all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_the_same_by_host_and_port() {
        assert!(is_same_host("https://login.microsoftonline.com/", "https://LOGIN.microsoftonline.com"));
        assert!(!is_same_host("https://login.microsoftonline.us/", "https://login.microsoftonline.com"));
        assert!(!is_same_host("no address", "no address"));
    }

    #[test]
    fn three_parts_look_like_a_token() {
        for (text, wanted) in
            [("a.b-_.c", true), ("a.b", false), ("a..c", false), ("<a>.b.c", false), ("a.b.c.d", false)]
        {
            assert_eq!(looks_like_jwt(&SecretString::from(text)), wanted, "{text}");
        }
    }
}
