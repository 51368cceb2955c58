//! What is removed when it is old: rows of runs and of occurrences that have ended. Counts stay.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::stored::{count, millis, unsigned};
use super::{Book, HistoryError};

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Runs that ended, and occurrences that were due, longer ago are removed.
    pub for_at_most: Duration,
    /// At most so many runs, and so many rows of occurrences; the oldest go first.
    pub runs_max: u64,
}

impl Book {
    /// Removes at most `rows_max` rows, the oldest first, and returns how many; as long as that is `rows_max`, there may be
    /// more. Small bites keep the writer free. What is open is never removed.
    ///
    /// # Errors
    /// Those of a file that cannot be written.
    pub fn prune(&mut self, keep: Retention, now: Timestamp, rows_max: u32) -> Result<u64, HistoryError> {
        let before = now.checked_sub(keep.for_at_most).unwrap_or(Timestamp::MIN);
        self.within(|transaction, file| {
            let prune = || {
                let runs = runs(transaction, before, keep.runs_max, u64::from(rows_max))?;
                let left = u64::from(rows_max).saturating_sub(runs);
                Ok(runs + occurrences(transaction, before, keep.runs_max, left)?)
            };
            prune().map_err(|error| HistoryError::of(file, error))
        })
    }
}

fn runs(
    transaction: &Transaction<'_>,
    before: Timestamp,
    rows_kept: u64,
    rows_max: u64,
) -> rusqlite::Result<u64> {
    let too_many = surplus(transaction, "SELECT count(*) FROM runs", rows_kept)?.min(rows_max);
    let mut removed = transaction
        .prepare_cached("DELETE FROM runs WHERE id IN (SELECT id FROM runs ORDER BY began LIMIT ?1)")?
        .execute([count(too_many)])?;
    removed += transaction
        .prepare_cached(
            "DELETE FROM runs WHERE id IN
             (SELECT id FROM runs WHERE began < ?1 AND ended < ?1 ORDER BY began LIMIT ?2)",
        )?
        .execute(params![millis(before), count(rows_max - too_many)])?;
    Ok(removed as u64)
}

fn occurrences(
    transaction: &Transaction<'_>,
    before: Timestamp,
    rows_kept: u64,
    rows_max: u64,
) -> rusqlite::Result<u64> {
    let too_many = surplus(transaction, "SELECT count(*) FROM occurrences", rows_kept)?.min(rows_max);
    // Counted and old are told apart by the bound on `last` alone: nothing is due after the end of time.
    let mut removed = 0;
    for (last, limit) in [(Timestamp::MAX, too_many), (before, rows_max - too_many)] {
        removed += remove(transaction, last, limit)?;
    }
    Ok(removed)
}

/// Removes up to `limit` rows that have ended and whose last due time is before `last`, and remembers that they were there.
fn remove(transaction: &Transaction<'_>, last: Timestamp, limit: u64) -> rusqlite::Result<u64> {
    let mut pruned: BTreeMap<(i64, String, String), u64> = BTreeMap::new();
    let mut rows_removed = 0;
    {
        let mut statement = transaction.prepare_cached(
            "DELETE FROM occurrences WHERE (schedule, due) IN
             (SELECT schedule, due FROM occurrences
              WHERE due < ?1 AND last < ?1 AND state NOT IN ('waiting', 'running') ORDER BY due, schedule LIMIT ?2)
             RETURNING job, state, coalesce(reason, ''), count",
        )?;
        let mut rows = statement.query(params![millis(last), count(limit)])?;
        while let Some(row) = rows.next()? {
            *pruned.entry((row.get(0)?, row.get(1)?, row.get(2)?)).or_default() += unsigned(row, 3)?;
            rows_removed += 1;
        }
    }
    let mut statement = transaction.prepare_cached(
        "UPDATE totals SET pruned = pruned + ?4 WHERE job = ?1 AND result = ?2 AND reason = ?3",
    )?;
    for ((job, result, reason), more) in pruned {
        statement.execute(params![job, result, reason, count(more)])?;
    }
    Ok(rows_removed)
}

fn surplus(transaction: &Transaction<'_>, counting: &str, rows_kept: u64) -> rusqlite::Result<u64> {
    let rows = transaction.prepare_cached(counting)?.query_row([], |row| unsigned(row, 0))?;
    Ok(rows.saturating_sub(rows_kept))
}
