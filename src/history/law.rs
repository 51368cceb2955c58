//! Whether the books are right: counted twice, compared.

use rusqlite::Connection;

use super::totals::totals;
use super::{HistoryError, Reader};

/// A place where the books are wrong. There is none as long as only this program writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The job's name.
    pub job: String,
    /// What does not agree.
    pub what: String,
}

impl Reader {
    /// Looks for a job whose due times are not all accounted for exactly once: due = ran + skipped + failed + open, each count
    /// is that of its rows, no two rows overlap, and no row lies behind its schedule's cursor. Reads everything.
    ///
    /// # Errors
    /// Those of a file that cannot be read.
    pub fn law(&self) -> Result<Vec<Broken>, HistoryError> {
        self.reading(|connection| {
            let mut broken = Vec::new();
            for totals in totals(connection)?.into_values() {
                let accounted = totals.ended() + totals.open;
                if totals.due != accounted {
                    let what = format!("due {}, but {accounted} ended or open", totals.due);
                    broken.push(Broken { job: totals.name, what });
                }
            }
            for sql in [COUNTS_AND_ROWS, OVERLAPPING, BEHIND_THE_CURSOR] {
                collect(connection, sql, &mut broken)?;
            }
            Ok(broken)
        })
    }
}

/// A count must be that of the rows there are and of those that were removed.
const COUNTS_AND_ROWS: &str = "
WITH there AS (
    SELECT job, state AS result, coalesce(reason, '') AS reason, sum(count) AS rows FROM occurrences
    WHERE state NOT IN ('waiting', 'running') GROUP BY 1, 2, 3
), keys AS (
    SELECT job, result, reason FROM totals WHERE result <> 'due' UNION SELECT job, result, reason FROM there
)
SELECT jobs.name, format('%s %s: counted %d, of which %d removed, but %d in rows', result, reason,
                         coalesce(count, 0), coalesce(pruned, 0), coalesce(rows, 0))
FROM keys JOIN jobs ON jobs.id = keys.job
LEFT JOIN totals USING (job, result, reason) LEFT JOIN there USING (job, result, reason)
WHERE coalesce(count, 0) <> coalesce(pruned, 0) + coalesce(rows, 0)";

const OVERLAPPING: &str = "
SELECT jobs.name, format('schedule %d: a row ends at %d, the next begins at %d', schedule, before, due)
FROM (SELECT job, schedule, due, lag(last) OVER (PARTITION BY schedule ORDER BY due) AS before FROM occurrences)
JOIN jobs ON jobs.id = job WHERE before >= due";

const BEHIND_THE_CURSOR: &str = "
SELECT jobs.name, format('schedule %d: accounted for until %d, but there is a row until %d', schedule, handled_until, max(last))
FROM occurrences JOIN schedules ON schedules.id = schedule JOIN jobs ON jobs.id = schedules.job
WHERE last > handled_until GROUP BY schedule";

fn collect(connection: &Connection, sql: &str, broken: &mut Vec<Broken>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        broken.push(Broken { job: row.get(0)?, what: row.get(1)? });
    }
    Ok(())
}
