//! The slots of one host, where files have their own troubles: what every store promises is in `slots_conformance`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/components.rs"]
mod components;
mod hosts;
mod limits;
#[path = "../support/mod.rs"]
mod support;
mod trouble;
mod users;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::rules::slots::Terms;
use exorun::rules::slots::opens::Budget;
use exorun::session::SessionTimes;
use exorun::slots::{
    Ask, Attempt, Busy, Holder, ListedState, LocalStore, Returned, SlotError, SlotLease, SlotStore, SlotTimes,
};
use support::{account, paused_clocks};
use tokio_util::task::TaskTracker;

const TIMES: SlotTimes = SlotTimes {
    terms: Terms { lease: Duration::from_secs(60), quarantine: Duration::from_secs(960) },
    opens: Budget { limit: 100, window: Duration::from_secs(60) },
    pace: SessionTimes::PACE,
    patience: SessionTimes::PATIENCE,
};

fn holder(name: &str) -> Holder {
    Holder { run_id: name.into(), job: "a-job".into(), connection_id: format!("connection-{name}") }
}

fn store(dir: &Path, limit: u32, times: SlotTimes, clocks: &Clocks) -> LocalStore {
    LocalStore::new(dir.join("sessions"), limit, times, clocks.clone()).unwrap()
}

async fn attempt(store: &LocalStore, name: &str) -> Result<Box<dyn SlotLease>, Busy> {
    match store.attempt(&account(), &holder(name), Ask::InPassing).await.unwrap() {
        Attempt::Lease(lease) => Ok(lease),
        Attempt::Busy(busy) => Err(busy),
    }
}

async fn take(store: &LocalStore, name: &str) -> Box<dyn SlotLease> {
    attempt(store, name).await.unwrap_or_else(|busy| panic!("{name}: {busy:?}"))
}

async fn busy(store: &LocalStore) -> Busy {
    match attempt(store, "late").await {
        Ok(lease) => panic!("slot {:?} was free", lease.slot()),
        Err(busy) => busy,
    }
}

