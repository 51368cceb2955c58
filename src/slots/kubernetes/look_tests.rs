//! When a lease and a quarantine are over, by what was seen.

use std::time::Duration;

use super::*;

const TERMS: Terms = Terms { lease: Duration::from_secs(60), quarantine: Duration::from_secs(960) };

fn at(seconds: u64) -> BootTime {
    BootTime::from_millis(seconds * 1000)
}

/// The server's clock says nine o'clock when ours counts 1000 seconds.
fn clock(seconds: u64) -> ServerClock {
    let stated: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    let stated = stated + jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap() - 1000);
    ServerClock { stated, sent: at(seconds), received: at(seconds) }
}

fn held(lease: u64) -> Record {
    let text = |text: &str| text.to_owned();
    Record::Held(Held {
        occupant: Occupant {
            place: text("p"),
            run_id: text("r"),
            job: text("j"),
            connection_id: text("c"),
            attempt: 1,
        },
        since: "1999-01-01T00:00:00Z".parse().unwrap(),
        renewed: "1999-01-01T00:00:00Z".parse().unwrap(),
        lease: Duration::from_secs(lease),
        call_limit: Duration::from_secs(100),
    })
}

fn quarantine(record: Record, since: u64, now: u64) -> Option<(BootTime, bool)> {
    let Observed { slot, is_news } = observed(record, at(since), &clock(now), TERMS).unwrap();
    match slot {
        Slot::Quarantined(quarantine) => Some((quarantine.until, is_news)),
        Slot::Free | Slot::Held(_) => None,
    }
}

#[test]
fn a_lease_ends_when_it_was_seen_unchanged_for_its_length_whatever_its_times_say() {
    for (lease, ends) in [(60, 1060), (1, 1060), (300, 1300)] {
        assert_eq!(quarantine(held(lease), 1000, ends - 1), None);
        assert_eq!(quarantine(held(lease), 1000, ends), Some((at(ends + 100 + 960), true)));
    }
    let forgotten = observed(held(60), at(1000), &clock(1060 + 100 + 960), TERMS).unwrap();
    assert!(forgotten.slot == Slot::Free && !forgotten.is_news, "nobody looked for a while");
}

#[test]
fn an_answer_that_came_late_does_not_end_a_lease() {
    let late = ServerClock { sent: at(1001), ..clock(5000) };
    let Observed { slot, .. } = observed(held(60), at(1000), &late, TERMS).unwrap();
    assert!(matches!(slot, Slot::Held(_)), "it was unchanged for a second, as far as we know");
}

#[test]
fn a_quarantine_ends_by_the_servers_clock_or_under_our_eyes() {
    let record = |until: &str| {
        Record::Quarantined(Quarantined {
            since: "2026-03-02T09:00:00Z".parse().unwrap(),
            length: Duration::from_secs(960),
            until: until.parse().unwrap(),
        })
    };
    assert_eq!(quarantine(record("2026-03-02T09:10:00Z"), 1500, 1599), Some((at(1600), false)));
    assert_eq!(quarantine(record("2026-03-02T09:10:00Z"), 1500, 1600), None);
    assert_eq!(quarantine(record("2126-03-02T09:00:00Z"), 1000, 1959), Some((at(1960), false)));
    assert_eq!(quarantine(record("2126-03-02T09:00:00Z"), 1000, 1960), None);
}

#[test]
fn what_cannot_be_read_is_quarantined_from_when_it_was_first_seen() {
    assert_eq!(quarantine(Record::Odd, 1000, 1010), Some((at(1000 + 60 + 960), true)));
    assert!(matches!(observed(Record::Newer(7), at(1), &clock(2), TERMS), Err(7)));
}

#[test]
fn a_sighting_lasts_until_the_version_changes() {
    let sightings = Sightings::default();
    let mut lease = Lease::default();
    lease.metadata.resource_version = Some("1".into());
    assert_eq!([5, 9].map(|second| sightings.since(&lease, at(second))), [at(5); 2]);
    lease.metadata.resource_version = Some("2".into());
    assert_eq!([11, 12].map(|second| sightings.since(&lease, at(second))), [at(11); 2]);
}
