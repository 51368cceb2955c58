//! Each due time is claimed once, whatever is asked for.

use std::collections::BTreeMap;

use exorun::history::{Book, From, HistoryError, Write};
use exorun::rules::occurrences::ended::{Ended, FailReason, SkipReason};
use uuid::Uuid;

use crate::ledger::{ended, job, lawful_totals, minute, occurrence, register, skipped, started, waiting};

fn refused(book: &mut Book, write: Write) {
    let error = book.commit(&[write]).unwrap_err();
    assert_eq!(error.kind(), "already_accounted", "{error}");
}

#[test]
fn every_way_of_an_occurrence_is_counted_once() {
    let mut book = Book::in_memory().unwrap();
    let report = job(&mut book, "report");
    let runs: Vec<Uuid> = (0..4).map(|_| Uuid::new_v4()).collect();
    let at = |minute| occurrence(report, minute);
    book.commit(&[
        started(at(1), From::Fresh, runs[0]),
        waiting(at(2)),
        skipped(report, (3, 9), SkipReason::Missed, From::Fresh),
        waiting(at(10)),
        started(at(11), From::Fresh, runs[1]),
        waiting(at(12)),
    ])
    .unwrap();
    assert_eq!((lawful_totals(&book).due, lawful_totals(&book).open), (12, 5));
    book.commit(&[
        ended(at(1), Ended::Ran, runs[0]),
        started(at(2), From::Waiting, runs[2]),
        skipped(report, (10, 10), SkipReason::Replaced, From::Waiting),
        ended(at(11), Ended::Failed(FailReason::NoSession), runs[1]),
    ])
    .unwrap();
    let totals = lawful_totals(&book);
    assert_eq!((totals.due, totals.ran, totals.open), (12, 1, 2));
    assert_eq!(totals.skipped, BTreeMap::from([(SkipReason::Missed, 7), (SkipReason::Replaced, 1)]));
    assert_eq!(totals.failed, BTreeMap::from([(FailReason::NoSession, 1)]));
    assert_eq!(totals.name, "report");
}

#[test]
fn a_second_claim_is_refused_and_its_whole_commit_is_undone() {
    let mut book = Book::in_memory().unwrap();
    let (first, second) = (job(&mut book, "first"), job(&mut book, "second"));
    book.commit(&[started(occurrence(first, 5), From::Fresh, Uuid::new_v4())]).unwrap();
    let writes = [
        started(occurrence(second, 5), From::Fresh, Uuid::new_v4()),
        started(occurrence(first, 5), From::Fresh, Uuid::new_v4()),
    ];
    let error = book.commit(&writes).unwrap_err();
    assert!(matches!(error, HistoryError::AlreadyAccounted { due, .. } if due == minute(5)), "{error}");
    let totals: Vec<_> =
        book.totals().unwrap().into_values().map(|totals| (totals.name, totals.due)).collect();
    assert_eq!(totals, [("first".to_owned(), 1)]);
    // The other one alone is still to be had.
    book.commit(&writes[..1]).unwrap();
}

#[test]
fn what_lies_in_a_skipped_range_or_before_the_cursor_is_accounted_for() {
    let mut book = Book::in_memory().unwrap();
    let report = job(&mut book, "report");
    book.commit(&[skipped(report, (10, 20), SkipReason::Missed, From::Fresh)]).unwrap();
    for due in [-5, 0, 3, 10, 15, 20] {
        refused(&mut book, started(occurrence(report, due), From::Fresh, Uuid::new_v4()));
        refused(&mut book, waiting(occurrence(report, due)));
    }
    refused(&mut book, skipped(report, (20, 25), SkipReason::Overlap, From::Fresh));
    book.commit(&[waiting(occurrence(report, 21))]).unwrap();
    assert_eq!(lawful_totals(&book).due, 12);
}

