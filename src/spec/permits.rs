//! What a connection may be used for, and whether a job keeps to it.
//!
//! Jobs come from many people; a connection is its owner's. What an owner does not say is open as long as jobs may also
//! spell their target out, and closed as soon as connections are required: then a connection without `jobs` is for
//! nobody. Customers of a partner are closed either way.

use std::collections::BTreeMap;
use std::path::Component;

use super::escape::quote;
use super::job::{CredentialRef, Job, Service};
use super::links::leads_out;
use super::reads::Read;
use crate::catalog::fits_exactly;

/// Whether a job may say itself where it runs and as whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// It may, or name a connection.
    Open,
    /// It names a connection that permits it: the setting `require_connections`.
    ConnectionsOnly,
}

/// What its owner says a connection may be used for.
#[derive(Clone, Debug, Default)]
pub(super) struct Permits {
    /// Jobs that may use it; `None`: the owner does not say.
    pub(super) jobs: Option<Vec<PermittedJobs>>,
    /// Services it may be used for; `None`: all.
    pub(super) services: Option<Vec<Service>>,
    /// Patterns of customers that a job may work in.
    pub(super) customers: Vec<String>,
    /// What a job may read besides; `None`: the owner does not say.
    pub(super) secrets: Option<Vec<PermittedSecret>>,
}

/// Jobs that fit both.
#[derive(Clone, Debug)]
pub(super) struct PermittedJobs {
    /// A pattern of names; `None`: any.
    pub(super) name: Option<String>,
    /// Patterns of the values of labels that the job must have.
    pub(super) labels: BTreeMap<String, String>,
}

/// A pattern of references to secrets and files, as [`CredentialRef`] is shown.
#[derive(Clone, Debug)]
pub(super) struct PermittedSecret(String);

impl PermittedSecret {
    /// What a pattern begins with.
    pub(super) const KINDS: [&str; 3] = ["vault:", "file:", "env:"];

    /// The pattern, if it says of which kind it is, and of what.
    pub(super) fn new(text: &str) -> Option<PermittedSecret> {
        let rest = PermittedSecret::KINDS.into_iter().find_map(|kind| text.strip_prefix(kind))?;
        (!rest.is_empty()).then(|| PermittedSecret(text.to_owned()))
    }

    /// Whether `reference`, which the pattern covers, is a file somewhere else.
    fn is_left_by_a_link(&self, reference: &CredentialRef) -> bool {
        let CredentialRef::File(path) = reference else { return false };
        leads_out(self.0.strip_prefix("file:").unwrap_or(&self.0), path)
    }

    /// Whether the pattern covers `reference`. A pattern without `#FIELD` covers every field of a secret.
    fn covers(&self, reference: &CredentialRef) -> bool {
        match reference {
            CredentialRef::Env(_) => fits_exactly(&self.0, &reference.to_string()),
            // Out of a folder by `..` is out of the pattern.
            CredentialRef::File(path) => {
                !path.components().any(|part| part == Component::ParentDir)
                    && fits_exactly(&self.0, &reference.to_string())
            }
            CredentialRef::Vault(place) => {
                let (pattern, field) = match self.0.split_once('#') {
                    Some((pattern, field)) => (pattern, Some(field)),
                    None => (self.0.as_str(), None),
                };
                let field_fits = match (field, &place.field) {
                    (None, _) => true,
                    (Some(pattern), Some(field)) => fits_exactly(pattern, field),
                    (Some(_), None) => false,
                };
                field_fits && fits_exactly(pattern, &format!("vault:{}/{}", place.mount, place.path))
            }
        }
    }
}

impl PermittedJobs {
    fn fits(&self, job: &Job) -> bool {
        self.name.as_ref().is_none_or(|pattern| fits_exactly(pattern, job.name.as_str()))
            && self
                .labels
                .iter()
                .all(|(name, pattern)| job.labels.get(name).is_some_and(|value| fits_exactly(pattern, value)))
    }

    fn told(&self) -> String {
        let labels =
            self.labels.iter().map(|(name, value)| format!("label {}", quote(&format!("{name}: {value}"))));
        let name = self.name.as_ref().map(|name| quote(name));
        name.into_iter().chain(labels).collect::<Vec<_>>().join(" with ")
    }
}

