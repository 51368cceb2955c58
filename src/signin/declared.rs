//! `method: vault`: the fields of a secret declare how it signs in.

use super::certificate::{CERTIFICATE, PFX, PRIVATE_KEY};
use super::{SigninError, SigninErrorKind};
use crate::secrets::{Fields, SecretError};
use crate::spec::job::{Auth, CredentialRef, Method, Signature, TransitRef, VaultRef};

/// A field of the secret that completes what the job leaves out.
const CLIENT_ID: &str = "client_id";
/// The user by two names: the first is ours, the second other programs'.
const USER: [&str; 2] = ["user_principal_name", "username"];
const TRANSIT_KEY: &str = "transit_key";
const TRANSIT_MOUNT: &str = "transit_mount";

/// A kind of credential, and the fields any of which declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ClientSecret,
    Certificate,
    Transit,
    Password,
    RefreshToken,
    AccessToken,
}

const KINDS: [(Kind, &[&str]); 6] = [
    (Kind::ClientSecret, &["client_secret"]),
    (Kind::Transit, &[TRANSIT_KEY]),
    (Kind::Certificate, &[PRIVATE_KEY, PFX, CERTIFICATE]),
    (Kind::Password, &["password"]),
    (Kind::RefreshToken, &["refresh_token"]),
    (Kind::AccessToken, &["access_token"]),
];

/// What is not there yet is a person's kept sign-in that `exorun login` is going to write.
pub fn of_nothing(auth: &Auth, place: &VaultRef) -> Auth {
    Auth { method: Method::Device { credential: Some(place.newest()) }, ..auth.clone() }
}

/// `auth` with the method that the fields of the secret at `place` declare, completed by them.
///
/// # Errors
/// If they declare several or none, or contradict the job.
pub fn declared(auth: &Auth, place: &VaultRef, fields: &Fields) -> Result<Auth, SigninError> {
    let wrong = |why: String| SigninError::from(SecretError::wrong(place, why));
    let kind = kind(place, fields).map_err(wrong)?;
    let credential = CredentialRef::Vault(place.clone());
    let method = match kind {
        Kind::ClientSecret => Method::ClientSecret { credential },
        Kind::Certificate => Method::Certificate {
            credential,
            certificate: None,
            password: None,
            signature: Signature::default(),
        },
        Kind::Transit => Method::Transit {
            key: transit(fields).map_err(wrong)?,
            certificate: credential,
            signature: Signature::default(),
        },
        Kind::Password => Method::Password { credential },
        Kind::RefreshToken => Method::Device { credential: Some(place.newest()) },
        Kind::AccessToken => Method::AccessToken { credential },
    };
    let client_id = completed(auth.client_id.as_deref(), &[CLIENT_ID], fields).map_err(wrong)?;
    let user = completed(auth.user_principal_name.as_deref(), &USER, fields).map_err(wrong)?;
    if matches!(kind, Kind::ClientSecret | Kind::Certificate | Kind::Transit)
        && let Some(name) = &auth.user_principal_name
    {
        return Err(SigninError::new(
            SigninErrorKind::BadInput,
            format!(
                "the job expects the user {name}, and the secret at {place} is an application's: remove one of the two"
            ),
        ));
    }
    Ok(Auth { method, client_id, user_principal_name: user })
}

/// The error for a place that holds no secret of Vault.
pub fn no_fields(place: &VaultRef) -> SigninError {
    SecretError::wrong(place, "has no fields that could declare a way to sign in").into()
}

fn kind(place: &VaultRef, fields: &Fields) -> Result<Kind, String> {
    if let Some(named) = &place.field {
        let of_name = KINDS.iter().find(|(_, declaring)| declaring.contains(&named.as_str()));
        return of_name.map(|(kind, _)| *kind).ok_or_else(|| {
            format!(
                "the field `{named}` declares no way to sign in: leave `field` out, or name one of {}",
                names()
            )
        });
    }
    let declares =
        |(_, declaring): &&(Kind, &[&str])| declaring.iter().any(|name| fields.get(name).is_some());
    let mut found: Vec<Kind> = KINDS.iter().filter(declares).map(|(kind, _)| *kind).collect();
    // The certificate of a transit key is no key of its own.
    if found.contains(&Kind::Transit) && fields.get(PRIVATE_KEY).or(fields.get(PFX)).is_none() {
        found.retain(|kind| *kind != Kind::Certificate);
    }
    match found.as_slice() {
        [kind] => Ok(*kind),
        [] => Err(format!("declares no way to sign in ({}): give it one of {}", fields.names(), names())),
        _ => Err(format!(
            "declares several ways to sign in ({}): keep the fields of one, or name the one that is meant by `field`",
            fields.names()
        )),
    }
}

fn names() -> String {
    let names: Vec<&str> = KINDS.iter().flat_map(|(_, declaring)| declaring.iter().copied()).collect();
    names.join(", ")
}

fn transit(fields: &Fields) -> Result<TransitRef, String> {
    let key = plain(fields, TRANSIT_KEY)?.ok_or("its `transit_key` is empty")?;
    let mount = plain(fields, TRANSIT_MOUNT)?.unwrap_or_else(|| TransitRef::MOUNT_DEFAULT.to_owned());
    Ok(TransitRef { mount, key, version: None })
}

