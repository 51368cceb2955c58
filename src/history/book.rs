//! The file with one connection, synchronous: what tests and simulations drive directly.

use std::ops::Deref;
use std::path::Path;

use rusqlite::{Transaction, TransactionBehavior};

use super::write::Counted;
use super::{HistoryError, Reader, RunRecord, Write, open, run_record};

/// From this size on the log is copied into the file when nobody waits for the writer: a thousand pages.
const LOG_BYTES: u64 = 4 * 1024 * 1024;

/// At this many pages a commit does it, whoever waits.
const LOG_PAGES_MAX: i64 = 16_000;

/// The history, open for writing and reading.
pub struct Book(Reader);

impl Deref for Book {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.0
    }
}

impl Book {
    /// Opens the file at `path`: makes it (0600) where there is none, brings an older one up, and looks through all of it.
    ///
    /// # Errors
    /// [`HistoryError`], of every kind but `Missing` and `AlreadyAccounted`.
    pub fn open(path: &Path) -> Result<Book, HistoryError> {
        let book = Book::open_to_add(path)?;
        open::check(&book.0.connection, &book.0.file)?;
        Ok(book)
    }

    /// Like [`Book::open`] without looking through the file: for a process that adds one run.
    ///
    /// # Errors
    /// As [`Book::open`].
    pub fn open_to_add(path: &Path) -> Result<Book, HistoryError> {
        let (connection, file) = open::for_writing(path)?;
        Ok(Book(Reader { connection, file }))
    }

    /// From now on [`Book::shorten_log`] is called often: a commit does it only where that was not enough.
    pub(super) fn shortens_log_itself(&self) -> Result<(), HistoryError> {
        let kept = self.0.connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX);
        kept.map_err(|error| HistoryError::of(&self.0.file, error))
    }

    /// Copies the write-ahead log into the file if it has become long. Where it fails, the log stays, and it is tried again.
    pub(super) fn shorten_log(&self) {
        let mut log = self.0.file.clone().into_os_string();
        log.push("-wal");
        if std::fs::metadata(log).is_ok_and(|log| log.len() > LOG_BYTES) {
            let checkpoint = self.0.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            if let Err(error) = checkpoint {
                tracing::debug!(%error, "the history's log was not shortened");
            }
        }
    }

    /// One without a file, for simulations.
    ///
    /// # Errors
    /// [`HistoryError::Other`].
    pub fn in_memory() -> Result<Book, HistoryError> {
        let (connection, file) = open::in_memory()?;
        Ok(Book(Reader { connection, file }))
    }

    /// Writes everything or nothing; durable when it returns. In order: of one schedule, what is fresh must be given in the
    /// order of its due times, because each moves the schedule's `handled_until`.
    ///
    /// # Errors
    /// [`HistoryError::AlreadyAccounted`] if something fresh is not after the schedule's `handled_until`, if something was
    /// said to wait and does not, or if something ends that does not run; and those of a file that cannot be written.
    /// Nothing was changed then, and the same writes may be given again.
    pub fn commit(&mut self, writes: &[Write]) -> Result<(), HistoryError> {
        self.within(|transaction, file| {
            let mut counted = Counted::default();
            for write in writes {
                write.apply(transaction, file, &mut counted)?;
            }
            counted.write(transaction).map_err(|error| HistoryError::of(file, error))
        })
    }

    /// Adds a run that was started by hand: it has no occurrence and is written whole at its end.
    ///
    /// # Errors
    /// Those of a file that cannot be written; [`HistoryError::Other`] if the run is there already.
    pub fn record_run(&mut self, run: &RunRecord) -> Result<(), HistoryError> {
        self.within(|transaction, file| {
            run_record::insert(transaction, run, None).map_err(|error| HistoryError::of(file, error))
        })
    }

    /// Does `work` in one transaction, which takes the write lock at once: a read that turns into a write later could
    /// find the file changed in between.
    pub(super) fn within<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Path) -> Result<T, HistoryError>,
    ) -> Result<T, HistoryError> {
        let Reader { connection, file } = &mut self.0;
        let failed = |error| HistoryError::of(file, error);
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let done = work(&transaction, file)?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }
}
