//! One behaviour of the dispatcher a test: what starts, what waits, what is skipped and why.

use std::sync::Arc;
use std::time::Duration;

use exorun::history::{Book, Registering, RunRecord, Write};
use exorun::rules::occurrences::{Ended, FailReason, SkipReason};
use exorun::rules::schedule::{Cron, Dst, Missed, Overlapping, RunPolicy, Schedule};
use exorun::scheduler::{Dispatcher, Done, Entry, Limits, Start, Turn};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::work::NoWork;

const LIMITS: Limits = Limits { runs_max: 3, runs_of_account_max: 2, waiting_of_job_max: 2 };

struct Desk {
    book: Book,
    dispatcher: Dispatcher,
}

fn at(text: &str) -> Timestamp {
    format!("2026-03-02T{text}Z").parse().unwrap()
}

fn cron(text: &str) -> Schedule {
    Schedule::cron(Cron::parse(text).unwrap(), TimeZone::UTC, Dst::default())
}

fn job(name: &str, account: &str, schedule: Schedule, policy: RunPolicy) -> Entry {
    let work = Arc::new(NoWork);
    Entry {
        name: name.into(),
        schedules: vec![schedule],
        policy: Arc::new(policy),
        account: account.into(),
        work,
    }
}

fn overlap(overlap: Overlapping) -> RunPolicy {
    RunPolicy { overlap, ..RunPolicy::default() }
}

impl Desk {
    fn new(jobs: Vec<Entry>, now: Timestamp) -> Desk {
        let mut desk = Desk { book: Book::in_memory().unwrap(), dispatcher: Dispatcher::new(LIMITS) };
        assert!(desk.load(jobs, now).is_empty());
        desk
    }

    fn load(&mut self, jobs: Vec<Entry>, now: Timestamp) -> Turn {
        let texts: Vec<Vec<String>> = jobs.iter().map(|job| vec![job.schedules[0].canonical()]).collect();
        let registering: Vec<Registering<'_>> = jobs
            .iter()
            .zip(&texts)
            .map(|(job, schedules)| Registering { name: &job.name, schedules })
            .collect();
        let registered = self.book.register(&registering, now).unwrap();
        let turn = self.dispatcher.load(jobs.into_iter().zip(registered).collect(), now);
        self.book.commit(&turn.writes).unwrap();
        turn
    }

    fn turn(&mut self, now: Timestamp) -> Turn {
        let turn = self.dispatcher.turn(now);
        self.book.commit(&turn.writes).unwrap();
        turn
    }

    fn end(&mut self, start: &Start, ended: Ended, now: Timestamp) {
        let record = Box::new(RunRecord::bare(start.run, &start.job, "done", now, now));
        let mut turn = Turn::default();
        self.dispatcher.end(start.run, Done { ended, record }, &mut turn);
        self.book.commit(&turn.writes).unwrap();
    }
}

fn skipped(turn: &Turn) -> Vec<(&str, u64, SkipReason)> {
    turn.skipped.iter().map(|skipped| (&*skipped.job, skipped.passed.count, skipped.passed.reason)).collect()
}

fn started(turn: &Turn) -> Vec<String> {
    turn.starts.iter().map(|start| format!("{} {}", start.job, start.occurrence.due)).collect()
}

#[test]
fn an_hour_long_job_that_is_due_each_minute_runs_once_at_a_time() {
    let mut desk = Desk::new(vec![job("a", "x", cron("* * * * *"), RunPolicy::default())], at("09:00:30"));
    let turn = desk.turn(at("09:01:00"));
    assert_eq!(started(&turn), ["a 2026-03-02T09:01:00Z"]);
    for minute in 2..60 {
        let turn = desk.turn(at(&format!("09:{minute:02}:00")));
        assert_eq!(skipped(&turn), [("a", 1, SkipReason::Overlap)]);
        assert!(turn.starts.is_empty());
    }
    desk.end(&turn.starts[0], Ended::Ran, at("10:00:00"));
    assert_eq!(started(&desk.turn(at("10:00:00"))), ["a 2026-03-02T10:00:00Z"]);
    assert!(desk.book.law().unwrap().is_empty());
}

#[test]
fn what_is_queued_runs_in_order_and_what_is_too_much_is_skipped() {
    let mut desk =
        Desk::new(vec![job("a", "x", cron("* * * * *"), overlap(Overlapping::Queue))], at("09:00:30"));
    let first = desk.turn(at("09:01:00"));
    assert!(skipped(&desk.turn(at("09:02:00"))).is_empty());
    assert!(skipped(&desk.turn(at("09:03:00"))).is_empty());
    assert_eq!(skipped(&desk.turn(at("09:04:00"))), [("a", 1, SkipReason::QueueFull)]);
    desk.end(&first.starts[0], Ended::Ran, at("09:04:10"));
    let second = desk.turn(at("09:04:10"));
    assert_eq!(started(&second), ["a 2026-03-02T09:02:00Z"]);
    assert!(matches!(second.writes[..], [Write::Started { .. }]));
}

