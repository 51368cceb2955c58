//! What has become due, and whether it may run beside what its job has in hand.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::dispatcher::{Dispatcher, Running, skip};
use super::held::{JobKey, Waiting};
use super::turn::{Skipped, Start, Turn};
use crate::history::{self, Occurrence, Write};
use crate::rules::occurrences::{Found, SkipReason, barred, found};
use crate::rules::schedule::Overlapping;
use crate::runner::stop::Stop;

/// Schedules looked at in one turn: a clock that was set forward makes all of them due, and runs that end meanwhile want to be
/// heard.
const LOOKS_MAX: usize = 10_000;

impl Dispatcher {
    /// Looks at every schedule whose time has come.
    pub(super) fn look(&mut self, now: Timestamp, turn: &mut Turn) {
        for _ in 0..LOOKS_MAX {
            let Some((at, key, number)) = self.agenda.take(now) else { return };
            let Some(held) = self.jobs.get_mut(key as usize).and_then(Option::as_mut) else { continue };
            let Some(line) = held.lines.get_mut(usize::from(number)) else { continue };
            if line.look_at() != Some(at) {
                continue;
            }
            let found = found(&line.schedule, line.handled, line.delay, &held.policy, now);
            let (job, schedule, delay) = (held.id, line.id, line.delay);
            match found.last() {
                Some(last) => line.handled_through(last),
                // It said that something was due: a schedule that contradicts itself is looked at no more.
                None => line.next = None,
            }
            if let Some(next) = line.look_at() {
                self.agenda.put(next, key, number);
            }
            let Found { passed, wanted } = found;
            for passed in passed {
                turn.writes.push(Write::Skipped {
                    job,
                    schedule,
                    first: passed.first,
                    last: passed.last,
                    count: passed.count,
                    reason: passed.reason,
                    from: history::From::Fresh,
                    at: now,
                });
                turn.due.push((Arc::clone(&held.name), passed.count));
                turn.skipped.push(Skipped { job: Arc::clone(&held.name), passed });
            }
            for due in wanted {
                let occurrence = Occurrence { job, schedule, due };
                self.admit(key, Waiting { occurrence, delay, is_written: false }, now, turn);
            }
        }
        turn.is_cut = self.agenda.next().is_some_and(|at| at <= now);
    }

    /// Lets an occurrence wait for its start, if its job's policy does.
    fn admit(&mut self, key: JobKey, waiting: Waiting, now: Timestamp, turn: &mut Turn) {
        let Some(held) = &mut self.jobs[key as usize] else { return };
        turn.due.push((Arc::clone(&held.name), 1));
        let is_busy = held.running > 0 || !held.waiting.is_empty();
        let is_full = held.waiting.len() >= self.limits.waiting_of_job_max as usize;
        match held.policy.overlap {
            Overlapping::Forbid if is_busy => {
                return skip(turn, &held.name, waiting, SkipReason::Overlap, now);
            }
            Overlapping::Queue | Overlapping::Allow if is_full => {
                return skip(turn, &held.name, waiting, SkipReason::QueueFull, now);
            }
            Overlapping::Replace => {
                let older = std::mem::take(&mut held.waiting);
                self.waiting -= older.len();
                for older in older {
                    skip(turn, &held.name, older, SkipReason::Replaced, now);
                }
                for running in self.running.values_mut().filter(|running| running.name == held.name) {
                    running.is_replaced = true;
                    turn.stops.push(running.stop.clone());
                }
            }
            Overlapping::Forbid | Overlapping::Queue | Overlapping::Allow => {}
        }
        held.waiting.push_back(waiting);
        self.waiting += 1;
        self.unwritten.push(key);
        self.refresh(key);
    }

    /// Starts who may, as long as there are places; what is new and has none is written as waiting.
    pub(super) fn start(&mut self, now: Timestamp, turn: &mut Turn) {
        while let Some(key) = self.places.next() {
            let held = self.jobs[key as usize].as_mut().expect("a job that is removed is not ready");
            let waiting = held.waiting.pop_front().expect("a job is ready for an occurrence that waits");
            self.waiting -= 1;
            match barred(&held.policy, waiting.occurrence.due, waiting.delay, now) {
                Some(reason) => skip(turn, &held.name, waiting, reason, now),
                None => {
                    held.running += 1;
                    let from = if waiting.is_written { history::From::Waiting } else { history::From::Fresh };
                    let start = Start {
                        run: Uuid::new_v4(),
                        occurrence: waiting.occurrence,
                        job: Arc::clone(&held.name),
                        meant_for: waiting.meant_for(),
                        work: Arc::clone(&held.work),
                        stop: Stop::new(),
                    };
                    let running = Running {
                        job: key,
                        name: Arc::clone(&held.name),
                        account: held.account,
                        occurrence: waiting.occurrence,
                        stop: start.stop.clone(),
                        is_replaced: false,
                    };
                    turn.writes.push(Write::Started {
                        occurrence: waiting.occurrence,
                        from,
                        run: start.run,
                        at: now,
                    });
                    self.places.take(held.account);
                    self.running.insert(start.run, running);
                    turn.starts.push(start);
                }
            }
            self.refresh(key);
        }
        self.write_waiting(now, turn);
    }

    fn write_waiting(&mut self, now: Timestamp, turn: &mut Turn) {
        for key in std::mem::take(&mut self.unwritten) {
            let Some(held) = &mut self.jobs[key as usize] else { continue };
            for waiting in held.waiting.iter_mut().filter(|waiting| !waiting.is_written) {
                waiting.is_written = true;
                turn.writes.push(Write::Waiting { occurrence: waiting.occurrence, at: now });
            }
        }
    }
}
