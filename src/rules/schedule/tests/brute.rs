//! The search against a walk over every minute, which knows nothing of bits, stretches or months.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::{SignedDuration, ToSpan};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// An expression and what it means, as lists.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) text: String,
    fields: [(BTreeSet<u8>, String); 5],
}

/// One field: entries with the values that they stand for.
fn field(least: u8, most: u8) -> impl Strategy<Value = (BTreeSet<u8>, String)> {
    let value = (least..=most).prop_map(|value| (value, value, 0, value.to_string()));
    let range = (least..=most, least..=most).prop_map(|(a, b)| {
        let (from, to) = (a.min(b), a.max(b));
        (from, to, 0, format!("{from}-{to}"))
    });
    let step = 1..=most;
    let stepped = (least..=most, least..=most, step.clone()).prop_map(|(a, b, step)| {
        let (from, to) = (a.min(b), a.max(b));
        (from, to, step, format!("{from}-{to}/{step}"))
    });
    let star = step.prop_map(move |step| (least, most, step, format!("*/{step}")));
    let entry = prop_oneof![4 => value, 2 => range, 1 => stepped, 1 => star];
    let list = proptest::collection::vec(entry, 1..4).prop_map(|entries| {
        let values =
            entries.iter().flat_map(|(from, to, step, _)| (*from..=*to).step_by((*step).max(1).into()));
        let text = entries.iter().map(|(.., text)| text.as_str()).collect::<Vec<_>>().join(",");
        (values.collect(), text)
    });
    prop_oneof![2 => Just(((least..=most).collect(), "*".to_owned())), 3 => list]
}

pub(super) fn expression() -> impl Strategy<Value = Expression> {
    (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)).prop_map(
        |(minute, hour, day, month, weekday)| {
            let fields = [minute, hour, day, month, weekday];
            let text = fields.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(" ");
            Expression { text, fields }
        },
    )
}

/// Most nights of clock changes are in few months: days that match, so that something is due in them.
fn of_every_day() -> impl Strategy<Value = Expression> {
    (expression(), any::<bool>()).prop_map(|(mut expression, every_day)| {
        if every_day {
            let star = |least: u8, most: u8| ((least..=most).collect(), "*".to_owned());
            expression.fields[2] = star(1, 31);
            expression.fields[3] = star(1, 12);
            expression.fields[4] = star(0, 6);
            expression.text = expression.fields.each_ref().map(|(_, text)| text.as_str()).join(" ");
        }
        expression
    })
}

impl Expression {
    fn matches(&self, civil: DateTime) -> bool {
        let [minute, hour, day, month, weekday] = &self.fields;
        let has = |field: &(BTreeSet<u8>, String), value: i8| field.0.contains(&(value as u8));
        let (by_day, by_weekday) =
            (has(day, civil.day()), has(weekday, civil.weekday().to_sunday_zero_offset()));
        let star = day.1.starts_with('*') || weekday.1.starts_with('*');
        has(minute, civil.minute())
            && has(hour, civil.hour())
            && has(month, civil.month())
            && if star { by_day && by_weekday } else { by_day || by_weekday }
    }

    /// The due times of these minutes. It keeps the latest civil time that the clocks have shown: what comes again is
    /// repeated, and what it jumps over was skipped.
    fn due(&self, zone: &TimeZone, dst: Dst, after: Timestamp, through: Timestamp) -> Vec<Timestamp> {
        let fixed = !self.fields[1].1.contains(['*', '/']);
        let mut due = Vec::new();
        let minute = SignedDuration::from_mins(1);
        let mut instant = after - SignedDuration::from_hours(72);
        let mut shown = zone.to_datetime(instant - minute);
        while instant <= through {
            let civil = zone.to_datetime(instant);
            let mut skipped = false;
            let mut between = shown + 1.minute();
            while between < civil {
                skipped |= self.matches(between);
                between += 1.minute();
            }
            let repeated = civil <= shown;
            let here = self.matches(civil) && !(fixed && repeated && dst.overlap == Overlap::First);
            if instant > after && (here || fixed && skipped && dst.gap == Gap::After) {
                due.push(instant);
            }
            shown = shown.max(civil);
            instant += minute;
        }
        due
    }
}

/// A change of some zone's clocks, in years without offsets of odd seconds.
fn change() -> impl Strategy<Value = (String, Timestamp)> {
    let since = at("1973-01-01T00:00Z");
    let changes: Vec<(String, Timestamp)> = jiff::tz::db()
        .available()
        .filter_map(|name| Some((name.to_string(), TimeZone::get(name.as_str()).ok()?)))
        .flat_map(|(name, zone)| {
            let until = at("2040-01-01T00:00Z");
            let changes: Vec<_> = zone.following(since).map(|change| change.timestamp()).collect_until(until);
            changes.into_iter().map(move |change| (name.clone(), change))
        })
        .collect();
    assert!(changes.len() > 10_000, "{}", changes.len());
    select(changes)
}

trait CollectUntil: Iterator<Item = Timestamp> + Sized {
    fn collect_until(self, until: Timestamp) -> Vec<Timestamp> {
        self.take_while(|at| *at < until).collect()
    }
}
impl<I: Iterator<Item = Timestamp>> CollectUntil for I {}

/// The nights on which a slip would hide: a skipped day, half an hour, 45 minutes, midnight.
const NIGHTS: [(&str, &str); 10] = [
    ("Pacific/Apia", "2011-12-30T10:00Z"),
    ("Pacific/Kwajalein", "1993-08-21T12:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
    ("Pacific/Chatham", "2026-04-04T14:00Z"),
    ("Pacific/Chatham", "2026-09-26T14:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00Z"),
    ("Asia/Beirut", "2026-03-28T22:00Z"),
];

/// Compares all four questions over a few days around an instant.
fn agree(
    expression: &Expression,
    name: &str,
    middle: Timestamp,
    hours: (i64, i64),
) -> Result<(), TestCaseError> {
    let middle = Timestamp::from_second(middle.as_second().div_euclid(60) * 60).unwrap();
    let (after, through) =
        (middle - SignedDuration::from_hours(hours.0), middle + SignedDuration::from_hours(hours.1));
    for dst in SCHOOLS {
        let schedule = cron(&expression.text, name, dst);
        let expected = expression.due(&zone(name), dst, after, through);
        let what = format!("{} around {middle}", schedule.canonical());
        prop_assert_eq!(&between(&schedule, after, through), &expected, "{}", what);
        prop_assert_eq!(schedule.count_in(after, through), expected.len() as u64, "{}", what);
        let (mut end, mut backwards) = (through, Vec::new());
        while let Some(last) = schedule.last_in(after, end) {
            prop_assert!(last <= end, "{}", what);
            backwards.insert(0, last);
            end = last - SignedDuration::from_nanos(1);
        }
        prop_assert_eq!(&backwards, &expected, "{}", what);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_change_of_any_zone_is_as_the_clock_on_the_wall_shows_it(
        expression in of_every_day(), (name, change) in change(), hours in (1..40i64, 0..40i64)
    ) {
        agree(&expression, &name, change, hours)?;
    }

    #[test]
    fn the_nights_on_which_a_slip_would_hide(
        expression in of_every_day(), (name, change) in select(&NIGHTS[..]), hours in (1..40i64, 0..40i64)
    ) {
        agree(&expression, name, at(change), hours)?;
    }
}
