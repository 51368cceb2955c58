//! Where secrets come from: [`SecretSource`] is the seam; environment and file today.

mod env;
mod file;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::spec::job::CredentialRef;

/// Reads secrets by reference.
#[async_trait]
pub trait SecretSource: Send + Sync + 'static {
    /// Reads the secret `reference` points at.
    ///
    /// # Errors
    /// [`SecretError`] names the place and the mend, never the value.
    async fn read(&self, reference: &CredentialRef) -> Result<SecretString, SecretError>;
}

/// A secret that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("credential {place}: {reason}")]
pub struct SecretError {
    /// `env:NAME` or `file:PATH`.
    pub place: String,
    /// In one line, with the mend.
    pub reason: String,
}

impl SecretError {
    fn new(reference: &CredentialRef, reason: impl Into<String>) -> SecretError {
        let place = match reference {
            CredentialRef::Env(name) => format!("env:{name}"),
            CredentialRef::File(path) => format!("file:{}", path.display()),
        };
        SecretError { place, reason: reason.into() }
    }
}

/// Secrets from where the process runs: its environment and its files.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalSecrets;

#[async_trait]
impl SecretSource for LocalSecrets {
    async fn read(&self, reference: &CredentialRef) -> Result<SecretString, SecretError> {
        let read = match reference {
            CredentialRef::Env(name) => env::read(name),
            CredentialRef::File(path) => file::read(path).await,
        };
        read.map_err(|why| SecretError::new(reference, why))
    }
}

/// One secret that is in hand already, whatever a job refers to: the emulator's generated one.
#[derive(Clone, Debug)]
pub struct GivenSecret(pub SecretString);

#[async_trait]
impl SecretSource for GivenSecret {
    async fn read(&self, _: &CredentialRef) -> Result<SecretString, SecretError> {
        Ok(self.0.clone())
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
        let read = LocalSecrets.read(&CredentialRef::File(path)).await.unwrap();
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
            let error = LocalSecrets.read(&CredentialRef::File(path.clone())).await.unwrap_err().to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
        let missing = LocalSecrets.read(&CredentialRef::Env("EXORUN_TEST_NOT_SET".into())).await.unwrap_err();
        assert!(
            missing.to_string().starts_with("credential env:EXORUN_TEST_NOT_SET: the variable is not set")
        );
    }
}
