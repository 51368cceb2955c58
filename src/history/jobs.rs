//! Which jobs and schedules there are, and up to where each schedule is accounted for.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::stored::{instant, millis};
use super::{Book, HistoryError, JobId, ScheduleId};

/// A job that exists from now on.
#[derive(Clone, Copy, Debug)]
pub struct Registering<'a> {
    /// Its name.
    pub name: &'a str,
    /// The canonical texts of its schedules, each once.
    pub schedules: &'a [String],
}

/// The rows of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The job.
    pub job: JobId,
    /// Its schedules, in the order given, and up to when each is accounted for.
    pub schedules: Vec<(ScheduleId, Timestamp)>,
}

impl Book {
    /// Makes jobs and schedules known, in one transaction. Who was known keeps its ids and cursors. A schedule that is new,
    /// or was retired, begins at `now` (but never before what is accounted for already). Others stay as they are.
    ///
    /// # Errors
    /// Those of a file that cannot be written.
    pub fn register(
        &mut self,
        jobs: &[Registering<'_>],
        now: Timestamp,
    ) -> Result<Vec<Registered>, HistoryError> {
        self.within(|transaction, file| {
            let register = |job| register(transaction, job, now);
            jobs.iter()
                .map(register)
                .collect::<rusqlite::Result<_>>()
                .map_err(|error| HistoryError::of(file, error))
        })
    }

    /// These schedules are no more: removed, changed, or their job is gone. What they have left open is the caller's to end.
    ///
    /// # Errors
    /// Those of a file that cannot be written.
    pub fn retire(&mut self, schedules: &[ScheduleId]) -> Result<(), HistoryError> {
        self.within(|transaction, file| {
            let retire = || {
                let mut statement =
                    transaction.prepare_cached("UPDATE schedules SET retired = 1 WHERE id = ?1")?;
                schedules.iter().try_for_each(|schedule| statement.execute([schedule]).map(drop))
            };
            retire().map_err(|error| HistoryError::of(file, error))
        })
    }

    /// Retires every schedule but these: what has gone while no server ran. Returns how many that were.
    ///
    /// # Errors
    /// Those of a file that cannot be written.
    pub fn retire_others(&mut self, schedules: &[ScheduleId]) -> Result<usize, HistoryError> {
        self.within(|transaction, file| {
            let retire = || {
                let mut kept: Vec<ScheduleId> = schedules.to_vec();
                kept.sort_unstable();
                let mut live = transaction.prepare("SELECT id FROM schedules WHERE retired = 0")?;
                let live = live.query_map([], |row| row.get(0).map(ScheduleId))?;
                let mut gone = Vec::new();
                for schedule in live {
                    let schedule = schedule?;
                    if kept.binary_search(&schedule).is_err() {
                        gone.push(schedule);
                    }
                }
                let mut statement = transaction.prepare("UPDATE schedules SET retired = 1 WHERE id = ?1")?;
                for schedule in &gone {
                    statement.execute([schedule])?;
                }
                Ok(gone.len())
            };
            retire().map_err(|error| HistoryError::of(file, error))
        })
    }
}

fn register(
    transaction: &Transaction<'_>,
    job: &Registering<'_>,
    now: Timestamp,
) -> rusqlite::Result<Registered> {
    let known: Option<i64> = transaction
        .prepare_cached("SELECT id FROM jobs WHERE name = ?1")?
        .query_row([job.name], |row| row.get(0))
        .optional()?;
    let id = match known {
        Some(id) => id,
        None => transaction.prepare_cached("INSERT INTO jobs (name) VALUES (?1)")?.insert([job.name])?,
    };
    let schedules = job.schedules.iter().map(|text| schedule(transaction, JobId(id), text, now));
    Ok(Registered { job: JobId(id), schedules: schedules.collect::<rusqlite::Result<_>>()? })
}

fn schedule(
    transaction: &Transaction<'_>,
    job: JobId,
    text: &str,
    now: Timestamp,
) -> rusqlite::Result<(ScheduleId, Timestamp)> {
    let known = transaction
        .prepare_cached("SELECT id, retired, handled_until FROM schedules WHERE job = ?1 AND text = ?2")?
        .query_row(params![job, text], |row| Ok((row.get(0)?, row.get::<_, bool>(1)?, instant(row, 2)?)))
        .optional()?;
    match known {
        Some((id, false, handled_until)) => Ok((ScheduleId(id), handled_until)),
        Some((id, true, handled_until)) => {
            let begins = handled_until.max(now);
            transaction
                .prepare_cached("UPDATE schedules SET retired = 0, handled_until = ?2 WHERE id = ?1")?
                .execute(params![id, millis(begins)])?;
            Ok((ScheduleId(id), begins))
        }
        None => {
            let id = transaction
                .prepare_cached(
                    "INSERT INTO schedules (job, text, retired, handled_until) VALUES (?1, ?2, 0, ?3)",
                )?
                .insert(params![job, text, millis(now)])?;
            Ok((ScheduleId(id), now))
        }
    }
}
