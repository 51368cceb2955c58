//! Credentials that are in hand already, whatever a job refers to: the emulator's own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{Expected, Fields, Kept, Secret, SecretError, SecretErrorKind, SecretSource};
use crate::spec::job::{CredentialRef, Signature, TransitRef, VaultRef};

/// The field of the key that signs for a transit engine.
const PRIVATE_KEY: &str = "private_key";

/// Answers every reference with what the emulator gives; what a run keeps lives as long as this.
pub struct GivenSecrets {
    /// The fields of the credential by which the job signs in.
    fields: Fields,
    /// What any other reference leads to.
    other: SecretString,
    kept: Mutex<BTreeMap<(String, String), Fields>>,
}

impl GivenSecrets {
    /// Those of one job's sign-in, and one for whatever else is referred to.
    pub fn new(fields: Fields, other: SecretString) -> GivenSecrets {
        GivenSecrets { fields, other, kept: Mutex::default() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), Fields>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything there is as one text, as a file would hold it: a key with its certificate.
    fn whole(&self) -> Zeroizing<Vec<u8>> {
        if self.fields.named.is_empty() {
            return Zeroizing::new(self.other.expose_secret().as_bytes().to_vec());
        }
        let texts: Vec<&str> = self.fields.named.values().map(|text| text.expose_secret()).collect();
        Zeroizing::new(texts.join("\n").into_bytes())
    }
}

fn key_of(place: &VaultRef) -> (String, String) {
    (place.mount.clone(), place.path.clone())
}

#[async_trait]
impl SecretSource for GivenSecrets {
    async fn read(&self, reference: &CredentialRef) -> Result<Secret, SecretError> {
        let CredentialRef::Vault(place) = reference else { return Ok(Secret::Whole(self.whole())) };
        if let Some(kept) = self.kept().get(&key_of(place)) {
            return Ok(Secret::Fields(kept.clone()));
        }
        if place.field.is_some() {
            return Ok(Secret::Whole(self.whole()));
        }
        if self.fields.named.is_empty() {
            let reason = "nothing was kept yet".to_owned();
            return Err(SecretError { place: reference.to_string(), reason, kind: SecretErrorKind::Absent });
        }
        Ok(Secret::Fields(self.fields.clone()))
    }

    async fn text(&self, reference: &CredentialRef, field: &str) -> Result<SecretString, SecretError> {
        if let CredentialRef::Vault(place) = reference
            && let Some(kept) = self.kept().get(&key_of(place))
            && let Some(text) = kept.get(place.field.as_deref().unwrap_or(field))
        {
            return Ok(text.clone());
        }
        Ok(self.fields.get(field).unwrap_or(&self.other).clone())
    }

    async fn keep(&self, place: &VaultRef, fields: &Fields, expected: Expected) -> Result<Kept, SecretError> {
        let mut kept = self.kept();
        let now = kept.get(&key_of(place)).unwrap_or(&self.fields).version;
        let wanted = match expected {
            Expected::Absent => None,
            Expected::Version(version) => Some(version),
        };
        if now != wanted {
            return Ok(Kept::Conflict);
        }
        let version = now.unwrap_or_default() + 1;
        kept.insert(key_of(place), Fields { version: Some(version), ..fields.clone() });
        Ok(Kept::Now(version))
    }

    async fn forget(&self, place: &VaultRef) -> Result<(), SecretError> {
        self.kept().remove(&key_of(place));
        Ok(())
    }

    async fn sign(
        &self,
        key: &TransitRef,
        message: &[u8],
        signature: Signature,
    ) -> Result<Vec<u8>, SecretError> {
        let wrong = || SecretError::wrong(key, "the emulator gives no key for this method");
        let pem = self.fields.get(PRIVATE_KEY).ok_or_else(wrong)?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.expose_secret().as_bytes()).map_err(|_| wrong())?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| wrong())?;
        let padding: &'static dyn ring::signature::RsaEncoding = match signature {
            Signature::Ps256 => &RSA_PSS_SHA256,
            Signature::Rs256 => &RSA_PKCS1_SHA256,
        };
        let mut signed = vec![0; pair.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        pair.sign(padding, &random, message, &mut signed).map_err(|_| wrong())?;
        Ok(signed)
    }
}
