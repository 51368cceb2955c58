//! What is remembered of a job's last runs.

use exorun::history::{Book, LastRuns, Remembered, RunRecord};
use jiff::Timestamp;
use uuid::Uuid;

use crate::ledger::minute;

fn ran(book: &mut Book, (tenant, peer, mode): (&str, &str, &str), code: Option<u8>, at: i64) {
    let run = RunRecord {
        exit_code: code,
        tenant: tenant.to_owned(),
        peer: peer.to_owned(),
        mode: mode.to_owned(),
        ..RunRecord::bare(Uuid::from_u128(at.try_into().unwrap()), "a", "whatever", minute(at), minute(at))
    };
    book.record_run(&run).unwrap();
}

#[test]
fn the_last_ends_are_those_of_the_peer_and_of_runs_that_were_lost_and_no_dry_runs() {
    let mut book = Book::in_memory().unwrap();
    let (online, emulated) = ("Exchange Online", "EMULATED");
    assert_eq!(book.remembered("a", online).unwrap(), Remembered::default());
    ran(&mut book, ("contoso", online, "apply"), Some(3), 1);
    ran(&mut book, ("contoso", online, "apply"), Some(0), 2);
    ran(&mut book, ("contoso", online, "dry-run"), Some(2), 3);
    ran(&mut book, ("contoso", emulated, "apply"), Some(0), 4);
    ran(&mut book, ("fabrikam", online, "apply"), Some(0), 5);
    ran(&mut book, ("", "", ""), None, 6);
    let last = |tenant: &str, completion: i64, [success, failure]: [Option<i64>; 2], exit_code| {
        let at = |at: Option<i64>| -> Option<Timestamp> { at.map(minute) };
        LastRuns {
            tenant: tenant.to_owned(),
            completion: minute(completion),
            success: at(success),
            failure: at(failure),
            exit_code,
        }
    };
    let remembered = book.remembered("a", online).unwrap();
    assert_eq!(remembered.since, Some(minute(1)));
    assert_eq!(
        remembered.runs,
        [
            last("", 6, [None, Some(6)], None),
            last("contoso", 2, [Some(2), Some(1)], Some(0)),
            last("fabrikam", 5, [Some(5), None], Some(0)),
        ]
    );
    let of_emulator = book.remembered("a", emulated).unwrap().runs;
    assert_eq!(of_emulator.last(), Some(&last("contoso", 4, [Some(4), None], Some(0))));
    assert!(book.remembered("b", online).unwrap().runs.is_empty());
}
