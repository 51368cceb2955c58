//! What the dispatcher writes, and what each write does to the rows and the counts.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::stored::{count, millis};
use super::{HistoryError, JobId, Occurrence, RunRecord, ScheduleId, run_record};
use crate::rules::occurrences::ended::{Ended, SkipReason};

/// What is known so far of the occurrence that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Nothing: it is counted as due now.
    Fresh,
    /// It was written as waiting.
    Waiting,
}

/// One thing that happened to an occurrence.
#[derive(Clone, Debug)]
pub enum Write {
    /// It is due and waits. Always fresh.
    Waiting {
        /// Which.
        occurrence: Occurrence,
        /// Now.
        at: Timestamp,
    },
    /// The claim: it is started when this is confirmed, and never again.
    Started {
        /// Which.
        occurrence: Occurrence,
        /// What is known of it.
        from: From,
        /// The run that it becomes.
        run: Uuid,
        /// Now.
        at: Timestamp,
    },
    /// It is not started. A range of them is one row.
    Skipped {
        /// The job.
        job: JobId,
        /// The schedule.
        schedule: ScheduleId,
        /// The first due time.
        first: Timestamp,
        /// The last one; the same for one.
        last: Timestamp,
        /// How many. With 0 nothing is written.
        count: u64,
        /// Why.
        reason: SkipReason,
        /// What is known of it: of one that waited, `count` is 1.
        from: From,
        /// Now.
        at: Timestamp,
    },
    /// Its run has ended.
    Ended {
        /// Which.
        occurrence: Occurrence,
        /// How.
        ended: Ended,
        /// The run; its id is that of the claim.
        run: Box<RunRecord>,
    },
}

/// What a transaction adds to the counts, by job, result and reason.
#[derive(Default)]
pub(super) struct Counted(BTreeMap<(JobId, &'static str, &'static str), u64>);

impl Counted {
    fn add(&mut self, job: JobId, result: &'static str, reason: &'static str, more: u64) {
        *self.0.entry((job, result, reason)).or_default() += more;
    }

    pub(super) fn ended(&mut self, job: JobId, ended: Ended) {
        match ended {
            Ended::Ran => self.add(job, "ran", "", 1),
            Ended::Failed(reason) => self.add(job, "failed", reason.word(), 1),
        }
    }

    pub(super) fn write(self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut statement = transaction.prepare_cached(
            "INSERT INTO totals (job, result, reason, count) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET count = count + excluded.count",
        )?;
        for ((job, result, reason), more) in self.0 {
            statement.execute(params![job, result, reason, count(more)])?;
        }
        Ok(())
    }
}

impl Write {
    pub(super) fn apply(
        &self,
        transaction: &Transaction<'_>,
        file: &Path,
        counted: &mut Counted,
    ) -> Result<(), HistoryError> {
        let (changed, due) = match self {
            Write::Waiting { occurrence, at } => {
                (waiting(transaction, *occurrence, *at, counted), occurrence.due)
            }
            Write::Started { occurrence, from, run, at } => {
                (started(transaction, *occurrence, *from, *run, *at, counted), occurrence.due)
            }
            Write::Skipped { count: 0, .. } => return Ok(()),
            Write::Skipped { job, schedule, first, last, count, reason, from, at } => {
                let range =
                    Range { job: *job, schedule: *schedule, first: *first, last: *last, count: *count };
                (range.skipped(transaction, *reason, *from, *at, counted), *first)
            }
            Write::Ended { occurrence, ended, run } => {
                let done = end(transaction, *occurrence, *ended, run, counted);
                (done, occurrence.due)
            }
        };
        match changed.map_err(|error| HistoryError::of(file, error))? {
            Found::AsSaid => Ok(()),
            Found::Otherwise => Err(HistoryError::AlreadyAccounted { file: file.to_owned(), due }),
        }
    }
}

/// Whether the rows were as the write says.
pub(super) enum Found {
    AsSaid,
    Otherwise,
}

impl Found {
    fn one_row(changed: usize) -> Found {
        if changed == 1 { Found::AsSaid } else { Found::Otherwise }
    }
}

struct Range {
    job: JobId,
    schedule: ScheduleId,
    first: Timestamp,
    last: Timestamp,
    count: u64,
}

impl Range {
    fn one(occurrence: Occurrence) -> Range {
        let Occurrence { job, schedule, due } = occurrence;
        Range { job, schedule, first: due, last: due, count: 1 }
    }

