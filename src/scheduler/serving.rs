//! The task around the dispatcher: it waits, writes down what the dispatcher decides, and does it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::dispatcher::{Dispatcher, InHand};
use super::places::Limits;
use super::stall::Stall;
use super::steps::ClockSteps;
use super::telling::Teller;
use super::turn::{Start, Turn};
use super::work::{Done, Entry, Order};
use crate::clocks::Clocks;
use crate::history::{Book, History, HistoryError, Recovered, Registered, Registering};
use crate::observe::metrics::Metrics;
use crate::rules::occurrences::{Ended, FailReason};
use crate::runner::stop::Stop;

/// The wall clock is looked at this often, whatever is due: somebody may set it.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(1);

/// Runs that ended and have not been heard of; a run waits if there are more.
const INBOX: usize = 1024;

/// What the task is made of.
pub struct Parts {
    /// Where everything is written down.
    pub history: History,
    /// Reads time and sleeps.
    pub clocks: Clocks,
    /// What is counted.
    pub metrics: Metrics,
    /// How many runs at once.
    pub limits: Limits,
    /// How long runs that were told to hurry may take to close their sessions.
    pub patience: Duration,
}

/// Jobs that are new or changed, and jobs that are no more.
#[derive(Clone, Default)]
pub struct Load {
    /// New, or with a new version.
    pub entries: Vec<Entry>,
    /// Gone.
    pub removed: Vec<Arc<str>>,
    /// Whether these are all jobs there are, so that what the history has of others is of removed ones.
    pub is_all: bool,
}

/// How serving ended.
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Drained {
    /// Runs that were in hand and did not come to their end; their sessions are closed.
    pub cut_short: Vec<InHand>,
    /// Runs that had not ended when the patience did: the next process finds them lost.
    pub left: Vec<InHand>,
}

/// Why serving cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The history is not as it was written.
    #[error("the history cannot be trusted any more: {0}")]
    History(#[from] HistoryError),
}

enum Message {
    Ended(Uuid, Box<Done>),
    Load(Load, oneshot::Sender<()>),
    Look(Box<dyn FnOnce(&Dispatcher) + Send>),
}

/// The way to the task from elsewhere. Cheap to clone.
#[derive(Clone)]
pub struct Handle(mpsc::Sender<Message>);

impl Handle {
    /// Gives it jobs; done when they are scheduled. Nothing happens if the task has ended.
    pub async fn load(&self, load: Load) {
        let (done, loaded) = oneshot::channel();
        if self.0.send(Message::Load(load, done)).await.is_ok() {
            let _ended_meanwhile = loaded.await;
        }
    }

    /// Looks at what the dispatcher knows; nothing if the task has ended.
    pub async fn look<T: Send + 'static>(
        &self,
        at: impl FnOnce(&Dispatcher) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, seen) = oneshot::channel();
        let look = Box::new(move |dispatcher: &Dispatcher| drop(answer.send(at(dispatcher))));
        self.0.send(Message::Look(look)).await.ok()?;
        seen.await.ok()
    }
}

/// The task, before it runs.
pub struct Scheduler {
    dispatcher: Dispatcher,
    parts: Parts,
    runs: TaskTracker,
    outbox: mpsc::Sender<Message>,
    inbox: mpsc::Receiver<Message>,
    stall: Stall,
    steps: ClockSteps,
    teller: Teller,
    /// Loads that came while nothing could be written.
    loads: Vec<(Load, oneshot::Sender<()>)>,
    cut_short: Vec<InHand>,
}

impl Scheduler {
    /// Takes up what an earlier process has left: `recovered` is what the history said of it.
    pub fn new(parts: Parts, recovered: Recovered) -> Scheduler {
        let (outbox, inbox) = mpsc::channel(INBOX);
        let mut dispatcher = Dispatcher::new(parts.limits);
        dispatcher.recover(recovered.waiting);
        let teller = Teller::new(parts.metrics.clone());
        Scheduler {
            steps: ClockSteps::new(&parts.clocks),
            dispatcher,
            runs: TaskTracker::new(),
            outbox,
            inbox,
            stall: Stall::default(),
            teller,
            loads: Vec::new(),
            cut_short: Vec::new(),
            parts,
        }
    }

    /// The way to it.
    pub fn handle(&self) -> Handle {
        Handle(self.outbox.clone())
    }

