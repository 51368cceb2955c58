//! Folders that cannot be used, or not now.

use std::os::unix::fs::symlink;

use super::*;

fn refused(result: Result<Attempt, SlotError>) -> String {
    result.err().expect("no slot is given out").to_string()
}

/// As on a full disk: what is written beside a record cannot be. That a full disk is called so, `folder` tests.
#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_written_gives_nothing_out_and_loses_nothing() {
    let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
    let store = store(dir.path(), 2, TIMES, &clocks);
    let mut held = take(&store, "a").await;
    let path = folder(dir.path());
    for name in ["slot-1.json.new", "slot-2.json.new"] {
        std::fs::create_dir(path.join(name)).unwrap();
    }
    let error = refused(store.attempt(&account(), &holder("b"), Ask::InPassing).await);
    assert!(error.contains("slot-2.json") && error.contains("cannot be written"), "{error}");
    let error = held.renew(secs(1)).await.unwrap_err();
    assert!(matches!(error, SlotError::Store { .. }), "the lease is not lost by it: {error}");
    for name in ["slot-1.json.new", "slot-2.json.new"] {
        std::fs::remove_dir(path.join(name)).unwrap();
    }
    held.renew(secs(1)).await.unwrap();
    held.give_back(Returned::Free).await.unwrap();
    // The open of the attempt that failed is spent; its slot is free.
    let (one, two) = (take(&store, "c").await, take(&store, "d").await);
    assert_eq!((one.slot().0, two.slot().0), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_somebody_has_planted_is_not_followed() {
    for name in ["slot-1.json.new", "slot-1.lock", "opens.json.new", "opens.lock"] {
        let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
        let store = store(dir.path(), 1, TIMES, &clocks);
        take(&store, "a").await.give_back(Returned::Free).await.unwrap();
        let (victim, link) = (dir.path().join("victim"), folder(dir.path()).join(name));
        std::fs::write(&victim, "precious").unwrap();
        if link.exists() {
            std::fs::remove_file(&link).unwrap();
        }
        symlink(&victim, &link).unwrap();
        let error = refused(store.attempt(&account(), &holder("b"), Ask::InPassing).await);
        assert!(error.contains("a link stands in its place"), "{name}: {error}");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_whose_name_was_torn_is_listed_after_the_next_use() {
    let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
    let store = store(dir.path(), 1, TIMES, &clocks);
    take(&store, "a").await.give_back(Returned::Free).await.unwrap();
    let path = folder(dir.path()).join("account.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    for torn in ["", "{", &whole[..40], &whole.replace(&account().tenant_id, "another")] {
        std::fs::write(&path, torn).unwrap();
        take(&store, "b").await.give_back(Returned::Free).await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole, "{torn}");
        assert_eq!(store.list(None).await.unwrap()[0].account, account(), "{torn}");
    }
    let newer = whole.replace("\"version\": 1", "\"version\": 2");
    std::fs::write(&path, &newer).unwrap();
    take(&store, "c").await.give_back(Returned::Free).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), newer, "not written over");
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_removed_while_nobody_holds_anything_is_made_anew() {
    let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
    let store = store(dir.path(), 1, TIMES, &clocks);
    take(&store, "a").await.give_back(Returned::Free).await.unwrap();
    std::fs::remove_dir_all(dir.path().join("sessions")).unwrap();
    take(&store, "b").await.give_back(Returned::Free).await.unwrap();
}

#[test]
fn a_read_only_folder_is_told_at_the_start() {
    // Root may write everywhere; of the kernel's own file systems nobody may.
    let error = LocalStore::new("/proc/self".into(), 1, TIMES, Clocks::system()).err();
    let error = error.unwrap().to_string();
    assert!(error.contains("/proc/self") && error.contains("cannot be written to"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_file_of_the_wrong_kind_is_told_with_its_place() {
    let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
    let store = store(dir.path(), 1, TIMES, &clocks);
    take(&store, "a").await.give_back(Returned::Free).await.unwrap();
    let lock = folder(dir.path()).join("slot-1.lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    let error = refused(store.attempt(&account(), &holder("b"), Ask::InPassing).await);
    assert!(error.contains("slot-1.lock") && error.contains("cannot be opened"), "{error}");
}

#[tokio::test]
async fn a_stopped_process_that_keeps_the_shared_record_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 1, TIMES, &Clocks::system());
    take(&store, "a").await.give_back(Returned::Free).await.unwrap();
    // As a process does that is stopped between its lock and its write.
    let keeper = std::fs::File::open(folder(dir.path()).join("opens.lock")).unwrap();
    keeper.lock().unwrap();
    let stuck = busy(&store).await;
    assert!(stuck.is_stuck && stuck.held == 0, "{stuck:?}");
    let error = store.refused(&account()).await.unwrap_err();
    assert!(
        matches!(&error, SlotError::Unavailable { reason, .. } if reason.contains("is stopped")),
        "{error}"
    );
    drop(keeper);
    take(&store, "b").await.give_back(Returned::Free).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let at = |wall: &str| Clocks::simulated(secs(86_400), wall.parse().unwrap(), 1.0);
    let before = at("2026-03-02T09:00:00Z");
    let one = store(dir.path(), 2, TIMES, &before);
    let (held, dropped) = (take(&one, "a").await, take(&one, "b").await);
    drop(dropped);
    let until = busy(&one).await.until;
    for wall in ["2025-03-02T09:00:00Z", "2027-03-02T09:00:00Z", "1970-01-01T00:00:00Z"] {
        let other = store(dir.path(), 2, TIMES, &at(wall));
        let seen = busy(&other).await;
        assert_eq!((seen.held, seen.quarantined, seen.until), (1, 1, until), "{wall}");
        assert_eq!(other.list(None).await.unwrap()[0].slots.len(), 2, "{wall}");
    }
    held.give_back(Returned::Free).await.unwrap();
    let back = store(dir.path(), 2, TIMES, &at("2025-03-02T09:00:00Z"));
    take(&back, "c").await.give_back(Returned::Free).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn records_torn_at_any_byte_are_quarantined_or_good() {
    let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
    let store = store(dir.path(), 1, TIMES, &clocks);
    let lease = take(&store, "a").await;
    let path = folder(dir.path());
    let (record, opens) = (path.join("slot-1.json"), path.join("opens.json"));
    let (slot, shared) = (std::fs::read(&record).unwrap(), std::fs::read(&opens).unwrap());
    drop(lease);
    for (file, whole) in [(&record, &slot), (&opens, &shared)] {
        for length in 0..whole.len() {
            std::fs::write(&record, &slot).unwrap();
            std::fs::write(&opens, &shared).unwrap();
            std::fs::write(file, &whole[..length]).unwrap();
            let seen = busy(&store).await;
            assert_eq!((seen.held, seen.quarantined), (0, 1), "{} bytes of {}", length, file.display());
        }
    }
}
