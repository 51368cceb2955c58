//! A host on which time passes and things go wrong.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use exorun::history::{Book, HistoryError, Occurrence, Registering, Retention, RunRecord, Write};
use exorun::rules::occurrences::{Ended, FailReason, delay};
use exorun::scheduler::{Dispatcher, Done, Limits, Turn};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::chance::Chance;
use crate::jobs::{JobSpec, Spec, policy};
use crate::oracle;

const LIMITS: Limits = Limits { runs_max: 40, runs_of_account_max: 5, waiting_of_job_max: 3 };

/// How a schedule was in force: what came due from then on, and until when it is accounted for if it is no more.
struct Life {
    job: Arc<str>,
    spec: Spec,
    begin: Timestamp,
    end: Option<Timestamp>,
}

#[derive(Default, Debug)]
pub(crate) struct Happened {
    pub(crate) kills: u64,
    pub(crate) restarts: u64,
    pub(crate) steps: u64,
    pub(crate) reloads: u64,
    pub(crate) full: u64,
    pub(crate) started: u64,
    pub(crate) lost: u64,
}

pub(crate) struct World {
    chance: Chance,
    /// What the wall clock shows; somebody may set it.
    now: Timestamp,
    /// The latest that it has shown when the dispatcher looked: what was due before is accounted for.
    latest: Timestamp,
    book: Book,
    dispatcher: Dispatcher,
    jobs: Vec<JobSpec>,
    lives: BTreeMap<String, Vec<Life>>,
    /// Ends of runs, by when; of this process.
    ends: BTreeSet<(Timestamp, Uuid)>,
    runs: HashMap<Uuid, (Occurrence, Arc<str>, Timestamp)>,
    stops: Vec<Uuid>,
    started: HashSet<Occurrence>,
    /// Nothing can be written before then.
    full_until: Option<Timestamp>,
    unwritten: Option<Turn>,
    next_trouble: Timestamp,
    next_prune: Timestamp,
    pub(crate) happened: Happened,
}

impl World {
    pub(crate) fn new(seed: u64, start: Timestamp, jobs: usize) -> World {
        let mut chance = Chance(seed);
        let zones: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
        let zones: Vec<String> = zones.into_iter().filter(|zone| has_quarters(zone, start)).collect();
        let each = zones.len().div_ceil(jobs);
        let jobs: Vec<JobSpec> = (0..jobs)
            .map(|number| {
                let own: Vec<String> = zones.iter().skip(number * each).take(each).cloned().collect();
                let own = if own.is_empty() { vec!["UTC".to_owned()] } else { own };
                JobSpec::by_chance(&mut chance, number, &own)
            })
            .collect();
        let mut world = World {
            chance,
            now: start,
            latest: start,
            book: Book::in_memory().unwrap(),
            dispatcher: Dispatcher::new(LIMITS),
            jobs,
            lives: BTreeMap::new(),
            ends: BTreeSet::new(),
            runs: HashMap::new(),
            stops: Vec::new(),
            started: HashSet::new(),
            full_until: None,
            unwritten: None,
            next_trouble: start + SignedDuration::from_hours(40),
            next_prune: start,
            happened: Happened::default(),
        };
        world.begin();
        world
    }

    pub(crate) fn live_until(&mut self, end: Timestamp) {
        while self.now < end {
            let look = match (&self.unwritten, self.full_until) {
                (Some(_), Some(until)) => until,
                _ => self.dispatcher.next_look().unwrap_or(end),
            };
            let run_ends = self.ends.first().map_or(end, |(at, _)| *at);
            let next = look.min(run_ends).min(self.next_trouble).min(end);
            self.now = self.now.max(next);
            if self.now >= self.next_trouble {
                self.trouble();
            }
            self.one_turn();
            if self.now >= self.next_prune {
                self.next_prune = self.now + SignedDuration::from_hours(24 * 20);
                let keep =
                    Retention { for_at_most: std::time::Duration::from_secs(30 * 86_400), runs_max: 100_000 };
                while self.book.prune(keep, self.now, 10_000).unwrap() > 0 {}
            }
        }
    }