    /// Moves the schedule's cursor past the range, if it is before it, and counts what is due.
    fn take(&self, transaction: &Transaction<'_>, counted: &mut Counted) -> rusqlite::Result<Found> {
        let moved = transaction
            .prepare_cached(
                "UPDATE schedules SET handled_until = ?4 WHERE id = ?1 AND job = ?2 AND handled_until < ?3",
            )?
            .execute(params![self.schedule, self.job, millis(self.first), millis(self.last)])?;
        if moved == 1 {
            counted.add(self.job, "due", "", self.count);
        }
        Ok(Found::one_row(moved))
    }

    fn skipped(
        &self,
        transaction: &Transaction<'_>,
        reason: SkipReason,
        from: From,
        at: Timestamp,
        counted: &mut Counted,
    ) -> rusqlite::Result<Found> {
        let found = match from {
            From::Fresh => {
                let found = self.take(transaction, counted)?;
                if matches!(found, Found::AsSaid) {
                    transaction
                        .prepare_cached(
                            "INSERT INTO occurrences (schedule, due, last, count, job, state, reason, noted, ended)
                             VALUES (?1, ?2, ?3, ?4, ?5, 'skipped', ?6, ?7, ?7)",
                        )?
                        .execute(params![
                            self.schedule,
                            millis(self.first),
                            millis(self.last),
                            count(self.count),
                            self.job,
                            reason.word(),
                            millis(at)
                        ])?;
                }
                found
            }
            From::Waiting if self.count != 1 => Found::Otherwise,
            From::Waiting => Found::one_row(
                transaction
                    .prepare_cached(
                        "UPDATE occurrences SET state = 'skipped', reason = ?3, ended = ?4
                         WHERE schedule = ?1 AND due = ?2 AND state = 'waiting'",
                    )?
                    .execute(params![self.schedule, millis(self.first), reason.word(), millis(at)])?,
            ),
        };
        if matches!(found, Found::AsSaid) {
            counted.add(self.job, "skipped", reason.word(), self.count);
        }
        Ok(found)
    }
}

fn waiting(
    transaction: &Transaction<'_>,
    occurrence: Occurrence,
    at: Timestamp,
    counted: &mut Counted,
) -> rusqlite::Result<Found> {
    let found = Range::one(occurrence).take(transaction, counted)?;
    if matches!(found, Found::AsSaid) {
        transaction
            .prepare_cached(
                "INSERT INTO occurrences (schedule, due, last, count, job, state, noted)
                 VALUES (?1, ?2, ?2, 1, ?3, 'waiting', ?4)",
            )?
            .execute(params![occurrence.schedule, millis(occurrence.due), occurrence.job, millis(at)])?;
    }
    Ok(found)
}

fn started(
    transaction: &Transaction<'_>,
    occurrence: Occurrence,
    from: From,
    run: Uuid,
    at: Timestamp,
    counted: &mut Counted,
) -> rusqlite::Result<Found> {
    let Occurrence { job, schedule, due } = occurrence;
    if from == From::Waiting {
        let changed = transaction
            .prepare_cached(
                "UPDATE occurrences SET state = 'running', run = ?3, started = ?4
                 WHERE schedule = ?1 AND due = ?2 AND state = 'waiting'",
            )?
            .execute(params![schedule, millis(due), run.as_bytes(), millis(at)])?;
        return Ok(Found::one_row(changed));
    }
    let found = Range::one(occurrence).take(transaction, counted)?;
    if matches!(found, Found::AsSaid) {
        transaction
            .prepare_cached(
                "INSERT INTO occurrences (schedule, due, last, count, job, state, run, noted, started)
                 VALUES (?1, ?2, ?2, 1, ?3, 'running', ?4, ?5, ?5)",
            )?
            .execute(params![schedule, millis(due), job, run.as_bytes(), millis(at)])?;
    }
    Ok(found)
}

/// Ends one that runs, and adds its run.
pub(super) fn end(
    transaction: &Transaction<'_>,
    occurrence: Occurrence,
    ended: Ended,
    run: &RunRecord,
    counted: &mut Counted,
) -> rusqlite::Result<Found> {
    let (state, reason) = match ended {
        Ended::Ran => ("ran", None),
        Ended::Failed(reason) => ("failed", Some(reason.word())),
    };
    let changed = transaction
        .prepare_cached(
            "UPDATE occurrences SET state = ?4, reason = ?5, ended = ?6
             WHERE schedule = ?1 AND due = ?2 AND state = 'running' AND run = ?3",
        )?
        .execute(params![
            occurrence.schedule,
            millis(occurrence.due),
            run.run.as_bytes(),
            state,
            reason,
            millis(run.ended)
        ])?;
    if changed == 1 {
        counted.ended(occurrence.job, ended);
        run_record::insert(transaction, run, Some(occurrence))?;
    }
    Ok(Found::one_row(changed))
}