    /// Schedules until `stop` is asked, then drains.
    ///
    /// # Errors
    /// [`ServeError`]: what runs was asked to stop, and has ended, unless the patience came first.
    ///
    /// # Cancel safety
    /// Not to be dropped: ask `stop` instead.
    pub async fn serve(mut self, stop: &Stop) -> Result<Drained, ServeError> {
        while !stop.is_asked() {
            let pause = self.pause();
            let message = tokio::select! {
                biased;
                () = stop.asked() => break,
                message = self.inbox.recv() => message,
                () = self.parts.clocks.sleep(pause) => None,
            };
            if let Err(error) = self.one_turn(message).await {
                self.drain(stop).await;
                return Err(error);
            }
        }
        let left = self.drain(stop).await;
        Ok(Drained { cut_short: self.cut_short, left })
    }

    /// Until something is due, or the clock is to be looked at.
    fn pause(&self) -> Duration {
        let look = match (self.stall.retry_in(&self.parts.clocks), self.dispatcher.next_look()) {
            (Some(retry), _) => retry,
            (None, Some(at)) => until(at, self.parts.clocks.wall()),
            (None, None) => LOOK_AT_LEAST_EVERY,
        };
        look.min(LOOK_AT_LEAST_EVERY)
    }

    async fn one_turn(&mut self, first: Option<Message>) -> Result<(), ServeError> {
        self.steps.look(&self.parts.clocks, &self.parts.metrics);
        let mut turn = self.stall.take();
        let mut message = first;
        for _ in 0..INBOX {
            match message {
                Some(Message::Ended(run, done)) => self.ended(run, *done, &mut turn),
                Some(Message::Load(load, done)) => self.loads.push((load, done)),
                Some(Message::Look(look)) => look(&self.dispatcher),
                None => break,
            }
            message = self.inbox.try_recv().ok();
        }
        if !self.stall.may_write(&self.parts.clocks) {
            self.stall.keep(turn);
            return Ok(());
        }
        if !self.write(turn).await? {
            return Ok(());
        }
        let turn = self.dispatcher.turn(self.parts.clocks.wall());
        let is_cut = turn.is_cut;
        if !self.write(turn).await? {
            return Ok(());
        }
        if !is_cut {
            self.load_all().await?;
        }
        let (running, waiting) = self.dispatcher.busy();
        self.teller.busy(running, waiting);
        Ok(())
    }

    fn ended(&mut self, run: Uuid, done: Done, turn: &mut Turn) {
        // Without a stop it was replaced.
        if self.runs.is_closed() && done.ended == Ended::Failed(FailReason::Interrupted) {
            self.cut_short.extend(self.dispatcher.in_hand().into_iter().filter(|in_hand| in_hand.run == run));
        }
        self.dispatcher.end(run, done, turn);
    }

    /// Writes a turn down and does what it says. `false`: it cannot be written now, and nothing new is decided before it is.
    async fn write(&mut self, turn: Turn) -> Result<bool, ServeError> {
        if turn.is_empty() {
            return Ok(true);
        }
        let Turn { writes, starts, stops, retires, due, skipped, is_cut } = turn;
        let commit = move |book: &mut Book| {
            // In this order: a schedule may be retired twice, and a claim not be made twice.
            let committed = book.retire(&retires).and_then(|()| book.commit(&writes));
            Ok((committed, writes, retires))
        };
        let (committed, writes, retires) = self.parts.history.with(commit).await?;
        match committed {
            Ok(()) => {
                self.stall.over(&self.parts.clocks, &self.parts.metrics);
                self.teller.written(&due, &skipped, &writes);
                let started = starts.iter().map(|start| &start.job);
                let skipped = skipped.iter().map(|skipped| &skipped.job);
                for job in due.iter().map(|(job, _)| job).chain(started).chain(skipped) {
                    self.teller.times(job, &self.dispatcher);
                }
                for stop in stops {
                    stop.ask();
                }
                for start in starts {
                    self.begin(start);
                }
                Ok(true)
            }
            Err(error) if may_pass(&error) => {
                let turn = Turn { writes, starts, stops, retires, due, skipped, is_cut };
                let turn = self.dispatcher.unstart(turn);
                self.stall.begin(turn, &error, &self.parts.clocks, &self.parts.metrics);
                Ok(false)
            }
            Err(error) => {
                error!(%error, "the history refuses what has happened; nothing starts any more");
                // What has not begun is not waited for.
                let _never_written =
                    self.dispatcher.unstart(Turn { writes, starts, stops, retires, due, skipped, is_cut });
                Err(error.into())
            }
        }
    }