    /// Everything is looked at, what runs ends, and the books are compared with the oracle.
    pub(crate) fn judge(mut self) -> String {
        self.full_until = None;
        self.one_turn();
        while let Some((at, _)) = self.ends.first() {
            self.now = self.now.max(*at);
            self.one_turn();
        }
        assert_eq!(self.book.law().unwrap(), [], "the law");
        let mut due: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        let latest = self.latest;
        for life in self.lives.values().flatten() {
            let end = life.end.unwrap_or_else(|| {
                let schedule = life.spec.schedule();
                latest
                    - SignedDuration::try_from(delay(&life.job, &schedule.canonical(), schedule.jitter()))
                        .unwrap()
            });
            let times = oracle::due(&life.spec, life.begin, end);
            differ(life, end, &times);
            *due.entry(Arc::clone(&life.job)).or_default() += times.len() as u64;
        }
        let totals = self.book.totals().unwrap();
        let (mut all_due, mut all_ran, mut all_skipped, mut all_failed) = (0, 0, 0, 0);
        for total in totals.values() {
            let name: Arc<str> = total.name.as_str().into();
            assert_eq!(Some(&total.due), due.get(&name), "{name}: due by the history and by the oracle");
            assert_eq!(total.due, total.ended() + total.open, "{name}: {total:?}");
            assert_eq!(total.open, 0, "{name}: something waits for ever");
            all_due += total.due;
            all_ran += total.ran;
            all_skipped += total.skipped.values().sum::<u64>();
            all_failed += total.failed.values().sum::<u64>();
        }
        let known: u64 = due.values().sum();
        assert_eq!(all_due, known, "due of all jobs");
        assert_eq!(self.happened.started, self.started.len() as u64);
        format!(
            "due {all_due} = ran {all_ran} + skipped {all_skipped} + failed {all_failed}; {:?}",
            self.happened
        )
    }

    /// A process begins: as the real one, it recovers, registers and loads.
    fn begin(&mut self) {
        self.dispatcher = Dispatcher::new(LIMITS);
        self.unwritten = None;
        let recovered = self.book.recover(self.now).unwrap();
        self.happened.lost += recovered.lost.len() as u64;
        self.dispatcher.recover(recovered.waiting);
        let jobs = self.jobs.clone();
        self.load(&jobs, true);
    }

    fn load(&mut self, jobs: &[JobSpec], is_all: bool) {
        let entries: Vec<_> = jobs.iter().map(JobSpec::entry).collect();
        let texts: Vec<Vec<String>> =
            entries.iter().map(|entry| entry.schedules.iter().map(|one| one.canonical()).collect()).collect();
        let registering: Vec<Registering<'_>> = entries
            .iter()
            .zip(&texts)
            .map(|(entry, schedules)| Registering { name: &entry.name, schedules })
            .collect();
        let registered = self.book.register(&registering, self.now).unwrap();
        for (job, registered) in jobs.iter().zip(&registered) {
            for (spec, (_, begin)) in job.specs.iter().zip(&registered.schedules) {
                let lives =
                    self.lives.entry(format!("{} {}", job.name, spec.schedule().canonical())).or_default();
                if lives.last().is_none_or(|life| life.end.is_some()) {
                    let (job, spec) = (Arc::clone(&job.name), spec.clone());
                    lives.push(Life { job, spec, begin: *begin, end: None });
                }
            }
        }
        if is_all {
            let ids: Vec<_> =
                registered.iter().flat_map(|job| job.schedules.iter().map(|(id, _)| *id)).collect();
            self.book.retire_others(&ids).unwrap();
        }
        let mut turn = self.dispatcher.load(entries.into_iter().zip(registered).collect(), self.now);
        if is_all {
            let orphans = self.dispatcher.forget_orphans(self.now);
            turn.writes.extend(orphans.writes);
        }
        self.write(turn);
    }

