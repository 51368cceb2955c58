//! Forty expressions over twelve nights, in each school.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::asked;

/// The instants at which clocks change, each with its zone.
const CHANGES: [(&str, &str); 12] = [
    ("America/New_York", "2026-03-08T07:00Z"),
    ("America/New_York", "2026-11-01T06:00Z"),
    ("Europe/London", "2026-03-29T01:00Z"),
    ("Europe/London", "2026-10-25T01:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
    ("Pacific/Chatham", "2026-04-04T14:00Z"),
    ("Pacific/Chatham", "2026-09-26T14:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00Z"),
    ("Africa/Cairo", "2026-10-29T21:00Z"),
];

const EXPRESSIONS: [&str; 40] = [
    "0 0 * * *",
    "30 0 * * *",
    "0 1 * * *",
    "15 1 * * *",
    "30 1 * * *",
    "45 1 * * *",
    "59 1 * * *",
    "0 2 * * *",
    "15 2 * * *",
    "30 2 * * *",
    "45 2 * * *",
    "0 3 * * *",
    "15 3 * * *",
    "30 3 * * *",
    "45 23 * * *",
    "0,30 1-3 * * *",
    "*/15 0-3 * * *",
    "*/20 2 * * *",
    "* 2 * * *",
    "5 0,1,2,3 * * *",
    "0 0-23 * * *",
    "* * * * *",
    "*/5 * * * *",
    "*/15 * * * *",
    "*/30 * * * *",
    "0 * * * *",
    "30 * * * *",
    "@hourly",
    "0 */2 * * *",
    "0 1-23/2 * * *",
    "15 */3 * * *",
    "30 0-6/2 * * *",
    "@daily",
    "@midnight",
    "0 0 * * SUN",
    "30 2 * * SUN",
    "30 0 L * *",
    "45 2 * * SUNL",
    "0 2 1W,8,29 * *",
    "30 1 * * SUN#1",
];

const SCHOOLS: [(&str, &str); 4] =
    [("after", "first"), ("after", "both"), ("skip", "first"), ("skip", "both")];

/// How long before and after the change is looked at, and how many due times that can be.
const BEFORE: SignedDuration = SignedDuration::from_mins(100);
const AFTER: SignedDuration = SignedDuration::from_mins(140);
const MINUTES: u32 = 240;

/// Longer lists are shown by their ends.
const SHOWN_MAX: usize = 9;

fn told(answer: &Value, until: Timestamp) -> String {
    let due: Vec<&str> = answer["due"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()).collect();
    let within: Vec<&str> = due
        .into_iter()
        .filter(|at| at.parse::<Timestamp>().unwrap() <= until)
        .map(|at| at.split_once('T').unwrap().1)
        .collect();
    let short = |at: &&str| format!("{}{}", &at[..5], &at[8..]);
    match &within[..] {
        [] => "-".to_owned(),
        all if all.len() <= SHOWN_MAX => all.iter().map(short).collect::<Vec<_>>().join(" "),
        [first, .., last] => format!("{} to {}: {} times", short(first), short(last), within.len()),
        [_] => unreachable!("one is not many"),
    }
}

#[test]
fn forty_expressions_over_twelve_nights_in_each_school() {
    let mut questions = Vec::new();
    for expression in EXPRESSIONS {
        for (zone, change) in CHANGES {
            let from = change.parse::<Timestamp>().unwrap() - BEFORE;
            for (gap, overlap) in SCHOOLS {
                questions.push(json!({
                    "cron": expression, "time_zone": zone, "from": from.to_string(), "count": MINUTES,
                    "dst": {"gap": gap, "overlap": overlap},
                }));
            }
        }
    }
    let answers = asked(&questions);
    let mut answers = answers.iter();
    let mut page = String::new();
    for expression in EXPRESSIONS {
        page.push_str(&format!("{expression}\n"));
        for (zone, change) in CHANGES {
            let change: Timestamp = change.parse().unwrap();
            let told: Vec<String> = SCHOOLS.map(|_| told(answers.next().unwrap(), change + AFTER)).to_vec();
            let day = change.to_zoned(TimeZone::get(zone).unwrap()).strftime("%Y-%m-%d").to_string();
            page.push_str(&format!("  {zone:20}{day}  {}\n", told[0]));
            for (index, (gap, overlap)) in SCHOOLS.iter().enumerate().skip(1) {
                // Each school is shown where it differs from the first.
                if told[index] != told[0] {
                    page.push_str(&format!("      gap {gap}, overlap {overlap}: {}\n", told[index]));
                }
            }
        }
    }
    insta::assert_snapshot!(page);
}