    fn begin(&self, start: Start) {
        let order = Order { run: start.run, due: start.occurrence.due, stop: start.stop };
        self.teller.started(start.meant_for, self.parts.clocks.wall());
        let outbox = self.outbox.clone();
        self.runs.spawn(async move {
            let (run, due) = (order.run, order.due);
            // A run catches its own panics; one around it must not leave its job running for ever.
            let done = AssertUnwindSafe(start.work.run(order)).catch_unwind().await;
            let done = done.unwrap_or_else(|_| Done::panicked(run, &start.job, due));
            let _ended_meanwhile = outbox.send(Message::Ended(run, Box::new(done))).await;
        });
    }

    /// Jobs that have come or gone; what was due before is accounted for by now.
    async fn load_all(&mut self) -> Result<(), ServeError> {
        while !self.loads.is_empty() {
            let load = self.loads[0].0.clone();
            match self.load(load).await {
                Ok(is_written) => {
                    let _nobody_waits = self.loads.remove(0).1.send(());
                    if !is_written {
                        return Ok(());
                    }
                    // Also where registering was what could not be written.
                    self.stall.over(&self.parts.clocks, &self.parts.metrics);
                }
                Err(ServeError::History(error)) if may_pass(&error) => {
                    self.stall.begin(Turn::default(), &error, &self.parts.clocks, &self.parts.metrics);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// `false`: the jobs are scheduled, and what their change has skipped is still to be written.
    async fn load(&mut self, load: Load) -> Result<bool, ServeError> {
        let now = self.parts.clocks.wall();
        let (entries, is_all) = (load.entries, load.is_all);
        let register = move |book: &mut Book| {
            let texts: Vec<Vec<String>> = entries.iter().map(Entry::texts).collect();
            let jobs = entries.iter().zip(&texts);
            let jobs: Vec<Registering<'_>> =
                jobs.map(|(entry, schedules)| Registering { name: &entry.name, schedules }).collect();
            let registered = book.register(&jobs, now)?;
            if is_all {
                let ids = registered.iter().flat_map(|job| job.schedules.iter().map(|(id, _)| *id));
                book.retire_others(&ids.collect::<Vec<_>>())?;
            }
            Ok(entries.into_iter().zip(registered).collect())
        };
        let registered: Vec<(Entry, Registered)> = self.parts.history.with(register).await?;
        let names: Vec<Arc<str>> = registered.iter().map(|(entry, _)| Arc::clone(&entry.name)).collect();
        let mut turn = self.dispatcher.remove(&load.removed, now);
        turn.append(self.dispatcher.load(registered, now));
        for job in &names {
            self.teller.times(job, &self.dispatcher);
        }
        if is_all {
            turn.append(self.dispatcher.forget_orphans(now));
        }
        self.write(turn).await
    }

    /// Nothing new starts, what is in hand ends; what has not ended by then is named.
    async fn drain(&mut self, stop: &Stop) -> Vec<InHand> {
        let in_hand = self.dispatcher.drain();
        for one in &in_hand {
            info!(job = %one.job, run = %one.run, due = %one.due, "in hand: asked to stop");
        }
        self.runs.close();
        let mut give_up = None;
        while !self.dispatcher.in_hand().is_empty() || self.stall.is_stalled() {
            let pause = self.pause();
            let message = tokio::select! {
                message = self.inbox.recv() => message,
                () = stop.insisted(), if give_up.is_none() => {
                    give_up = Some(self.parts.clocks.boot() + self.parts.patience);
                    self.dispatcher.insist();
                    continue;
                }
                () = self.parts.clocks.sleep_until(give_up.unwrap_or_default()), if give_up.is_some() => break,
                () = self.parts.clocks.sleep(pause), if self.stall.is_stalled() => None,
            };
            // What cannot be written is lost to the history, and is waited for all the same: its session is open.
            if let Err(error) = self.one_turn(message).await {
                error!(%error, "what has ended cannot be written down");
            }
        }
        let left = self.dispatcher.in_hand();
        for one in &left {
            warn!(job = %one.job, run = %one.run, "not ended in time: the next process finds it lost");
        }
        left
    }
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

/// Whether it may be written later as it stands: then it is kept and tried again.
fn may_pass(error: &HistoryError) -> bool {
    !matches!(
        error,
        HistoryError::AlreadyAccounted { .. } | HistoryError::Corrupted { .. } | HistoryError::Newer { .. }
    )
}
