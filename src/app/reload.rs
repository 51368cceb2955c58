//! Job files on their way to the scheduler: the first time, and whenever they change.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tracing::{error, info};

use super::App;
use super::work::JobWork;
use crate::history::History;
use crate::observe::escape::one_line;
use crate::observe::metrics::Reload;
use crate::runner::Console;
use crate::runner::stop::Stop;
use crate::scheduler::{Entry, Folder, Handle, How, Load, Look};
use crate::spec::job::{Job, Target};
use crate::spec::resolve_inputs;

/// Problems of a file in a log line; `exorun check` shows all.
const WHY_CHARS_MAX: usize = 2000;

/// The job files, and what reads them.
pub(super) struct Files {
    pub(super) app: Arc<App>,
    pub(super) folder: Arc<Mutex<Folder>>,
    pub(super) console: Console,
    pub(super) history: History,
}

impl Files {
    /// Looks at them once, without holding up anybody.
    pub(super) async fn look(&self, how: How) -> Look {
        let folder = Arc::clone(&self.folder);
        let looking =
            move || folder.lock().unwrap_or_else(PoisonError::into_inner).look(how, &can_be_scheduled);
        let look = tokio::task::spawn_blocking(looking).await.unwrap_or_else(|error| {
            error!(%error, "the job files could not be looked at");
            Look::default()
        });
        self.tell(&look);
        look
    }

    /// As the scheduler takes it.
    pub(super) fn load(&self, look: Look, is_all: bool) -> Load {
        let entries = look.changed.into_iter().map(|job| self.entry(job)).collect();
        let removed = look.removed.iter().map(|name| name.as_str().into()).collect();
        Load { entries, removed, is_all }
    }

    /// Whether something is broken now.
    pub(super) fn broken(&self) -> usize {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner).broken().len()
    }

    /// Looks again and again, and at once when `reload` says so, until `stop` is asked.
    pub(super) async fn follow(&self, scheduler: &Handle, reload: &Notify, stop: &Stop) {
        loop {
            let how = tokio::select! {
                () = stop.asked() => return,
                () = reload.notified() => How::All,
                () = self.app.clocks.sleep(self.app.settings.reload_interval) => How::Changed,
            };
            let look = self.look(how).await;
            if how == How::All {
                info!("SIGHUP: every job file was read again");
            }
            if !(look.changed.is_empty() && look.removed.is_empty()) {
                let (removed, changed) = (look.removed.clone(), look.changed.clone());
                scheduler.load(self.load(look, false)).await;
                // What waited of them has been counted by now.
                self.app.metrics.forget_jobs(&removed.iter().map(|name| name.as_str()).collect());
                self.app.known(changed, &self.history).await;
            }
        }
    }

    fn entry(&self, job: Arc<Job>) -> Entry {
        Entry {
            name: job.name.as_str().into(),
            schedules: job.schedules.clone(),
            policy: Arc::new(job.run_policy.clone()),
            account: whose(&job).into(),
            work: Arc::new(JobWork { app: Arc::clone(&self.app), job, console: self.console.clone() }),
        }
    }

    fn tell(&self, look: &Look) {
        let metrics = &self.app.metrics;
        for broken in &look.newly_broken {
            let (path, why) = (broken.path.display(), one_line(&broken.why, WHY_CHARS_MAX));
            error!(%path, "job file is broken, the version before stays in force: {why}");
        }
        for path in &look.mended {
            info!(path = %path.display(), "job file is right again");
        }
        for job in &look.changed {
            info!(job = %job.name, job_hash = %job.hash, source = %job.source.display(), "job loaded");
        }
        for name in &look.removed {
            info!(job = %name, "job removed");
        }
        let (jobs, broken) = {
            let folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
            (folder.jobs().len(), folder.broken().len())
        };
        if !look.is_empty() {
            let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            let reload = if broken == 0 { Reload::Whole } else { Reload::Partly };
            metrics.reloaded(reload, count(jobs), count(broken), self.app.clocks.wall());
        }
    }
}

/// Why a job that is right in itself cannot be started by a schedule.
fn can_be_scheduled(job: &Job) -> Result<(), String> {
    if job.schedules.is_empty() {
        return Ok(());
    }
    resolve_inputs(job, &[]).map(drop).map_err(|problems| {
        format!("{}; a job with schedules needs a default for each input", problems.join("; "))
    })
}

/// Whose sessions its runs share, as far as the text tells.
fn whose(job: &Job) -> String {
    match &job.target {
        Target::Connection { name, .. } => format!("connection {name}"),
        Target::Spelled(target) => {
            let auth = &target.auth;
            let who = auth.user_principal_name.as_ref().or(auth.client_id.as_ref());
            let who = who.map_or_else(|| format!("{:?}", auth.method), Clone::clone);
            format!("{} {} {who}", target.environment.as_str(), target.tenant.to_ascii_lowercase())
        }
    }
}
