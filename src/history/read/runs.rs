//! Runs that have ended.

use jiff::Timestamp;

use rusqlite::{Connection, Row};
use serde::Serialize;
use uuid::Uuid;

use super::page::Select;
use super::{After, Page, Paging, Reader};
use crate::history::stored::{instant, millis, optional_instant, run_id, unsigned};
use crate::history::{HistoryError, RunRecord, StepRecord, Trigger};

/// Which runs are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only those of this job.
    pub job: Option<String>,
    /// Only those that ended so.
    pub outcome: Option<RunOutcome>,
    /// Only those that began then or later.
    pub since: Option<Timestamp>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// With this word.
    Is(String),
    /// Neither `done` nor `changes_pending`.
    NotWell,
}

/// A run with its steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunDetail {
    /// The run.
    #[serde(flatten)]
    pub run: RunRecord,
    /// Its steps, in order.
    pub steps: Vec<StepRecord>,
}

/// What the beginning of an id leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// No run that has ended.
    Nothing,
    /// This one.
    One(Box<RunDetail>),
    /// More than one.
    Several,
}

const COLUMNS: &str =
    "SELECT id, run, job, due, began, ended, seconds, outcome, exit_code, reason, peer, tenant, tenant_id,
    environment, service, actor, mode, job_hash, source, sessions FROM runs";

impl Reader {
    /// One page of runs that have ended, the last begun first, without their steps.
    ///
    /// # Errors
    /// Those of a file that cannot be read.
    pub fn runs(&self, filter: &RunFilter, paging: Paging) -> Result<Page<RunRecord>, HistoryError> {
        let mut select = Select::new(COLUMNS);
        if let Some(job) = &filter.job {
            select.and("job = ?", [job.clone().into()]);
        }
        match &filter.outcome {
            None => {}
            Some(RunOutcome::Is(word)) => select.and("outcome = ?", [word.clone().into()]),
            Some(RunOutcome::NotWell) => select.and("outcome NOT IN ('done', 'changes_pending')", []),
        }
        if let Some(since) = filter.since {
            select.and("began >= ?", [millis(since).into()]);
        }
        self.reading(|connection| {
            select.page(connection, ("began", "id"), paging, |row| {
                let run = run(row)?;
                Ok((run, After { instant: row.get(4)?, row: row.get(0)? }))
            })
        })
    }

    /// The run with this id, with its steps.
    ///
    /// # Errors
    /// Those of a file that cannot be read.
    pub fn run(&self, id: Uuid) -> Result<Option<RunDetail>, HistoryError> {
        match self.between(id, id)? {
            Found::One(run) => Ok(Some(*run)),
            Found::Nothing | Found::Several => Ok(None),
        }
    }

    /// The run whose id begins with `prefix`, hexadecimal digits in either case; dashes do not count.
    ///
    /// # Errors
    /// Those of a file that cannot be read.
    pub fn run_by_prefix(&self, prefix: &str) -> Result<Found, HistoryError> {
        let digits: String = prefix.chars().filter(|digit| *digit != '-').collect();
        let filled =
            |with: &str| Uuid::parse_str(&format!("{digits}{}", with.repeat(32 - digits.len()))).ok();
        if digits.is_empty() || digits.len() > 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(Found::Nothing);
        }
        match (filled("0"), filled("f")) {
            (Some(first), Some(last)) => self.between(first, last),
            _ => Ok(Found::Nothing),
        }
    }

    fn between(&self, first: Uuid, last: Uuid) -> Result<Found, HistoryError> {
        self.reading(|connection| {
            let mut statement =
                connection.prepare_cached(&format!("{COLUMNS} WHERE run BETWEEN ?1 AND ?2 LIMIT 2"))?;
            let mut found = statement.query_map([first.as_bytes(), last.as_bytes()], |row| {
                Ok((row.get::<_, i64>(0)?, run(row)?))
            })?;
            match (found.next().transpose()?, found.next().transpose()?) {
                (None, _) => Ok(Found::Nothing),
                (Some(_), Some(_)) => Ok(Found::Several),
                (Some((id, run)), None) => {
                    Ok(Found::One(Box::new(RunDetail { run, steps: steps(connection, id)? })))
                }
            }
        })
    }
}

fn run(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let due = optional_instant(row, 3)?;
    Ok(RunRecord {
        run: run_id(row, 1)?,
        job: row.get(2)?,
        trigger: if due.is_some() { Trigger::Schedule } else { Trigger::Hand },
        due,
        began: instant(row, 4)?,
        ended: instant(row, 5)?,
        seconds: row.get(6)?,
        outcome: row.get(7)?,
        exit_code: row.get(8)?,
        reason: row.get(9)?,
        peer: row.get(10)?,
        tenant: row.get(11)?,
        tenant_id: row.get(12)?,
        environment: row.get(13)?,
        service: row.get(14)?,
        actor: row.get(15)?,
        mode: row.get(16)?,
        job_hash: row.get(17)?,
        source: row.get(18)?,
        sessions: row.get(19)?,
        steps: Vec::new(),
    })
}

fn steps(connection: &Connection, run: i64) -> rusqlite::Result<Vec<StepRecord>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, action, seconds, calls, items, changed, unchanged, pending, failed, skipped
         FROM steps WHERE run = ?1 ORDER BY place",
    )?;
    let steps = statement.query_map([run], |row| {
        Ok(StepRecord {
            name: row.get(0)?,
            action: row.get(1)?,
            seconds: row.get(2)?,
            calls: unsigned(row, 3)?,
            items: unsigned(row, 4)?,
            changed: unsigned(row, 5)?,
            unchanged: unsigned(row, 6)?,
            pending: unsigned(row, 7)?,
            failed: unsigned(row, 8)?,
            skipped: unsigned(row, 9)?,
        })
    })?;
    steps.collect()
}
