//! `files/zones.txt`: at which hours the clocks of each zone change.

use std::collections::BTreeSet;
use std::fmt::Write;

use exorun::rules::schedule::{Cron, Dst, Gap, Overlap, Schedule};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::{is_up_to_date, read};

/// Fixed, so that the file depends on the zone data alone.
const FROM: &str = "2026-01-01T00:00:00Z";
const UNTIL: &str = "2047-01-01T00:00:00Z";

/// The hours of which the clocks of a zone show some minute never, or twice.
fn hours(zone: &TimeZone) -> BTreeSet<i8> {
    let (from, until) = (FROM.parse::<Timestamp>().unwrap(), UNTIL.parse::<Timestamp>().unwrap());
    let mut hours = BTreeSet::new();
    for change in zone.following(from).take_while(|change| change.timestamp() < until) {
        let at = change.timestamp();
        let before = zone.to_offset(at - SignedDuration::from_secs(1)).to_datetime(at);
        let after = zone.to_offset(at).to_datetime(at);
        let mut minute = before.min(after);
        while minute < before.max(after) {
            hours.insert(minute.hour());
            minute = minute.checked_add(1.minute()).unwrap();
        }
    }
    hours
}

#[test]
fn the_hours_of_changes_are_those_of_the_zone_data() {
    let zones = TimeZoneDatabase::bundled();
    let mut names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
    names.sort();
    assert!(names.len() > 400, "{}", names.len());
    let mut text = String::new();
    for name in &names {
        text.push_str(name);
        for hour in hours(&zones.get(name).unwrap()) {
            write!(text, " {hour}").unwrap();
        }
        text.push('\n');
    }
    for line in ["Asia/Tokyo", "UTC", "Europe/Berlin 2", "Europe/London 1", "Australia/Lord_Howe 1 2"] {
        let known = text.lines().any(|found| found == line);
        assert!(known, "{line}: {:?}", text.lines().find(|found| found.starts_with(&line[..9])));
    }
    is_up_to_date("charts/exorun/files/zones.txt", &text);
}

/// Due times from a day before `around` to a day after it.
fn due(schedule: &Schedule, around: Timestamp) -> Vec<Timestamp> {
    let (from, until) = (around - SignedDuration::from_hours(26), around + SignedDuration::from_hours(26));
    std::iter::successors(schedule.next_after(from), |due| schedule.next_after(*due))
        .take_while(|due| *due <= until)
        .collect()
}

/// In an hour that the file does not list the program's own rule and that of Kubernetes give the same times, in every zone, at its
/// next eight changes; in an hour that it lists they differ at one of them.
#[test]
fn outside_of_these_hours_both_rules_agree() {
    let (from, until) = (FROM.parse::<Timestamp>().unwrap(), UNTIL.parse::<Timestamp>().unwrap());
    let kubernetes = Dst { gap: Gap::Skip, overlap: Overlap::Both };
    let text = read("charts/exorun/files/zones.txt");
    let mut changes_seen = 0;
    for line in text.lines().filter(|line| line.contains(' ')) {
        let (name, listed) = line.split_once(' ').unwrap();
        let listed: BTreeSet<u8> = listed.split(' ').map(|hour| hour.parse().unwrap()).collect();
        let zone = TimeZoneDatabase::bundled().get(name).unwrap();
        let changes: Vec<Timestamp> = zone
            .following(from)
            .map(|change| change.timestamp())
            .take_while(|change| *change < until)
            .take(8)
            .collect();
        changes_seen += changes.len();
        let differing: BTreeSet<u8> = (0..24)
            .filter(|hour| {
                let cron = Cron::parse(&format!("5,20,55 {hour} * * *")).unwrap();
                let [ours, theirs] =
                    [Dst::default(), kubernetes].map(|dst| Schedule::cron(cron, zone.clone(), dst));
                changes.iter().any(|at| due(&ours, *at) != due(&theirs, *at))
            })
            .collect();
        assert_eq!(differing, listed, "{name}");
    }
    assert!(changes_seen > 1000, "{changes_seen}");
}
