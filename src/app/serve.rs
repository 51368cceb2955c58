//! Serving: jobs by their schedules, the admin server beside them, and everything in order at the end.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use super::asked::Knowledge;
use super::reload::Files;
use super::{App, SETTLE_MORE, admin_config, history};
use crate::exit::Exit;
use crate::history::{Book, History, HistoryError, Recovered};
use crate::observe::admin::{self, AdminError, AdminServer, Readiness};
use crate::rules::occurrences::Ended;
use crate::runner::Console;
use crate::runner::stop::Stop;
use crate::scheduler::{
    Broken, Drained, Folder, How, Limits, Parts, Scheduler, ServeError, ending, skipping,
};

/// What must be true once before the program is ready.
const CONDITIONS: [&str; 3] = [JOBS, HISTORY, SECRET];
const JOBS: &str = "jobs";
const HISTORY: &str = "history";
const SECRET: &str = "secret";

/// Occurrences of one job that may wait; more would only be run to be late.
const WAITING_OF_JOB_MAX: u32 = 100;

/// The history is pruned this often, in bites that hold up nobody.
const PRUNE_EVERY: Duration = Duration::from_secs(10 * 60);
const PRUNE_ROWS: u32 = 500;

/// What is to be served.
pub struct Serving {
    /// Job files, and folders of them.
    pub paths: Vec<PathBuf>,
    /// Asked to drain, insisted on to hurry.
    pub stop: Stop,
    /// Says that every file is to be read again.
    pub reload: Arc<Notify>,
    /// Where runs print.
    pub console: Console,
}

/// Why serving could not begin, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServingError {
    /// The admin server's address, token or certificate.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The history's file.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// There is not one job.
    #[error("there is no job to serve")]
    NoJobs(Vec<Broken>),
    /// What went wrong later.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

impl ServingError {
    /// How the command ends.
    pub fn exit(&self) -> Exit {
        match self {
            ServingError::Admin(_) | ServingError::History(_) | ServingError::NoJobs(_) => Exit::BadInput,
            ServingError::Serve(_) => Exit::Failed,
        }
    }
}

impl App {
    /// Serves until it is asked to stop; every session is closed when it returns.
    ///
    /// # Errors
    /// [`ServingError`]
    ///
    /// # Cancel safety
    /// Not to be dropped: ask [`Serving::stop`] instead.
    pub async fn serve(self: Arc<App>, serving: Serving) -> Result<Drained, ServingError> {
        self.metrics.schedules();
        let readiness = Readiness::new(&CONDITIONS);
        let knowledge = Knowledge::new(Arc::clone(&self));
        // First the address and the file that only one process can have: until then nothing has happened.
        let admin = self.admin(&readiness, &knowledge).await?;
        let served = self.with_history(serving, &readiness, &knowledge).await;
        self.settle().await;
        if let Some(admin) = admin {
            admin.stop().await;
        }
        served
    }

    async fn admin(
        &self,
        readiness: &Readiness,
        knowledge: &Knowledge,
    ) -> Result<Option<AdminServer>, AdminError> {
        let Some(config) = admin_config(&self.settings, &self.clocks) else { return Ok(None) };
        let (metrics, asked) = (self.metrics.clone(), Arc::new(knowledge.clone()));
        admin::start(config, metrics, readiness.clone(), asked).await.map(Some)
    }

    async fn with_history(
        self: &Arc<App>,
        serving: Serving,
        readiness: &Readiness,
        knowledge: &Knowledge,
    ) -> Result<Drained, ServingError> {
        let Serving { paths, stop, reload, console } = serving;
        let (history, recovered) = self.history().await?;
        readiness.done(HISTORY);
        let folder = Arc::new(Mutex::new(Folder::new(paths)));
        let files = Files { app: Arc::clone(self), folder, console, history: history.clone() };
        let look = files.look(How::All).await;
        if look.changed.is_empty() {
            return Err(ServingError::NoJobs(look.newly_broken));
        }
        let limits = Limits {
            runs_max: self.settings.runs_max,
            runs_of_account_max: self.settings.session_limit,
            waiting_of_job_max: WAITING_OF_JOB_MAX,
        };
        let patience = self.settings.close_deadline * 2 + SETTLE_MORE;
        let parts = Parts {
            history: history.clone(),
            clocks: self.clocks.clone(),
            metrics: self.metrics.clone(),
            limits,
            patience,
        };
        let scheduler = Scheduler::new(parts, recovered);
        let handle = scheduler.handle();
        knowledge.know(history.clone(), handle.clone(), Arc::clone(&files.folder));
        let (jobs, known) = (look.changed.clone(), look.changed.clone());
        // A job that is broken now may have had a version before that the history knows.
        let load = files.load(look, files.broken() == 0);
        let tasks = TaskTracker::new();
        let serving = tasks.spawn({
            let stop = stop.clone();
            async move { scheduler.serve(&stop).await }
        });
        handle.load(load).await;
        readiness.done(JOBS);
        info!(jobs = jobs.len(), history = %history.file().display(), "serving");
        tasks.spawn({
            let (app, stop, readiness) = (Arc::clone(self), stop.clone(), readiness.clone());
            async move {
                if app.first_secret(&jobs, &stop).await {
                    readiness.done(SECRET);
                }
            }
        });
        tasks.spawn({
            let (app, stop) = (Arc::clone(self), stop.clone());
            async move { app.keep_tidy(&history, &stop).await }
        });
        let following = stop.clone();
        tasks.spawn(async move {
            files.app.known(known, &files.history).await;
            files.follow(&handle, &reload, &following).await;
        });
        let drained = serving.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        // It may have ended by itself.
        stop.ask();
        tasks.close();
        tasks.wait().await;
        Ok(drained?)
    }

    /// The history, with what a process before this one has left in it.
    async fn history(&self) -> Result<(History, Recovered), HistoryError> {
        let (path, now) = (history::file(&self.settings), self.clocks.wall());
        let opening = move || History::open_exclusively(&path);
        let opened = tokio::task::spawn_blocking(opening).await;
        let history = opened.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
        let look = move |book: &mut Book| Ok((book.recover(now)?, book.totals()?));
        let (recovered, totals) = history.with(look).await?;
        for lost in &recovered.lost {
            warn!(
                job = lost.job, run = %lost.run, due = %lost.occurrence.due,
                "lost: the process that ran it died; it is not run again"
            );
        }
        for totals in totals.values() {
            let skipped = totals.skipped.iter().map(|(reason, count)| (skipping(*reason), *count));
            let failed = totals.failed.iter().map(|(reason, count)| (ending(Ended::Failed(*reason)), *count));
            let ended = skipped.chain(failed).chain([(ending(Ended::Ran), totals.ran)]);
            self.metrics.occurrences_counted(&totals.name, totals.due, ended);
        }
        self.metrics.history_works();
        Ok((history, recovered))
    }

    /// Keeps the history within its bounds.
    async fn keep_tidy(&self, history: &History, stop: &Stop) {
        let keep = history::retention(&self.settings);
        loop {
            let now = self.clocks.wall();
            match history.with(move |book| book.prune(keep, now, PRUNE_ROWS)).await {
                Ok(pruned) if pruned >= u64::from(PRUNE_ROWS) => continue,
                Ok(_) => {}
                Err(error) => error!(%error, "the history could not be pruned"),
            }
            tokio::select! {
                () = stop.asked() => return,
                () = self.clocks.sleep(PRUNE_EVERY) => {}
            }
        }
    }
}
