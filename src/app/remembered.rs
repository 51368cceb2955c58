//! What the page says of jobs that have not run in this process: that they are there, and what the history remembers.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::warn;

use super::App;
use super::permitted::targets;
use crate::exit::Exit;
use crate::history::{History, HistoryError, Remembered};
use crate::observe::metrics::{Kept, Metrics};
use crate::rules::schedule::longest_gap;
use crate::settings::Settings;
use crate::spec::job::{Job, Target};
use crate::spec::{ConnectionError, Connections, read_connections};

/// Jobs that are looked up in one go.
const JOBS_AT_A_TIME: usize = 500;

impl App {
    /// The page has these jobs from now on. With many jobs this takes a while, and holds up nobody.
    pub(super) async fn known(self: &Arc<App>, jobs: Vec<Arc<Job>>, history: &History) {
        let app = Arc::clone(self);
        let telling = move || {
            let (targets, now) = (TargetNames::read(&app.settings), app.clocks.wall());
            let names = jobs.iter().map(|job| {
                let target = targets.of(job, &app.settings);
                let interval = longest_gap(&job.schedules, now);
                app.metrics.job_loaded(job.name.as_str(), &target, now, interval);
                (job.name.to_string(), target)
            });
            names.collect::<Vec<_>>()
        };
        let Ok(names) = tokio::task::spawn_blocking(telling).await else { return };
        for some in names.chunks(JOBS_AT_A_TIME) {
            if let Err(error) = self.remember(some.to_vec(), history).await {
                warn!(%error, "the times of earlier runs are not in the metrics");
                return;
            }
        }
    }

    async fn remember(&self, jobs: Vec<(String, String)>, history: &History) -> Result<(), HistoryError> {
        let peer = self.peer();
        let looking = move |reader: &crate::history::Reader| {
            let look = |(job, target): (String, String)| Ok((reader.remembered(&job, peer)?, job, target));
            jobs.into_iter().map(look).collect::<Result<Vec<_>, HistoryError>>()
        };
        for (remembered, job, target) in history.read(looking).await? {
            tell(&self.metrics, &job, &target, remembered);
        }
        Ok(())
    }
}

fn tell(metrics: &Metrics, job: &str, target: &str, remembered: Remembered) {
    if let Some(since) = remembered.since {
        metrics.job_known_since(job, since);
    }
    let mut runs = remembered.runs;
    // Runs of which nobody knows the tenant were to be against the one that the job names now.
    for run in &mut runs {
        if run.tenant.is_empty() {
            target.clone_into(&mut run.tenant);
        }
    }
    // A later value replaces an earlier one of the same tenant.
    runs.sort_by_key(|run| run.completion);
    for run in &runs {
        let same = || runs.iter().filter(|other| other.tenant == run.tenant);
        let at = |at: Option<Timestamp>| at.map(Timestamp::as_second);
        let values = [
            (Kept::Completion, at(Some(run.completion))),
            (Kept::Success, at(same().filter_map(|run| run.success).max())),
            (Kept::Failure, at(same().filter_map(|run| run.failure).max())),
            // Whose process died has failed, whatever it would have said.
            (Kept::ExitCode, Some(i64::from(run.exit_code.unwrap_or(Exit::Failed.code())))),
        ];
        for (kept, value) in values {
            if let Some(value) = value {
                metrics.keep(kept, job, &run.tenant, value);
            }
        }
    }
}

/// Where jobs run, as the file of connections said when it was read.
struct TargetNames(Connections);

impl TargetNames {
    fn read(settings: &Settings) -> TargetNames {
        let file = settings.connections_file.as_deref();
        // Whoever runs a job tells what is wrong with the file.
        TargetNames(file.and_then(|file| read_connections(file).ok()).unwrap_or_else(Connections::none))
    }

    /// Empty if nobody knows.
    fn of(&self, job: &Job, settings: &Settings) -> String {
        match self.0.target(job, targets(settings)) {
            Ok(target) => target.organization().to_owned(),
            Err(ConnectionError::Refused { target, .. }) => target.organization().to_owned(),
            Err(_) => match &job.target {
                Target::Spelled(target) => target.organization().to_owned(),
                Target::Connection { .. } => String::new(),
            },
        }
    }
}
