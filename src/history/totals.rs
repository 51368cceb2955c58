//! The counts of each job since the history began.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::Type;

use super::stored::{strange, unsigned};
use super::{HistoryError, JobId, Reader};
use crate::rules::occurrences::ended::{FailReason, SkipReason};

/// The counts of one job. They never go down while the job exists, whatever rows are removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The job's name.
    pub name: String,
    /// How many occurrences were due.
    pub due: u64,
    /// How many ran.
    pub ran: u64,
    /// How many were skipped, by reason; without zeros.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// How many failed, by reason; without zeros.
    pub failed: BTreeMap<FailReason, u64>,
    /// How many wait or run.
    pub open: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no result that is known here")]
struct UnknownResult(String);

impl Totals {
    /// How many have ended, in whatever way.
    pub fn ended(&self) -> u64 {
        self.ran + self.skipped.values().sum::<u64>() + self.failed.values().sum::<u64>()
    }
}

impl Reader {
    /// The counts of every job of which an occurrence was due.
    ///
    /// # Errors
    /// Those of a file that cannot be read.
    pub fn totals(&self) -> Result<BTreeMap<JobId, Totals>, HistoryError> {
        self.reading(totals)
    }
}

pub(super) fn totals(connection: &Connection) -> rusqlite::Result<BTreeMap<JobId, Totals>> {
    let mut all: BTreeMap<JobId, Totals> = BTreeMap::new();
    let mut statement = connection.prepare(
        "SELECT job, jobs.name, result, reason, count FROM totals JOIN jobs ON jobs.id = totals.job",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let totals = all.entry(JobId(row.get(0)?)).or_default();
        if totals.name.is_empty() {
            totals.name = row.get(1)?;
        }
        let (result, reason): (String, String) = (row.get(2)?, row.get(3)?);
        let count = unsigned(row, 4)?;
        let unknown = || strange(3, Type::Text, UnknownResult(format!("{result} {reason}")));
        match result.as_str() {
            "due" => totals.due = count,
            "ran" => totals.ran = count,
            "skipped" => {
                totals.skipped.insert(SkipReason::parse(&reason).ok_or_else(unknown)?, count);
            }
            "failed" => {
                totals.failed.insert(FailReason::parse(&reason).ok_or_else(unknown)?, count);
            }
            _ => return Err(unknown()),
        }
    }
    let mut statement = connection.prepare(
        "SELECT job, sum(count) FROM occurrences WHERE state IN ('waiting', 'running') GROUP BY job",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        all.entry(JobId(row.get(0)?)).or_default().open = unsigned(row, 1)?;
    }
    Ok(all)
}
