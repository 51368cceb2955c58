//! Opening the file: made private, recognized, brought up to this version, checked.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::HistoryError;
use super::schema::{APPLICATION_ID, MIGRATIONS};

/// How long a writer waits for another process (`exorun run` beside `exorun serve`) to end its transaction, which takes
/// milliseconds.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Pages kept in memory, as SQLite wants it said (negative: KiB). 100,000 jobs take 12 MB: with SQLite's 2 MB, registering
/// them writes pages out and reads them back in the middle of the transaction.
const CACHE_KIB: i64 = -16 * 1024;

/// Statements kept ready: more than there are.
const STATEMENTS_KEPT: usize = 64;

/// A file that is written to, made where there is none.
pub(super) fn for_writing(path: &Path) -> Result<(Connection, PathBuf), HistoryError> {
    let file = absolute(path)?;
    create(&file)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |error| HistoryError::of(&file, error);
    let mut connection = Connection::open_with_flags(&file, flags).map_err(failed)?;
    set_up(&connection).map_err(failed)?;
    recognize(&connection, &file)?;
    migrate(&mut connection, &file)?;
    Ok((connection, file))
}

/// A database without a file, for simulations.
pub(super) fn in_memory() -> Result<(Connection, PathBuf), HistoryError> {
    let file = PathBuf::from("(in memory)");
    let mut connection = Connection::open_in_memory().map_err(|error| HistoryError::of(&file, error))?;
    set_up(&connection).map_err(|error| HistoryError::of(&file, error))?;
    migrate(&mut connection, &file)?;
    Ok((connection, file))
}

/// Looks through the whole file for damage. Takes about a millisecond for each megabyte.
pub(super) fn check(connection: &Connection, file: &Path) -> Result<(), HistoryError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| HistoryError::of(file, error))?;
    if found == "ok" {
        return Ok(());
    }
    Err(HistoryError::Corrupted { file: file.to_owned(), what: found })
}

/// SQLite takes `:memory:` and the empty name for something else than a file.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, HistoryError> {
    std::path::absolute(path)
        .map_err(|error| HistoryError::Unwritable { file: path.to_owned(), what: error.to_string() })
}

/// Makes the file and missing folders for their user only: SQLite would go by the umask. Its -wal and -shm files get the
/// file's mode from SQLite.
pub(super) fn create(file: &Path) -> Result<(), HistoryError> {
    let make = || {
        if let Some(folder) = file.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file).map(drop)
    };
    make().map_err(|error| of_io(file, &error))
}

/// What the operating system says of `file`.
pub(super) fn of_io(file: &Path, error: &io::Error) -> HistoryError {
    let (file, what) = (file.to_owned(), error.to_string());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            HistoryError::Full { file, what }
        }
        _ => HistoryError::Unwritable { file, what },
    }
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Readers are not held up by the writer. In memory the answer is another mode, and that is fine.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // A commit returns when it is on the disk: a claim that was confirmed must survive a power cut, or its run would be
    // started a second time.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// Refuses what is not ours before a byte of it is changed. Returns the file's version; 0: nothing is in it yet.
pub(super) fn recognize(connection: &Connection, file: &Path) -> Result<i64, HistoryError> {
    let failed = |error| HistoryError::of(file, error);
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0)).map_err(failed);
    let version = number("PRAGMA user_version")?;
    let application = number("PRAGMA application_id")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    if application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0) {
        let what = "it is a database of another program".to_owned();
        return Err(HistoryError::Corrupted { file: file.to_owned(), what });
    }
    let known = known();
    if version > known {
        return Err(HistoryError::Newer { file: file.to_owned(), found: version, known });
    }
    Ok(version)
}

fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn migrate(connection: &mut Connection, file: &Path) -> Result<(), HistoryError> {
    let failed = |error| HistoryError::of(file, error);
    let version = |connection: &Connection| {
        connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).map_err(failed)
    };
    if version(connection)? == known() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have been faster.
    let from = usize::try_from(version(&transaction)?).unwrap_or(usize::MAX);
    for migration in MIGRATIONS.get(from..).unwrap_or_default() {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", known()).map_err(failed)?;
    transaction.commit().map_err(failed)
}
