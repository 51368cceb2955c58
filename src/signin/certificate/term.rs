//! How long a certificate is good, for who only wants to know it.

use jiff::Timestamp;

use super::{Certificate, CertificateProof};
use crate::signin::SigninError;

/// The time of an application's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Its subject, escaped.
    pub name: String,
    /// When it begins.
    pub not_before: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
}

impl Term {
    /// Of the first of `chain`.
    pub(in crate::signin) fn of(chain: &[Certificate]) -> Option<Term> {
        let Certificate { name, not_before, not_after, .. } = chain.first()?;
        Some(Term { name: name.clone(), not_before: *not_before, not_after: *not_after })
    }
}

impl CertificateProof {
    /// The time of the certificate; its key was read and belongs to it.
    ///
    /// # Errors
    /// Of the places, and of what is in them.
    pub async fn term(&self) -> Result<Option<Term>, SigninError> {
        Ok(Term::of(&self.key().await?.chain))
    }
}
