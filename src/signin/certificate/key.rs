//! A private key with its certificate, from whatever form they are kept in.
//!
//! Every function's error completes the sentence that begins with the credential's place.

use p12_keystore::{Pkcs12Archive, error::Error as PfxError};
use ring::signature::{KeyPair as _, RsaKeyPair};
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use rustls::pki_types::{PrivatePkcs1KeyDer, PrivatePkcs8KeyDer};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::text;
use super::x509::{Certificate, chain};
use crate::spec::job::Signature;

/// What was read, before anything is known of it. Wiped when dropped.
#[derive(Default)]
pub(in crate::signin) struct Parts {
    /// A private key, alone or with certificates: PEM or PFX.
    pub(in crate::signin) key: Zeroizing<Vec<u8>>,
    /// Certificates kept apart.
    pub(in crate::signin) certificate: Option<Zeroizing<Vec<u8>>>,
    /// The password of a PFX file.
    pub(in crate::signin) password: Option<SecretString>,
}

/// A key that signs, and the certificate that says whose it is.
pub(in crate::signin) struct CertifiedKey {
    key: RsaKeyPair,
    /// The key's own certificate first, then its issuers.
    pub(in crate::signin) chain: Vec<Certificate>,
}

const RSA_MEND: &str = "Entra takes RSA of 2048 to 4096 bits: `openssl req -x509 -newkey rsa:3072 -nodes -keyout KEY -out CERTIFICATE`";

impl CertifiedKey {
    /// The key and its certificate.
    pub(in crate::signin) fn read(parts: &Parts) -> Result<CertifiedKey, String> {
        if parts.key.trim_ascii().is_empty() {
            return Err("is empty".to_owned());
        }
        let (key, mut certificates) =
            match text::pem(&parts.key).map_err(|why| format!("the private key {why}"))? {
                Some(pem) => (
                    key_of_pem(&pem)?,
                    Certificate::read_all(&pem).map_err(|why| format!("the certificate {why}"))?,
                ),
                None => of_pfx(&parts.key, parts.password.as_ref())?,
            };
        if let Some(apart) = &parts.certificate {
            let apart = Certificate::read_all(apart).map_err(|why| format!("the certificate {why}"))?;
            certificates.extend(apart);
        }
        let own =
            certificates.iter().position(|certificate| certificate.rsa_key == key.public_key().as_ref());
        let Some(own) = own else {
            return Err(match certificates.first() {
                None => {
                    "holds a private key and no certificate: put both into it, or name the certificate by \
                         `certificate` (in Vault: the field `certificate`)"
                        .to_owned()
                }
                Some(first) => format!(
                    "the private key does not belong to the certificate ({}): the two are of different pairs",
                    first.name
                ),
            });
        };
        let leaf = certificates.swap_remove(own);
        Ok(CertifiedKey { key, chain: chain(leaf, &certificates) })
    }

    /// The signature of `message`.
    pub(in crate::signin) fn sign(&self, message: &[u8], signature: Signature) -> Result<Vec<u8>, String> {
        let mut signed = vec![0; self.key.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        let padding: &'static dyn ring::signature::RsaEncoding = match signature {
            Signature::Ps256 => &ring::signature::RSA_PSS_SHA256,
            Signature::Rs256 => &ring::signature::RSA_PKCS1_SHA256,
        };
        self.key
            .sign(padding, &random, message, &mut signed)
            .map_err(|_| "the private key cannot sign".to_owned())?;
        Ok(signed)
    }
}

fn key_of_pem(pem: &[u8]) -> Result<RsaKeyPair, String> {
    const ENCRYPTED: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    if ENCRYPTED.iter().any(|mark| pem.windows(mark.len()).any(|window| window == *mark)) {
        return Err("the private key is encrypted: decrypt it (`openssl pkey -in KEY -out NEW`), or keep it as PFX with \
                    `certificate_password`"
            .to_owned());
    }
    let mut keys = Vec::new();
    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem);
    for section in sections {
        let (kind, der) =
            section.map_err(|_| "the private key is damaged: its PEM cannot be decoded".to_owned())?;
        let der = Zeroizing::new(der);
        match kind {
            SectionKind::PrivateKey => keys.push(key_of_pkcs8(&PrivatePkcs8KeyDer::from(der.as_slice()))?),
            SectionKind::RsaPrivateKey => {
                let der = PrivatePkcs1KeyDer::from(der.as_slice());
                keys.push(RsaKeyPair::from_der(der.secret_pkcs1_der()).map_err(rejected)?);
            }
            SectionKind::EcPrivateKey => {
                return Err(format!("the private key is not RSA but EC: {RSA_MEND}"));
            }
            _ => {}
        }
    }
    one(keys, "")
}

