//! A run as the history keeps it.

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use serde::Serialize;
use uuid::Uuid;

use super::Occurrence;
use super::stored::{count, millis};

/// Characters kept of the reason: it may quote an answer of the service.
const REASON_LENGTH_MAX: usize = 2_000;

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// One of the job's schedules.
    Schedule,
    /// Somebody, by `exorun run`.
    Hand,
}

/// A run that has ended. Text is as the run's report has it and is escaped on its way out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRecord {
    /// Its id.
    #[serde(rename = "run_id")]
    pub run: Uuid,
    /// The job's name.
    pub job: String,
    /// What started it.
    pub trigger: Trigger,
    /// When it was due; nothing for one that was started by hand. On the way in, the occurrence says it.
    #[serde(rename = "due_at")]
    pub due: Option<Timestamp>,
    /// When it began.
    #[serde(rename = "began_at")]
    pub began: Timestamp,
    /// When it ended; of a lost one, when that was noticed.
    #[serde(rename = "ended_at")]
    pub ended: Timestamp,
    /// How long it took, by a clock that nobody sets; nothing if it was lost.
    pub seconds: Option<f64>,
    /// A word: those of the exit codes, `replaced` and `lost`.
    pub outcome: String,
    /// The exit code that `exorun run` would have given.
    pub exit_code: Option<u8>,
    /// Why it ended before its last step, in one line.
    pub reason: Option<String>,
    /// `EMULATED` if an emulator answered, else `Exchange Online`.
    pub peer: String,
    /// The tenant as the job names it.
    pub tenant: String,
    /// The token's tenant.
    pub tenant_id: Option<String>,
    /// The cloud.
    pub environment: String,
    /// The service.
    pub service: String,
    /// Who signed in.
    pub actor: Option<String>,
    /// `apply` or `dry-run`.
    pub mode: String,
    /// SHA-256 of the job's document.
    pub job_hash: String,
    /// The file it was read from.
    pub source: String,
    /// How many sessions it held.
    pub sessions: u32,
    /// The steps that began, in order. Lists of runs are without them; [`RunDetail`](super::RunDetail) has them.
    #[serde(skip)]
    pub steps: Vec<StepRecord>,
}

/// One step of a run that has ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepRecord {
    /// Its name.
    pub name: String,
    /// What it calls: `Get-Mailbox`, or `ensure CASMailbox`.
    pub action: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Calls made.
    pub calls: u64,
    /// Items returned.
    pub items: u64,
    /// Objects changed.
    pub changed: u64,
    /// Objects found as declared.
    pub unchanged: u64,
    /// Objects that a dry run would change.
    pub pending: u64,
    /// Objects that failed.
    pub failed: u64,
    /// Items for which `when` was false.
    pub skipped: u64,
}

impl RunRecord {
    /// A run of which nothing is known but when it began and ended.
    pub fn bare(run: Uuid, job: &str, outcome: &str, began: Timestamp, ended: Timestamp) -> RunRecord {
        RunRecord {
            run,
            job: job.to_owned(),
            trigger: Trigger::Hand,
            due: None,
            began,
            ended,
            seconds: None,
            outcome: outcome.to_owned(),
            exit_code: None,
            reason: None,
            peer: String::new(),
            tenant: String::new(),
            tenant_id: None,
            environment: String::new(),
            service: String::new(),
            actor: None,
            mode: String::new(),
            job_hash: String::new(),
            source: String::new(),
            sessions: 0,
            steps: Vec::new(),
        }
    }

    fn kept_reason(&self) -> Option<&str> {
        let reason = self.reason.as_deref()?;
        let end = reason.char_indices().nth(REASON_LENGTH_MAX).map_or(reason.len(), |(at, _)| at);
        Some(&reason[..end])
    }
}

/// Adds a run; with `occurrence`, as that one's.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    run: &RunRecord,
    occurrence: Option<Occurrence>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO runs (run, job, schedule, due, began, ended, seconds, outcome, exit_code, reason, peer, tenant,
                               tenant_id, environment, service, actor, mode, job_hash, source, sessions)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        )?
        .execute(params![
            run.run.as_bytes(),
            run.job,
            occurrence.map(|occurrence| occurrence.schedule),
            occurrence.map(|occurrence| millis(occurrence.due)),
            millis(run.began),
            millis(run.ended),
            run.seconds,
            run.outcome,
            run.exit_code,
            run.kept_reason(),
            run.peer,
            run.tenant,
            run.tenant_id,
            run.environment,
            run.service,
            run.actor,
            run.mode,
            run.job_hash,
            run.source,
            run.sessions
        ])?;
    if run.steps.is_empty() {
        return Ok(());
    }
    let id = transaction.last_insert_rowid();
    let mut statement = transaction.prepare_cached(
        "INSERT INTO steps (run, place, name, action, seconds, calls, items, changed, unchanged, pending, failed, skipped)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for (place, step) in run.steps.iter().enumerate() {
        statement.execute(params![
            id,
            count(place as u64),
            step.name,
            step.action,
            step.seconds,
            count(step.calls),
            count(step.items),
            count(step.changed),
            count(step.unchanged),
            count(step.pending),
            count(step.failed),
            count(step.skipped)
        ])?;
    }
    Ok(())
}
