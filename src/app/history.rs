//! Where the history is, how much of it is kept, and what of a run's report it gets.

use std::path::PathBuf;

use uuid::Uuid;

use crate::clocks::Clocks;
use crate::history::{Book, HistoryError, Retention, RunRecord, StepRecord, Trigger};
use crate::runner::report::RunReport;
use crate::settings::Settings;

/// The file's name where no setting names one.
const FILE_NAME: &str = "history.sqlite";

/// Rows that a single run removes at most when it adds itself: more than it adds, and gone in a moment.
const REMOVED_MAX: u32 = 100;

/// The file that `serve` keeps and `history` reads.
pub fn file(settings: &Settings) -> PathBuf {
    settings.history.clone().unwrap_or_else(|| settings.state_dir.join(FILE_NAME))
}

/// How much is kept.
pub fn retention(settings: &Settings) -> Retention {
    Retention { for_at_most: settings.history_keep, runs_max: settings.history_runs_max.into() }
}

/// What the history keeps of a run. Whoever writes it for an occurrence need not set `trigger` and `due`.
pub fn record(report: &RunReport) -> RunRecord {
    RunRecord {
        run: Uuid::parse_str(&report.run_id).expect("a run's id is a UUID that the program has made"),
        job: report.job.clone(),
        trigger: Trigger::Hand,
        due: None,
        began: report.began_at,
        ended: report.ended_at,
        seconds: Some(report.seconds),
        outcome: report.outcome.to_owned(),
        exit_code: Some(report.exit_code),
        reason: report.reason.clone(),
        peer: report.peer.to_owned(),
        tenant: report.tenant.clone(),
        tenant_id: report.tenant_id.clone(),
        environment: report.environment.clone(),
        service: report.service.to_owned(),
        actor: report.actor.clone(),
        mode: report.mode.to_owned(),
        job_hash: report.job_hash.clone(),
        source: report.source.clone(),
        sessions: u32::try_from(report.sessions.len()).unwrap_or(u32::MAX),
        steps: report
            .steps
            .iter()
            .map(|step| {
                let counts = &step.counts;
                StepRecord {
                    name: step.name.clone(),
                    action: step.action.clone(),
                    seconds: step.seconds,
                    calls: counts.calls,
                    items: counts.items,
                    changed: counts.changed,
                    unchanged: counts.unchanged,
                    pending: counts.pending,
                    failed: counts.failed,
                    skipped: counts.skipped,
                }
            })
            .collect(),
    }
}

/// Adds a run that was started by hand, if a setting names the history, and removes what is too old.
///
/// # Errors
/// [`HistoryError`]: the run is not in it. What it did in the tenant is done all the same.
pub async fn add(settings: &Settings, report: &RunReport, clocks: &Clocks) -> Result<(), HistoryError> {
    let Some(path) = settings.history.clone() else { return Ok(()) };
    let (run, keep, now) = (record(report), retention(settings), clocks.wall());
    let file = path.clone();
    let adding = move || {
        let mut book = Book::open_to_add(&path)?;
        book.record_run(&run)?;
        book.prune(keep, now, REMOVED_MAX).map(drop)
    };
    tokio::task::spawn_blocking(adding).await.unwrap_or_else(|error| {
        Err(HistoryError::Other { file, what: format!("adding the run was cut short: {error}") })
    })
}