    fn one_turn(&mut self) {
        let mut turn = self.unwritten.take().unwrap_or_default();
        while let Some((at, run)) = self.ends.first().copied().filter(|(at, _)| *at <= self.now) {
            self.ends.remove(&(at, run));
            let (_, job, began) = self.runs.remove(&run).unwrap();
            let ended = match self.chance.below(20) {
                _ if self.stops.contains(&run) => Ended::Failed(FailReason::Interrupted),
                0 => Ended::Failed(FailReason::Failed),
                1 => Ended::Failed(FailReason::PartlyFailed),
                _ => Ended::Ran,
            };
            let record = Box::new(RunRecord::bare(run, &job, "done", began, self.now));
            self.dispatcher.end(run, Done { ended, record }, &mut turn);
        }
        if !self.write(turn) {
            return;
        }
        loop {
            let turn = self.dispatcher.turn(self.now);
            let is_cut = turn.is_cut;
            if !self.write(turn) {
                return;
            }
            if !is_cut {
                self.latest = self.latest.max(self.now);
                return;
            }
        }
    }

    fn write(&mut self, turn: Turn) -> bool {
        if turn.is_empty() {
            return true;
        }
        if self.full_until.is_some_and(|until| self.now < until) {
            self.unwritten = Some(self.dispatcher.unstart(turn));
            return false;
        }
        self.full_until = None;
        match self.book.retire(&turn.retires).and_then(|()| self.book.commit(&turn.writes)) {
            Ok(()) => {}
            Err(error @ HistoryError::AlreadyAccounted { .. }) => {
                let wrong =
                    turn.writes.iter().find(|write| self.book.commit(std::slice::from_ref(write)).is_err());
                panic!("{error}: at {} by {wrong:?}", self.now)
            }
            Err(error) => panic!("{error}"),
        }
        let started = turn.writes.iter().filter(|write| matches!(write, Write::Started { .. })).count();
        assert_eq!(started, turn.starts.len(), "what starts is written");
        for start in turn.starts {
            assert!(self.started.insert(start.occurrence), "{:?} runs twice", start.occurrence);
            assert!(start.meant_for <= self.now.max(self.latest), "{} starts before its time", start.job);
            self.happened.started += 1;
            let minutes = match self.chance.below(50) {
                0 => 60 * 30,
                1..=5 => 90,
                _ => 1,
            };
            self.ends.insert((self.now + SignedDuration::from_mins(minutes), start.run));
            self.runs.insert(start.run, (start.occurrence, start.job, self.now));
        }
        for stop in turn.stops {
            stop.ask();
        }
        true
    }

    /// Something goes wrong, about once in two days.
    fn trouble(&mut self) {
        let hours = 1 + self.chance.below(96);
        self.next_trouble = self.now + SignedDuration::from_mins((hours * 60 + self.chance.below(60)) as i64);
        match self.chance.below(12) {
            // The process dies, now or a moment after it has written, and comes back a while later.
            0..=2 => {
                self.happened.kills += 1;
                self.die();
                let minutes = *self.chance.of(&[0, 0, 1, 3, 20, 300, 60 * 24 * 9]);
                self.now += SignedDuration::from_mins(minutes);
                self.full_until = None;
                self.begin();
            }
            // A rollout: what runs ends, what waits is left.
            3 => {
                self.happened.restarts += 1;
                self.full_until = None;
                self.one_turn();
                let _in_hand = self.dispatcher.drain();
                // Who drains does not look at what is due.
                let looked = self.latest;
                while let Some((at, _)) = self.ends.first() {
                    self.now = self.now.max(*at);
                    self.one_turn();
                }
                self.latest = looked;
                self.begin();
            }
            4 | 5 => {
                let hours = self.chance.below(60) as i64 - 30;
                self.step(SignedDuration::from_hours(hours));
            }
            6 if self.chance.once_in(60) => self.step(SignedDuration::from_hours(24 * 365)),
            7 => {
                self.happened.full += 1;
                self.full_until = Some(self.now + SignedDuration::from_mins(self.chance.below(600) as i64));
            }
            _ => self.reload(),
        }
    }

