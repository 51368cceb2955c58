//! Records there and back, and what somebody has edited.

use super::*;
use crate::slots::AccountKey;
use crate::slots::kubernetes::names::{Names, Purpose, annotate};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn lease() -> Lease {
    let text = |text: &str| text.to_owned();
    let account = AccountKey { cloud: text("login"), tenant_id: text("tenant"), object_id: text("object") };
    Names::of(&account).new_lease(Purpose::Slot(1))
}

fn held() -> Record {
    let text = |text: &str| text.to_owned();
    Record::Held(Held {
        occupant: Occupant {
            place: text("pod_1"),
            run_id: text("run"),
            job: text("job"),
            connection_id: text("c-1"),
            attempt: 7,
        },
        since: at("2026-03-02T09:00:00Z"),
        renewed: at("2026-03-02T09:00:30.25Z"),
        lease: Duration::from_secs(60),
        call_limit: Duration::from_secs(960),
    })
}

fn quarantined() -> Record {
    Record::Quarantined(Quarantined {
        since: at("2026-03-02T09:00:00Z"),
        length: Duration::from_secs(960),
        until: at("2026-03-02T09:16:00.5Z"),
    })
}

fn written(record: &Record) -> Lease {
    let mut written = lease();
    record.write(&mut written);
    written
}

#[test]
fn a_record_comes_back_as_it_was_written_and_counts_its_holders() {
    let mut lease = lease();
    for (record, transitions) in
        [(Record::Free, 0), (held(), 1), (held(), 1), (quarantined(), 2), (Record::Free, 2), (held(), 3)]
    {
        record.write(&mut lease);
        assert_eq!(Record::read(&lease), record);
        assert_eq!(lease.spec.as_ref().unwrap().lease_transitions, Some(transitions), "{record:?}");
    }
    let Record::Held(Held { occupant, .. }) = held() else { panic!("held") };
    assert!(Record::is_held_by(&lease, &occupant));
    let tail = Occupant { connection_id: "1_c-1".to_owned(), ..occupant.clone() };
    assert!(!Record::is_held_by(&lease, &tail));
    assert!(
        !Record::is_held_by(&lease, &Occupant { attempt: 8, ..occupant }),
        "a later attempt for the same session"
    );
}

#[test]
fn the_standard_fields_say_what_kubectl_shows() {
    let json = serde_json::to_value(written(&held()).spec).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "acquireTime": "2026-03-02T09:00:00.000000Z",
            "holderIdentity": "pod_1_c-1",
            "leaseDurationSeconds": 60,
            "leaseTransitions": 1,
            "renewTime": "2026-03-02T09:00:30.250000Z",
        })
    );
}

#[test]
fn parts_of_seconds_are_rounded_up() {
    let Record::Held(held) = held() else { unreachable!() };
    let short = Held { lease: Duration::from_millis(300), call_limit: Duration::from_millis(1500), ..held };
    let Record::Held(read) = Record::read(&written(&Record::Held(short))) else { panic!("odd") };
    assert_eq!((read.lease, read.call_limit), (Duration::from_secs(1), Duration::from_secs(2)));
}

#[test]
fn what_somebody_has_edited_is_odd_and_never_free() {
    type Edit = fn(&mut Lease);
    let edits: [(&str, Record, Edit); 10] = [
        ("no holder", held(), |lease| lease.spec.as_mut().unwrap().holder_identity = None),
        ("no holder", quarantined(), |lease| lease.spec.as_mut().unwrap().holder_identity = None),
        ("no spec", held(), |lease| lease.spec = None),
        ("another's", held(), |lease| lease.spec.as_mut().unwrap().holder_identity = Some("me".into())),
        ("another id", held(), |lease| lease.spec.as_mut().unwrap().holder_identity = Some("a_b".into())),
        ("no renewal", held(), |lease| lease.spec.as_mut().unwrap().renew_time = None),
        ("no length", held(), |lease| lease.spec.as_mut().unwrap().lease_duration_seconds = None),
        ("less than none", quarantined(), |lease| {
            lease.spec.as_mut().unwrap().lease_duration_seconds = Some(-1)
        }),
        ("no annotations", Record::Free, |lease| lease.metadata.annotations = None),
        ("a bare holder", held(), |lease| annotate(lease, Vec::new())),
    ];
    for (what, record, edit) in edits {
        let mut lease = written(&record);
        edit(&mut lease);
        assert_eq!(Record::read(&lease), Record::Odd, "{what}");
    }
}

#[test]
fn a_newer_format_is_told_apart() {
    let mut lease = written(&Record::Free);
    lease.metadata.annotations.as_mut().unwrap().insert("exorun/format".into(), "2".into());
    assert_eq!(Record::read(&lease), Record::Newer(2));
}

#[test]
fn what_other_people_have_noted_stays() {
    let mut lease = written(&held());
    lease.metadata.annotations.as_mut().unwrap().insert("example.org/note".into(), "ours".into());
    Record::Free.write(&mut lease);
    let annotations = lease.metadata.annotations.unwrap();
    assert_eq!(annotations.get("example.org/note").map(String::as_str), Some("ours"));
    let keys: Vec<&str> =
        annotations.keys().map(String::as_str).filter(|key| key.starts_with("exorun/")).collect();
    assert_eq!(keys, ["exorun/cloud", "exorun/format", "exorun/object-id", "exorun/tenant-id"]);
}
