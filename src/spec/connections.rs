//! Named connections: the platform team's file, and what a job's target is with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::escape::escape;
use super::job::Job;
use super::names::ConnectionName;
use super::permits::{Permits, Targets, spelled_out};
use super::target::{Target, TargetSpec, Who};
use crate::catalog::nearest;

/// No more names than these are listed in a message.
const NAMES_LISTED_MAX: usize = 10;

/// The connections there are, and the file they stand in.
#[derive(Debug, Default)]
pub struct Connections {
    file: Option<PathBuf>,
    named: BTreeMap<ConnectionName, Connection>,
}

/// What stands under a name.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) target: TargetSpec,
    pub(super) permits: Permits,
}

/// A job has no target, or none that it may use.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The setting that names the file has no value.
    #[error(
        "the job `{job}` runs on the connection `{name}`, and no file of connections is known: \
         name it with --connections-file FILE, EXORUN_CONNECTIONS_FILE or the setting `connections_file`"
    )]
    NoFile {
        /// Who asks.
        job: String,
        /// For what.
        name: ConnectionName,
    },
    /// The file has no connection of that name.
    #[error("{file} has no connection `{name}`, which the job `{job}` runs on; {help}")]
    Unknown {
        /// Who asks.
        job: String,
        /// For what.
        name: ConnectionName,
        /// The file of connections, escaped.
        file: String,
        /// Near names, or the names there are.
        help: String,
    },
    /// A partner's access to a customer is for users.
    #[error(
        "the job `{job}` has `delegated_organization`, and the connection `{name}` of {file} signs in as an application, \
         which has no partner access (GDAP): use a connection with a user, or one with the customer's own `tenant` \
         and no `delegated_organization`"
    )]
    Application {
        /// Who asks.
        job: String,
        /// For what.
        name: ConnectionName,
        /// The file of connections, escaped.
        file: String,
    },
    /// Its owner does not permit it.
    #[error("{}", .refusals.join("; "))]
    Refused {
        /// What the job would have run on.
        target: Box<TargetSpec>,
        /// All reasons, each with the job, the connection, its file and the mend.
        refusals: Vec<String>,
    },
}

impl Connections {
    /// No file is known: only targets that are spelled out can be resolved.
    pub fn none() -> Connections {
        Connections::default()
    }

    pub(super) fn new(file: &Path, named: BTreeMap<ConnectionName, Connection>) -> Connections {
        Connections { file: Some(file.to_owned()), named }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.named.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Where the job runs and as whom.
    ///
    /// # Errors
    /// When it names a connection that is not there, one that cannot work in the customer's tenant, or one that it may
    /// not use.
    pub fn target(&self, job: &Job, targets: Targets) -> Result<TargetSpec, ConnectionError> {
        let (target, refusals) = match &job.target {
            Target::Spelled(spec) => match targets {
                Targets::Open => (TargetSpec::clone(spec), Vec::new()),
                Targets::ConnectionsOnly => (TargetSpec::clone(spec), spelled_out(job)),
            },
            Target::Connection { name, delegated_organization } => {
                let missing = || self.missing(job.name.to_string(), name.clone());
                let Connection { target, permits } = self.named.get(name).ok_or_else(missing)?;
                if delegated_organization.is_some() && target.auth.method.who() == Who::Application {
                    let (job, name, file) = (job.name.to_string(), name.clone(), self.shown_file());
                    return Err(ConnectionError::Application { job, name, file });
                }
                let whose = format!("the connection `{name}` of {}", self.shown_file());
                let refusals = permits.refusals(job, delegated_organization.as_deref(), &whose, targets);
                let delegated_organization = delegated_organization.clone();
                (TargetSpec { delegated_organization, ..target.clone() }, refusals)
            }
        };
        if refusals.is_empty() {
            return Ok(target);
        }
        Err(ConnectionError::Refused { target: Box::new(target), refusals })
    }

    /// The file's path, escaped.
    fn shown_file(&self) -> String {
        self.file.as_deref().map_or_else(String::new, |file| escape(&file.display().to_string()))
    }

    fn missing(&self, job: String, name: ConnectionName) -> ConnectionError {
        if self.file.is_none() {
            return ConnectionError::NoFile { job, name };
        }
        let names = || self.named.keys().map(ConnectionName::as_str);
        let near = nearest(name.as_str(), names());
        let help = if !near.is_empty() {
            format!("did you mean `{}`?", near.join("` or `"))
        } else if self.named.is_empty() {
            "it has none".to_owned()
        } else {
            let more = if self.named.len() > NAMES_LISTED_MAX { ", …" } else { "" };
            let listed: Vec<&str> = names().take(NAMES_LISTED_MAX).collect();
            format!("it has {}{more}", listed.join(", "))
        };
        ConnectionError::Unknown { job, name, file: self.shown_file(), help }
    }
}
