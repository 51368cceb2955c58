//! Values as they are stored: ids of rows, and instants as milliseconds since 1970, UTC.

use std::error::Error;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Row, ToSql};
use uuid::Uuid;

/// A job, as a row. The same name has the same id as long as anything is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub(super) i64);

/// A schedule of a job, as a row: its identity is its canonical text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleId(pub(super) i64);

/// One due time of a schedule. There is never a second one with the same three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Occurrence {
    /// The job.
    pub job: JobId,
    /// The schedule, which is one of the job's.
    pub schedule: ScheduleId,
    /// When it is due, without jitter. In whole milliseconds: what is finer is not stored.
    pub due: Timestamp,
}

impl ToSql for JobId {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl ToSql for ScheduleId {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

/// An instant as it is stored.
pub(super) fn millis(instant: Timestamp) -> i64 {
    instant.as_millisecond()
}

/// A count as it is stored.
pub(super) fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The instant in a column.
pub(super) fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(row.get(column)?).map_err(|error| strange(column, Type::Integer, error))
}

/// The instant in a column that may be empty.
pub(super) fn optional_instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let millis: Option<i64> = row.get(column)?;
    let instant = millis.map(Timestamp::from_millisecond).transpose();
    instant.map_err(|error| strange(column, Type::Integer, error))
}

/// The count in a column.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|error| strange(column, Type::Integer, error))
}

/// The id of a run in a column.
pub(super) fn run_id(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    let bytes: Vec<u8> = row.get(column)?;
    Uuid::from_slice(&bytes).map_err(|error| strange(column, Type::Blob, error))
}

/// What we never wrote stands in a column.
pub(super) fn strange(
    column: usize,
    kind: Type,
    error: impl Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}
