//! Schedules against what a reader of the clock on the wall would say.

mod brute;
mod interval;
mod texts;
mod zones;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

pub(super) fn cron(text: &str, name: &str, dst: Dst) -> Schedule {
    Schedule::cron(Cron::parse(text).unwrap(), zone(name), dst)
}

pub(super) const SCHOOLS: [Dst; 4] = [
    Dst { gap: Gap::After, overlap: Overlap::First },
    Dst { gap: Gap::After, overlap: Overlap::Both },
    Dst { gap: Gap::Skip, overlap: Overlap::First },
    Dst { gap: Gap::Skip, overlap: Overlap::Both },
];

/// All due times after one instant and not after another, one by one.
pub(super) fn between(schedule: &Schedule, after: Timestamp, through: Timestamp) -> Vec<Timestamp> {
    let mut found = Vec::new();
    let mut last = after;
    while let Some(next) = schedule.next_after(last).filter(|next| *next <= through) {
        assert!(next > last, "{} after {last} is {next}", schedule.canonical());
        found.push(next);
        last = next;
    }
    found
}

#[test]
fn a_schedule_is_small_and_so_is_a_cron() {
    assert!(size_of::<Cron>() <= 48, "{}", size_of::<Cron>());
    assert!(size_of::<Schedule>() <= 72, "{}", size_of::<Schedule>());
}

#[test]
fn a_period_is_aligned_to_the_epoch_and_the_instant_itself_is_not_after_itself() {
    let quarter = Schedule::every(Duration::from_secs(900)).unwrap();
    for (after, next) in [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z"),
        ("2026-01-01T00:14:59.999999999Z", "2026-01-01T00:15:00Z"),
        ("2026-01-01T00:15:00.000000001Z", "2026-01-01T00:30:00Z"),
        ("1969-12-31T23:59:59.5Z", "1970-01-01T00:00:00Z"),
        ("1969-12-31T23:44:59.5Z", "1969-12-31T23:45:00Z"),
    ] {
        assert_eq!(quarter.next_after(at(after)), Some(at(next)), "{after}");
    }
    let (start, end) = (at("2026-01-01T00:00Z"), at("2026-01-02T00:00Z"));
    assert_eq!(quarter.count_in(start, end), 96);
    assert_eq!(quarter.last_in(start, end), Some(end));
    assert_eq!(quarter.last_in(end, at("2026-01-02T00:14:59Z")), None);
    assert_eq!((quarter.count_in(end, start), quarter.last_in(end, start)), (0, None));
    assert_eq!(quarter.next_after(Timestamp::MAX), None);
    assert_eq!(quarter.canonical(), "every 15m");
}

#[test]
fn a_period_is_of_whole_seconds_within_bounds() {
    for (millis, expected) in [
        (999, Some(PeriodError::OutOfRange)),
        (1000, None),
        (1500, Some(PeriodError::Fraction)),
        (366 * 86_400_000, None),
        (366 * 86_400_000 + 1, Some(PeriodError::Fraction)),
        (367 * 86_400_000, Some(PeriodError::OutOfRange)),
    ] {
        assert_eq!(Schedule::every(Duration::from_millis(millis)).err(), expected, "{millis}");
    }
}

#[test]
fn jitter_changes_no_due_time_and_no_identity() {
    let plain = cron("0 2 * * *", "Europe/Berlin", Dst::default());
    let spread = plain.clone().with_jitter(Duration::from_secs(300));
    assert_eq!(spread.jitter(), Duration::from_secs(300));
    assert_eq!(spread.canonical(), plain.canonical());
    assert_eq!(spread.next_after(Timestamp::UNIX_EPOCH), plain.next_after(Timestamp::UNIX_EPOCH));
    assert_eq!(plain.with_jitter(Duration::MAX).jitter(), Duration::from_millis(u32::MAX.into()));
}

#[test]
fn what_has_no_effect_is_not_in_the_line() {
    for (text, school, expected) in [
        ("0 2 * * *", 0, "cron 0 2 * * * Europe/Berlin gap=after overlap=first"),
        ("0 2 * * *", 3, "cron 0 2 * * * Europe/Berlin gap=skip overlap=both"),
        ("0 */2 * * *", 3, "cron 0 */2 * * * Europe/Berlin"),
    ] {
        assert_eq!(cron(text, "Europe/Berlin", SCHOOLS[school]).canonical(), expected);
    }
}
