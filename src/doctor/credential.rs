//! Can what the sign-in needs be read where the job says it is kept? Values are looked at here and shown nowhere.

use secrecy::ExposeSecret;

use super::vault::is_in_vault;
use super::{Account, Finding, Parts};
use crate::exit::Exit;
use crate::secrets::{SecretError, SecretErrorKind};
use crate::spec::job::{CredentialRef, Method};

pub(super) async fn look<A: Account>(parts: &Parts<A>) -> Finding {
    let places = kept(&parts.target.auth.method);
    // What Vault keeps has a rung of its own, which was climbed just now.
    if places.iter().all(|kept| is_in_vault(&kept.place)) {
        return Finding::information("this way to sign in keeps no secret on this host");
    }
    let mut seen = Vec::new();
    let mut doubt = None;
    for Kept { what, place } in places.iter().filter(|kept| !is_in_vault(&kept.place)) {
        if let Err(error) = parts.secrets.read(place).await {
            return unread(&error, "mend the place that `credential` names, or name another");
        }
        if *what == "client_secret"
            && let Ok(secret) = parts.secrets.text(place, what).await
            && uuid::Uuid::try_parse(secret.expose_secret()).is_ok()
        {
            doubt = Some(place.to_string());
        }
        seen.push(place.to_string());
    }
    let seen = format!("{} can be read", seen.join(" and "));
    match doubt {
        None => Finding::ok(seen),
        Some(place) => Finding::warning(
            format!("{seen}; {place} holds a GUID, which no client secret is"),
            "put the secret's value there, not its id (the portal shows both; the value only once)",
        ),
    }
}

/// Something that could not be read, with its own mend, or `mend` if it names none.
pub(super) fn unread(error: &SecretError, mend: &str) -> Finding {
    let exit = match error.kind {
        SecretErrorKind::Wrong | SecretErrorKind::Absent => Exit::BadInput,
        SecretErrorKind::Unavailable => Exit::Failed,
    };
    let message = error.to_string();
    match message.rsplit_once("; ") {
        Some((seen, own)) => Finding::failed(exit, seen, own),
        None => Finding::failed(exit, message, mend),
    }
}

/// Something that a sign-in needs, and where it is kept.
pub(super) struct Kept {
    /// The name of its field.
    pub(super) what: &'static str,
    /// Where.
    pub(super) place: CredentialRef,
}

/// What the method reads.
pub(super) fn kept(method: &Method) -> Vec<Kept> {
    let one = |what, place: &CredentialRef| vec![Kept { what, place: place.clone() }];
    match method {
        Method::Vault { credential } => one("credential", &CredentialRef::Vault(credential.clone())),
        // A refresh token is kept by the first sign-in: that it is not there yet is no mistake.
        Method::Device { .. } | Method::Browser { .. } => Vec::new(),
        Method::ClientSecret { credential } => one("client_secret", credential),
        Method::Certificate { credential, certificate, password, .. } => {
            let more = [("certificate", certificate), ("password", password)];
            let more =
                more.into_iter().filter_map(|(what, place)| Some(Kept { what, place: place.clone()? }));
            one("private_key", credential).into_iter().chain(more).collect()
        }
        Method::Transit { certificate, .. } => one("certificate", certificate),
        Method::WorkloadIdentity { token_file, .. } => {
            token_file.iter().flat_map(|path| one("token", &CredentialRef::File(path.clone()))).collect()
        }
        Method::Password { credential } => one("password", credential),
        Method::AccessToken { credential } => one("access_token", credential),
        Method::ManagedIdentity { .. } | Method::InlineCredential => Vec::new(),
    }
}