#[test]
fn a_newer_occurrence_replaces_what_runs_and_what_waits() {
    let mut desk =
        Desk::new(vec![job("a", "x", cron("* * * * *"), overlap(Overlapping::Replace))], at("09:00:30"));
    let first = desk.turn(at("09:01:00"));
    let second = desk.turn(at("09:02:00"));
    assert_eq!((second.starts.len(), second.stops.len()), (0, 1), "it waits for the end of the first");
    let third = desk.turn(at("09:03:00"));
    assert_eq!(skipped(&third), [("a", 1, SkipReason::Replaced)]);
    desk.end(&first.starts[0], Ended::Failed(FailReason::Interrupted), at("09:03:05"));
    assert_eq!(started(&desk.turn(at("09:03:05"))), ["a 2026-03-02T09:03:00Z"]);
    let totals = desk.book.totals().unwrap().into_values().next().unwrap();
    assert_eq!(totals.failed.get(&FailReason::Replaced), Some(&1));
}

#[test]
fn jobs_of_one_account_share_its_places_and_others_run_beside_them() {
    let allow = || overlap(Overlapping::Allow);
    let jobs = ["a", "b", "c"].map(|name| job(name, "x", cron("0 9 * * *"), allow()));
    let jobs =
        jobs.into_iter().chain(["d", "e"].map(|name| job(name, "y", cron("0 9 * * *"), allow()))).collect();
    let mut desk = Desk::new(jobs, at("08:59:00"));
    let turn = desk.turn(at("09:00:00"));
    let names: Vec<&str> = turn.starts.iter().map(|start| &*start.job).collect();
    assert_eq!(names, ["a", "b", "d"], "two places an account, three in all");
    assert_eq!(desk.dispatcher.busy(), (3, 2));
    desk.end(&turn.starts[2], Ended::Ran, at("09:00:01"));
    assert_eq!(started(&desk.turn(at("09:00:01"))), ["e 2026-03-02T09:00:00Z"], "x has no place yet");
    desk.end(&turn.starts[0], Ended::Ran, at("09:00:02"));
    assert_eq!(started(&desk.turn(at("09:00:02"))), ["c 2026-03-02T09:00:00Z"]);
}

