//! What the admin server answers: of jobs what the scheduler knows, of runs and occurrences what the history has, of sessions
//! what the slot store says.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{App, listed};
use crate::exit::Exit;
use crate::history::{
    After, History, HistoryError, OccurrenceFilter, OccurrenceResult, Page, Paging, RunFilter, RunOutcome,
};
use crate::observe::admin::{Answer, AskError, Asked, Query, Resource};
use crate::rules::occurrences::FailReason;
use crate::scheduler::{Folder, Handle, JobView};
use crate::spec::job::{Job, JobName};

/// What there is to be known; nothing until serving has begun.
#[derive(Clone)]
pub(super) struct Knowledge {
    app: Arc<App>,
    known: Arc<OnceLock<Known>>,
}

struct Known {
    history: History,
    scheduler: Handle,
    folder: Arc<Mutex<Folder>>,
}

impl Knowledge {
    pub(super) fn new(app: Arc<App>) -> Knowledge {
        Knowledge { app, known: Arc::default() }
    }

    pub(super) fn know(&self, history: History, scheduler: Handle, folder: Arc<Mutex<Folder>>) {
        let _known_already = self.known.set(Known { history, scheduler, folder });
    }

    fn known(&self) -> Result<&Known, AskError> {
        self.known.get().ok_or_else(|| AskError::Unavailable("the program is still starting".to_owned()))
    }

    async fn sessions(&self) -> Result<Value, AskError> {
        let failed = |error: crate::slots::SlotError| AskError::Unavailable(error.to_string());
        let slots = self.app.slots().await.map_err(failed)?;
        let accounts = slots.store.list(None).await.map_err(failed)?;
        let mut all = listed(&slots.reach, &accounts, self.app.clocks.wall());
        Ok(json!({ "reach": all["reach"].take(), "items": all["accounts"].take(), "next": null }))
    }
}

#[async_trait]
impl Asked for Knowledge {
    async fn answer(&self, query: Query) -> Result<Answer, AskError> {
        let body = match &query.resource {
            Resource::Jobs => self.known()?.jobs(&query).await?,
            Resource::Job(name) => self.known()?.job(name.clone()).await?,
            Resource::Runs => self.known()?.runs(&query).await?,
            Resource::Run(id) => self.known()?.run(id).await?,
            Resource::Occurrences => self.known()?.occurrences(&query).await?,
            Resource::Sessions => self.sessions().await?,
        };
        Ok(Answer { body })
    }
}

impl Known {
    async fn jobs(&self, query: &Query) -> Result<Value, AskError> {
        let limit = query.limit as usize;
        let after = query.page.as_deref().map(cursor_name).transpose()?;
        // One more than is shown says whether there is a next page.
        let views = self.scheduler.look(move |jobs| jobs.views(after.as_deref(), limit + 1)).await;
        let mut views = views.ok_or_else(stopping)?;
        let next = (views.len() > limit).then(|| views.truncate(limit));
        let next = next.and_then(|()| views.last()).map(|last| last.name.clone());
        Ok(json!({ "items": self.shown(&views), "next": next }))
    }

    async fn job(&self, name: String) -> Result<Value, AskError> {
        let view = self.scheduler.look(move |jobs| jobs.view(&name)).await.ok_or_else(stopping)?;
        let view = view.ok_or(AskError::NotFound)?;
        self.shown(&[view]).pop().ok_or(AskError::NotFound)
    }

    /// Jobs as the API shows them.
    fn shown(&self, views: &[JobView]) -> Vec<Value> {
        let names: BTreeSet<&str> = views.iter().map(|view| view.name.as_str()).collect();
        let jobs = self.folder.lock().unwrap_or_else(PoisonError::into_inner).named(&names);
        views.iter().map(|view| shown(view, jobs.get(&view.name).map(AsRef::as_ref))).collect()
    }

    async fn runs(&self, query: &Query) -> Result<Value, AskError> {
        let outcome = query.outcome.as_deref().map(run_outcome).transpose()?;
        let filter = RunFilter { job: query.job.clone(), outcome, since: None };
        let paging = paging(query)?;
        page(self.history.read(move |book| book.runs(&filter, paging)).await)
    }

    async fn run(&self, id: &str) -> Result<Value, AskError> {
        let id = Uuid::try_parse(id).map_err(|_| AskError::NotFound)?;
        let run = self.history.read(move |book| book.run(id)).await.map_err(unavailable)?;
        serde_json::to_value(run.ok_or(AskError::NotFound)?).map_err(unavailable)
    }

    async fn occurrences(&self, query: &Query) -> Result<Value, AskError> {
        let unknown = |word: &str| {
            let words = OccurrenceResult::ALL.map(OccurrenceResult::word).join(", ");
            AskError::BadQuery(format!("`{word}` is no result; there are {words}"))
        };
        let result = query.outcome.as_deref();
        let result = result.map(|word| OccurrenceResult::parse(word).ok_or_else(|| unknown(word)));
        let filter = OccurrenceFilter { job: query.job.clone(), result: result.transpose()?, since: None };
        let paging = paging(query)?;
        page(self.history.read(move |book| book.occurrences(&filter, paging)).await)
    }
}

/// A job as the API shows it.
fn shown(view: &JobView, job: Option<&Job>) -> Value {
    json!({
        "name": view.name,
        "description": job.and_then(|job| job.description.as_deref()),
        "source": job.map(|job| job.source.display().to_string()),
        "hash": job.map(|job| job.hash.as_str()),
        "schedules": view.schedules,
        "suspended": view.is_suspended,
        "next_due_at": view.next_due,
        "running": view.running,
        "waiting": view.waiting,
    })
}

/// The name that a page of jobs has ended with.
fn cursor_name(text: &str) -> Result<String, AskError> {
    match JobName::new(text) {
        Some(name) => Ok(name.as_str().to_owned()),
        None => Err(AskError::BadQuery("`page` is none that this list has given".to_owned())),
    }
}

fn run_outcome(word: &str) -> Result<RunOutcome, AskError> {
    let exits = Exit::ALL.map(Exit::word);
    let further = [FailReason::Replaced, FailReason::Lost].map(FailReason::word);
    let mut words = exits.into_iter().chain(further);
    match words.find(|known| *known == word) {
        Some(known) => Ok(RunOutcome::Is(known.to_owned())),
        None => Err(AskError::BadQuery(format!("`{word}` is no outcome of a run: see the exit codes"))),
    }
}

fn paging(query: &Query) -> Result<Paging, AskError> {
    let after = query.page.as_deref().map(str::parse::<After>).transpose();
    let after =
        after.map_err(|_| AskError::BadQuery("`page` is none that this list has given".to_owned()))?;
    Ok(Paging { limit: query.limit, after })
}

fn page<T: Serialize>(read: Result<Page<T>, HistoryError>) -> Result<Value, AskError> {
    serde_json::to_value(read.map_err(unavailable)?).map_err(unavailable)
}

fn unavailable(error: impl std::fmt::Display) -> AskError {
    AskError::Unavailable(error.to_string())
}

fn stopping() -> AskError {
    AskError::Unavailable("the program is stopping".to_owned())
}
