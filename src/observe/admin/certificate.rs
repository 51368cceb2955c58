//! The server's certificate: read from files, and read anew when they change, as cert-manager changes them.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{AdminError, TlsFiles};
use crate::clocks::Clocks;

/// Longest file: a chain of a dozen certificates.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The certificate in use, for each new connection.
#[derive(Debug)]
pub(super) struct Certificate {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// The certificate, and what its files held.
    ///
    /// # Errors
    /// [`AdminError::Certificate`].
    pub(super) async fn read(files: TlsFiles) -> Result<(Certificate, Texts), AdminError> {
        let texts = Texts::read(&files).await?;
        let current = RwLock::new(Arc::new(key_of(&texts, &files)?));
        Ok((Certificate { files, current }, texts))
    }

    /// What the server offers.
    pub(super) fn config(self: &Arc<Certificate>) -> Arc<rustls::ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the cipher suites of TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }

    /// Looks at the files every `pause` until `stop`, and takes what they hold when it is not what they held before and can
    /// be used. What cannot be used is told once, and the certificate before it stays: half of a new pair is nothing to
    /// serve.
    pub(super) async fn kept_fresh(
        self: Arc<Certificate>,
        held: Texts,
        clocks: Clocks,
        pause: Duration,
        stop: CancellationToken,
    ) {
        let mut seen = Some(held);
        let mut told = None;
        while stop.run_until_cancelled(clocks.sleep(pause)).await.is_some() {
            let error = match Texts::read(&self.files).await {
                Ok(texts) if seen.as_ref() == Some(&texts) => continue,
                Ok(texts) => {
                    let key = key_of(&texts, &self.files);
                    seen = Some(texts);
                    match key {
                        Ok(key) => {
                            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                            told = None;
                            tracing::info!("the admin server has a new certificate");
                            continue;
                        }
                        Err(error) => error,
                    }
                }
                Err(error) => {
                    seen = None;
                    error
                }
            };
            let error = error.to_string();
            if told.as_ref() != Some(&error) {
                tracing::warn!(error, "the admin server keeps its old certificate");
                told = Some(error);
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// What the two files hold.
#[derive(PartialEq, Eq)]
pub(super) struct Texts {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Texts {
    async fn read(files: &TlsFiles) -> Result<Texts, AdminError> {
        let certificate = read(&files.certificate).await.map_err(|why| files.bad_certificate(why))?;
        let key = read(&files.key).await.map_err(|why| files.bad_key(why))?;
        Ok(Texts { certificate, key: Zeroizing::new(key) })
    }
}

impl TlsFiles {
    fn bad_certificate(&self, why: String) -> AdminError {
        AdminError::Certificate { setting: "admin_tls_certificate", path: self.certificate.clone(), why }
    }

    fn bad_key(&self, why: String) -> AdminError {
        AdminError::Certificate { setting: "admin_tls_key", path: self.key.clone(), why }
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, String> {
    let size = tokio::fs::metadata(path).await.map_err(|error| error.to_string())?;
    if !size.is_file() || size.len() > FILE_BYTES_MAX {
        return Err(format!("is no file of at most {FILE_BYTES_MAX} bytes"));
    }
    tokio::fs::read(path).await.map_err(|error| error.to_string())
}

/// The pair, if one fits the other.
fn key_of(texts: &Texts, files: &TlsFiles) -> Result<CertifiedKey, AdminError> {
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(&texts.certificate).collect();
    let chain = chain.map_err(|error| files.bad_certificate(format!("is no PEM: {error}")))?;
    if chain.is_empty() {
        return Err(files.bad_certificate("holds no PEM certificate".to_owned()));
    }
    // Its error could quote the file.
    let key = PrivateKeyDer::from_pem_slice(&texts.key)
        .map_err(|_| files.bad_key("holds no PEM private key that is not encrypted".to_owned()))?;
    CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider())
        .map_err(|error| files.bad_key(format!("cannot be used with the certificate: {error}")))
}
