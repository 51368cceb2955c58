//! What can be wrong with the history's file: which file, what is the matter, and the mend.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// Why the history could not be read or written. Whatever it is, a commit that failed changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is no file.
    #[error(
        "there is no history at {}: `exorun serve` makes it, and `exorun run` where the setting `history` names it",
        file.display()
    )]
    Missing {
        /// The file.
        file: PathBuf,
    },
    /// The file is damaged, or is no history.
    #[error(
        "the history {} cannot be used: {what}; move it away with its -wal and -shm files (a new one begins at once: \
         counters start at 0 and what was due in the meantime is not caught up), or bring back a copy",
        file.display()
    )]
    Corrupted {
        /// The file.
        file: PathBuf,
        /// What was found.
        what: String,
    },
    /// Another process holds it.
    #[error("the history {} is in use: {what}", file.display())]
    Locked {
        /// The file.
        file: PathBuf,
        /// By whom, and the mend.
        what: String,
    },
    /// A newer program has written it.
    #[error(
        "the history {} has version {found}, this program knows up to {known}: run the newer program, or move the file \
         away (counters start at 0 then)",
        file.display()
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// There is no room for it. Nothing that was confirmed is lost; it goes on when there is room again.
    #[error(
        "the history {} cannot grow: {what}; make room on its disk (or raise the quota, or the limit on file sizes)",
        file.display()
    )]
    Full {
        /// The file.
        file: PathBuf,
        /// What was refused.
        what: String,
    },
    /// It may not be written.
    #[error("the history {} cannot be written: {what}; give this user the file and its folder", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What was refused.
        what: String,
    },
    /// The occurrence is accounted for: the last guard against a second run of it.
    #[error("the history {}: what was due at {due} is accounted for already", file.display())]
    AlreadyAccounted {
        /// The file.
        file: PathBuf,
        /// The due time (of a range, the first).
        due: Timestamp,
    },
    /// Anything else.
    #[error("the history {}: {what}", file.display())]
    Other {
        /// The file.
        file: PathBuf,
        /// What the database says.
        what: String,
    },
}

impl HistoryError {
    /// A word of a closed set: metric label, log field.
    pub fn kind(&self) -> &'static str {
        match self {
            HistoryError::Missing { .. } => "missing",
            HistoryError::Corrupted { .. } => "corrupted",
            HistoryError::Locked { .. } => "locked",
            HistoryError::Newer { .. } => "newer",
            HistoryError::Full { .. } => "full",
            HistoryError::Unwritable { .. } => "unwritable",
            HistoryError::AlreadyAccounted { .. } => "already_accounted",
            HistoryError::Other { .. } => "other",
        }
    }

    /// What SQLite says of `file`.
    pub(super) fn of(file: &Path, error: rusqlite::Error) -> HistoryError {
        let what = error.to_string();
        let file = file.to_owned();
        let failure = match error {
            rusqlite::Error::SqliteFailure(failure, _) => failure,
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => return HistoryError::Corrupted { file, what },
            _ => return HistoryError::Other { file, what },
        };
        match (failure.code, failure.extended_code) {
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => {
                HistoryError::Corrupted { file, what }
            }
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => {
                let what = format!("{what}; another program holds it for longer than it is waited for");
                HistoryError::Locked { file, what }
            }
            // SQLite names a full disk so. A quota and a limit on file sizes it does not know: they are writes that failed.
            (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE) => {
                HistoryError::Full { file, what }
            }
            (ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen, _)
            | (ErrorCode::SystemIoFailure, _) => HistoryError::Unwritable { file, what },
            _ => HistoryError::Other { file, what },
        }
    }
}
