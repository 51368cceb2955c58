//! What logins read: small files that others replace.

use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use secrecy::SecretString;

use super::trouble::Failed;
use crate::secrets::file;

/// The text of a file, without the line end that editors and `echo` add.
pub(super) async fn text(path: &Path, what: &str) -> Result<SecretString, Failed> {
    let named = |why: &str| Failed::wrong(format!("{what}, file {}: {why}", path.display()));
    let bytes = file::read(path).await.map_err(|why| named(&why))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| named("is not UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(named("is empty"));
    }
    if text.chars().any(|character| character.is_control() || character.is_whitespace()) {
        return Err(named("holds more than one word; it wants the bare value"));
    }
    Ok(SecretString::from(text.to_owned()))
}

/// A client certificate with its key.
pub(super) async fn certificate(certificate: &Path, key: &Path) -> Result<CertifiedKey, Failed> {
    let named = |path: &Path, why: String| {
        Failed::wrong(format!("the client certificate, file {}: {why}", path.display()))
    };
    let chain = file::read(certificate).await.map_err(|why| named(certificate, why))?;
    let chain: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.map_err(|error| named(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(named(certificate, "holds no PEM certificate".to_owned()));
    }
    let bytes = file::read(key).await.map_err(|why| named(key, why))?;
    let parsed = PrivateKeyDer::from_pem_slice(&bytes);
    let parsed =
        parsed.map_err(|_| named(key, "holds no PEM private key that is not encrypted".to_owned()))?;
    // Its error would be one of a key that does not fit, or of a kind that TLS has not.
    CertifiedKey::from_der(chain, parsed, &rustls::crypto::ring::default_provider())
        .map_err(|error| named(key, format!("cannot be used with the certificate: {error}")))
}
