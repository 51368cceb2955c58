//! Limits that were lowered by the service, or are smaller here than elsewhere.

use super::*;

/// Gives `held` of five slots to somebody, and lowers the limit to `to`.
async fn lowered(store: &LocalStore, dir: &Path, held: &[u32], to: u32) -> Vec<Box<dyn SlotLease>> {
    let mut kept = Vec::new();
    for number in 1..=5 {
        kept.push(take(store, &format!("before-{number}")).await);
    }
    for index in (0..5).rev().filter(|index| !held.contains(&(index + 1))) {
        kept.remove(usize::try_from(index).unwrap()).give_back(Returned::Free).await.unwrap();
    }
    let path = folder(dir).join("opens.json");
    let mut opens: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    opens["lowered"] = serde_json::json!({"to": to, "since": opens["opens"][0]});
    std::fs::write(&path, serde_json::to_vec(&opens).unwrap()).unwrap();
    kept
}

#[tokio::test(start_paused = true)]
async fn below_a_lowered_limit_no_more_are_in_use_and_no_fewer_whichever_are() {
    for to in 1..5u32 {
        for set in 0u32..32 {
            let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
            let store = store(dir.path(), 5, TIMES, &clocks);
            let held: Vec<u32> = (1..=5).filter(|number| set & (1 << (number - 1)) != 0).collect();
            let mut kept = lowered(&store, dir.path(), &held, to).await;
            let busy = loop {
                match attempt(&store, &format!("after-{}", kept.len())).await {
                    Ok(lease) => kept.push(lease),
                    Err(busy) => break busy,
                }
            };
            let most = to.max(u32::try_from(held.len()).unwrap());
            assert_eq!(u32::try_from(kept.len()).unwrap(), most, "{held:?} in use, {to} allowed");
            assert_eq!((busy.held, busy.lowered_to), (most, Some(to)), "{held:?} in use, {to} allowed");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn slots_above_the_limit_of_this_process_are_listed_if_they_are_not_free() {
    let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
    let (large, small) = (store(dir.path(), 12, TIMES, &clocks), store(dir.path(), 2, TIMES, &clocks));
    let mut kept = Vec::new();
    for number in 1..=12 {
        kept.push(take(&large, &number.to_string()).await);
    }
    for index in [10, 2, 0] {
        kept.remove(index).give_back(Returned::Free).await.unwrap();
    }
    std::fs::write(folder(dir.path()).join("slot-0013.json"), "{").unwrap();
    kept.pop().unwrap().give_back(Returned::Quarantine).await.unwrap();
    let listed = small.list(None).await.unwrap();
    assert_eq!(listed[0].limit, 2);
    let numbers: Vec<u32> = listed[0].slots.iter().map(|slot| slot.slot.0).collect();
    assert_eq!(numbers, [2, 4, 5, 6, 7, 8, 9, 10, 12]);
    assert!(matches!(listed[0].slots[8].state, ListedState::Quarantined { .. }));
}
