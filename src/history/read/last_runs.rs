//! What the history remembers of each job's last runs, for metrics that outlive a process.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Reader;
use crate::history::HistoryError;
use crate::history::stored::{instant, optional_instant};

/// The last ends of a job's runs against one tenant. Dry runs do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRuns {
    /// The tenant as the job named it; empty for runs that were lost, or that could not begin.
    pub tenant: String,
    /// The last end, whatever it was.
    pub completion: Timestamp,
    /// The last one with exit code 0.
    pub success: Option<Timestamp>,
    /// The last one with another, or with none because the process died.
    pub failure: Option<Timestamp>,
    /// The exit code of the last run; nothing if it was lost.
    pub exit_code: Option<u8>,
}

/// What is remembered of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Since when something of it is known, as far as rows were not removed.
    pub since: Option<Timestamp>,
    /// By tenant.
    pub runs: Vec<LastRuns>,
}

impl Reader {
    /// What is remembered of `job`; of its runs those that `peer` answered, and those of which nobody knows who would have.
    ///
    /// # Errors
    /// Those of a file that cannot be read.
    pub fn remembered(&self, job: &str, peer: &str) -> Result<Remembered, HistoryError> {
        self.reading(|connection| {
            Ok(Remembered { since: since(connection, job)?, runs: last_runs(connection, job, peer)? })
        })
    }
}

fn since(connection: &Connection, job: &str) -> rusqlite::Result<Option<Timestamp>> {
    let mut due = connection.prepare_cached(
        "SELECT noted FROM occurrences WHERE job = (SELECT id FROM jobs WHERE name = ?1) ORDER BY due LIMIT 1",
    )?;
    let mut run =
        connection.prepare_cached("SELECT began FROM runs WHERE job = ?1 ORDER BY began LIMIT 1")?;
    let due: Option<Timestamp> = due.query_row([job], |row| instant(row, 0)).optional()?;
    let run: Option<Timestamp> = run.query_row([job], |row| instant(row, 0)).optional()?;
    Ok(due.into_iter().chain(run).min())
}

fn last_runs(connection: &Connection, job: &str, peer: &str) -> rusqlite::Result<Vec<LastRuns>> {
    // Of the other columns a row has those of the last end: SQLite's rule for a lone max().
    let mut statement = connection.prepare_cached(
        "SELECT last.tenant, last.ended, last.exit_code,
                (SELECT max(ended) FROM runs WHERE job = ?1 AND tenant = last.tenant AND peer IN ('', ?2)
                 AND mode != 'dry-run' AND exit_code = 0),
                (SELECT max(ended) FROM runs WHERE job = ?1 AND tenant = last.tenant AND peer IN ('', ?2)
                 AND mode != 'dry-run' AND exit_code IS NOT 0)
         FROM (SELECT tenant, max(ended) AS ended, exit_code FROM runs
               WHERE job = ?1 AND peer IN ('', ?2) AND mode != 'dry-run' GROUP BY tenant) AS last",
    )?;
    let rows = statement.query_map(params![job, peer], |row| {
        Ok(LastRuns {
            tenant: row.get(0)?,
            completion: instant(row, 1)?,
            exit_code: row.get(2)?,
            success: optional_instant(row, 3)?,
            failure: optional_instant(row, 4)?,
        })
    })?;
    rows.collect()
}
