//! Who signs in, and by what.

use super::Place;
use super::page::Page;
use crate::spec::job::{Auth, CredentialRef, Job, MachineIdentity, Method, Signature, Target, Who};

pub(super) fn who(page: &mut Page, job: &Job, place: &Place) {
    page.section("who signs in");
    if let Target::Connection { name, .. } = &job.target {
        let known = if place.target.is_some() { "" } else { ", whose file is not known here" };
        page.fact("connection", &format!("{name}{known}"));
    }
    match place.target.as_ref().map(|target| &target.auth) {
        None => page.fact("method", "the connection says so"),
        Some(auth) => {
            page.fact("method", &format!("{}: {}", auth.method.as_str(), does(&auth.method)));
            application(page, auth);
            for (what, kept) in secrets(&auth.method) {
                let kept = format!("{kept}; only this reference is written down, and it was not read");
                page.fact(what, &kept);
            }
            if auth.method.who() == Who::Person || auth.user_principal_name.is_some() {
                match &auth.user_principal_name {
                    Some(name) => {
                        page.fact("person", &format!("{name}; a token for somebody else is refused"))
                    }
                    None => page.fact("person", "whoever signs in"),
                }
            }
        }
    }
}

fn does(method: &Method) -> &'static str {
    match method {
        Method::Vault { .. } => "what the fields of the secret declare",
        Method::Device { credential: None } => "a person confirms a code in a browser",
        Method::Device { .. } | Method::Browser { .. } => {
            "a person has signed in once with `exorun login`; nobody is asked as long as the kept refresh token is good"
        }
        Method::ClientSecret { .. } => "an application signs in, nobody is asked",
        Method::Certificate { .. } => "an application signs in with a certificate, nobody is asked",
        Method::Transit { .. } => "an application signs in with a key that stays in Vault, nobody is asked",
        Method::WorkloadIdentity { .. } => {
            "an application signs in with a token of its platform, nobody is asked"
        }
        Method::ManagedIdentity { .. } => "the machine signs in as what Azure says it is, nobody is asked",
        Method::Password { .. } => "a user's name and password, which Microsoft is retiring; nobody is asked",
        Method::InlineCredential => {
            "a user's name and password are asked for on the terminal, which Microsoft is retiring"
        }
        Method::AccessToken { .. } => "a ready token is used until it ends; it is not renewed",
    }
}

fn application(page: &mut Page, auth: &Auth) {
    match (&auth.client_id, &auth.method) {
        (Some(client_id), _) => page.fact("application", client_id),
        (None, Method::ManagedIdentity { identity }) => page.fact(
            "identity",
            &match identity {
                MachineIdentity::ByClientId => "the machine's own".to_owned(),
                MachineIdentity::ByObjectId(id) => format!("the one with the object id {id}"),
                MachineIdentity::ByResourceId(id) => format!("the one with the resource id {id}"),
            },
        ),
        (None, Method::WorkloadIdentity { .. }) => {
            page.fact("application", "the one that the environment names (AZURE_CLIENT_ID)");
        }
        (None, Method::AccessToken { .. } | Method::Vault { .. }) => {}
        (None, _) => page.fact("application", "the public client of Microsoft's own module"),
    }
}

/// What is kept where.
fn secrets(method: &Method) -> Vec<(&'static str, String)> {
    let vault = |place: &crate::spec::job::VaultRef| kept(&CredentialRef::Vault(place.clone()));
    match method {
        Method::Vault { credential } => vec![("secret", vault(credential))],
        Method::Device { credential: Some(place) } | Method::Browser { credential: Some(place) } => {
            vec![("refresh token", vault(place))]
        }
        Method::ClientSecret { credential } | Method::Password { credential } => {
            vec![("secret", kept(credential))]
        }
        Method::Certificate { credential, certificate, password, signature } => {
            let mut out = vec![("private key", kept(credential))];
            out.extend(certificate.as_ref().map(|place| ("certificate", kept(place))));
            out.extend(password.as_ref().map(|place| ("its password", kept(place))));
            out.extend(old(*signature));
            out
        }
        Method::Transit { key, certificate, signature } => {
            let mut out = vec![
                ("private key", format!("the key {} of Vault's transit engine {}", key.key, key.mount)),
                ("certificate", kept(certificate)),
            ];
            out.extend(old(*signature));
            out
        }
        Method::WorkloadIdentity { token_file: Some(path), .. } => {
            vec![("token", format!("in the file {}", path.display()))]
        }
        Method::AccessToken { credential } => vec![("token", kept(credential))],
        Method::Device { credential: None }
        | Method::Browser { credential: None }
        | Method::WorkloadIdentity { token_file: None, .. }
        | Method::ManagedIdentity { .. }
        | Method::InlineCredential => Vec::new(),
    }
}

fn old(signature: Signature) -> Option<(&'static str, String)> {
    let text = "RS256 with a SHA-1 thumbprint, the older way";
    (signature == Signature::Rs256).then(|| ("signature", text.to_owned()))
}

fn kept(credential: &CredentialRef) -> String {
    match credential {
        CredentialRef::Env(name) => format!("in the environment variable {name}"),
        CredentialRef::File(path) => format!("in the file {}", path.display()),
        CredentialRef::Vault(place) => {
            format!("in Vault, {}", place.to_string().trim_start_matches("vault:"))
        }
    }
}
