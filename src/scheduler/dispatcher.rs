//! The one place that decides what runs: no await, no clock, no I/O. Who holds it tells it what has happened and what time it is,
//! and gets back what to write down and what to do.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::agenda::Agenda;
use super::held::{Held, JobKey, Line, Waiting};
use super::places::{AccountKey, Limits, Places};
use super::turn::{Skipped, Turn};
use super::work::{Done, Entry};
use crate::history::{self, JobId, Occurrence, Registered, Write};
use crate::rules::occurrences::{Ended, FailReason, Passed, SkipReason, passed};
use crate::runner::stop::Stop;

/// All jobs, what of them runs and waits, and when to look at which next.
pub struct Dispatcher {
    pub(super) limits: Limits,
    pub(super) jobs: Vec<Option<Held>>,
    pub(super) names: BTreeMap<Arc<str>, JobKey>,
    pub(super) agenda: Agenda,
    pub(super) places: Places,
    pub(super) running: HashMap<Uuid, Running>,
    /// What an earlier process left waiting, of jobs that are not loaded.
    orphans: Vec<history::Waiting>,
    pub(super) waiting: usize,
    /// Jobs with an occurrence that this turn has met.
    pub(super) unwritten: Vec<JobKey>,
    is_draining: bool,
}

/// A run that has begun.
pub(super) struct Running {
    pub(super) job: JobKey,
    pub(super) name: Arc<str>,
    pub(super) account: AccountKey,
    pub(super) occurrence: Occurrence,
    pub(super) stop: Stop,
    pub(super) is_replaced: bool,
}

/// A run that had begun when the dispatcher was asked to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InHand {
    /// The job's name.
    pub job: Arc<str>,
    /// The run's id.
    pub run: Uuid,
    /// The due time that it is for.
    pub due: Timestamp,
}

impl Dispatcher {
    /// Without any job.
    pub fn new(limits: Limits) -> Dispatcher {
        Dispatcher {
            limits,
            jobs: Vec::new(),
            names: BTreeMap::new(),
            agenda: Agenda::default(),
            places: Places::new(limits),
            running: HashMap::new(),
            orphans: Vec::new(),
            waiting: 0,
            unwritten: Vec::new(),
            is_draining: false,
        }
    }

    /// What an earlier process has left waiting: it goes on waiting as soon as its job is loaded.
    pub fn recover(&mut self, waiting: Vec<history::Waiting>) {
        self.orphans.extend(waiting);
        self.adopt();
    }

    /// Jobs that are new, or have a new version. What ran before of them goes on; what waited runs as the new version.
    ///
    /// Call [`Dispatcher::turn`] first, so that what was due by the old version is accounted for by it.
    ///
    /// What a schedule that is no more has left is skipped.
    pub fn load(&mut self, entries: Vec<(Entry, Registered)>, now: Timestamp) -> Turn {
        let mut turn = Turn::default();
        for (entry, registered) in entries {
            let account = self.places.account(&entry.account);
            let mut held = Held::new(entry, &registered, account);
            let key = match self.names.get(&held.name) {
                Some(key) => *key,
                None => {
                    self.jobs.push(None);
                    JobKey::try_from(self.jobs.len() - 1).expect("fewer jobs than memory has room for")
                }
            };
            if let Some(old) = self.jobs[key as usize].take() {
                if let Some(at) = old.ready_at {
                    self.places.not_ready(old.account, at, key);
                }
                held.waiting = old.waiting;
                let is_kept = |line: &&Line| held.lines.iter().any(|kept| kept.id == line.id);
                for line in old.lines.iter().filter(|line| !is_kept(line)) {
                    retire(&mut turn, &held.name, held.id, line, now);
                }
            }
            // Also of a job that was removed and has come back.
            for running in self.running.values_mut().filter(|running| running.name == held.name) {
                running.job = key;
                held.running += 1;
            }
            for (line, at) in
                held.lines.iter().enumerate().filter_map(|(line, of)| Some((line, of.look_at()?)))
            {
                self.agenda.put(at, key, u16::try_from(line).expect("a job has few schedules"));
            }
            self.names.insert(Arc::clone(&held.name), key);
            self.jobs[key as usize] = Some(held);
            self.refresh(key);
        }
        self.adopt();
        turn
    }