fn key_of_pkcs8(der: &PrivatePkcs8KeyDer<'_>) -> Result<RsaKeyPair, String> {
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(rejected)
}

fn one(mut keys: Vec<RsaKeyPair>, of: &str) -> Result<RsaKeyPair, String> {
    match (keys.pop(), keys.len()) {
        (Some(key), 0) => Ok(key),
        (None, _) => Err(format!(
            "{of}holds no private key: the certificate alone cannot sign in, export it with its private key"
        )),
        (Some(_), more) => {
            Err(format!("{of}holds {} private keys: keep the one of the application alone in it", more + 1))
        }
    }
}

/// ring's word for what is wrong with a key, in ours.
fn rejected(error: ring::error::KeyRejected) -> String {
    match error.to_string().as_str() {
        "WrongAlgorithm" => format!("the private key is not RSA: {RSA_MEND}"),
        "TooSmall" => format!("the private key is RSA of less than 2048 bits: {RSA_MEND}"),
        "TooLarge" => format!("the private key is RSA of more than 4096 bits: {RSA_MEND}"),
        _ => "the private key is damaged: it is no RSA key in PKCS#8 or PKCS#1".to_owned(),
    }
}

fn of_pfx(bytes: &[u8], password: Option<&SecretString>) -> Result<(RsaKeyPair, Vec<Certificate>), String> {
    let der =
        text::binary(bytes).ok_or("is neither PEM nor a PFX file (in variables and fields: in base64)")?;
    let given = password.map_or("", |password| password.expose_secret());
    let archive = Pkcs12Archive::from_pkcs12(&der, given).map_err(|error| unopened(&error, password))?;
    let certificates = archive.certs.iter().map(|bag| Certificate::of_der(bag.cert.as_der()));
    let certificates =
        certificates.collect::<Result<_, _>>().map_err(|why| format!("the certificate {why}"))?;
    let keys = archive.keys.iter().map(|bag| key_of_pkcs8(&PrivatePkcs8KeyDer::from(bag.key.as_der())));
    // How many there are comes first: one that is no RSA may be the one too many.
    if archive.keys.len() > 1 {
        return Err(format!(
            "the PFX file holds {} private keys: export the one of the application alone",
            archive.keys.len()
        ));
    }
    Ok((one(keys.collect::<Result<_, _>>()?, "the PFX file ")?, certificates))
}

/// The library's texts are not passed on: they speak of its insides.
fn unopened(error: &PfxError, password: Option<&SecretString>) -> String {
    match (error, password) {
        (PfxError::MacError(_) | PfxError::UnpadError | PfxError::Pkcs5Error(_), None) => {
            "the PFX file has a password: name where it is kept by `certificate_password` (in Vault: the field `pfx_password`)".to_owned()
        }
        (PfxError::MacError(_), Some(_)) => {
            "the password of the PFX file is wrong: give the one it was exported with".to_owned()
        }
        (PfxError::UnpadError | PfxError::Pkcs5Error(_), Some(_)) => {
            "the PFX file cannot be decrypted: the password is wrong, or its encryption is not known here; export it again \
             (`openssl pkcs12 -export`)"
                .to_owned()
        }
        (PfxError::UnsupportedEncryptionScheme | PfxError::UnsupportedMacAlgorithm, _) => {
            "the PFX file is encrypted in a way that is not known here: export it again (`openssl pkcs12 -export`, AES-256)".to_owned()
        }
        _ => "is neither PEM nor a whole PFX file".to_owned(),
    }
}
