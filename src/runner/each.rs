//! One step: its action once, or once for each item of a list, on as many sessions as are free at once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use serde_json::Value;
use tracing::{debug, info};

use super::acting::{Acting, Doing};
use super::call::Call;
use super::context::RunParts;
use super::halt::{Failure, Halt, Weight};
use super::items::{Items, Spool};
use super::progress::Bar;
use crate::exit::Exit;
use crate::rules::causes::chain;
use crate::session::{RunLabel, Session, SessionError, Wait};
use crate::spec::job::{Action, Keep, OnError};
use crate::spec::template::{Expression, Scope};

/// The list a step loops over. It was finished before the loop starts: page links live minutes.
pub(super) struct List {
    items: Box<dyn Iterator<Item = std::io::Result<Value>> + Send>,
    total: u64,
}

/// A loop's shared place: who takes the next item, and where returned items go.
struct Feed {
    list: Mutex<(List, u64)>,
    returned: Mutex<Spool>,
    /// How many items a session takes at a time.
    together: u64,
    bar: Bar,
}

/// An item with what is to be done for it.
struct Taken<'a> {
    index: u64,
    doing: Result<Doing<'a>, Failure>,
}

impl Acting<'_> {
    /// Does the step on `session`, and on further sessions if it loops and some are free at once.
    ///
    /// # Errors
    /// Why the run cannot go on. Counts are in the tally either way.
    pub(super) async fn all(&self, session: &mut Session, scope: &Scope) -> Result<Items, Halt> {
        let Some(for_each) = &self.step.for_each else {
            return self.single(session, scope).await;
        };
        let list = list_of(for_each, scope).map_err(|failure| self.refused(&failure))?;
        let run = self.run;
        // A session does one call at a time.
        let most = run.job.limits.max_sessions.min(self.step.parallel.unwrap_or(u32::MAX));
        let further = u64::from(most).min(list.total).saturating_sub(1);
        let bar = run.progress.bar(self.step.name.as_str(), list.total);
        // A short list is shared out among the sessions before it is gathered into batches.
        let most_together = if self.may_read_ahead() { u64::from(run.batch_size) } else { 1 };
        let together = (list.total / (further + 1)).clamp(1, most_together);
        let feed = Feed { list: Mutex::new((list, 0)), returned: Mutex::default(), together, bar };
        let label = label(run);
        let helpers = join_all((0..further).map(|_| self.helper(&label, &feed, scope)));
        tokio::join!(self.work(session, &feed, scope), helpers);
        let Feed { returned, .. } = feed;
        if let Some(halt) = self.tally.halted() {
            return Err(halt);
        }
        let returned = returned.into_inner().unwrap_or_else(PoisonError::into_inner);
        returned.finish().map_err(|error| Halt::new(Exit::Failed, error.to_string()))
    }

    async fn single(&self, session: &mut Session, scope: &Scope) -> Result<Items, Halt> {
        let nothing =
            || Spool::default().finish().map_err(|error| Halt::new(Exit::Failed, error.to_string()));
        match self.is_wanted(scope) {
            Ok(true) => {}
            Ok(false) => {
                self.tally.counts().skipped += 1;
                return nothing();
            }
            Err(failure) => return Err(self.refused(&failure)),
        }
        match self.once(session, self.prepare(scope)).await {
            Ok(Some(items)) => Ok(items),
            Ok(None) => nothing(),
            Err(failure) => {
                self.after(&failure);
                self.tally.halted().map_or_else(nothing, Err)
            }
        }
    }

    /// A further session: taken only if free at once, so that runs cannot wait for each other.
    async fn helper(&self, label: &RunLabel, feed: &Feed, scope: &Scope) {
        let worked = self.run.sessions.with_session(label, Wait::OnlyIfFreeNow, async |session| {
            self.work(session, feed, scope).await;
            Ok::<(), SessionError>(())
        });
        match worked.await {
            Ok(()) => {}
            Err(error @ SessionError::NoneFree { .. }) => debug!("going on with fewer sessions: {error}"),
            Err(error) => info!("going on with fewer sessions: {}", chain(&error)),
        }
    }

    async fn work(&self, session: &mut Session, feed: &Feed, scope: &Scope) {
        while self.tally.halted().is_none() {
            if self.run.stop.is_asked() {
                self.tally.halt(Halt::new(Exit::Interrupted, "the run was told to stop"));
                return;
            }
            let Some(mut taken) = self.take(feed, scope) else { return };
            self.read_ahead(session, &mut taken).await;
            for Taken { index, doing } in taken {
                // What was read ahead for items behind a failure that ends the step is dropped.
                if self.tally.halted().is_some() {
                    return;
                }
                if let Err(failure) = self.item(session, feed, doing).await {
                    self.after(&failure);
                    if self.step.on_error == OnError::SkipRestOfItem {
                        self.left_out.add(self.list_name(), index);
                    }
                }
                feed.bar.advance();
            }
        }
    }

    /// The next items with what is to be done for each, as many as may go together; nothing at the list's end, and
    /// an empty list if none of them is wanted.
    fn take(&self, feed: &Feed, scope: &Scope) -> Option<Vec<Taken<'_>>> {
        let mut taken = Vec::new();
        let mut seen = 0;
        while seen < feed.together {
            let Some((item, index)) = feed.next() else { break };
            seen += 1;
            let item = match item {
                Ok(item) => item,
                Err(error) => {
                    let why = format!("items cannot be read again: {error}");
                    self.tally.halt(Halt::new(Exit::Failed, why));
                    break;
                }
            };
            if self.left_out.has(self.list_name(), index) {
                debug!(index, "left out: an earlier step failed on this item");
                self.tally.counts().skipped += 1;
                feed.bar.advance();
                continue;
            }
            let scope = Scope { item: Some((Arc::new(item), index)), ..scope.clone() };
            match self.is_wanted(&scope) {
                Ok(true) => taken.push(Taken { index, doing: self.prepare(&scope) }),
                Ok(false) => {
                    self.tally.counts().skipped += 1;
                    feed.bar.advance();
                }
                Err(failure) => taken.push(Taken { index, doing: Err(failure) }),
            }
        }
        (seen > 0).then_some(taken)
    }

    /// Whether the step begins with a read that may go together with others'.
    fn may_read_ahead(&self) -> bool {
        let read = match &self.step.action {
            Action::Cmdlet { cmdlet, .. } => cmdlet,
            Action::Ensure { get, .. } => get,
        };
        read.cmdlet().is_some_and(|cmdlet| cmdlet.is_read())
    }

    /// Makes the first reads of several items together. An object that stands there twice is read again at its second
    /// turn: the first may have changed it.
    async fn read_ahead(&self, session: &mut Session, taken: &mut [Taken<'_>]) {
        let mut objects = HashSet::new();
        let mut reading: Vec<&mut Doing<'_>> = taken
            .iter_mut()
            .filter_map(|taken| taken.doing.as_mut().ok())
            .filter(|doing| doing.first_read().is_some())
            .filter(|doing| objects.insert(doing.object.as_deref().map(str::to_lowercase)))
            .collect();
        if reading.len() < 2 {
            return;
        }
        let calls: Vec<(&Call, &Keep)> = reading
            .iter()
            .filter_map(|doing| doing.first_read().map(|call| (call, doing.keep(self.step))))
            .collect();
        let answers = self.calls_together(session, &calls).await;
        let mut seen = HashSet::new();
        for (doing, answer) in reading.iter_mut().zip(answers) {
            // One object may stand there under two names; the service's own tells.
            doing.ahead = Some(answer).filter(|answer| !doing.ensures() || is_new(answer, &mut seen));
        }
    }

    /// # Errors
    /// The failure, already counted.
    async fn item(
        &self,
        session: &mut Session,
        feed: &Feed,
        doing: Result<Doing<'_>, Failure>,
    ) -> Result<(), Failure> {
        if let Some(items) = self.once(session, doing).await?
            && let Err(error) = feed.returned().append(&items)
        {
            self.tally.halt(Halt::new(Exit::Failed, error.to_string()));
        }
        Ok(())
    }

    /// What the list of the loop is known by.
    fn list_name(&self) -> &str {
        self.step.for_each.as_ref().map_or("", Expression::source)
    }

    fn is_wanted(&self, scope: &Scope) -> Result<bool, Failure> {
        match &self.step.when {
            None => Ok(true),
            Some(when) => Ok(when.eval_bool(scope)?),
        }
    }

    /// What a failure means for the rest of the run.
    fn after(&self, failure: &Failure) {
        match (failure.weight, self.step.on_error) {
            (Weight::EndsRun(exit), _) => self.tally.halt(Halt::new(exit, failure.message.clone())),
            (Weight::Ordinary, OnError::Stop) => {
                self.tally.halt(Halt::new(Exit::Failed, failure.message.clone()))
            }
            (Weight::Ordinary, OnError::Continue | OnError::SkipRestOfItem) => {}
        }
    }

    /// A step whose own expressions fail has done nothing and cannot go on.
    fn refused(&self, failure: &Failure) -> Halt {
        self.tally.failed(None, failure);
        Halt::new(Exit::Failed, failure.message.clone())
    }
}

