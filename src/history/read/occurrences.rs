//! What became of due times.

use jiff::Timestamp;
use rusqlite::Row;
use serde::Serialize;
use uuid::Uuid;

use super::page::Select;
use super::{After, Page, Paging, Reader};
use crate::history::HistoryError;
use crate::history::stored::{instant, millis, optional_instant, run_id, unsigned};

/// Which occurrences are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OccurrenceFilter {
    /// Only those of this job.
    pub job: Option<String>,
    /// Only those that ended, or are, so.
    pub result: Option<OccurrenceResult>,
    /// Only those that were due then or later; of a range, the last.
    pub since: Option<Timestamp>,
}

/// What became of an occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OccurrenceResult {
    /// It waits to be started.
    Waiting,
    /// It runs.
    Running,
    /// It ran.
    Ran,
    /// It was not started.
    Skipped,
    /// It was started and did not end well.
    Failed,
}

impl OccurrenceResult {
    /// All of them.
    pub const ALL: [OccurrenceResult; 5] = [
        OccurrenceResult::Waiting,
        OccurrenceResult::Running,
        OccurrenceResult::Ran,
        OccurrenceResult::Skipped,
        OccurrenceResult::Failed,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            OccurrenceResult::Waiting => "waiting",
            OccurrenceResult::Running => "running",
            OccurrenceResult::Ran => "ran",
            OccurrenceResult::Skipped => "skipped",
            OccurrenceResult::Failed => "failed",
        }
    }

    /// The result of a word.
    pub fn parse(word: &str) -> Option<OccurrenceResult> {
        OccurrenceResult::ALL.into_iter().find(|result| result.word() == word)
    }
}

/// One due time, or a range of skipped ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedOccurrence {
    /// The job's name.
    pub job: String,
    /// The schedule's canonical text.
    pub schedule: String,
    /// When it was due; of a range, the first.
    pub due_at: Timestamp,
    /// The last due time of a range; else the same.
    pub last_due_at: Timestamp,
    /// How many due times it stands for.
    pub count: u64,
    /// `waiting`, `running`, `ran`, `skipped` or `failed`.
    pub result: String,
    /// Why it was skipped or failed, a word.
    pub reason: Option<String>,
    /// The run that it became.
    pub run_id: Option<Uuid>,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it ended, in whatever way.
    pub ended_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "SELECT jobs.name, schedules.text, due, last, count, state, reason, run, started, ended, schedule
    FROM occurrences JOIN jobs ON jobs.id = occurrences.job JOIN schedules ON schedules.id = schedule";

impl Reader {
    /// One page of occurrences, the last due first.
    ///
    /// # Errors
    /// Those of a file that cannot be read.
    pub fn occurrences(
        &self,
        filter: &OccurrenceFilter,
        paging: Paging,
    ) -> Result<Page<ListedOccurrence>, HistoryError> {
        let mut select = Select::new(COLUMNS);
        if let Some(job) = &filter.job {
            select.and("occurrences.job = (SELECT id FROM jobs WHERE name = ?)", [job.clone().into()]);
        }
        match filter.result {
            None => {}
            // So that the index of what is open is used.
            Some(result @ (OccurrenceResult::Waiting | OccurrenceResult::Running)) => {
                select
                    .and("state IN ('waiting', 'running') AND state = ?", [result.word().to_owned().into()]);
            }
            Some(result) => select.and("state = ?", [result.word().to_owned().into()]),
        }
        if let Some(since) = filter.since {
            select.and("last >= ?", [millis(since).into()]);
        }
        self.reading(|connection| {
            select.page(connection, ("due", "schedule"), paging, |row| {
                Ok((listed(row)?, After { instant: row.get(2)?, row: row.get(10)? }))
            })
        })
    }
}

fn listed(row: &Row<'_>) -> rusqlite::Result<ListedOccurrence> {
    Ok(ListedOccurrence {
        job: row.get(0)?,
        schedule: row.get(1)?,
        due_at: instant(row, 2)?,
        last_due_at: instant(row, 3)?,
        count: unsigned(row, 4)?,
        result: row.get(5)?,
        reason: row.get(6)?,
        run_id: row.get::<_, Option<Vec<u8>>>(7)?.map(|_| run_id(row, 7)).transpose()?,
        started_at: optional_instant(row, 8)?,
        ended_at: optional_instant(row, 9)?,
    })
}