    /// Jobs that are no more: what waits of them is skipped, what runs goes on.
    pub fn remove(&mut self, names: &[Arc<str>], now: Timestamp) -> Turn {
        let mut turn = Turn::default();
        for name in names {
            let Some(key) = self.names.remove(name) else { continue };
            let Some(held) = self.jobs[key as usize].take() else { continue };
            if let Some(at) = held.ready_at {
                self.places.not_ready(held.account, at, key);
            }
            for line in &held.lines {
                retire(&mut turn, &held.name, held.id, line, now);
            }
            for waiting in held.waiting {
                self.waiting -= 1;
                skip(&mut turn, &held.name, waiting, SkipReason::Removed, now);
            }
        }
        turn
    }

    /// What an earlier process has left waiting, of jobs that there are not any more.
    pub fn forget_orphans(&mut self, now: Timestamp) -> Turn {
        let mut turn = Turn::default();
        for history::Waiting { occurrence, job } in std::mem::take(&mut self.orphans) {
            let waiting = Waiting { occurrence, delay: Duration::ZERO, is_written: true };
            skip(&mut turn, &job.into(), waiting, SkipReason::Removed, now);
        }
        turn
    }

    /// One turn: what has become due, and who may start.
    pub fn turn(&mut self, now: Timestamp) -> Turn {
        let mut turn = Turn::default();
        if !self.is_draining {
            self.look(now, &mut turn);
            self.start(now, &mut turn);
            turn.in_order();
        }
        turn
    }

    /// Nothing starts any more, and nothing that becomes due is looked at: the next process does that.
    pub fn drain(&mut self) -> Vec<InHand> {
        self.is_draining = true;
        for running in self.running.values() {
            running.stop.ask();
        }
        self.in_hand()
    }

    /// What is in hand is not waited for either: its sessions are closed at once.
    pub fn insist(&self) {
        for running in self.running.values() {
            running.stop.insist();
        }
    }

    /// The runs that have not ended.
    pub fn in_hand(&self) -> Vec<InHand> {
        let in_hand = |(run, running): (&Uuid, &Running)| InHand {
            job: Arc::clone(&running.name),
            run: *run,
            due: running.occurrence.due,
        };
        let mut all: Vec<InHand> = self.running.iter().map(in_hand).collect();
        all.sort_by(|one, other| (&one.job, one.due).cmp(&(&other.job, other.due)));
        all
    }

    /// When there is something to do next, if nothing happens before.
    pub fn next_look(&self) -> Option<Timestamp> {
        self.agenda.next().filter(|_| !self.is_draining)
    }

    /// How many runs have begun and not ended, and how many occurrences wait.
    pub fn busy(&self) -> (u32, usize) {
        (self.places.running(), self.waiting)
    }

    /// Takes back the starts of a turn that could not be written: they wait, and are judged again once it is.
    pub fn unstart(&mut self, mut turn: Turn) -> Turn {
        // Backwards, so that what was first waits in front again.
        for start in std::mem::take(&mut turn.starts).into_iter().rev() {
            let running = self.running.remove(&start.run).expect("it was started by this turn");
            self.places.give_back(running.account);
            let is_this = |write: &Write| matches!(write, Write::Started { run, .. } if *run == start.run);
            let place = turn.writes.iter().position(is_this).expect("each start is written in its turn");
            if let Write::Started { occurrence, from, at, .. } = turn.writes.remove(place)
                && from == history::From::Fresh
            {
                turn.writes.insert(place, Write::Waiting { occurrence, at });
            }
            let held = self.jobs[running.job as usize].as_mut().expect("a turn removes no job");
            held.running -= 1;
            let delay = Duration::try_from(start.meant_for.duration_since(start.occurrence.due));
            let delay = delay.unwrap_or_default();
            held.waiting.push_front(Waiting { occurrence: start.occurrence, delay, is_written: true });
            self.waiting += 1;
            self.refresh(running.job);
        }
        turn
    }

