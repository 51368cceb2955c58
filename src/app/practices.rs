//! What a run would do that a profile may refuse: gathered here, judged by [`crate::rules::profile`].

use super::slots;
use crate::rules::profile::{Practice, Use, Verdict, judge};
use crate::settings::{Endpoint, Settings, SlotStoreKind, Strings};
use crate::spec::job::{CredentialRef, Job, Method, TargetSpec, Unknown, VaultRef};

/// Whether the run's HTTP is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is not.
    Nothing,
    /// It is: `--record`.
    Bodies,
}

/// What is going to be done with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Sessions are opened, and calls made.
    Work(Recorded),
    /// A person's sign-in is kept or taken back. No session is opened, and a code goes to that person only.
    Keeping,
}

/// Judges what the job, with its target, says; known before anything runs, also to `exorun check`.
pub fn judge_job(settings: &Settings, job: &Job, target: Option<&TargetSpec>) -> Verdict {
    judge(settings.profile, &settings.allow, &of_job(settings, job, target))
}

/// Judges what is done with the job, or for it, on this host.
pub fn judge_doing(
    settings: &Settings,
    environment: &dyn Strings,
    job: &Job,
    target: &TargetSpec,
    doing: Doing,
) -> Verdict {
    let mut uses = of_job(settings, job, Some(target));
    if let Doing::Work(recorded) = doing {
        uses.extend(posted(settings, &target.auth.method));
        uses.extend(of_work(settings, environment, recorded));
    }
    uses.extend(of_endpoints(settings));
    judge(settings.profile, &settings.allow, &uses)
}

/// Judges what a secret of `method: vault` has turned out to be, before anybody signs in.
pub(super) fn judge_declared(settings: &Settings, place: &VaultRef, method: &Method) -> Verdict {
    let what = format!("the secret at {place} declares `method: {}`", method.as_str());
    let declared = of_method(method).map(|practice| Use { practice, what });
    let uses: Vec<Use> = declared.into_iter().chain(posted(settings, method)).collect();
    judge(settings.profile, &settings.allow, &uses)
}

/// A code that would be posted where others read it.
fn posted(settings: &Settings, method: &Method) -> Option<Use> {
    let is_posted = settings.device_webhook.is_some() && matches!(method, Method::Device { .. });
    let what = "the setting `device_webhook` has device codes posted".to_owned();
    is_posted.then_some(Use { practice: Practice::DeviceWebhook, what })
}

fn of_job(settings: &Settings, job: &Job, target: Option<&TargetSpec>) -> Vec<Use> {
    let mut uses = Vec::new();
    let name = &job.name;
    if job.unknown == Unknown::Allowed {
        uses.push(Use {
            practice: Practice::UnknownCmdlets,
            what: format!("the job `{name}` says `unknown: allow`"),
        });
    }
    let practice =
        target.and_then(|target| of_method(&target.auth.method).map(|practice| (practice, target)));
    if let Some((practice, target)) = practice {
        let method = target.auth.method.as_str();
        let from = match practice {
            Practice::EnvironmentAccessToken => " from the environment",
            _ => "",
        };
        let what = format!("the job `{name}` signs in by `method: {method}`{from}");
        uses.push(Use { practice, what });
    }
    let environment = target.map(|target| target.environment.as_str());
    let cloud = environment.and_then(|name| Some((name, settings.clouds.get(name)?)));
    // The setting, where there is one, takes the cloud's place and is judged itself.
    if let Some((environment, cloud)) = cloud
        && settings.login_endpoint.is_none()
        && cloud.login.starts_with("http://")
    {
        let what =
            format!("`{environment}.login` of the endpoints file, where the job `{name}` signs in, is http");
        uses.push(Use { practice: Practice::PlainHttp, what });
    }
    uses
}

/// What a way to sign in is, if it is one of those that a profile may refuse.
fn of_method(method: &Method) -> Option<Practice> {
    match method {
        Method::Password { .. } | Method::InlineCredential => Some(Practice::Password),
        Method::AccessToken { credential: CredentialRef::Env(_) } => Some(Practice::EnvironmentAccessToken),
        Method::AccessToken { credential: CredentialRef::File(_) | CredentialRef::Vault(_) }
        | Method::Vault { .. }
        | Method::Device { .. }
        | Method::Browser { .. }
        | Method::ClientSecret { .. }
        | Method::Certificate { .. }
        | Method::Transit { .. }
        | Method::WorkloadIdentity { .. }
        | Method::ManagedIdentity { .. } => None,
    }
}

fn of_work(settings: &Settings, environment: &dyn Strings, recorded: Recorded) -> Vec<Use> {
    let mut uses = Vec::new();
    if recorded == Recorded::Bodies {
        let what = "--record writes the service's answers to disk".to_owned();
        uses.push(Use { practice: Practice::RecordedBodies, what });
    }
    if settings.slot_store == SlotStoreKind::Local && slots::is_pod(environment) {
        let what = "this is a pod, and `slot_store` keeps the slots of its accounts inside it".to_owned();
        uses.push(Use { practice: Practice::LocalSlotsInPod, what });
    }
    uses
}

fn of_endpoints(settings: &Settings) -> Vec<Use> {
    let endpoints = [
        ("login_endpoint", settings.login_endpoint.as_ref()),
        ("exchange_endpoint", settings.exchange_endpoint.as_ref()),
        ("compliance_endpoint", settings.compliance_endpoint.as_ref()),
        ("vault_address", settings.vault.as_ref().map(|vault| &vault.address)),
    ];
    let plain = |endpoint: &Endpoint| endpoint.as_str().starts_with("http://");
    let plain = endpoints.into_iter().filter(|(_, endpoint)| endpoint.is_some_and(plain));
    let used = |name| Use { practice: Practice::PlainHttp, what: format!("the setting `{name}` is http") };
    plain.map(|(name, _)| used(name)).collect()
}
