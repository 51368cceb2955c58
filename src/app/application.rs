//! Applications that sign in: each with what proves who it is.

use std::sync::Arc;

use super::App;
use crate::signin::application::{ApplicationGrant, Proof};
use crate::signin::certificate::{CertificateProof, Expiry};
use crate::signin::client_secret::ClientSecret;
use crate::signin::endpoint::LoginEndpoint;
use crate::signin::transit::TransitProof;
use crate::signin::{SigninError, SigninErrorKind, TokenSource};
use crate::spec::job::{Auth, Method};

impl App {
    /// Joins what an application's sign-in needs; nothing is read or fetched yet.
    pub(super) fn application(
        &self,
        endpoint: LoginEndpoint,
        auth: &Auth,
    ) -> Result<Arc<dyn TokenSource>, SigninError> {
        let secrets = Arc::clone(&self.secrets);
        let expiry = Expiry::new(self.metrics.clone(), endpoint.tenant.clone());
        match &auth.method {
            Method::ClientSecret { credential } => {
                self.proven(endpoint, auth, ClientSecret::new(credential.clone(), secrets))
            }
            Method::Certificate { credential, certificate, password, signature } => {
                let proof = CertificateProof {
                    credential: credential.clone(),
                    certificate: certificate.clone(),
                    password: password.clone(),
                    signature: *signature,
                    secrets,
                    expiry,
                };
                self.proven(endpoint, auth, proof)
            }
            Method::Transit { key, certificate, signature } => {
                let proof = TransitProof {
                    key: key.clone(),
                    certificate: certificate.clone(),
                    signature: *signature,
                    secrets,
                    expiry,
                };
                self.proven(endpoint, auth, proof)
            }
            method => Err(bad(format!("`method: {}` is no application's", method.as_str()))),
        }
    }

    fn proven<P: Proof>(
        &self,
        endpoint: LoginEndpoint,
        auth: &Auth,
        proof: P,
    ) -> Result<Arc<dyn TokenSource>, SigninError> {
        let missing = || bad("`auth` has no `client_id`: add the application's".to_owned());
        let client_id = auth.client_id.clone().ok_or_else(missing)?;
        let wait = self.settings.credential_settle_wait;
        Ok(self.held(ApplicationGrant::new(endpoint, client_id, proof, wait)))
    }
}

fn bad(message: String) -> SigninError {
    SigninError::new(SigninErrorKind::BadInput, message)
}