#[test]
fn what_waited_for_a_place_too_long_is_skipped() {
    let policy = RunPolicy { starting_deadline: Some(Duration::from_secs(30)), ..RunPolicy::default() };
    let jobs = ["a", "b", "c"].map(|name| job(name, "x", cron("0 9 * * *"), policy.clone()));
    let mut desk = Desk::new(jobs.into(), at("08:59:00"));
    let turn = desk.turn(at("09:00:00"));
    desk.end(&turn.starts[0], Ended::Ran, at("09:00:31"));
    assert_eq!(skipped(&desk.turn(at("09:00:31"))), [("c", 1, SkipReason::StartingDeadline)]);
    assert!(desk.book.law().unwrap().is_empty());
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_due_twice_and_forward_makes_it_missed() {
    let mut desk = Desk::new(vec![job("a", "x", cron("* * * * *"), RunPolicy::default())], at("09:00:30"));
    let turn = desk.turn(at("09:01:00"));
    desk.end(&turn.starts[0], Ended::Ran, at("09:01:01"));
    let yesterday = at("09:01:30") - SignedDuration::from_hours(24);
    assert!(desk.turn(yesterday).is_empty());
    let turn = desk.turn(at("09:02:00"));
    assert_eq!(started(&turn), ["a 2026-03-02T09:02:00Z"]);
    desk.end(&turn.starts[0], Ended::Ran, at("09:02:01"));
    let next_year = at("09:02:30") + SignedDuration::from_hours(24 * 365);
    let turn = desk.turn(next_year);
    assert_eq!(skipped(&turn), [("a", 365 * 24 * 60 - 1, SkipReason::Missed)]);
    assert_eq!(started(&turn), ["a 2027-03-02T09:02:00Z"], "the newest of a year is in time");
}

#[test]
fn what_was_missed_goes_by_the_policy() {
    let night = || cron("0 2 * * *");
    for (missed, runs, lost) in [(Missed::Skip, 0, 3), (Missed::Latest, 1, 2), (Missed::All { max: 2 }, 2, 1)]
    {
        let policy = RunPolicy { missed, overlap: Overlapping::Queue, ..RunPolicy::default() };
        let mut desk = Desk::new(vec![job("a", "x", night(), policy)], at("01:00:00"));
        let turn = desk.turn(at("09:00:00") + SignedDuration::from_hours(48));
        assert_eq!(skipped(&turn), [("a", lost, SkipReason::Missed)], "{missed:?}");
        let waiting = turn.writes.iter().filter(|write| matches!(write, Write::Waiting { .. })).count();
        assert_eq!(turn.starts.len() + waiting, runs, "{missed:?}");
    }
}

#[test]
fn a_suspended_job_is_due_and_does_not_run() {
    let policy = RunPolicy { suspend: true, ..RunPolicy::default() };
    let mut desk = Desk::new(vec![job("a", "x", cron("* * * * *"), policy)], at("09:00:30"));
    assert_eq!(skipped(&desk.turn(at("09:05:30"))), [("a", 5, SkipReason::Suspended)]);
    assert!(
        desk.load(vec![job("a", "x", cron("* * * * *"), RunPolicy::default())], at("09:05:40")).is_empty()
    );
    assert_eq!(started(&desk.turn(at("09:06:00"))), ["a 2026-03-02T09:06:00Z"]);
}

#[test]
fn a_job_that_comes_back_knows_of_its_run() {
    let each = || job("a", "x", cron("* * * * *"), RunPolicy::default());
    let mut desk = Desk::new(vec![each()], at("09:00:30"));
    let turn = desk.turn(at("09:01:00"));
    let removed = desk.dispatcher.remove(&["a".into()], at("09:01:10"));
    desk.book.retire(&removed.retires).unwrap();
    let _loaded = desk.load(vec![each()], at("09:01:20"));
    assert_eq!(skipped(&desk.turn(at("09:02:00"))), [("a", 1, SkipReason::Overlap)]);
    desk.end(&turn.starts[0], Ended::Ran, at("09:02:30"));
    assert_eq!(started(&desk.turn(at("09:03:00"))), ["a 2026-03-02T09:03:00Z"]);
}

#[test]
fn what_had_come_before_a_change_is_told_though_its_delay_was_not_over() {
    let mut schedule = cron("0 9 * * *").with_jitter(Duration::from_secs(600));
    let name = (0..).map(|number| format!("a{number}")).find(|name| {
        exorun::rules::occurrences::delay(name, &schedule.canonical(), schedule.jitter())
            > Duration::from_secs(60)
    });
    let name = name.unwrap();
    let mut desk = Desk::new(vec![job(&name, "x", schedule, RunPolicy::default())], at("08:00:00"));
    assert!(desk.turn(at("09:00:30")).is_empty());
    schedule = cron("0 10 * * *");
    let turn = desk.load(vec![job(&name, "x", schedule, RunPolicy::default())], at("09:00:40"));
    assert_eq!(skipped(&turn), [(&*name, 1, SkipReason::Removed)]);
}

#[test]
fn what_could_not_be_written_waits_and_is_judged_again() {
    let policy = RunPolicy { starting_deadline: Some(Duration::from_secs(30)), ..RunPolicy::default() };
    let jobs = vec![
        job("a", "x", cron("0 9 * * *"), policy),
        job("b", "x", cron("0 9 * * *"), RunPolicy::default()),
    ];
    let mut desk = Desk::new(jobs, at("08:59:00"));
    let turn = desk.dispatcher.turn(at("09:00:00"));
    assert_eq!(turn.starts.len(), 2);
    let turn = desk.dispatcher.unstart(turn);
    assert!(turn.starts.is_empty() && turn.writes.iter().all(|write| matches!(write, Write::Waiting { .. })));
    desk.book.commit(&turn.writes).unwrap();
    let turn = desk.turn(at("09:10:00"));
    assert_eq!(skipped(&turn), [("a", 1, SkipReason::StartingDeadline)]);
    assert_eq!(started(&turn), ["b 2026-03-02T09:00:00Z"]);
    assert!(desk.book.law().unwrap().is_empty());
}

#[test]
fn after_a_kill_what_ran_is_lost_and_what_waited_waits() {
    let each = || job("a", "x", cron("* * * * *"), overlap(Overlapping::Queue));
    let mut desk = Desk::new(vec![each()], at("09:00:30"));
    let _started = desk.turn(at("09:01:00"));
    let _waits = desk.turn(at("09:02:00"));
    desk.dispatcher = Dispatcher::new(LIMITS);
    let recovered = desk.book.recover(at("09:02:20")).unwrap();
    assert_eq!((recovered.lost.len(), recovered.waiting.len()), (1, 1));
    desk.dispatcher.recover(recovered.waiting);
    assert!(desk.load(vec![each()], at("09:02:20")).is_empty());
    assert_eq!(started(&desk.turn(at("09:02:21"))), ["a 2026-03-02T09:02:00Z"]);
    assert!(desk.book.law().unwrap().is_empty());
}

#[test]
fn ten_thousand_jobs_that_are_due_at_once_all_have_their_turn() {
    let jobs = (0..10_000).map(|number| {
        job(
            &format!("job-{number}"),
            &format!("account-{}", number % 100),
            cron("0 9 * * *"),
            RunPolicy::default(),
        )
    });
    let mut desk = Desk::new(jobs.collect(), at("08:59:00"));
    let mut now = at("09:00:00");
    let mut turn = desk.turn(now);
    assert_eq!((turn.starts.len(), desk.dispatcher.busy()), (3, (3, 9_997)));
    let mut ran = 0;
    while !turn.starts.is_empty() {
        now += SignedDuration::from_millis(10);
        for start in &turn.starts {
            desk.end(start, Ended::Ran, now);
            ran += 1;
        }
        turn = desk.turn(now);
    }
    assert_eq!((ran, desk.dispatcher.busy()), (10_000, (0, 0)));
    assert!(desk.book.law().unwrap().is_empty());
}