#[test]
fn what_does_not_wait_or_run_cannot_be_started_or_ended() {
    let mut book = Book::in_memory().unwrap();
    let report = job(&mut book, "report");
    let (at, run) = (occurrence(report, 1), Uuid::new_v4());
    refused(&mut book, started(at, From::Waiting, run));
    refused(&mut book, ended(at, Ended::Ran, run));
    refused(&mut book, skipped(report, (1, 1), SkipReason::Removed, From::Waiting));
    book.commit(&[waiting(at)]).unwrap();
    refused(&mut book, ended(at, Ended::Ran, run));
    book.commit(&[started(at, From::Waiting, run)]).unwrap();
    refused(&mut book, started(at, From::Waiting, Uuid::new_v4()));
    refused(&mut book, skipped(report, (1, 1), SkipReason::Removed, From::Waiting));
    // Only the run that has the claim ends it, and once.
    refused(&mut book, ended(at, Ended::Ran, Uuid::new_v4()));
    book.commit(&[ended(at, Ended::Ran, run)]).unwrap();
    refused(&mut book, ended(at, Ended::Failed(FailReason::Failed), run));
    let totals = lawful_totals(&book);
    assert_eq!((totals.due, totals.ran, totals.ended()), (1, 1, 1));
}

#[test]
fn a_job_that_comes_again_goes_on_where_it_was_and_a_retired_schedule_begins_anew() {
    let mut book = Book::in_memory().unwrap();
    let first = register(&mut book, "report", &["hourly", "daily"], minute(0));
    let hourly = first.schedules[0].0;
    let run = Uuid::new_v4();
    book.commit(&[started(occurrence((first.job, hourly), 60), From::Fresh, run)]).unwrap();
    // A restart: the cursors are what was accounted for, not what time it is.
    let again = register(&mut book, "report", &["daily", "hourly"], minute(200));
    assert_eq!(again.job, first.job);
    assert_eq!(again.schedules, [(first.schedules[1].0, minute(0)), (hourly, minute(60))]);
    book.retire(&[hourly]).unwrap();
    let back = register(&mut book, "report", &["hourly"], minute(300));
    assert_eq!(back.schedules, [(hourly, minute(300))]);
    // The clock was set back meanwhile: nothing becomes due a second time.
    assert_eq!(book.retire_others(&[first.schedules[1].0]).unwrap(), 1);
    assert_eq!(book.retire_others(&[first.schedules[1].0]).unwrap(), 0);
    let back = register(&mut book, "report", &["hourly"], minute(30));
    assert_eq!(back.schedules, [(hourly, minute(300))]);
}

#[test]
fn what_a_dead_process_left_is_lost_or_waits() {
    let mut book = Book::in_memory().unwrap();
    let report = job(&mut book, "report");
    let runs: Vec<Uuid> = (0..2).map(|_| Uuid::new_v4()).collect();
    book.commit(&[
        started(occurrence(report, 1), From::Fresh, runs[0]),
        started(occurrence(report, 2), From::Fresh, runs[1]),
        waiting(occurrence(report, 3)),
    ])
    .unwrap();
    book.commit(&[ended(occurrence(report, 1), Ended::Ran, runs[0])]).unwrap();
    let recovered = book.recover(minute(10)).unwrap();
    let lost: Vec<_> = recovered.lost.iter().map(|lost| (lost.occurrence, lost.run, lost.started)).collect();
    assert_eq!(lost, [(occurrence(report, 2), runs[1], minute(2))]);
    assert_eq!(recovered.lost[0].job, "report");
    let left: Vec<_> = recovered.waiting.iter().map(|waiting| waiting.occurrence).collect();
    assert_eq!(left, [occurrence(report, 3)]);
    let totals = lawful_totals(&book);
    assert_eq!((totals.failed[&FailReason::Lost], totals.ran, totals.open), (1, 1, 1));
    // A second look finds nothing more to end.
    assert_eq!(book.recover(minute(11)).unwrap().lost, []);
    refused(&mut book, started(occurrence(report, 2), From::Fresh, Uuid::new_v4()));
}
