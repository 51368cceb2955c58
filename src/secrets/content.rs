//! What a reference leads to: one content, or the named fields of a secret in Vault.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::SecretError;
use crate::observe::escape::one_line;
use crate::spec::job::CredentialRef;

/// Names listed in a message at most.
const NAMES_LISTED_MAX: usize = 10;

/// What was read. Wiped when dropped.
pub enum Secret {
    /// The content of a variable or file.
    Whole(Zeroizing<Vec<u8>>),
    /// A secret of Vault.
    Fields(Fields),
}

/// The fields of a secret in Vault.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// Those that hold a text, by their names.
    pub named: BTreeMap<String, SecretString>,
    /// Those that hold something else, which is no credential: what it is (`a number`), by their names.
    pub no_texts: BTreeMap<String, &'static str>,
    /// Which version this is, where the engine counts them.
    pub version: Option<u64>,
}

impl Fields {
    /// A field's text, if it is there.
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.named.get(name)
    }

    /// The names there are, for messages: names are no secret.
    pub fn names(&self) -> String {
        let all = || self.named.keys().chain(self.no_texts.keys());
        if all().next().is_none() {
            return "it has no fields".to_owned();
        }
        let names: Vec<String> = all().take(NAMES_LISTED_MAX).map(|name| one_line(name, 60)).collect();
        let more = if all().count() > NAMES_LISTED_MAX { ", …" } else { "" };
        format!("it has {}{more}", names.join(", "))
    }
}

impl Secret {
    /// The text meant by `reference`, whose use calls it `field`.
    ///
    /// # Errors
    /// If it is not there, or cannot stand in a header or form.
    pub fn text(&self, reference: &CredentialRef, field: &str) -> Result<SecretString, SecretError> {
        let wrong = |why: String| SecretError::wrong(reference, why);
        let text = match self {
            Secret::Whole(bytes) => {
                std::str::from_utf8(bytes).map_err(|_| wrong("the content is not UTF-8".to_owned()))?
            }
            Secret::Fields(fields) => self.field(fields, reference, field)?.expose_secret(),
        };
        checked(text).map_err(wrong)
    }

    /// The bytes meant by `reference`: a file's own, or those of a field's text.
    ///
    /// # Errors
    /// If the field is not there.
    pub fn bytes(&self, reference: &CredentialRef, field: &str) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        match self {
            Secret::Whole(bytes) => Ok(bytes.clone()),
            Secret::Fields(fields) => {
                let text = self.field(fields, reference, field)?.expose_secret();
                Ok(Zeroizing::new(text.as_bytes().to_vec()))
            }
        }
    }

    fn field<'a>(
        &'a self,
        fields: &'a Fields,
        reference: &CredentialRef,
        field: &str,
    ) -> Result<&'a SecretString, SecretError> {
        let named = match reference {
            CredentialRef::Vault(place) => place.field.as_deref(),
            CredentialRef::Env(_) | CredentialRef::File(_) => None,
        };
        let only = || match (named, fields.named.len()) {
            (None, 1) => fields.named.values().next(),
            _ => None,
        };
        fields.get(named.unwrap_or(field)).or_else(only).ok_or_else(|| {
            let wanted = named.unwrap_or(field);
            if let Some(what) = fields.no_texts.get(wanted) {
                let why = format!(
                    "the field `{wanted}` holds {what}; a credential is a text, so write it in quotes"
                );
                return SecretError::wrong(reference, why);
            }
            SecretError::wrong(reference, format!("has no field `{wanted}`; {}", fields.names()))
        })
    }
}

/// A secret without its trailing line end, refused if it is empty or could not stand in a header or form.
fn checked(text: &str) -> Result<SecretString, String> {
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if text.chars().any(|character| character.is_control() && character != '\n' && character != '\r') {
        return Err("holds control characters; was it written as UTF-16 or binary?".to_owned());
    }
    Ok(SecretString::from(text.to_owned()))
}