    /// A run has ended: its place is free for the next turn.
    pub fn end(&mut self, run: Uuid, done: Done, turn: &mut Turn) {
        let Some(running) = self.running.remove(&run) else { return };
        self.places.give_back(running.account);
        // A job that was removed has nothing to be told.
        if let Some(held) = &mut self.jobs[running.job as usize] {
            held.running -= 1;
            self.refresh(running.job);
        }
        let ended = match done.ended {
            Ended::Failed(FailReason::Interrupted) if running.is_replaced => {
                Ended::Failed(FailReason::Replaced)
            }
            ended => ended,
        };
        turn.writes.push(Write::Ended { occurrence: running.occurrence, ended, run: done.record });
    }

    fn adopt(&mut self) {
        if self.orphans.is_empty() {
            return;
        }
        let ids: HashMap<_, _> =
            self.names.values().filter_map(|key| Some((self.held(*key)?.id, *key))).collect();
        let orphans = std::mem::take(&mut self.orphans);
        for orphan in orphans {
            let occurrence = orphan.occurrence;
            let Some(key) = ids.get(&occurrence.job) else {
                self.orphans.push(orphan);
                continue;
            };
            let held = self.jobs[*key as usize].as_mut().expect("it was found a moment ago");
            let line = held.lines.iter().find(|line| line.id == occurrence.schedule);
            let delay = line.map_or_else(Default::default, |line| line.delay);
            held.waiting.push_back(Waiting { occurrence, delay, is_written: true });
            self.waiting += 1;
            self.refresh(*key);
        }
    }

    pub(super) fn held(&self, key: JobKey) -> Option<&Held> {
        self.jobs.get(key as usize)?.as_ref()
    }

    /// Whether the job may start is told to the places anew.
    pub(super) fn refresh(&mut self, key: JobKey) {
        let Some(held) = &mut self.jobs[key as usize] else { return };
        let ready_at = held.may_start();
        if ready_at == held.ready_at {
            return;
        }
        if let Some(at) = held.ready_at {
            self.places.not_ready(held.account, at, key);
        }
        if let Some(at) = ready_at {
            self.places.ready(held.account, at, key);
        }
        held.ready_at = ready_at;
    }
}

/// A schedule that is no more. What had come by it and was to start later, because of its delay, is skipped: it was due.
fn retire(turn: &mut Turn, job: &Arc<str>, id: JobId, line: &Line, now: Timestamp) {
    if let Some(passed) = passed(&line.schedule, line.handled, now, SkipReason::Removed) {
        let Passed { first, last, count, reason } = passed;
        let from = history::From::Fresh;
        turn.writes.push(Write::Skipped {
            job: id,
            schedule: line.id,
            first,
            last,
            count,
            reason,
            from,
            at: now,
        });
        turn.due.push((Arc::clone(job), count));
        turn.skipped.push(Skipped { job: Arc::clone(job), passed });
    }
    turn.retires.push(line.id);
}

/// A waiting occurrence that will not run.
pub(super) fn skip(turn: &mut Turn, job: &Arc<str>, waiting: Waiting, reason: SkipReason, now: Timestamp) {
    let Occurrence { job: id, schedule, due } = waiting.occurrence;
    let from = if waiting.is_written { history::From::Waiting } else { history::From::Fresh };
    turn.writes.push(Write::Skipped {
        job: id,
        schedule,
        first: due,
        last: due,
        count: 1,
        reason,
        from,
        at: now,
    });
    turn.skipped.push(Skipped::one(job, due, reason));
}
