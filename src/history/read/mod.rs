//! Reading: lists in pages, the newest first, and single runs. The shapes serialize to the JSON that `exorun history
//! --json` prints and that `/api/v1` answers; docs/history.md describes it.

mod last_runs;
mod occurrences;
mod page;
mod runs;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{HistoryError, open};

pub use last_runs::{LastRuns, Remembered};
pub use occurrences::{ListedOccurrence, OccurrenceFilter, OccurrenceResult};
pub use page::{After, LIMIT_MAX, Page, Paging};
pub use runs::{Found, RunDetail, RunFilter, RunOutcome};

/// A connection that reads. A [`Book`](super::Book) is one too.
pub struct Reader {
    pub(super) connection: Connection,
    pub(super) file: PathBuf,
}

impl Reader {
    /// Opens the file at `path` for reading only. It sees what was committed, also while another process writes.
    ///
    /// # Errors
    /// [`HistoryError::Missing`] if there is none; those of a file that cannot be read or is not known here.
    pub fn open(path: &Path) -> Result<Reader, HistoryError> {
        let file = open::absolute(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if !file.try_exists().map_err(|error| open::of_io(&file, &error))? {
            return Err(HistoryError::Missing { file });
        }
        let connection =
            Connection::open_with_flags(&file, flags).map_err(|error| HistoryError::of(&file, error))?;
        connection.busy_timeout(open::BUSY_WAIT).map_err(|error| HistoryError::of(&file, error))?;
        let version = open::recognize(&connection, &file)?;
        if version == 0 {
            // Somebody has just made it and not written yet.
            return Err(HistoryError::Missing { file });
        }
        Ok(Reader { connection, file })
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Does `work` with the connection.
    pub(super) fn reading<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, HistoryError> {
        work(&self.connection).map_err(|error| HistoryError::of(&self.file, error))
    }
}