/// The one account's folder.
fn folder(dir: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(dir.join("sessions")).unwrap();
    entries.next().unwrap().unwrap().path()
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn removed_files_lose_the_lease() {
    let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
    let store = store(dir.path(), 1, TIMES, &clocks);
    let mut lease = take(&store, "a").await;
    std::fs::remove_dir_all(folder(dir.path())).unwrap();
    let error = lease.renew(secs(1)).await.unwrap_err();
    assert!(matches!(error, SlotError::Lost { slot: 1, .. }), "{error}");
    let _other = take(&store, "b").await;
    assert!(matches!(lease.renew(secs(1)).await, Err(SlotError::Lost { .. })));
    assert!(matches!(lease.give_back(Returned::Free).await, Err(SlotError::Lost { .. })));
    assert_eq!(busy(&store).await.held, 1, "the other's slot is untouched");
}

#[tokio::test(start_paused = true)]
async fn records_of_another_boot_and_garbage_are_quarantined_in_full() {
    for damage in ["boot", "garbage", "empty"] {
        let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
        let store = store(dir.path(), 1, TIMES, &clocks);
        drop(take(&store, "a").await);
        let path = folder(dir.path()).join("slot-1.json");
        let text = std::fs::read_to_string(&path).unwrap();
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let (text, expected) = match damage {
            "boot" => (text.replace(boot_id.trim(), "another"), secs(960)),
            "garbage" => (text[..40].to_owned(), secs(60 + 960)),
            _ => (String::new(), secs(60 + 960)),
        };
        std::fs::write(&path, text).unwrap();
        clocks.sleep(secs(3)).await;
        let until = clocks.boot() + expected;
        assert_eq!(busy(&store).await.until, Some(until), "{damage}");
        clocks.sleep(secs(100)).await;
        assert_eq!(busy(&store).await.until, Some(until), "{damage}: the end does not move");
    }
}

#[tokio::test(start_paused = true)]
async fn opens_of_another_boot_count_for_one_window() {
    let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
    let times = SlotTimes { opens: Budget { limit: 2, window: secs(60) }, ..TIMES };
    for damage in ["{", "another boot"] {
        let store = store(dir.path(), 1, times, &clocks);
        for name in ["a", "b"] {
            take(&store, name).await.give_back(Returned::Free).await.unwrap();
        }
        let path = folder(dir.path()).join("opens.json");
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let text = std::fs::read_to_string(&path).unwrap().replace(boot_id.trim(), damage);
        std::fs::write(&path, if damage == "{" { damage } else { &text }).unwrap();
        clocks.sleep(secs(30)).await;
        let until = Some(clocks.boot() + secs(60));
        assert_eq!(busy(&store).await.until, until);
        clocks.sleep(secs(30)).await;
        assert_eq!(busy(&store).await.until, until, "it does not move");
        clocks.sleep(secs(61)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn errors_name_the_place_and_the_mend() {
    let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = LocalStore::new(file.join("sessions"), 5, TIMES, clocks.clone()).err().unwrap().to_string();
    assert!(error.contains("file/sessions") && error.contains("name a folder for sessions"), "{error}");
    let error = LocalStore::new(file, 5, TIMES, clocks.clone()).err().unwrap().to_string();
    assert!(error.contains("a part of the path is a file"), "{error}");
    let store = store(dir.path(), 1, TIMES, &clocks);
    take(&store, "a").await.give_back(Returned::Free).await.unwrap();
    std::fs::write(folder(dir.path()).join("slot-1.json"), r#"{"version":7}"#).unwrap();
    let error = store.attempt(&account(), &holder("b"), Ask::InPassing).await.err().unwrap().to_string();
    assert!(error.contains("slot-1.json") && error.contains("newer exorun"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn files_are_for_their_user_only() {
    let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
    let store = store(dir.path(), 1, TIMES, &clocks);
    let _lease = take(&store, "a").await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = folder(dir.path());
    assert_eq!((mode(&dir.path().join("sessions")), mode(&folder)), (0o700, 0o700));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["account.json", "opens.json", "opens.lock", "slot-1.json", "slot-1.lock"]);
}

#[tokio::test(start_paused = true)]
async fn a_listing_shows_what_is_not_free() {
    let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
    let store = store(dir.path(), 4, TIMES, &clocks);
    let (_held, dropped) = (take(&store, "a").await, take(&store, "b").await);
    let (free, unconfirmed) = (take(&store, "c").await, take(&store, "d").await);
    drop(dropped);
    free.give_back(Returned::Free).await.unwrap();
    unconfirmed.give_back(Returned::Quarantine).await.unwrap();
    let listed = store.list(None).await.unwrap();
    let [one] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((&one.account, one.limit, one.opens, one.waiting), (&account(), 4, 4, 0));
    assert_eq!(one.slots.iter().map(|slot| slot.slot.0).collect::<Vec<_>>(), [1, 2, 4]);
    let state = &one.slots[0].state;
    let us = format!("process {}", std::process::id());
    assert!(matches!(state, ListedState::Held { holder, place, .. } if holder.run_id == "a" && *place == us));
    assert!(matches!(one.slots[1].state, ListedState::Quarantined { .. }));
    assert_eq!(store.list(Some(&account())).await.unwrap(), listed);
}

/// Locks are tied to the opening of a file, so stores in one process keep each other out as processes do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_takers_at_once_never_get_more_than_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let times = SlotTimes { opens: Budget { limit: 100_000, window: secs(60) }, ..TIMES };
    let (inside, taken) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (tracker, mut takers) = (TaskTracker::new(), Vec::new());
    for taker in 0..8 {
        let clocks = Clocks::system();
        let store = store(dir.path(), 3, times, &clocks);
        let (inside, taken) = (inside.clone(), taken.clone());
        takers.push(tracker.spawn(async move {
            for round in 0..25 {
                match attempt(&store, &format!("{taker}-{round}")).await {
                    Ok(mut lease) => {
                        assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                        taken.fetch_add(1, Ordering::SeqCst);
                        lease.renew(secs(1)).await.unwrap();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        lease.give_back(Returned::Free).await.unwrap();
                    }
                    Err(busy) => {
                        assert_eq!((busy.quarantined, busy.opens_exhausted), (0, false));
                        clocks.sleep(Duration::from_millis(1)).await;
                    }
                }
            }
        }));
    }
    for taker in takers {
        taker.await.unwrap();
    }
    assert!(taken.load(Ordering::SeqCst) > 24);
    let store = store(dir.path(), 3, times, &Clocks::system());
    assert_eq!(store.list(None).await.unwrap()[0].slots, []);
}

const CHILD_DIR: &str = "EXORUN_TEST_SLOT_DIR";

const SHORT: SlotTimes = SlotTimes {
    pace: SessionTimes::PACE,
    patience: SessionTimes::PATIENCE,
    terms: Terms { lease: Duration::from_millis(400), quarantine: Duration::from_millis(800) },
    opens: Budget { limit: 100, window: Duration::from_secs(60) },
};

/// Not a test of its own: the process that other tests start and kill. It waits for a slot, and holds it.
#[tokio::test]
async fn child_that_holds_a_slot() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let clocks = Clocks::system();
    let store = store(Path::new(&dir), 1, SHORT, &clocks);
    let mut told = false;
    let _lease = loop {
        match attempt(&store, "child").await {
            Ok(lease) => break lease,
            Err(busy) if !told => say(&format!("busy: {} held, {} quarantined", busy.held, busy.quarantined)),
            Err(_) => {}
        }
        told = true;
        clocks.sleep(Duration::from_millis(20)).await;
    };
    say("holding");
    std::future::pending().await
}

fn say(line: &str) {
    // A line of its own: the harness has begun one.
    let mut out = std::io::stdout();
    writeln!(out, "\n{line}").and_then(|()| out.flush()).unwrap();
}

#[tokio::test]
async fn a_killed_process_leaves_a_quarantined_slot_that_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let clocks = Clocks::system();
    let store = store(dir.path(), 1, SHORT, &clocks);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_holds_a_slot", "--nocapture"])
        .env(CHILD_DIR, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "holding"));
    assert_eq!((busy(&store).await.held, busy(&store).await.quarantined), (1, 0));
    // The lease ends, but its holder lives: still held.
    clocks.sleep(Duration::from_millis(500)).await;
    assert_eq!(busy(&store).await.held, 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let after = busy(&store).await;
    assert_eq!((after.held, after.quarantined), (0, 1));
    let bound = clocks.boot() + SHORT.terms.lease + SHORT.terms.quarantine;
    assert!(after.until.unwrap() <= bound);
    clocks.sleep_until(after.until.unwrap()).await;
    take(&store, "next").await.give_back(Returned::Free).await.unwrap();
}
