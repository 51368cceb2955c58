//! What an emulator gives instead of an organization's credentials.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::secrets::{Fields, GivenSecrets, Surroundings};
use crate::spec::job::{Auth, Method};

/// Credentials of an emulated tenant, one of each kind.
pub struct Given {
    /// How the job signs in: what it refers to is answered in kind.
    pub auth: Auth,
    /// The application, where the job leaves it to a secret or the environment.
    pub client_id: String,
    /// Every application's secret. What else the job refers to, a parameter's password say, is this too.
    pub client_secret: SecretString,
    /// A private key in PEM.
    pub key: SecretString,
    /// Its certificate in PEM.
    pub certificate: SecretString,
    /// Every person's password.
    pub password: SecretString,
    /// Another issuer's token.
    pub federated_token: SecretString,
    /// What a person's sign-in has left.
    pub refresh_token: SecretString,
    /// A ready token.
    pub access_token: SecretString,
}

impl Given {
    /// As a source of secrets.
    pub(super) fn secrets(&self) -> GivenSecrets {
        let named = |fields: &[(&str, &SecretString)]| {
            let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).clone()));
            fields.collect::<BTreeMap<_, _>>()
        };
        let plain = |text: &str| SecretString::from(text.to_owned());
        let named = match (&self.auth.method, &self.auth.user_principal_name) {
            (Method::ClientSecret { .. }, _) => named(&[("client_secret", &self.client_secret)]),
            (Method::Certificate { .. } | Method::Transit { .. }, _) => {
                named(&[("private_key", &self.key), ("certificate", &self.certificate)])
            }
            (Method::WorkloadIdentity { .. }, _) => named(&[("token", &self.federated_token)]),
            (Method::AccessToken { .. }, _) => named(&[("access_token", &self.access_token)]),
            (Method::Password { .. } | Method::InlineCredential, _) => named(&[("password", &self.password)]),
            (Method::Vault { .. }, Some(user)) => {
                named(&[("username", &plain(user)), ("password", &self.password)])
            }
            (Method::Vault { .. }, None) => {
                let client_id = self.auth.client_id.as_deref().unwrap_or(&self.client_id);
                named(&[("client_id", &plain(client_id)), ("client_secret", &self.client_secret)])
            }
            (Method::Device { credential: Some(_) } | Method::Browser { credential: Some(_) }, _) => {
                named(&[("refresh_token", &self.refresh_token)])
            }
            (Method::Device { .. } | Method::Browser { .. } | Method::ManagedIdentity { .. }, _) => {
                BTreeMap::new()
            }
        };
        let version = (!named.is_empty()).then_some(1);
        GivenSecrets::new(Fields { named, version, ..Fields::default() }, self.client_secret.clone())
    }

    /// As what a platform puts into the environment; this process's own says nothing of an emulated tenant.
    pub(super) fn surroundings(&self) -> Surroundings {
        Surroundings {
            azure_client_id: Some(self.client_id.clone()),
            federated_token_file: Some(PathBuf::from("the-emulators-token")),
            ..Surroundings::default()
        }
    }
}