impl Permits {
    /// What `job` would do that the connection is not for; `whose` names connection and file.
    pub(super) fn refusals(
        &self,
        job: &Job,
        customer: Option<&str>,
        whose: &str,
        targets: Targets,
    ) -> Vec<String> {
        let name = &job.name;
        let mut refusals = Vec::new();
        match &self.jobs {
            None if targets == Targets::Open => {}
            None => refusals.push(format!(
                "{whose} does not say which jobs may use it, and `require_connections` is set: its owner adds `jobs:` and below it \
                 `- name: {name}` (or `- name: \"*\"` for all jobs)"
            )),
            Some(permitted) if permitted.iter().any(|jobs| jobs.fits(job)) => {}
            Some(permitted) => {
                let told: Vec<String> = permitted.iter().map(PermittedJobs::told).collect();
                let told = if told.is_empty() { "nobody".to_owned() } else { told.join(", ") };
                refusals.push(format!(
                    "the job `{name}` may not use {whose}, which is for {told}: its owner adds the job to `jobs`, or the job runs on \
                     another connection"
                ));
            }
        }
        if let Some(services) = &self.services
            && !services.contains(&job.service)
        {
            let told: Vec<&str> = services.iter().map(|service| service.as_str()).collect();
            refusals.push(format!(
                "the job `{name}` is for {}, and {whose} is for {}: its owner adds the service to `services`, or the job runs on another \
                 connection",
                job.service.as_str(),
                told.join(", ")
            ));
        }
        if let Some(customer) = customer
            && !self.customers.iter().any(|pattern| fits_exactly(pattern, customer))
        {
            refusals.push(format!(
                "the job `{name}` works in the customer's tenant {}, which {whose} does not list: its owner adds it to \
                 `delegated_organizations`",
                quote(customer)
            ));
        }
        let secrets = match &self.secrets {
            None if targets == Targets::Open => return refusals,
            None => &[][..],
            Some(secrets) => secrets,
        };
        for Read { step, parameter, reference, .. } in job.reads() {
            let mut covering = secrets.iter().filter(|pattern| pattern.covers(&reference)).peekable();
            if covering.peek().is_some() && covering.all(|pattern| pattern.is_left_by_a_link(&reference)) {
                let reference = quote(&reference.to_string());
                refusals.push(format!(
                    "step `{step}` of the job `{name}` reads {reference} for `{parameter}`, where a symbolic link leads out of what {whose} \
                     lists: put the file itself there"
                ));
            } else if !secrets.iter().any(|pattern| pattern.covers(&reference)) {
                let reference = quote(&reference.to_string());
                refusals.push(format!(
                    "step `{step}` of the job `{name}` reads {reference} for `{parameter}`, which {whose} does not list: its owner \
                     adds it to `secrets`"
                ));
            }
        }
        refusals
    }
}

/// What a job that spells its target out is refused for where connections are required.
pub(super) fn spelled_out(job: &Job) -> Vec<String> {
    let name = &job.name;
    let mut refusals = vec![format!(
        "the job `{name}` spells out `tenant` and `auth`, and `require_connections` is set: write `connection: NAME` instead; the owner \
         of the file of connections adds what is missing there"
    )];
    refusals.extend(job.reads().map(|Read { step, parameter, reference, .. }| {
        let reference = quote(&reference.to_string());
        format!(
            "step `{step}` of the job `{name}` reads {reference} for `{parameter}`, and `require_connections` is set: the connection's \
             owner has to list it in `secrets`"
        )
    }));
    refusals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::job::VaultRef;

    fn vault(path: &str, field: Option<&str>) -> CredentialRef {
        CredentialRef::Vault(VaultRef {
            mount: "kv".to_owned(),
            path: path.to_owned(),
            field: field.map(str::to_owned),
            version: None,
        })
    }

    #[test]
    fn a_pattern_covers_what_it_names_and_nothing_beside_it() {
        let file = |path: &str| CredentialRef::File(path.into());
        let env = |name: &str| CredentialRef::Env(name.to_owned());
        for (pattern, reference, expected) in [
            ("vault:kv/exo/*", vault("exo/contoso", Some("password")), true),
            ("vault:kv/exo/*", vault("exo/a/b", None), true),
            ("vault:kv/exo/*", vault("other", None), false),
            ("vault:kv/exo/*", vault("exocist/a", None), false),
            ("vault:kv/EXO/*", vault("exo/a", None), false),
            ("vault:kv/exo/a", vault("exo/a", Some("password")), true),
            ("vault:kv/exo/a#pass*", vault("exo/a", Some("password")), true),
            ("vault:kv/exo/a#password", vault("exo/a", Some("pin")), false),
            // Which field would be read is not known.
            ("vault:kv/exo/a#password", vault("exo/a", None), false),
            ("vault:*", vault("exo/a", None), true),
            ("vault:*", env("A"), false),
            ("file:*", vault("exo/a", None), false),
            ("file:/etc/exorun/*", file("/etc/exorun/secrets/a"), true),
            ("file:/etc/exorun/*", file("/etc/exorun/../shadow"), false),
            ("file:/etc/exorun/*", file("etc/exorun/a"), false),
            ("file:/etc/exorun/a#b", file("/etc/exorun/a#b"), true),
            ("env:NEW_*", env("NEW_PASSWORD"), true),
            ("env:NEW_*", env("new_password"), false),
            ("env:NEW_*", env("OLD_NEW_X"), false),
        ] {
            let permitted = PermittedSecret::new(pattern).expect("is one");
            assert_eq!(permitted.covers(&reference), expected, "{pattern} {reference}");
        }
        for none in ["", "*", "kv/exo/*", "vault:", "http:x", "VAULT:kv/a"] {
            assert!(PermittedSecret::new(none).is_none(), "{none}");
        }
    }
}
