//! Where secrets come from: [`SecretSource`] is the seam; environment, file and [`Vault`](vault::Vault).

mod all;
mod content;
mod env;
mod file;
mod given;
mod surroundings;

pub mod vault;

use async_trait::async_trait;
use secrecy::SecretString;

pub use all::Secrets;
pub use content::{Fields, Secret};
pub use given::GivenSecrets;
pub use surroundings::Surroundings;

use crate::spec::job::{CredentialRef, Signature, TransitRef, VaultRef};

/// Reads secrets by reference, keeps what has to be kept, and signs with keys that are not given out.
#[async_trait]
pub trait SecretSource: Send + Sync + 'static {
    /// Reads what `reference` points at.
    ///
    /// # Errors
    /// [`SecretError`] names the place and the mend, never the value.
    async fn read(&self, reference: &CredentialRef) -> Result<Secret, SecretError>;

    /// The text that `reference` points at: the whole of a file or variable; of a secret in Vault the field that the
    /// reference names, else `field`, else its only one.
    ///
    /// # Errors
    /// As [`SecretSource::read`], and if there is no such field or it cannot be a credential.
    async fn text(&self, reference: &CredentialRef, field: &str) -> Result<SecretString, SecretError> {
        self.read(reference).await?.text(reference, field)
    }

    /// Writes `fields` to `place` if it is still as `expected` says.
    ///
    /// # Errors
    /// [`SecretError`]; nothing was written then, as far as is known.
    async fn keep(&self, place: &VaultRef, fields: &Fields, expected: Expected) -> Result<Kept, SecretError>;

    /// Deletes `place` with all of its versions; what is not there is deleted.
    ///
    /// # Errors
    /// [`SecretError`].
    async fn forget(&self, place: &VaultRef) -> Result<(), SecretError>;

    /// The signature of SHA-256 over `message` by a key that stays where it is.
    ///
    /// # Errors
    /// [`SecretError`].
    async fn sign(
        &self,
        key: &TransitRef,
        message: &[u8],
        signature: Signature,
    ) -> Result<Vec<u8>, SecretError>;
}

/// What a secret must still be for [`SecretSource::keep`] to write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It must not be there, or be deleted in its newest version.
    Absent,
    /// It must be at this version.
    Version(u64),
}

/// What became of [`SecretSource::keep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is written, as this version.
    Now(u64),
    /// Somebody else was first; nothing was written.
    Conflict,
}

/// A secret that could not be read, kept or used.
#[derive(Debug, thiserror::Error)]
#[error("credential {place}: {reason}")]
pub struct SecretError {
    /// `env:NAME`, `file:PATH` or `vault:MOUNT/PATH`.
    pub place: String,
    /// In one line, with the mend.
    pub reason: String,
    /// Why, as far as a caller has to know.
    pub kind: SecretErrorKind,
}

/// The class of a [`SecretError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretErrorKind {
    /// The reference, the content or the rights are wrong; it does not pass by itself.
    Wrong,
    /// There is no such secret (any more).
    Absent,
    /// The place cannot be reached, or cannot answer now.
    Unavailable,
}

impl SecretError {
    /// Something that does not pass by itself.
    pub fn wrong(place: impl std::fmt::Display, reason: impl Into<String>) -> SecretError {
        SecretError { place: place.to_string(), reason: reason.into(), kind: SecretErrorKind::Wrong }
    }
}

/// Secrets from where the process runs: its environment and its files.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalSecrets;

/// Why nothing of Vault can be read.
fn no_vault() -> String {
    let hint = match std::env::var_os("VAULT_ADDR") {
        Some(_) => "; the variable VAULT_ADDR is set, but not read",
        None => "",
    };
    format!("no Vault is known: name it with the settings `vault_address` and `vault_auth`{hint}")
}

#[async_trait]
impl SecretSource for LocalSecrets {
    async fn read(&self, reference: &CredentialRef) -> Result<Secret, SecretError> {
        let read = match reference {
            CredentialRef::Env(name) => env::read(name),
            CredentialRef::File(path) => file::read(path).await,
            CredentialRef::Vault(_) => Err(no_vault()),
        };
        read.map(Secret::Whole).map_err(|why| SecretError::wrong(reference, why))
    }

    async fn keep(&self, place: &VaultRef, _: &Fields, _: Expected) -> Result<Kept, SecretError> {
        Err(SecretError::wrong(place, no_vault()))
    }

    async fn forget(&self, place: &VaultRef) -> Result<(), SecretError> {
        Err(SecretError::wrong(place, no_vault()))
    }

    async fn sign(&self, key: &TransitRef, _: &[u8], _: Signature) -> Result<Vec<u8>, SecretError> {
        Err(SecretError::wrong(key, no_vault()))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[tokio::test]
    async fn a_mounted_file_is_read_without_its_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "not-a-real-secret\r\n").unwrap();
        let read = LocalSecrets.text(&CredentialRef::File(path), "client_secret").await.unwrap();
        assert_eq!(read.expose_secret(), "not-a-real-secret");
    }

    #[tokio::test]
    async fn what_cannot_be_a_credential_is_refused_by_place_and_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in
            [("empty", &b"\n"[..]), ("utf16", b"c\0a\0n\0a\0r\0y\0"), ("binary", b"canary\xff")]
        {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            let error =
                LocalSecrets.text(&CredentialRef::File(path.clone()), "x").await.unwrap_err().to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
        let missing =
            LocalSecrets.text(&CredentialRef::Env("EXORUN_TEST_NOT_SET".into()), "x").await.unwrap_err();
        assert!(
            missing.to_string().starts_with("credential env:EXORUN_TEST_NOT_SET: the variable is not set")
        );
    }
}
