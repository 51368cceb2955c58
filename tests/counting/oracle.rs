//! When a schedule is due, by walking over every quarter of an hour of the world.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use crate::jobs::{Spec, When};

const QUARTER: i64 = 900;

/// The offset of a zone from time to time.
struct Offsets(Vec<(i64, i64)>);

impl Offsets {
    fn of(zone: &TimeZone, from: Timestamp, through: Timestamp) -> Offsets {
        let mut offsets = vec![(from.as_second(), i64::from(zone.to_offset(from).seconds()))];
        for transition in zone.following(from).take_while(|transition| transition.timestamp() <= through) {
            offsets.push((transition.timestamp().as_second(), i64::from(transition.offset().seconds())));
        }
        Offsets(offsets)
    }
}

/// Seconds since the epoch of every due time in (after, through].
pub(crate) fn due(spec: &Spec, after: Timestamp, through: Timestamp) -> BTreeSet<i64> {
    let mut due = BTreeSet::new();
    if let When::Every { quarters } = spec.when {
        let period = i64::from(quarters) * QUARTER;
        let mut at = after.as_second().div_euclid(period) * period;
        while at <= through.as_second() {
            if at > after.as_second() {
                due.insert(at);
            }
            at += period;
        }
        return due;
    }
    let zone = TimeZone::get(&spec.zone).unwrap();
    // A day more at the beginning: an overlap's first pass may have been before.
    let from = after - jiff::SignedDuration::from_hours(24);
    let Offsets(offsets) = Offsets::of(&zone, from, through);
    for (number, (begin, offset)) in offsets.iter().enumerate() {
        let end = offsets.get(number + 1).map_or(through.as_second() + 1, |(next, _)| *next);
        let before = number.checked_sub(1).map(|before| offsets[before].1);
        let jump = before.map_or(0, |before| offset - before);
        // The local clock shows quarters when the world's clock does: offsets are whole quarters in these years.
        assert_eq!(offset % QUARTER, 0, "{} has an offset of {offset} s", spec.zone);
        let first = begin + (QUARTER - begin.rem_euclid(QUARTER)) % QUARTER;
        for at in (first..end).step_by(QUARTER as usize) {
            let local = at + offset;
            let is_second = jump < 0 && local < begin + before.unwrap();
            if matches(&spec.when, local) && !(is_second && once_in_overlaps(&spec.when)) {
                due.insert(at);
            }
        }
        // What the clock jumped over.
        if jump > 0 && made_up(&spec.when) {
            let (gone_from, gone_to) = (begin + before.unwrap(), begin + offset);
            let first = gone_from + (QUARTER - gone_from.rem_euclid(QUARTER)) % QUARTER;
            if (first..gone_to).step_by(QUARTER as usize).any(|local| matches(&spec.when, local)) {
                due.insert(*begin);
            }
        }
    }
    due.into_iter().filter(|at| *at > after.as_second() && *at <= through.as_second()).collect()
}

fn once_in_overlaps(when: &When) -> bool {
    matches!(when, When::At { both: false, .. } | When::Monthly { both: false, .. })
}

fn made_up(when: &When) -> bool {
    matches!(when, When::At { gap_after: true, .. } | When::Monthly { gap_after: true, .. })
}

/// Whether the local clock shows a time that is meant; `local` is what it shows, in seconds as if it were UTC.
fn matches(when: &When, local: i64) -> bool {
    let (minute, hour) = ((local.rem_euclid(3600) / 60) as u8, (local.rem_euclid(86_400) / 3600) as u8);
    match when {
        When::At { minutes, hours, weekdays, .. } => {
            // The epoch was a Thursday.
            let weekday = ((local.div_euclid(86_400) + 3).rem_euclid(7) + 1) as u8;
            minutes.contains(&minute) && hours.contains(&hour) && weekdays.contains(&weekday)
        }
        When::Hourly { minute: wanted, step } => minute == *wanted && hour % step == 0,
        When::Monthly { day, hour: wanted, .. } => {
            minute == 0 && hour == *wanted && civil(local).day() == *day as i8
        }
        When::Every { .. } => unreachable!("it has no local clock"),
    }
}

fn civil(local: i64) -> DateTime {
    Offset::UTC.to_datetime(Timestamp::from_second(local).unwrap())
}
