//! Rows go, counts stay.

use std::time::Duration;

use exorun::history::{Book, From, Retention};
use exorun::rules::occurrences::ended::{Ended, SkipReason};
use uuid::Uuid;

use crate::ledger::{ended, job, lawful_totals, minute, occurrence, skipped, started, waiting};

const FOR_EVER: Duration = Duration::from_secs(1_000_000_000);

/// Minutes 1 to 20 ran; 21 runs, 22 waits, 23 to 30 were skipped.
fn thirty_minutes() -> Book {
    let mut book = Book::in_memory().unwrap();
    let report = job(&mut book, "report");
    for due in 1..=20 {
        let run = Uuid::new_v4();
        book.commit(&[started(occurrence(report, due), From::Fresh, run)]).unwrap();
        book.commit(&[ended(occurrence(report, due), Ended::Ran, run)]).unwrap();
    }
    book.commit(&[
        started(occurrence(report, 21), From::Fresh, Uuid::new_v4()),
        waiting(occurrence(report, 22)),
        skipped(report, (23, 30), SkipReason::Blackout, From::Fresh),
    ])
    .unwrap();
    book
}

#[test]
fn what_is_old_goes_in_small_bites_and_the_counts_stay() {
    let mut book = thirty_minutes();
    let before = lawful_totals(&book);
    let keep = Retention { for_at_most: Duration::from_secs(600), runs_max: 1000 };
    // At minute 20 the first nine are older than ten minutes: nine runs and nine occurrences.
    let bites: Vec<u64> = (0..4).map(|_| book.prune(keep, minute(20), 7).unwrap()).collect();
    assert_eq!(bites, [7, 7, 4, 0]);
    assert_eq!(lawful_totals(&book), before);
}

#[test]
fn no_more_is_kept_than_may_be_and_what_is_open_stays() {
    let mut book = thirty_minutes();
    let before = lawful_totals(&book);
    let keep = Retention { for_at_most: FOR_EVER, runs_max: 5 };
    // 15 of 20 runs; 18 of 23 rows.
    assert_eq!(book.prune(keep, minute(40), 1000).unwrap(), 33);
    assert_eq!(book.prune(keep, minute(40), 1000).unwrap(), 0);
    let nothing = Retention { for_at_most: Duration::ZERO, runs_max: 0 };
    // The other 5 runs, and the 3 rows that have ended.
    assert_eq!(book.prune(nothing, minute(40), 1000).unwrap(), 8);
    assert_eq!(book.prune(nothing, minute(40), 1000).unwrap(), 0);
    assert_eq!(lawful_totals(&book), before);
    assert_eq!(book.recover(minute(40)).unwrap().lost.len(), 1);
}
