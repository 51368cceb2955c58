//! An application with a client secret.
//!
//! The service accepts it, although Microsoft's module offers no such parameter; certificates are the recommended
//! way. Source: protocol reference, 2.8.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tracing::warn;

use super::SigninError;
use super::application::{Made, Proof};
use super::endpoint::LoginEndpoint;
use crate::secrets::SecretSource;
use crate::spec::job::CredentialRef;

/// A client secret, read anew for every token, so that it can be replaced.
pub struct ClientSecret {
    credential: CredentialRef,
    secrets: Arc<dyn SecretSource>,
    has_warned: AtomicBool,
}

impl ClientSecret {
    /// The one kept at `credential`; nothing is read yet.
    pub fn new(credential: CredentialRef, secrets: Arc<dyn SecretSource>) -> ClientSecret {
        ClientSecret { credential, secrets, has_warned: AtomicBool::new(false) }
    }
}

#[async_trait]
impl Proof for ClientSecret {
    async fn made(&self, _: &LoginEndpoint, client_id: &str) -> Result<Made, SigninError> {
        let secret = self.secrets.text(&self.credential, "client_secret").await?;
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            warn!(
                client_id,
                "signing in by a client secret: it works, but certificates are the supported way (`method: certificate`)"
            );
        }
        Ok(Made::Secret(secret))
    }
}
