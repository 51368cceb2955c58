//! Every place at once: environment and files, and Vault if there is one.

use std::sync::Arc;

use async_trait::async_trait;

use super::vault::Vault;
use super::{Expected, Fields, Kept, LocalSecrets, Secret, SecretError, SecretSource};
use crate::spec::job::{CredentialRef, Signature, TransitRef, VaultRef};

/// Secrets from wherever a reference says.
pub struct Secrets {
    /// If the settings name one.
    pub vault: Option<Arc<Vault>>,
}

#[async_trait]
impl SecretSource for Secrets {
    async fn read(&self, reference: &CredentialRef) -> Result<Secret, SecretError> {
        match (reference, &self.vault) {
            (CredentialRef::Vault(place), Some(vault)) => vault.read(place).await.map(Secret::Fields),
            _ => LocalSecrets.read(reference).await,
        }
    }

    async fn keep(&self, place: &VaultRef, fields: &Fields, expected: Expected) -> Result<Kept, SecretError> {
        match &self.vault {
            Some(vault) => vault.keep(place, fields, expected).await,
            None => LocalSecrets.keep(place, fields, expected).await,
        }
    }

    async fn forget(&self, place: &VaultRef) -> Result<(), SecretError> {
        match &self.vault {
            Some(vault) => vault.forget(place).await,
            None => LocalSecrets.forget(place).await,
        }
    }

    async fn sign(
        &self,
        key: &TransitRef,
        message: &[u8],
        signature: Signature,
    ) -> Result<Vec<u8>, SecretError> {
        match &self.vault {
            Some(vault) => vault.sign(key, message, signature).await,
            None => LocalSecrets.sign(key, message, signature).await,
        }
    }
}
