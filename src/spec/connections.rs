//! Named connections: the platform team's file, and what a job's target is with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::escape::escape;
use super::job::Job;
use super::names::ConnectionName;
use super::target::{Target, TargetSpec};
use crate::catalog::nearest;

/// No more names than these are listed in a message.
const NAMES_LISTED_MAX: usize = 10;

/// The connections there are, and the file they stand in.
#[derive(Debug, Default)]
pub struct Connections {
    file: Option<PathBuf>,
    named: BTreeMap<ConnectionName, TargetSpec>,
}

/// A job names a connection that is not there.
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
}

impl Connections {
    /// No file is known: only targets that are spelled out can be resolved.
    pub fn none() -> Connections {
        Connections::default()
    }

    pub(super) fn new(file: &Path, named: BTreeMap<ConnectionName, TargetSpec>) -> Connections {
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
    /// When it names a connection that is not there.
    pub fn target(&self, job: &Job) -> Result<TargetSpec, ConnectionError> {
        match &job.target {
            Target::Spelled(spec) => Ok(spec.clone()),
            Target::Connection(name) => {
                self.named.get(name).cloned().ok_or_else(|| self.missing(job.name.to_string(), name.clone()))
            }
        }
    }

    fn missing(&self, job: String, name: ConnectionName) -> ConnectionError {
        let Some(file) = &self.file else { return ConnectionError::NoFile { job, name } };
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
        ConnectionError::Unknown { job, name, file: escape(&file.display().to_string()), help }
    }
}