/// What the job says, else what the secret does. Neither is secret.
fn completed(said: Option<&str>, names: &[&str], fields: &Fields) -> Result<Option<String>, String> {
    for name in names {
        let Some(own) = plain(fields, name)? else { continue };
        return match said {
            Some(said) if !said.eq_ignore_ascii_case(&own) => Err(format!(
                "its `{name}` is another than the job's ({said}): make the two the same, or remove one"
            )),
            Some(said) => Ok(Some(said.to_owned())),
            None => Ok(Some(own)),
        };
    }
    Ok(said.map(str::to_owned))
}

/// A field that is an identifier: short, in one line.
fn plain(fields: &Fields, name: &str) -> Result<Option<String>, String> {
    use secrecy::ExposeSecret;
    let Some(text) = fields.get(name) else { return Ok(None) };
    let text = text.expose_secret().trim();
    if text.len() > 256 || text.chars().any(|character| character.is_control() || character.is_whitespace()) {
        return Err(format!("its `{name}` is no identifier"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn fields(named: &[(&str, &str)]) -> Fields {
        let named = named.iter().map(|(name, text)| ((*name).to_owned(), SecretString::from(*text)));
        Fields { named: named.collect(), version: Some(1), ..Fields::default() }
    }

    fn place() -> VaultRef {
        VaultRef { mount: "secret".to_owned(), path: "exorun/contoso".to_owned(), field: None, version: None }
    }

    fn auth() -> Auth {
        let method = Method::Vault { credential: place() };
        Auth { method, client_id: None, user_principal_name: None }
    }

    #[test]
    fn the_fields_declare_the_method() {
        for (names, method) in [
            (&["client_secret"][..], "client_secret"),
            (&["client_secret", "client_id", "note"], "client_secret"),
            (&["private_key", "certificate"], "certificate"),
            (&["certificate"], "certificate"),
            (&["pfx", "pfx_password"], "certificate"),
            (&["transit_key", "certificate"], "transit"),
            (&["username", "password"], "password"),
            (&["refresh_token", "client_id"], "device"),
            (&["access_token"], "access_token"),
        ] {
            let named: Vec<(&str, &str)> = names.iter().map(|name| (*name, "canary")).collect();
            let found = declared(&auth(), &place(), &fields(&named)).unwrap();
            assert_eq!(found.method.as_str(), method, "{names:?}");
        }
    }

    #[test]
    fn several_kinds_or_none_are_refused_by_the_names_of_the_fields() {
        for (names, words) in [
            (&["client_secret", "password"][..], "several ways to sign in (it has client_secret, password)"),
            (&["private_key", "access_token"], "several ways"),
            (&["transit_key", "private_key"], "several ways"),
            (
                &["note", "username"],
                "no way to sign in (it has note, username): give it one of client_secret,",
            ),
            (&[], "no way to sign in (it has no fields)"),
        ] {
            let named: Vec<(&str, &str)> = names.iter().map(|name| (*name, "canary")).collect();
            let error = declared(&auth(), &place(), &fields(&named)).unwrap_err().to_string();
            assert!(
                error.contains(words) && error.contains("vault:secret/exorun/contoso"),
                "{names:?}: {error}"
            );
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn the_secret_completes_the_job_and_may_not_contradict_it() {
        let secret = fields(&[("client_secret", "canary"), ("client_id", "aaaa\n")]);
        assert_eq!(declared(&auth(), &place(), &secret).unwrap().client_id.as_deref(), Some("aaaa"));
        let job = Auth { client_id: Some("AAAA".to_owned()), ..auth() };
        assert_eq!(declared(&job, &place(), &secret).unwrap().client_id.as_deref(), Some("AAAA"));
        let job = Auth { client_id: Some("bbbb".to_owned()), ..auth() };
        let error = declared(&job, &place(), &secret).unwrap_err().to_string();
        assert!(error.contains("its `client_id` is another than the job's (bbbb)"), "{error}");
        let person = fields(&[("username", "anna@contoso.com"), ("password", "canary")]);
        let found = declared(&auth(), &place(), &person).unwrap();
        assert_eq!(found.user_principal_name.as_deref(), Some("anna@contoso.com"));
        let job = Auth { user_principal_name: Some("anna@contoso.com".to_owned()), ..auth() };
        assert!(declared(&job, &place(), &secret).unwrap_err().to_string().contains("is an application's"));
    }

    #[test]
    fn a_sign_in_is_kept_whole_and_in_its_newest_version_whatever_is_pinned() {
        let pinned = VaultRef { field: Some("refresh_token".to_owned()), version: Some(3), ..place() };
        let kept = Method::Device { credential: Some(place()) };
        assert_eq!(of_nothing(&auth(), &pinned).method, kept);
        let secret = fields(&[("refresh_token", "canary")]);
        assert_eq!(declared(&auth(), &pinned, &secret).unwrap().method, kept);
    }

    #[test]
    fn a_named_field_decides() {
        let both = fields(&[("client_secret", "canary"), ("password", "canary")]);
        let place = |field: &str| VaultRef { field: Some(field.to_owned()), ..place() };
        let method = |field: &str| declared(&auth(), &place(field), &both).map(|auth| auth.method.as_str());
        assert_eq!(method("client_secret").unwrap(), "client_secret");
        assert!(method("note").unwrap_err().to_string().contains("declares no way to sign in"));
    }
}
