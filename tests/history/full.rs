//! No room: nothing that was confirmed is lost, nothing half done stays, and it goes on when there is room again.

use std::path::Path;
use std::process::Command;

use exorun::history::{Book, From, HistoryError};
use exorun::rules::occurrences::ended::SkipReason;
use rustix::process::{Resource, getrlimit, setrlimit};
use uuid::Uuid;

use crate::child::{Role, cursor, lines, play, say};
use crate::components;
use crate::ledger::{job, lawful, lawful_totals, occurrence, skipped, started};

/// More commits than fit anywhere in these tests.
const COMMITS_MAX: i64 = 100_000;

/// Claims until there is no room, makes some, and goes on with the very same commit.
pub(crate) fn fill(file: &Path, make_room: impl FnOnce()) -> Result<String, HistoryError> {
    let mut book = Book::open(file)?;
    let report = job(&mut book, "report");
    let mut make_room = Some(make_room);
    let mut confirmed = 0;
    let mut after = 0;
    for commit in 0..COMMITS_MAX {
        // Large enough that some of it is written before the room ends.
        let writes: Vec<_> = (1..=20)
            .map(|ahead| started(occurrence(report, commit * 20 + ahead), From::Fresh, Uuid::new_v4()))
            .collect();
        if let Err(error) = book.commit(&writes) {
            let Some(make_room) = make_room.take() else { return Err(error) };
            assert_eq!(error.kind(), "full", "{error}");
            assert_eq!(cursor(&mut book), confirmed, "nothing of it was done");
            lawful(&book);
            // Again without room: the same answer, and still nothing is lost.
            assert_eq!(book.commit(&writes).unwrap_err().kind(), "full");
            assert_eq!(lawful_totals(&book).due, u64::try_from(confirmed).unwrap());
            say(&format!("full after {confirmed}: {error}"));
            make_room();
            book.commit(&writes)?;
        }
        confirmed += 20;
        after += i64::from(make_room.is_none());
        if after == 50 {
            break;
        }
    }
    let next = confirmed + 1;
    book.commit(&[skipped(report, (next, next), SkipReason::Overlap, From::Fresh)])?;
    lawful(&book);
    Ok(format!("went on to {next}"))
}

pub(crate) fn lift_the_limit() {
    let limit = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, rustix::process::Rlimit { current: limit.maximum, ..limit }).unwrap();
}

#[track_caller]
fn filled(said: &[String]) -> i64 {
    let [full, went_on] = said else { panic!("{said:?}") };
    let number = |text: &str| text.split([' ', ':']).find_map(|word| word.parse::<i64>().ok()).unwrap();
    assert!(full.starts_with("full after ") && full.contains("cannot grow"), "{full}");
    assert!(went_on.starts_with("went on to ") && number(went_on) > number(full), "{went_on}");
    assert!(number(full) > 0, "it was full at once: {full}");
    number(went_on)
}

#[test]
fn a_limit_on_file_sizes_stops_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    // The program itself hears SIGXFSZ; here it is ignored.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -S -f 1024; exec \"$0\" \"$@\""]);
    shell.arg(std::env::current_exe().unwrap());
    play(&mut shell, Role::Fill, &path);
    let mut child = shell.spawn().unwrap();
    let said: Vec<String> = lines(&mut child).collect();
    assert!(child.wait().unwrap().success());
    let reached = filled(&said);
    let mut book = Book::open(&path).unwrap();
    assert_eq!(cursor(&mut book), reached);
    assert_eq!(lawful_totals(&book).due, u64::try_from(reached).unwrap());
}

/// A small disk of its own, for as long as it lives.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(test: &str) -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Disk(folder));
        }
        components::show(test, "a small disk cannot be mounted here");
        None
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|unmounted| unmounted.success()), "a test's disk stays mounted");
    }
}

#[test]
fn a_full_disk_stops_and_harms_nothing() {
    let Some(disk) = Disk::mount("a_full_disk_stops_and_harms_nothing") else { return };
    let path = disk.0.path().join("history.sqlite");
    let ballast = disk.0.path().join("ballast");
    std::fs::write(&ballast, vec![1; 3_000_000]).unwrap();
    fill(&path, || std::fs::remove_file(&ballast).unwrap()).unwrap();
    let mut book = Book::open(&path).unwrap();
    assert_eq!(lawful_totals(&book).due, u64::try_from(cursor(&mut book)).unwrap());
    drop(book);
    // Nor can one be begun without room.
    let rest = disk.0.path().join("rest");
    let mut room = vec![1; 6 * 1024 * 1024];
    while std::fs::write(&rest, &room).is_err() {
        room.truncate(room.len() - 16 * 1024);
    }
    let error = Book::open(&disk.0.path().join("second.sqlite")).err().unwrap();
    assert_eq!(error.kind(), "full", "{error}");
}
