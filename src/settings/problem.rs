//! Where a value came from, and what can be wrong with it.

use std::fmt;
use std::path::PathBuf;

/// Where the value of a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line: `--session-limit`.
    Flag(String),
    /// The environment: `EXORUN_SESSION_LIMIT`.
    Variable(String),
    /// The settings file.
    File {
        /// As the user wrote it.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
    },
    /// Nobody gave it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(name) | Origin::Variable(name) => f.write_str(name),
            Origin::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// One mistake in the settings: the place and the mend, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", self.start())]
pub struct SettingProblem {
    /// Where the value stands.
    pub origin: Origin,
    /// The setting's key; `None` where the problem is not one setting's.
    pub key: Option<String>,
    /// What is wrong and what would be right, in one line.
    pub message: String,
}

impl SettingProblem {
    pub(super) fn new(origin: Origin, key: &str, message: impl Into<String>) -> SettingProblem {
        SettingProblem { origin, key: Some(key.to_owned()), message: message.into() }
    }

    pub(super) fn general(origin: Origin, message: impl Into<String>) -> SettingProblem {
        SettingProblem { origin, key: None, message: message.into() }
    }

    /// `EXORUN_LEASE: `; the key is said only where the place does not say it already.
    fn start(&self) -> String {
        match (&self.origin, &self.key) {
            (Origin::File { .. } | Origin::Default, Some(key)) => format!("{}: `{key}` ", self.origin),
            _ => format!("{}: ", self.origin),
        }
    }
}

/// A variable that looks like a setting of ours and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable {
    /// As it stands in the environment.
    pub name: String,
    /// The setting's variable that was meant, if one is near.
    pub near: Option<String>,
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no setting", self.name)?;
        match &self.near {
            Some(near) => write!(f, "; did you mean {near}?"),
            None => Ok(()),
        }
    }
}