impl Feed {
    fn next(&self) -> Option<(std::io::Result<Value>, u64)> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let index = list.1;
        let item = list.0.items.next()?;
        list.1 += 1;
        Some((item, index))
    }

    fn returned(&self) -> MutexGuard<'_, Spool> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the object that was read is none of `seen`, and can be told from them.
fn is_new(answer: &Result<Items, Failure>, seen: &mut HashSet<String>) -> bool {
    let Ok(items) = answer else { return true };
    match items.iter().next() {
        Some(Ok(object)) => object["Identity"].as_str().is_some_and(|name| seen.insert(name.to_lowercase())),
        _ => true,
    }
}

fn list_of(for_each: &Expression, scope: &Scope) -> Result<List, Failure> {
    if let Some(step) = for_each.whole_items_of()
        && let Some(items) = scope.steps.get(step)
    {
        return Ok(List { total: items.count(), items: items.items() });
    }
    match for_each.eval(scope)? {
        Value::Array(members) => {
            Ok(List { total: members.len() as u64, items: Box::new(members.into_iter().map(Ok)) })
        }
        other => {
            let message = format!(
                "for_each: `{}` gives {}, not a list",
                for_each.source(),
                super::console::shown(&other)
            );
            Err(Failure::new("expression", message))
        }
    }
}

/// The label under which a run asks for sessions.
pub(super) fn label(run: &RunParts) -> RunLabel {
    RunLabel { run_id: run.run_id.clone(), job: run.job.name.to_string() }
}
