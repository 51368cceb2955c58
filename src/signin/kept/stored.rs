//! What a kept sign-in is as a secret: a token, whose it is, and the version it was read at.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::super::public_client::Granted;
use super::super::{SigninError, SigninErrorKind};
use crate::observe::escape::one_line;
use crate::secrets::{Fields, Secret};
use crate::spec::job::VaultRef;

/// The field that holds the token, and those that say whose it is.
const REFRESH_TOKEN: &str = "refresh_token";
const CLIENT_ID: &str = "client_id";
const USER: &str = "user_principal_name";
const TENANT: &str = "tenant";
const STORED_AT: &str = "stored_at";

/// A sign-in as it was read.
pub(super) struct Stored {
    /// The token to use: that of the secret, or a successor that could not be written yet.
    pub(super) token: SecretString,
    /// The application that it is bound to, if that was written down.
    pub(super) client_id: Option<String>,
    pub(super) version: u64,
    pub(super) fields: Fields,
}

impl Stored {
    /// # Errors
    /// If it is no kept sign-in, or cannot be replaced safely.
    pub(super) fn read(place: &VaultRef, secret: Secret) -> Result<Stored, SigninError> {
        let wrong =
            |why: String| SigninError::new(SigninErrorKind::BadInput, format!("credential {place}: {why}"));
        let Secret::Fields(fields) = secret else {
            return Err(wrong("is no secret with fields".to_owned()));
        };
        let Some(token) = fields.get(REFRESH_TOKEN).cloned() else {
            let names = fields.names();
            return Err(wrong(format!(
                "has no field `{REFRESH_TOKEN}`; {names}. A kept sign-in has a path of its own"
            )));
        };
        // They would be lost when the token is replaced.
        if !fields.no_texts.is_empty() {
            return Err(wrong(
                "has fields that are no text; a kept sign-in has a path of its own".to_owned(),
            ));
        }
        let Some(version) = fields.version else {
            return Err(wrong(
                "is in a KV engine of version 1, which cannot write only what is still as it was read: two runs at \
                 once could lose the token. Keep it in an engine of version 2"
                    .to_owned(),
            ));
        };
        let client_id = fields.get(CLIENT_ID).map(|id| id.expose_secret().to_owned());
        Ok(Stored { token, client_id, version, fields })
    }

    /// Whose it is, as far as that was written down.
    pub(super) fn user(&self) -> Option<String> {
        self.fields.get(USER).map(|user| one_line(user.expose_secret(), 120))
    }

    /// Whether the secret holds this token already.
    pub(super) fn holds(&self, token: &SecretString) -> bool {
        let kept = self.fields.get(REFRESH_TOKEN).map(ExposeSecret::expose_secret);
        kept == Some(token.expose_secret())
    }

    /// The secret with the token's successor; whose it is stays, also where a partner's user has just worked in a
    /// customer's tenant.
    pub(super) fn with_successor(&self, successor: &SecretString, now: Timestamp) -> Fields {
        let mut named = self.fields.named.clone();
        named.insert(REFRESH_TOKEN.to_owned(), successor.clone());
        named.insert(STORED_AT.to_owned(), time(now));
        Fields { named, ..Fields::default() }
    }
}

/// The secret of a fresh sign-in; what else stood there stays.
pub(super) fn fresh(
    before: Fields,
    token: &SecretString,
    client_id: &str,
    granted: &Granted,
    now: Timestamp,
) -> Fields {
    let text = |text: &str| SecretString::from(text.to_owned());
    let mut named = before.named;
    named.extend([
        (REFRESH_TOKEN.to_owned(), token.clone()),
        (CLIENT_ID.to_owned(), text(client_id)),
        (USER.to_owned(), text(&granted.token.facts.actor)),
        (TENANT.to_owned(), text(&granted.token.facts.tenant_id)),
        (STORED_AT.to_owned(), time(now)),
    ]);
    Fields { named, ..Fields::default() }
}

fn time(now: Timestamp) -> SecretString {
    SecretString::from(now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> VaultRef {
        VaultRef { mount: "secret".into(), path: "people/navin".into(), field: None, version: None }
    }

    fn secret(fields: &[(&str, &str)], version: Option<u64>) -> Fields {
        let named = fields.iter().map(|(name, text)| ((*name).to_owned(), SecretString::from(*text)));
        Fields { named: named.collect(), version, ..Fields::default() }
    }

    #[test]
    fn a_successor_changes_the_token_and_nothing_else() {
        let kept =
            secret(&[(REFRESH_TOKEN, "canary-1"), (USER, "navin@b.example"), ("note", "mine")], Some(7));
        let stored = Stored::read(&place(), Secret::Fields(kept)).unwrap();
        assert_eq!((stored.version, stored.user().as_deref()), (7, Some("navin@b.example")));
        let (old, new) = (SecretString::from("canary-1"), SecretString::from("canary-2"));
        assert!(stored.holds(&old) && !stored.holds(&new));
        let next = stored.with_successor(&new, "2026-11-28T16:00:00Z".parse().unwrap());
        let text = |name: &str| next.get(name).map(|text| text.expose_secret().to_owned());
        assert_eq!(text(REFRESH_TOKEN).as_deref(), Some("canary-2"));
        assert_eq!(text(STORED_AT).as_deref(), Some("2026-11-28T16:00:00Z"));
        assert_eq!((text(USER).as_deref(), text("note").as_deref()), (Some("navin@b.example"), Some("mine")));
    }

    #[test]
    fn what_cannot_be_replaced_safely_is_refused_and_not_shown() {
        let token = [(REFRESH_TOKEN, "canary-1")];
        let numbers = Fields {
            no_texts: std::iter::once(("uses".to_owned(), "a number")).collect(),
            ..secret(&token, Some(1))
        };
        let others = secret(&[("client_secret", "canary-1")], Some(1));
        for (wrong, said) in [
            (Secret::Fields(secret(&token, None)), "version 1"),
            (Secret::Fields(numbers), "fields that are no text"),
            (Secret::Fields(others), "has no field `refresh_token`; it has client_secret"),
        ] {
            let Err(error) = Stored::read(&place(), wrong) else { panic!("{said}") };
            assert!(error.message.contains(said) && !error.message.contains("canary"), "{error}");
        }
    }
}
