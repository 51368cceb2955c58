//! From a way to sign in to a source of tokens: one arm a method.

use std::sync::Arc;

use super::App;
use super::people::AskedBy;
use crate::signin::endpoint::LoginEndpoint;
use crate::signin::given::GivenToken;
use crate::signin::held::{Grant, HeldToken};
use crate::signin::password::PasswordGrant;
use crate::signin::{SigninError, SigninErrorKind, TokenSource};
use crate::spec::job::{Auth, MODULE_CLIENT_ID, Method};

impl App {
    /// Joins what `auth` needs; nobody is asked and nothing is fetched.
    pub(super) async fn tokens(
        &self,
        endpoint: LoginEndpoint,
        auth: &Auth,
    ) -> Result<Arc<dyn TokenSource>, SigninError> {
        match &auth.method {
            Method::ClientSecret { .. }
            | Method::Certificate { .. }
            | Method::Transit { .. }
            | Method::WorkloadIdentity { .. } => self.application(endpoint, auth),
            Method::ManagedIdentity { identity } => self.machine(endpoint, auth, identity),
            Method::AccessToken { credential } => {
                Ok(self.held(GivenToken::new(endpoint, credential.clone(), Arc::clone(&self.secrets))))
            }
            Method::Device { credential } => {
                let webhook = self.settings.device_webhook.as_ref();
                Ok(self.held(self.person(endpoint, auth, AskedBy::Device, credential.as_ref(), webhook)))
            }
            Method::Browser { credential } => {
                Ok(self.held(self.person(endpoint, auth, AskedBy::Browser, credential.as_ref(), None)))
            }
            Method::InlineCredential => {
                Ok(self.held(self.person(endpoint, auth, AskedBy::Terminal, None, None)))
            }
            Method::Password { credential } => Ok(self.held(PasswordGrant::new(
                endpoint,
                public_client(auth),
                auth.user_principal_name.clone(),
                credential.clone(),
                Arc::clone(&self.secrets),
            ))),
            // `App::source` has made it one of the others.
            Method::Vault { .. } => Err(SigninError::new(
                SigninErrorKind::BadInput,
                "`method: vault` stands for another method, and its secret was not asked which",
            )),
        }
    }

    pub(super) fn held<G: Grant>(&self, grant: G) -> Arc<dyn TokenSource> {
        Arc::new(HeldToken::new(grant, self.clocks.clone()))
    }
}

/// The application that people sign in by.
pub(super) fn public_client(auth: &Auth) -> String {
    auth.client_id.as_deref().unwrap_or(MODULE_CLIENT_ID).to_owned()
}
