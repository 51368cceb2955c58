//! What the admin server answers: of jobs what the scheduler knows, of runs and occurrences what the history has, of sessions
//! what the slot store says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{App, listed};
use crate::exit::Exit;
use crate::history::{
    After, History, HistoryError, OccurrenceFilter, OccurrenceResult, Page, Paging, Reader, RunFilter,
    RunOutcome, RunRecord, Totals,
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
        Ok(listed(&slots.reach, &accounts, self.app.clocks.wall()))
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
        Ok(json!({ "items": self.shown(views).await?, "next": next }))
    }

    async fn job(&self, name: String) -> Result<Value, AskError> {
        let view = self.scheduler.look(move |jobs| jobs.view(&name)).await.ok_or_else(stopping)?;
        let view = view.ok_or(AskError::NotFound)?;
        self.shown(vec![view]).await?.pop().ok_or(AskError::NotFound)
    }

    /// Jobs as the API shows them.
    async fn shown(&self, views: Vec<JobView>) -> Result<Vec<Value>, AskError> {
        let names: Vec<String> = views.iter().map(|view| view.name.clone()).collect();
        let told = self.history.read(move |book| Told::of(book, &names)).await.map_err(unavailable)?;
        let names: BTreeSet<&str> = views.iter().map(|view| view.name.as_str()).collect();
        let jobs = self.folder.lock().unwrap_or_else(PoisonError::into_inner).named(&names);
        // A job that was removed a moment ago is shown no more.
        let shown = views.iter().filter_map(|view| Some(shown(view, jobs.get(&view.name)?, &told)));
        Ok(shown.collect())
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

/// What the history tells of some jobs.
#[derive(Default)]
struct Told {
    totals: BTreeMap<String, Totals>,
    last: BTreeMap<String, RunRecord>,
}

impl Told {
    fn of(book: &Reader, names: &[String]) -> Result<Told, HistoryError> {
        let mut told = Told::default();
        for name in names {
            let filter = RunFilter { job: Some(name.clone()), ..RunFilter::default() };
            let last = book.runs(&filter, Paging { limit: 1, after: None })?.items.pop();
            told.last.extend(last.map(|run| (name.clone(), run)));
        }
        told.totals = book.totals()?.into_values().map(|totals| (totals.name.clone(), totals)).collect();
        Ok(told)
    }
}

/// A job as the API shows it.
fn shown(view: &JobView, job: &Job, told: &Told) -> Value {
    let state = match view {
        JobView { is_suspended: true, .. } => "suspended",
        JobView { running: 1.., .. } => "running",
        JobView { waiting: 1.., .. } => "waiting",
        _ => "idle",
    };
    let schedules = view.schedules.iter();
    let schedules: Vec<Value> =
        schedules.map(|(text, next)| json!({ "schedule": text, "next_due_at": next })).collect();
    let last_run = told.last.get(&view.name).map(|run| {
        json!({ "run_id": run.run, "began_at": run.began, "ended_at": run.ended, "outcome": run.outcome })
    });
    let none = Totals::default();
    let totals = told.totals.get(&view.name).unwrap_or(&none);
    let skipped = totals.skipped.iter().map(|(reason, count)| (reason.word(), *count));
    let failed = totals.failed.iter().map(|(reason, count)| (reason.word(), *count));
    json!({
        "name": view.name,
        "description": job.description,
        "source": job.source.display().to_string(),
        "hash": job.hash,
        "state": state,
        "schedules": schedules,
        "next_due_at": view.next_due,
        "last_run": last_run,
        "counts": {
            "due": totals.due,
            "ran": totals.ran,
            "skipped": skipped.collect::<BTreeMap<_, _>>(),
            "failed": failed.collect::<BTreeMap<_, _>>(),
            "open": totals.open,
        },
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
