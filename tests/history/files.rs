//! A file that is damaged, foreign, newer, locked, or may not be written.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use exorun::history::{Book, From, History, HistoryError, Reader};
use rusqlite::Connection;
use uuid::Uuid;

use crate::child::{self, Role};
use crate::components;
use crate::ledger::{job, lawful, minute, occurrence, started};

/// A history of some hundred occurrences, closed.
fn some(path: &Path) {
    let mut book = Book::open(path).unwrap();
    for name in ["first", "second", "third"] {
        let job = job(&mut book, name);
        for due in 1..=200 {
            book.commit(&[started(occurrence(job, due), From::Fresh, Uuid::new_v4())]).unwrap();
        }
    }
}

#[track_caller]
fn refused(path: &Path, kind: &str) -> String {
    let error = Book::open(path).err().unwrap_or_else(|| panic!("{} is taken", path.display()));
    assert_eq!(error.kind(), kind, "{error}");
    let said = error.to_string();
    assert!(said.contains(path.file_name().unwrap().to_str().unwrap()), "{said}");
    said
}

#[test]
fn files_are_private_and_a_second_opening_finds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/history.sqlite");
    some(&path);
    let book = Book::open(&path).unwrap();
    lawful(&book);
    assert_eq!(book.totals().unwrap().values().map(|totals| totals.open).sum::<u64>(), 600);
    let modes = fs::read_dir(path.parent().unwrap()).unwrap().map(|file| {
        let file = file.unwrap();
        (file.file_name().into_string().unwrap(), file.metadata().unwrap().permissions().mode() & 0o777)
    });
    let mut modes: Vec<_> = modes.collect();
    modes.sort();
    let names = ["history.sqlite", "history.sqlite-shm", "history.sqlite-wal"];
    assert_eq!(modes, names.map(|name| (name.to_owned(), 0o600)));
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn what_is_no_history_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    for content in
        [b"version: 1\nname: a job\n".repeat(200), vec![0xa5; 20_000], b"SQLite format 3\0".repeat(40)]
    {
        fs::write(&path, &content).unwrap();
        let said = refused(&path, "corrupted");
        assert!(said.contains("move it away") && said.contains("counters start at 0"), "{said}");
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(Reader::open(&path).err().unwrap().kind(), "corrupted");
    }
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    let said = refused(&path, "corrupted");
    assert!(said.contains("a database of another program"), "{said}");
}

#[test]
fn damage_inside_is_found_when_the_file_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    some(&path);
    let good = fs::read(&path).unwrap();
    let pages = good.len() / 4096;
    assert!(pages > 10, "{pages} pages");
    let mut noticed = 0;
    // Cut off, and each page in turn overwritten: with zeros, with noise.
    let mut damaged: Vec<Vec<u8>> = vec![good[..good.len() / 2].to_vec(), good[..good.len() - 4096].to_vec()];
    for page in 0..pages {
        for byte in [0, 0x5a] {
            let mut bytes = good.clone();
            bytes[page * 4096..(page + 1) * 4096].fill(byte);
            damaged.push(bytes);
        }
    }
    let many = damaged.len();
    for bytes in damaged {
        fs::write(&path, &bytes).unwrap();
        match Book::open(&path) {
            Err(error) => {
                assert_eq!(error.kind(), "corrupted", "{error}");
                noticed += 1;
            }
            // A page that nothing was on.
            Ok(book) => lawful(&book),
        }
        for beside in ["history.sqlite-wal", "history.sqlite-shm"] {
            let _ = fs::remove_file(folder.path().join(beside));
        }
    }
    assert_eq!(noticed, many, "every page is used, and each damage shows");
}

#[test]
fn a_newer_file_is_refused_and_an_empty_one_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    fs::write(&path, "").unwrap();
    drop(Book::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let said = refused(&path, "newer");
    assert!(said.contains("version 2") && said.contains("up to 1"), "{said}");
    assert_eq!(Reader::open(&path).err().unwrap().kind(), "newer");
}

#[test]
fn a_reader_makes_no_file_and_sees_what_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    assert_eq!(Reader::open(&path).err().unwrap().kind(), "missing");
    assert!(!path.exists());
    let mut book = Book::open(&path).unwrap();
    let reader = Reader::open(&path).unwrap();
    let report = job(&mut book, "report");
    book.commit(&[started(occurrence(report, 1), From::Fresh, Uuid::new_v4())]).unwrap();
    assert_eq!(reader.totals().unwrap()[&report.0].due, 1);
}

#[test]
fn another_program_that_holds_it_is_named_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    let mut book = Book::open(&path).unwrap();
    let report = job(&mut book, "report");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let write = [started(occurrence(report, 1), From::Fresh, Uuid::new_v4())];
    assert_eq!(book.commit(&write).unwrap_err().kind(), "locked");
    other.execute_batch("COMMIT").unwrap();
    book.commit(&write).unwrap();
    lawful(&book);
}

#[tokio::test]
async fn one_dispatcher_a_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    let first = History::open_exclusively(&path).unwrap();
    let error = History::open_exclusively(&path).err().unwrap();
    assert!(matches!(error, HistoryError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("another `exorun serve`"), "{error}");
    let report = first.with(|book| Ok(job(book, "report"))).await.unwrap();
    first.commit(vec![started(occurrence(report, 1), From::Fresh, Uuid::new_v4())]).await.unwrap();
    // Runs by hand and readers may use it beside that.
    let mut beside = Book::open_to_add(&path).unwrap();
    let now = minute(1);
    beside.record_run(&exorun::history::RunRecord::bare(Uuid::new_v4(), "other", "done", now, now)).unwrap();
    let (totals, law) = first.read(|reader| Ok((reader.totals()?, reader.law()?))).await.unwrap();
    assert_eq!((totals[&report.0].due, law), (1, vec![]));
    first.close().await;
    let again = History::open_exclusively(&path).unwrap();
    assert_eq!(again.with(|book| book.recover(minute(2))).await.unwrap().lost.len(), 1);
}

#[test]
fn a_place_that_may_not_be_written_is_told_with_the_mend() {
    const TEST: &str = "a_place_that_may_not_be_written_is_told_with_the_mend";
    if !components::has("setpriv", TEST) {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        return components::show(TEST, "only root can become somebody else");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    some(&path);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    for name in ["history.sqlite", "new.sqlite", "new/history.sqlite"] {
        let said = child::as_nobody(Role::Open, &folder.path().join(name));
        assert!(said.starts_with("unwritable ") && said.contains(name), "{said}");
        assert!(said.contains("give this user the file and its folder"), "{said}");
    }
    // A disk that is mounted read-only looks like this.
    let said = child::as_nobody(Role::Read, &path);
    assert!(said == "due 600" || said.starts_with("unwritable "), "{said}");
}
