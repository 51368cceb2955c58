//! An application with a certificate: assertions signed by its private key. Source: protocol reference, 2.7.

mod expiry;
mod key;
mod term;
mod text;
mod x509;

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;
use zeroize::Zeroizing;

pub use expiry::Expiry;
pub(super) use key::{CertifiedKey, Parts};
pub use term::Term;
pub(super) use x509::Certificate;

use super::application::{Made, Proof};
use super::assertion::{Statement, signed};
use super::endpoint::LoginEndpoint;
use super::{SigninError, SigninErrorKind};
use crate::secrets::{Fields, Secret, SecretError, SecretSource};
use crate::spec::job::{CredentialRef, Signature};

/// Names of the fields of a secret in Vault.
pub(super) const PRIVATE_KEY: &str = "private_key";
pub(super) const CERTIFICATE: &str = "certificate";
pub(super) const PFX: &str = "pfx";
pub(super) const PFX_PASSWORD: &str = "pfx_password";

/// A private key with its certificate, read anew for every token, so that it can be replaced.
pub struct CertificateProof {
    /// Where the key is kept.
    pub credential: CredentialRef,
    /// Where the certificate is kept, if not beside its key.
    pub certificate: Option<CredentialRef>,
    /// Where the password of a PFX file is kept.
    pub password: Option<CredentialRef>,
    /// How assertions are signed.
    pub signature: Signature,
    /// Reads them.
    pub secrets: Arc<dyn SecretSource>,
    /// Watches the certificate's end.
    pub expiry: Expiry,
}

impl CertificateProof {
    async fn key(&self) -> Result<CertifiedKey, SigninError> {
        let mut parts = parts(&self.credential, self.secrets.read(&self.credential).await?)?;
        if let Some(place) = &self.certificate {
            parts.certificate = Some(self.secrets.read(place).await?.bytes(place, CERTIFICATE)?);
        }
        if let Some(place) = &self.password {
            parts.password = Some(self.secrets.text(place, PFX_PASSWORD).await?);
        }
        CertifiedKey::read(&parts).map_err(|why| SecretError::wrong(&self.credential, why).into())
    }
}

#[async_trait]
impl Proof for CertificateProof {
    async fn made(&self, endpoint: &LoginEndpoint, client_id: &str) -> Result<Made, SigninError> {
        let key = self.key().await?;
        let now = endpoint.clocks.wall();
        self.expiry.look(&key.chain, client_id, now)?;
        let unsigned = Statement {
            client_id,
            audience: &endpoint.url("token"),
            chain: &key.chain,
            signature: self.signature,
            id: Uuid::new_v4(),
            now,
        }
        .unsigned();
        let signature = key.sign(unsigned.as_bytes(), self.signature).map_err(|why| {
            SigninError::new(SigninErrorKind::BadInput, format!("credential {}: {why}", self.credential))
        })?;
        Ok(Made::Assertion(signed(&unsigned, &signature)))
    }
}

/// What a secret holds of a key: a file or variable as a whole, a named field, or the fields of these names.
fn parts(place: &CredentialRef, secret: Secret) -> Result<Parts, SecretError> {
    let fields = match secret {
        Secret::Whole(key) => return Ok(Parts { key, ..Parts::default() }),
        Secret::Fields(fields) => fields,
    };
    let bytes =
        |name: &str| fields.get(name).map(|text| Zeroizing::new(text.expose_secret().as_bytes().to_vec()));
    let named = match place {
        CredentialRef::Vault(place) => place.field.as_deref(),
        CredentialRef::Env(_) | CredentialRef::File(_) => None,
    };
    // As everywhere, the line end that an editor has left is not part of it.
    let password = fields.get(PFX_PASSWORD);
    let password =
        password.map(|text| SecretString::from(text.expose_secret().trim_end_matches(['\n', '\r'])));
    if let Some(name) = named {
        let key = bytes(name).ok_or_else(|| missing(place, &format!("`{name}`"), &fields))?;
        // Beside a named key lies its certificate, unless the named one is it.
        let certificate = bytes(CERTIFICATE).filter(|_| name != CERTIFICATE);
        return Ok(Parts { key, certificate, password });
    }
    match (bytes(PRIVATE_KEY), bytes(CERTIFICATE), bytes(PFX)) {
        (Some(_), _, Some(_)) => Err(SecretError::wrong(
            place,
            format!("has both `{PRIVATE_KEY}` and `{PFX}`: name one by `field`, or remove it"),
        )),
        (Some(key), certificate, None) => Ok(Parts { key, certificate, password: None }),
        (None, _, Some(key)) => Ok(Parts { key, certificate: None, password }),
        (None, Some(key), None) => Ok(Parts { key, ..Parts::default() }),
        (None, None, None) => match fields.named.values().next() {
            Some(only) if fields.named.len() == 1 => {
                let key = Zeroizing::new(only.expose_secret().as_bytes().to_vec());
                Ok(Parts { key, ..Parts::default() })
            }
            _ => Err(missing(place, &format!("`{PRIVATE_KEY}`, `{CERTIFICATE}` or `{PFX}`"), &fields)),
        },
    }
}

fn missing(place: &CredentialRef, wanted: &str, fields: &Fields) -> SecretError {
    SecretError::wrong(place, format!("has no field {wanted}; {}", fields.names()))
}
