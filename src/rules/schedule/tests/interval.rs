//! The longest gap against all due times, one by one.

use std::time::Duration;

use super::{at, between, cron};
use crate::rules::schedule::{Dst, Schedule, longest_gap};

fn hours(hours: u64) -> Option<Duration> {
    Some(Duration::from_secs(hours * 3600))
}

/// What one finds who writes down a year and some weeks.
fn by_hand(schedules: &[Schedule]) -> Option<Duration> {
    let (after, through) = (at("2026-11-22T02:00:30Z"), at("2028-01-10T00:00:00Z"));
    let mut due: Vec<_> = schedules.iter().flat_map(|schedule| between(schedule, after, through)).collect();
    due.sort();
    due.windows(2).map(|pair| Duration::try_from(pair[1].duration_since(pair[0])).unwrap()).max()
}

#[test]
fn it_is_the_longest_of_a_year_whatever_the_schedule() {
    let of = |texts: &[&str]| -> Vec<Schedule> {
        texts.iter().map(|text| cron(text, "Europe/Berlin", Dst::default())).collect()
    };
    for (texts, wanted) in [
        (&["0 2 * * *"][..], hours(25)),
        (&["*/5 9-17 * * MON-FRI"], None),
        (&["* * * * *"], Some(Duration::from_secs(60))),
        (&["0 4 * * SUN"], hours(169)),
        (&["0 0 1 * *"], None),
        (&["0 6 * * *", "0 19 * * *"], hours(13)),
        (&["0 12 L * *", "0 3 * * MON-FRI"], None),
        (&["30 1 1 1,7 *"], None),
    ] {
        let schedules = of(texts);
        let found = longest_gap(&schedules, at("2026-11-22T02:00:30Z"));
        assert_eq!(found, by_hand(&schedules), "{texts:?}");
        assert!(wanted.is_none() || found == wanted, "{texts:?}: {found:?}");
    }
    // The clocks go back more than 400 half days from then.
    let twice = of(&["0 */12 * * *"]);
    assert_eq!(longest_gap(&twice, at("2026-11-22T02:00:30Z")), hours(12));
    assert_eq!(by_hand(&twice), hours(13));
    // Of office hours it is the weekend, not the first night.
    let office = of(&["* 9-17 * * MON-FRI"]);
    let weekend = longest_gap(&office, at("2026-11-23T02:00:30Z")).unwrap();
    assert!(weekend > Duration::from_secs(60 * 3600), "{weekend:?}");
}

#[test]
fn a_period_is_itself_and_what_is_due_once_or_never_again_has_none() {
    let now = at("2026-11-22T02:00:30Z");
    let every = |seconds| Schedule::every(Duration::from_secs(seconds)).unwrap();
    assert_eq!(longest_gap(&[every(90)], now), Some(Duration::from_secs(90)));
    assert_eq!(longest_gap(&[every(60), every(90)], now), Some(Duration::from_secs(60)));
    assert_eq!(longest_gap(&[every(366 * 86_400)], now), hours(366 * 24));
    assert_eq!(longest_gap(&[], now), None);
    let leap = cron("0 0 29 2 *", "UTC", Dst::default());
    assert_eq!(longest_gap(&[leap], now), hours(4 * 366 * 24 - 3 * 24));
}