    fn die(&mut self) {
        self.ends.clear();
        self.runs.clear();
        self.stops.clear();
    }

    fn step(&mut self, by: SignedDuration) {
        self.happened.steps += 1;
        self.now += by;
        self.next_trouble += by;
        self.next_prune = self.next_prune.min(self.now + SignedDuration::from_hours(24 * 20));
        // Runs take the time they take.
        self.ends = std::mem::take(&mut self.ends).into_iter().map(|(at, run)| (at + by, run)).collect();
    }

    fn reload(&mut self) {
        self.one_turn();
        if self.unwritten.is_some() {
            return;
        }
        self.happened.reloads += 1;
        let number = self.chance.below(self.jobs.len() as u64) as usize;
        let before = self.jobs[number].clone();
        match self.chance.below(4) {
            0 => self.jobs[number].policy = policy(&mut self.chance),
            1 => self.jobs[number].policy.suspend ^= true,
            // Away, and back a moment later with the same schedules or others.
            _ => {
                let turn = self.dispatcher.remove(&[Arc::clone(&before.name)], self.now);
                self.over(&before);
                assert!(self.write(turn));
                if self.chance.once_in(2) {
                    let zones: Vec<String> = before.specs.iter().map(|spec| spec.zone.clone()).collect();
                    self.jobs[number] =
                        JobSpec { name: before.name, ..JobSpec::by_chance(&mut self.chance, number, &zones) };
                }
            }
        }
        let job = self.jobs[number].clone();
        self.load(&[job], false);
    }

    /// The job's schedules are no more: what has come by now is accounted for.
    fn over(&mut self, job: &JobSpec) {
        for spec in &job.specs {
            let lives = self.lives.get_mut(&format!("{} {}", job.name, spec.schedule().canonical())).unwrap();
            let life = lives.last_mut().unwrap();
            let schedule = spec.schedule();
            let delay =
                SignedDuration::try_from(delay(&job.name, &schedule.canonical(), schedule.jitter())).unwrap();
            life.end = Some(self.now.max(self.latest - delay).max(life.begin));
        }
    }
}

/// Says where the rules see other times than the oracle: the first thing to know when the counts differ.
fn differ(life: &Life, end: Timestamp, times: &BTreeSet<i64>) {
    let schedule = life.spec.schedule();
    let mut by_rules = BTreeSet::new();
    let mut at = life.begin;
    while let Some(next) = schedule.next_after(at).filter(|next| *next <= end) {
        by_rules.insert(next.as_second());
        at = next;
    }
    assert_eq!(
        by_rules.len() as u64,
        schedule.count_in(life.begin, end),
        "{}: listed and counted",
        schedule.canonical()
    );
    let differ = times.symmetric_difference(&by_rules).map(|at| Timestamp::from_second(*at).unwrap());
    let differ: Vec<Timestamp> = differ.collect();
    assert_eq!(differ, [], "{} {}: by the oracle or the rules only", life.job, schedule.canonical());
}

/// Whether the zone's offsets are whole quarters of an hour in the world's years, as the oracle wants it.
fn has_quarters(zone: &str, start: Timestamp) -> bool {
    let zone = jiff::tz::TimeZone::get(zone).unwrap();
    let is_whole = |seconds: i32| seconds % 900 == 0;
    is_whole(zone.to_offset(start).seconds())
        && zone.following(start).take(60).all(|transition| is_whole(transition.offset().seconds()))
}
