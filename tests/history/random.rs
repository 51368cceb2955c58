//! Random writes, good and bad, beside a model that keeps every due time by itself.

use std::collections::BTreeMap;

use exorun::history::{Book, From, JobId, Retention, ScheduleId, Write};
use exorun::rules::occurrences::ended::{Ended, FailReason, SkipReason};
use uuid::Uuid;

use crate::ledger::{ended, job, lawful, minute, occurrence, skipped, started, waiting};
use crate::support::Chance;

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Waiting,
    Running(Uuid),
    Ran,
    Skipped(SkipReason),
    Failed(FailReason),
}

type Due = (JobId, ScheduleId, i64);

#[derive(Clone, Default)]
struct Model {
    states: BTreeMap<Due, State>,
    cursors: BTreeMap<ScheduleId, i64>,
}

impl Model {
    fn cursor(&self, schedule: ScheduleId) -> i64 {
        self.cursors.get(&schedule).copied().unwrap_or(0)
    }

    /// A write at random, and whether it must be taken.
    fn draw(&mut self, chance: &mut Chance, jobs: &[(JobId, ScheduleId)]) -> (Write, bool) {
        let pick = |chance: &mut Chance, many: usize| usize::try_from(chance.next() % many as u64).unwrap();
        let (job, schedule) = jobs[pick(chance, jobs.len())];
        let cursor = self.cursor(schedule);
        // Mostly what comes next, sometimes what is accounted for already.
        let due =
            cursor + 1 + i64::try_from(chance.next() % 3).unwrap() - i64::from(chance.in_hundred(15)) * 4;
        let open: Vec<Due> = self.states.keys().copied().filter(|due| due.0 == job).collect();
        let known = if open.is_empty() { (job, schedule, due) } else { open[pick(chance, open.len())] };
        let at = occurrence((known.0, known.1), known.2);
        let run = Uuid::from_u64_pair(chance.next(), chance.next());
        let reason = SkipReason::ALL[pick(chance, SkipReason::ALL.len())];
        match chance.next() % 6 {
            0 => {
                let good = self.fresh((job, schedule), (due, due), State::Waiting);
                (waiting(occurrence((job, schedule), due)), good)
            }
            1 => {
                let good = self.fresh((job, schedule), (due, due), State::Running(run));
                (started(occurrence((job, schedule), due), From::Fresh, run), good)
            }
            2 => {
                let last = due + i64::try_from(chance.next() % 5).unwrap();
                let good = self.fresh((job, schedule), (due, last), State::Skipped(reason));
                (skipped((job, schedule), (due, last), reason, From::Fresh), good)
            }
            3 => {
                let good = self.turn(known, |state| state == State::Waiting, State::Running(run));
                (started(at, From::Waiting, run), good)
            }
            4 => {
                let good = self.turn(known, |state| state == State::Waiting, State::Skipped(reason));
                (skipped((known.0, known.1), (known.2, known.2), reason, From::Waiting), good)
            }
            _ => {
                let end = if chance.in_hundred(50) {
                    Ended::Ran
                } else {
                    Ended::Failed(FailReason::ALL[pick(chance, FailReason::ALL.len())])
                };
                // Mostly under the run that has the claim.
                let claimed = match self.states.get(&known) {
                    Some(State::Running(claimed)) if !chance.in_hundred(5) => *claimed,
                    _ => run,
                };
                let to = match end {
                    Ended::Ran => State::Ran,
                    Ended::Failed(reason) => State::Failed(reason),
                };
                let good = self.turn(known, |state| state == State::Running(claimed), to);
                (ended(at, end, claimed), good)
            }
        }
    }

    fn fresh(&mut self, of: (JobId, ScheduleId), (first, last): (i64, i64), state: State) -> bool {
        let good = first > self.cursor(of.1);
        if good {
            self.states.extend((first..=last).map(|due| ((of.0, of.1, due), state)));
            self.cursors.insert(of.1, last);
        }
        good
    }

    fn turn(&mut self, due: Due, from: impl Fn(State) -> bool, to: State) -> bool {
        match self.states.get_mut(&due) {
            Some(state) if from(*state) => {
                *state = to;
                true
            }
            _ => false,
        }
    }

    fn agrees_with(&self, book: &Book) {
        let totals = book.totals().unwrap();
        for (job, totals) in &totals {
            let states: Vec<State> =
                self.states.iter().filter(|(due, _)| due.0 == *job).map(|(_, state)| *state).collect();
            let many =
                |wanted: &dyn Fn(State) -> bool| states.iter().filter(|state| wanted(**state)).count() as u64;
            assert_eq!(totals.due, states.len() as u64);
            assert_eq!(totals.ran, many(&|state| state == State::Ran));
            assert_eq!(totals.open, many(&|state| matches!(state, State::Waiting | State::Running(_))));
            for reason in SkipReason::ALL {
                let counted = totals.skipped.get(&reason).copied().unwrap_or(0);
                assert_eq!(counted, many(&|state| state == State::Skipped(reason)), "{reason:?}");
            }
            for reason in FailReason::ALL {
                let counted = totals.failed.get(&reason).copied().unwrap_or(0);
                assert_eq!(counted, many(&|state| state == State::Failed(reason)), "{reason:?}");
            }
        }
        let due: u64 = totals.values().map(|totals| totals.due).sum();
        assert_eq!(due, self.states.len() as u64);
    }
}

#[test]
fn random_writes_keep_the_law_and_are_what_the_model_says() {
    let (mut taken, mut refused) = (0, 0);
    for seed in 1..=30 {
        let mut chance = Chance::new(seed);
        let mut book = Book::in_memory().unwrap();
        let jobs = [job(&mut book, "a"), job(&mut book, "b"), job(&mut book, "c")];
        let mut model = Model::default();
        for turn in 0..60 {
            let mut next = model.clone();
            let mut good = true;
            let mut writes = Vec::new();
            for _ in 0..=chance.next() % 4 {
                let (write, taken) = next.draw(&mut chance, &jobs);
                writes.push(write);
                good &= taken;
            }
            // A commit is one piece: one bad write in it, and nothing of it happened.
            assert_eq!(book.commit(&writes).is_ok(), good, "seed {seed}, turn {turn}: {writes:?}");
            if good {
                model = next;
                taken += 1;
            } else {
                refused += 1;
            }
            if chance.in_hundred(5) {
                let keep = Retention {
                    for_at_most: std::time::Duration::from_secs(60 * (chance.next() % 60)),
                    runs_max: chance.next() % 40,
                };
                book.prune(keep, minute(60), 5).unwrap();
            }
        }
        lawful(&book);
        model.agrees_with(&book);
    }
    assert!(taken > 300 && refused > 300, "{taken} taken, {refused} refused");
}
