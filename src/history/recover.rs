//! What a process left that is no more.

use jiff::Timestamp;
use rusqlite::Connection;
use uuid::Uuid;

use super::stored::{instant, run_id};
use super::write::{Counted, end};
use super::{Book, HistoryError, JobId, Occurrence, RunRecord, ScheduleId};
use crate::rules::occurrences::ended::{Ended, FailReason};

/// What was left open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Claims of which nobody is alive. They have ended as failed(lost), and are never run again.
    pub lost: Vec<Lost>,
    /// What waited still does; the caller starts it or skips it.
    pub waiting: Vec<Waiting>,
}

/// A run that was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Which.
    pub occurrence: Occurrence,
    /// The job's name.
    pub job: String,
    /// The run.
    pub run: Uuid,
    /// When it was started.
    pub started: Timestamp,
}

/// An occurrence that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub occurrence: Occurrence,
    /// The job's name.
    pub job: String,
}

impl Book {
    /// Ends what a process before this one has started and not ended, and says what waits, both in the order of their due
    /// times. Only whoever holds the history exclusively may ask: another's claims are not lost.
    ///
    /// # Errors
    /// Those of a file that cannot be written.
    pub fn recover(&mut self, now: Timestamp) -> Result<Recovered, HistoryError> {
        self.within(|transaction, file| {
            let recover = || {
                let recovered = left_open(transaction)?;
                let mut counted = Counted::default();
                for lost in &recovered.lost {
                    let run = RunRecord {
                        reason: Some("its process died".to_owned()),
                        ..RunRecord::bare(lost.run, &lost.job, FailReason::Lost.word(), lost.started, now)
                    };
                    end(transaction, lost.occurrence, Ended::Failed(FailReason::Lost), &run, &mut counted)?;
                }
                counted.write(transaction)?;
                Ok(recovered)
            };
            recover().map_err(|error| HistoryError::of(file, error))
        })
    }
}

fn left_open(connection: &Connection) -> rusqlite::Result<Recovered> {
    let mut statement = connection.prepare(
        "SELECT occurrences.job, schedule, due, jobs.name, state = 'running', run, started
         FROM occurrences JOIN jobs ON jobs.id = occurrences.job
         WHERE state IN ('waiting', 'running') ORDER BY due, schedule",
    )?;
    let mut rows = statement.query([])?;
    let mut recovered = Recovered::default();
    while let Some(row) = rows.next()? {
        let occurrence =
            Occurrence { job: JobId(row.get(0)?), schedule: ScheduleId(row.get(1)?), due: instant(row, 2)? };
        let job = row.get(3)?;
        if row.get(4)? {
            let lost = Lost { occurrence, job, run: run_id(row, 5)?, started: instant(row, 6)? };
            recovered.lost.push(lost);
        } else {
            recovered.waiting.push(Waiting { occurrence, job });
        }
    }
    Ok(recovered)
}
