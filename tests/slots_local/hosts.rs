//! A folder that two hosts reach: the second is told. The other host is a record as it would have written it.

use super::*;

/// What the record of a host looks like that runs another kernel.
fn as_of_another_host(text: &str, written: &str) -> String {
    let mut record: serde_json::Value = serde_json::from_str(text).unwrap();
    record["boot_id"] = "00000000-0000-0000-0000-00000000beef".into();
    record["machine_id"] = "0000000000000000000000000000beef".into();
    record["written"] = written.into();
    record.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_record_of_another_running_host_is_refused_and_one_of_an_earlier_boot_is_not() {
    for file in ["slot-1.json", "opens.json"] {
        let (dir, clocks) = (tempfile::tempdir().unwrap(), paused_clocks());
        let store = store(dir.path(), 1, TIMES, &clocks);
        take(&store, "a").await.give_back(Returned::Free).await.unwrap();
        let path = folder(dir.path()).join(file);
        let ours = std::fs::read_to_string(&path).unwrap();
        // This host has been up for a day: what another kernel wrote an hour ago was written by another host.
        let recent = (clocks.wall() - jiff::SignedDuration::from_hours(1)).to_string();
        std::fs::write(&path, as_of_another_host(&ours, &recent)).unwrap();
        let error = store.attempt(&account(), &holder("b"), Ask::InLine).await.err().unwrap().to_string();
        assert!(error.contains("another host wrote here"), "{file}: {error}");
        assert!(error.contains("slot_store: kubernetes"), "{file}: {error}");
        let error = store.list(None).await.unwrap_err().to_string();
        assert!(error.contains("another host wrote here"), "{file}: {error}");
        // Two days ago this one was not up: it is its own, of before its restart.
        let old = (clocks.wall() - jiff::SignedDuration::from_hours(48)).to_string();
        std::fs::write(&path, as_of_another_host(&ours, &old)).unwrap();
        take(&store, "c").await.give_back(Returned::Free).await.unwrap();
    }
}
