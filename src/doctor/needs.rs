//! What a run reads of Vault, of this host's files and of its environment, and where that is kept: for the sign-in, and
//! for the parameters of steps that take a secret. Values are looked at and shown nowhere.

use super::Finding;
use crate::exit::Exit;
use crate::secrets::{SecretError, SecretErrorKind, SecretSource};
use crate::spec::job::{Auth, CredentialRef, Job, Method};
use crate::spec::reads::What;

/// Something that a run reads.
pub(super) struct Need {
    /// Where it is kept.
    pub(super) place: CredentialRef,
    pub(super) by: By,
}

/// What reads it.
pub(super) enum By {
    /// The sign-in, for this field of it.
    Signin(&'static str),
    /// The sign-in, once a person has signed in for the first time: that nothing is there yet is no mistake.
    KeptSignin,
    /// A step, for this parameter.
    Step { step: String, parameter: String },
}

impl Need {
    /// Whether Vault holds it.
    pub(super) fn is_in_vault(&self) -> bool {
        matches!(self.place, CredentialRef::Vault(_))
    }

    /// Reads it as a run does.
    ///
    /// # Errors
    /// As the run would get it.
    pub(super) async fn look(&self, secrets: &dyn SecretSource) -> Result<(), SecretError> {
        match self.by {
            By::Signin(_) | By::KeptSignin => secrets.read(&self.place).await.map(drop),
            By::Step { .. } => secrets.text(&self.place, "password").await.map(drop),
        }
    }

    /// That it could not be read, with the message's own mend, or `mend` if it names none.
    pub(super) fn unread(&self, error: &SecretError, mend: &str) -> Finding {
        let exit = match error.kind {
            SecretErrorKind::Wrong | SecretErrorKind::Absent => Exit::BadInput,
            SecretErrorKind::Unavailable => Exit::Failed,
        };
        let message = match &self.by {
            By::Signin(_) | By::KeptSignin => error.to_string(),
            By::Step { step, parameter } => format!("step `{step}`, `{parameter}`: {error}"),
        };
        match message.rsplit_once("; ") {
            Some((seen, own)) => Finding::failed(exit, seen, own),
            None => Finding::failed(exit, message, mend),
        }
    }
}

/// What a run of the job reads, the sign-in's first.
pub(super) fn of(job: &Job, auth: &Auth) -> Vec<Need> {
    let steps = job.reads().filter(|read| read.what == What::Secret).map(|read| Need {
        place: read.reference,
        by: By::Step { step: read.step.to_owned(), parameter: read.parameter.to_owned() },
    });
    of_signin(auth).into_iter().chain(steps).collect()
}

/// Reads everything that a run of the job reads, and forgets it.
///
/// # Errors
/// The first that cannot be read, as the run would get it.
pub async fn can_read(job: &Job, auth: &Auth, secrets: &dyn SecretSource) -> Result<(), SecretError> {
    for need in of(job, auth) {
        match need.look(secrets).await {
            Err(error) if matches!(need.by, By::KeptSignin) && error.kind == SecretErrorKind::Absent => {}
            looked => looked?,
        }
    }
    Ok(())
}

fn of_signin(auth: &Auth) -> Vec<Need> {
    let one = |what, place: &CredentialRef| vec![Need { place: place.clone(), by: By::Signin(what) }];
    match &auth.method {
        // What is not there yet is a person's sign-in, as a run sees it, where the job says whose.
        Method::Vault { credential } if auth.user_principal_name.is_some() => {
            vec![Need { place: CredentialRef::Vault(credential.clone()), by: By::KeptSignin }]
        }
        Method::Vault { credential } => one("credential", &CredentialRef::Vault(credential.clone())),
        Method::Device { credential } | Method::Browser { credential } => {
            let place = credential.iter().map(|place| CredentialRef::Vault(place.clone()));
            place.map(|place| Need { place, by: By::KeptSignin }).collect()
        }
        Method::ClientSecret { credential } => one("client_secret", credential),
        Method::Certificate { credential, certificate, password, .. } => {
            let more = [("certificate", certificate), ("password", password)];
            let more = more
                .into_iter()
                .filter_map(|(what, place)| Some(Need { place: place.clone()?, by: By::Signin(what) }));
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
