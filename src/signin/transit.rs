//! An application whose private key never leaves Vault: its transit engine signs each assertion.
//!
//! Source: protocol reference, 2.7.

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use super::application::{Made, Proof};
use super::assertion::{Statement, signed};
use super::certificate::{CERTIFICATE, Certificate, Expiry, Term};
use super::endpoint::LoginEndpoint;
use super::{SigninError, SigninErrorKind};
use crate::secrets::{SecretError, SecretSource};
use crate::spec::job::{CredentialRef, Signature, TransitRef};

/// A key of Vault's transit engine, with its certificate.
pub struct TransitProof {
    /// Which key signs.
    pub key: TransitRef,
    /// Where its certificate is kept.
    pub certificate: CredentialRef,
    /// How assertions are signed.
    pub signature: Signature,
    /// Reads and signs.
    pub secrets: Arc<dyn SecretSource>,
    /// Watches the certificate's end.
    pub expiry: Expiry,
}

impl TransitProof {
    /// The time of the certificate; whether the key fits it, only signing shows.
    ///
    /// # Errors
    /// Of the place, and of what is in it.
    pub async fn term(&self) -> Result<Option<Term>, SigninError> {
        Ok(Term::of(&self.chain().await?))
    }

    async fn chain(&self) -> Result<Vec<Certificate>, SigninError> {
        let place = &self.certificate;
        let bytes = self.secrets.read(place).await?.bytes(place, CERTIFICATE)?;
        let wrong = |why: String| SecretError::wrong(place, format!("the certificate {why}"));
        let chain = Certificate::read_all(&bytes).map_err(wrong)?;
        if chain.is_empty() {
            return Err(SecretError::wrong(place, "holds no certificate").into());
        }
        Ok(chain)
    }
}

#[async_trait]
impl Proof for TransitProof {
    async fn made(&self, endpoint: &LoginEndpoint, client_id: &str) -> Result<Made, SigninError> {
        let chain = self.chain().await?;
        let now = endpoint.clocks.wall();
        self.expiry.look(&chain, client_id, now)?;
        let unsigned = Statement {
            client_id,
            audience: &endpoint.url("token"),
            chain: &chain,
            signature: self.signature,
            id: Uuid::new_v4(),
            now,
        }
        .unsigned();
        let signature = self.secrets.sign(&self.key, unsigned.as_bytes(), self.signature).await?;
        // Entra would only say that it does not know the certificate.
        if !chain.first().is_some_and(|leaf| leaf.verifies(unsigned.as_bytes(), &signature, self.signature)) {
            let message = format!(
                "credential {}: what it signs does not fit the certificate at {}: was the key rotated? Make a certificate for \
                 its new version and upload it, or pin the old one (`transit: {{version: N}}`)",
                self.key, self.certificate
            );
            return Err(SigninError::new(SigninErrorKind::BadInput, message));
        }
        Ok(Made::Assertion(signed(&unsigned, &signature)))
    }
}
