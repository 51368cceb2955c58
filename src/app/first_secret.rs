//! Whether secrets can be reached at all, before the first job is due.

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::App;
use super::permitted::{Barred, judged};
use super::practices::{Doing, Recorded};
use crate::doctor::can_read;
use crate::runner::stop::Stop;
use crate::spec::job::Job;

/// They are asked for again after this long.
const PAUSE: Duration = Duration::from_secs(10);

impl App {
    /// Reads the secrets of one job after another until those of one can be read. `false`: `stop` was asked before.
    pub(super) async fn first_secret(&self, jobs: &[Arc<Job>], stop: &Stop) -> bool {
        let mut has_said = false;
        loop {
            let mut first_reason = None;
            for job in jobs {
                match self.can_read_secrets(job).await {
                    Ok(()) => return true,
                    Err(why) => drop(first_reason.get_or_insert_with(|| format!("{}: {why}", job.name))),
                }
            }
            if !has_said {
                has_said = true;
                let first = first_reason.unwrap_or_default();
                warn!(jobs = jobs.len(), "not ready: no job's secret can be read; {first}");
            }
            tokio::select! {
                () = stop.asked() => return false,
                () = self.clocks.sleep(PAUSE) => {}
            }
        }
    }

    async fn can_read_secrets(&self, job: &Arc<Job>) -> Result<(), String> {
        let (judging, settings) = (Arc::clone(job), self.settings.clone());
        let judging = move || judged(&judging, &settings, Doing::Work(Recorded::Nothing));
        let judged = tokio::task::spawn_blocking(judging).await.map_err(|error| error.to_string())?;
        let permitted = judged.map_err(|barred: Barred| barred.why())?;
        can_read(job, &permitted.target.auth, &*self.secrets).await.map_err(|error| error.to_string())
    }
}
