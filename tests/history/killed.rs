//! kill -9 at any moment: what was confirmed is there, and nothing is counted twice or not at all.

use exorun::history::{Book, Paging, RunFilter};
use exorun::rules::occurrences::ended::{FailReason, SkipReason};

use crate::child::{Role, command, cursor, lines};
use crate::ledger::{lawful_totals, minute};
use crate::support::Chance;

const ROUNDS: u64 = 40;

/// Minutes that a commit of the child accounts for.
const COMMIT: i64 = 5;

#[test]
fn a_writer_that_is_killed_at_any_moment_loses_nothing_that_it_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    let mut chance = Chance::new(7);
    let (mut lost_in_all, mut seen) = (0, 0);
    for round in 0..ROUNDS {
        let mut child = command(&std::env::current_exe().unwrap(), Role::Write, &path).spawn().unwrap();
        let mut said = lines(&mut child);
        // Every fourth is killed while it opens the file, or makes it.
        if round % 4 != 0 {
            assert_eq!(said.next().as_deref(), Some("begins"));
        }
        std::thread::sleep(chance.millis(40));
        child.kill().unwrap();
        child.wait().unwrap();
        let confirmed = said.filter_map(|line| line.strip_prefix("confirmed ")?.parse::<i64>().ok()).last();
        seen += i64::from(confirmed.is_some());

        let mut book = Book::open(&path).unwrap();
        let reached = cursor(&mut book);
        let confirmed = confirmed.unwrap_or(reached);
        // What the last commit did may be there without having been confirmed.
        assert!(
            (confirmed..=confirmed + COMMIT).contains(&reached),
            "{confirmed} confirmed, {reached} there"
        );
        let open = book.totals().unwrap().values().map(|totals| totals.open).sum::<u64>();
        let recovered = book.recover(minute(reached)).unwrap();
        assert_eq!(recovered.lost.len() + recovered.waiting.len(), usize::try_from(open).unwrap());
        lost_in_all += recovered.lost.len();
        let totals = lawful_totals(&book);
        // Every minute since the beginning is accounted for, once.
        assert_eq!(totals.due, u64::try_from(reached).unwrap());
        assert_eq!(totals.open, recovered.waiting.len() as u64);
        assert_eq!(totals.failed.get(&FailReason::Lost).copied().unwrap_or(0), lost_in_all as u64);
        let missed = totals.skipped.get(&SkipReason::Missed).copied().unwrap_or(0);
        assert_eq!(missed * 5, totals.due * 2);
    }
    assert!(seen > 20 && lost_in_all > 20, "{seen} rounds confirmed something, {lost_in_all} were lost");
    let book = Book::open(&path).unwrap();
    let lost = RunFilter {
        outcome: Some(exorun::history::RunOutcome::Is("lost".to_owned())),
        ..RunFilter::default()
    };
    let runs = book.runs(&lost, Paging { limit: 1000, after: None }).unwrap().items;
    assert_eq!(runs.len(), lost_in_all.min(1000), "a lost run is listed");
    assert!(runs.iter().all(|run| run.seconds.is_none() && run.exit_code.is_none()));
}
