//! Certificates of applications: public keys and thumbprints.

use std::fmt::Write as _;

use ring::digest;
use ring::signature::RsaPublicKeyComponents;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// RSA below this is refused, as it is by ring.
const BITS_MIN: usize = 2048;

/// An RSA public key: big-endian numbers without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RsaKey {
    pub(super) n: Vec<u8>,
    pub(super) e: Vec<u8>,
}

impl RsaKey {
    pub(super) fn new(n: &[u8], e: &[u8]) -> Result<RsaKey, String> {
        let trimmed = |number: &[u8]| number[number.iter().take_while(|byte| **byte == 0).count()..].to_vec();
        let key = RsaKey { n: trimmed(n), e: trimmed(e) };
        if key.n.len() * 8 < BITS_MIN {
            return Err(format!("the RSA key is shorter than {BITS_MIN} bits"));
        }
        Ok(key)
    }

    pub(super) fn of_spki(spki: &SubjectPublicKeyInfo<'_>) -> Result<RsaKey, String> {
        match spki.parsed() {
            Ok(PublicKey::RSA(key)) => RsaKey::new(key.modulus, key.exponent),
            _ => Err("the public key is not RSA".to_owned()),
        }
    }

    /// By the `alg` of a JWT's header; false for one that is not known.
    pub(super) fn verifies(&self, alg: &str, signed: &[u8], signature: &[u8]) -> bool {
        let parameters = match alg {
            "RS256" => &ring::signature::RSA_PKCS1_2048_8192_SHA256,
            "PS256" => &ring::signature::RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        RsaPublicKeyComponents { n: &self.n, e: &self.e }.verify(parameters, signed, signature).is_ok()
    }
}

/// A registered certificate. Every application has it, as every application has the one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    sha1: Vec<u8>,
    sha256: Vec<u8>,
    pub(super) key: RsaKey,
    /// Unix seconds.
    not_before: i64,
    not_after: i64,
}

impl Certificate {
    /// All certificates of a PEM text, at least one.
    pub(super) fn read(pem: &str) -> Result<Vec<Certificate>, String> {
        let found: Vec<Certificate> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .map(|der| {
                let der = der.map_err(|error| format!("this is no PEM: {error}"))?;
                Certificate::of_der(&der)
            })
            .collect::<Result<_, String>>()?;
        if found.is_empty() { Err("there is no certificate in this PEM".to_owned()) } else { Ok(found) }
    }

    fn of_der(der: &[u8]) -> Result<Certificate, String> {
        let (_, parsed) =
            X509Certificate::from_der(der).map_err(|error| format!("this is no certificate: {error}"))?;
        Ok(Certificate {
            sha1: digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, der).as_ref().to_vec(),
            sha256: digest::digest(&digest::SHA256, der).as_ref().to_vec(),
            key: RsaKey::of_spki(parsed.public_key())?,
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
        })
    }

    /// SHA-1 in hex, as portals show it.
    pub(super) fn thumbprint(&self) -> String {
        self.sha1.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02X}");
            hex
        })
    }

    /// By SHA-1 or SHA-256, told apart by their lengths.
    pub(super) fn has(&self, thumbprint: &[u8]) -> bool {
        self.sha1 == thumbprint || self.sha256 == thumbprint
    }

    pub(super) fn is_of(&self, der: &[u8]) -> bool {
        self.sha256 == digest::digest(&digest::SHA256, der).as_ref()
    }

    /// `now` in Unix seconds.
    pub(super) fn is_valid_at(&self, now: i64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}
