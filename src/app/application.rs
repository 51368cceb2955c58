//! Applications that sign in: each with what proves who it is.

use std::sync::Arc;

use super::App;
use crate::settings::Endpoint;
use crate::signin::application::{ApplicationGrant, Proof};
use crate::signin::certificate::{CertificateProof, Expiry};
use crate::signin::client_secret::ClientSecret;
use crate::signin::endpoint::LoginEndpoint;
use crate::signin::federated::{Federated, Issuer};
use crate::signin::machine::{self, Host, MachineGrant};
use crate::signin::transit::TransitProof;
use crate::signin::{SigninError, SigninErrorKind, TokenSource};
use crate::spec::job::{Auth, MachineIdentity, Method};

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
            Method::WorkloadIdentity { token_file, audience } => {
                let issuer =
                    Issuer::found(token_file.clone(), audience.as_deref(), &self.around, &self.http)?;
                let auth = Auth {
                    client_id: auth.client_id.clone().or_else(|| self.around.azure_client_id.clone()),
                    ..auth.clone()
                };
                self.proven(endpoint, &auth, Federated::new(issuer, secrets, self.around.clone()))
            }
            method => Err(bad(format!("`method: {}` is no application's", method.as_str()))),
        }
    }

    /// Joins what a machine's sign-in needs; nothing is fetched yet.
    pub(super) fn machine(
        &self,
        endpoint: LoginEndpoint,
        auth: &Auth,
        identity: &MachineIdentity,
    ) -> Result<Arc<dyn TokenSource>, SigninError> {
        let set = self.settings.identity_endpoint.as_ref().map(Endpoint::as_str);
        // The addresses are the machine's own: no proxy leads there, and one that is asked would get the token.
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(rustls::ClientConfig::clone(&self.tls))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(machine::CONNECT_TIMEOUT.min(self.settings.connect_timeout))
            .timeout(self.settings.signin_timeout)
            .build()
            .map_err(|error| {
                bad(format!("the HTTP client for the machine's identity cannot be built: {error}"))
            })?;
        Ok(self.held(MachineGrant {
            endpoint,
            host: Host::found(set, &self.around),
            client_id: auth.client_id.clone(),
            identity: identity.clone(),
            http,
        }))
    }

    fn proven<P: Proof>(
        &self,
        endpoint: LoginEndpoint,
        auth: &Auth,
        proof: P,
    ) -> Result<Arc<dyn TokenSource>, SigninError> {
        let missing = || {
            match auth.method {
            Method::WorkloadIdentity { .. } => bad(
                "`auth` has no `client_id` and the environment no AZURE_CLIENT_ID: add the application's, or annotate the service \
                 account with `azure.workload.identity/client-id`"
                    .to_owned(),
            ),
            _ => bad("`auth` has no `client_id`: add the application's (in a secret of Vault: the field `client_id`)".to_owned()),
        }
        };
        let client_id = auth.client_id.clone().ok_or_else(missing)?;
        let wait = self.settings.credential_settle_wait;
        Ok(self.held(ApplicationGrant::new(endpoint, client_id, proof, wait)))
    }
}

fn bad(message: String) -> SigninError {
    SigninError::new(SigninErrorKind::BadInput, message)
}
