//! A certificate: what an assertion says of it, and when it is good.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::digest;
use ring::signature::UnparsedPublicKey;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::text;
use crate::observe::escape::one_line;
use crate::spec::job::Signature;

/// A certificate of an application or of who issued it. It is public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::signin) struct Certificate {
    der: Vec<u8>,
    /// The names as their DER, for comparison.
    subject: Vec<u8>,
    issuer: Vec<u8>,
    /// The subject for people.
    pub(in crate::signin) name: String,
    /// The RSA public key in DER (PKCS#1); empty if the key is none.
    pub(super) rsa_key: Vec<u8>,
    pub(in crate::signin) not_before: Timestamp,
    pub(in crate::signin) not_after: Timestamp,
}

/// Longer names are cut in messages.
const NAME_CHARS_MAX: usize = 100;

impl Certificate {
    /// Certificates of a PEM text, or the one in DER; in the order in which they stand.
    ///
    /// # Errors
    /// In words that follow "the certificate ".
    pub(in crate::signin) fn read_all(bytes: &[u8]) -> Result<Vec<Certificate>, String> {
        let Some(pem) = text::pem(bytes)? else {
            return Ok(vec![Certificate::of_der(bytes).map_err(|_| "is neither PEM nor DER".to_owned())?]);
        };
        CertificateDer::pem_slice_iter(&pem)
            .map(|der| {
                Certificate::of_der(&der.map_err(|_| "is damaged: its PEM cannot be decoded".to_owned())?)
            })
            .collect()
    }

    /// # Errors
    /// In words that follow "the certificate ".
    pub(super) fn of_der(der: &[u8]) -> Result<Certificate, String> {
        let (_, parsed) =
            X509Certificate::from_der(der).map_err(|_| "is damaged: it is no X.509".to_owned())?;
        let time =
            |seconds| Timestamp::from_second(seconds).map_err(|_| "ends in no year that exists".to_owned());
        let spki = parsed.public_key();
        let rsa_key = match spki.parsed() {
            Ok(x509_parser::public_key::PublicKey::RSA(_)) => spki.subject_public_key.data.to_vec(),
            _ => Vec::new(),
        };
        Ok(Certificate {
            der: der.to_vec(),
            subject: parsed.subject().as_raw().to_vec(),
            issuer: parsed.issuer().as_raw().to_vec(),
            name: one_line(&parsed.subject().to_string(), NAME_CHARS_MAX),
            rsa_key,
            not_before: time(parsed.validity().not_before.timestamp())?,
            not_after: time(parsed.validity().not_after.timestamp())?,
        })
    }

    /// Header member `x5t#S256`.
    pub(in crate::signin) fn sha256(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &self.der))
    }

    /// Header member `x5t`.
    pub(in crate::signin) fn sha1(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der))
    }

    /// Whether this certificate's key made `signature` over `message`.
    pub(in crate::signin) fn verifies(&self, message: &[u8], signature: &[u8], by: Signature) -> bool {
        let parameters = match by {
            Signature::Ps256 => &ring::signature::RSA_PSS_2048_8192_SHA256,
            Signature::Rs256 => &ring::signature::RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(parameters, &self.rsa_key).verify(message, signature).is_ok()
    }

    /// A member of the header's `x5c`.
    pub(in crate::signin) fn base64(&self) -> String {
        STANDARD.encode(&self.der)
    }
}

/// The leaf, and after it its issuers in order as far as they are among `others`. A certificate that issued itself ends
/// the chain and is left out: who trusts it has it.
pub(super) fn chain(leaf: Certificate, others: &[Certificate]) -> Vec<Certificate> {
    let mut chain = vec![leaf];
    while let Some(last) = chain.last()
        && last.issuer != last.subject
        && let Some(issuer) =
            others.iter().find(|other| other.subject == last.issuer && !chain.contains(other))
        && issuer.issuer != issuer.subject
    {
        chain.push(issuer.clone());
    }
    chain
}
