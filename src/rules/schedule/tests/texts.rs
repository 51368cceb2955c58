//! What is read and what is refused.

use proptest::prelude::*;

use super::*;

/// From a few days that only some years have.
fn next(text: &str, after: &str) -> String {
    let schedule = cron(text, "UTC", Dst::default());
    schedule.next_after(at(after)).map_or("never".to_owned(), |due| due.to_string())
}

#[test]
fn fields_are_read_as_in_unix_and_days_of_a_month_as_in_quartz() {
    for (text, expected) in [
        ("0 2 * * *", "2026-07-01T02:00:00Z"),
        ("*/15 * * * *", "2026-07-01T00:15:00Z"),
        ("10-40/10,5 0 * * *", "2026-07-01T00:05:00Z"),
        ("0 9 * * 1-5", "2026-07-01T09:00:00Z"),
        ("0 9 * * 7", "2026-07-05T09:00:00Z"),
        ("0 9 * * sun", "2026-07-05T09:00:00Z"),
        ("0 9 * * FRI-SUN", "2026-07-03T09:00:00Z"),
        ("0 9 * * 6-7", "2026-07-04T09:00:00Z"),
        ("0 0 1 jan,DEC *", "2026-12-01T00:00:00Z"),
        ("0 0 L * *", "2026-07-31T00:00:00Z"),
        ("0 0 L 2 *", "2027-02-28T00:00:00Z"),
        ("0 0 L-3 * *", "2026-07-28T00:00:00Z"),
        // 15 August 2026 is a Saturday, 1 August too, 31 October too, 31 January 2027 a Sunday.
        ("0 0 15W 8 *", "2026-08-14T00:00:00Z"),
        ("0 0 1W 8 *", "2026-08-03T00:00:00Z"),
        ("0 0 LW 10 *", "2026-10-30T00:00:00Z"),
        ("0 0 31W 1 *", "2027-01-29T00:00:00Z"),
        ("0 0 31W 9 *", "never"),
        ("0 0 * * FRIL", "2026-07-31T00:00:00Z"),
        ("0 0 * * 5L", "2026-07-31T00:00:00Z"),
        ("0 0 * * FRI#2", "2026-07-10T00:00:00Z"),
        ("0 0 * * 7#1", "2026-07-05T00:00:00Z"),
        ("0 0 * * 1#5", "2026-08-31T00:00:00Z"),
        // Either day is enough, unless one of them begins with a star.
        ("0 0 13 * FRI", "2026-07-03T00:00:00Z"),
        ("0 0 */13 * FRI", "2026-08-14T00:00:00Z"),
        ("0 0 13 * */5", "2026-09-13T00:00:00Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
        ("0 0 29 2 */7", "2032-02-29T00:00:00Z"),
        ("0 0 30 2 *", "never"),
        ("@daily", "2026-07-02T00:00:00Z"),
        ("@HOURLY", "2026-07-01T01:00:00Z"),
        ("@yearly", "2027-01-01T00:00:00Z"),
    ] {
        assert_eq!(next(text, "2026-07-01T00:00:30Z"), expected, "{text}");
    }
}

#[test]
fn a_day_that_never_comes_is_found() {
    for (text, never) in [
        ("0 0 30 2 *", true),
        ("0 0 31 4,6,9,11 *", true),
        ("0 0 31W 2 *", true),
        ("0 0 L-30 2 *", true),
        ("0 0 30 2 MON", false),
        ("0 0 30 2 */2", true),
        ("0 0 29 2 */7", false),
        ("0 0 * 2 1#5", false),
        ("* * * * *", false),
    ] {
        assert_eq!(Cron::parse(text).unwrap().is_never_due(), never, "{text}");
    }
}

#[test]
fn what_is_refused_is_said_with_its_place_and_the_mend() {
    let told: Vec<String> = [
        "61 * * * *",
        "* 24 * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "0/15 * * * *",
        "0 0 * * MON/2",
        "*/0 * * * *",
        "*/90 * * * *",
        "0 0 */40 * *",
        "*/x * * * *",
        "0 22-2 * * *",
        "0 0 * * FRI-MON",
        "0 0 * * 5-1",
        "0 0 * * 5-0",
        "0 0 * NOV-FEB *",
        "0 0 * 11-2 *",
        "0 0 ? * MON",
        "H 2 * * *",
        "H(0-29) 2 * * *",
        "0 0 * * L",
        "0 0 * * FRI#6",
        "0 0 L-31 * *",
        "0 0 32W * *",
        "0 0 * * MONDAY",
        "1,,2 * * * *",
        "+5 * * * *",
        "-5 * * * *",
        "0 0 1 * * *",
        "0 0 0 1 * * 2026",
        "0 2 * *",
        "",
        "@reboot",
        "@every 5m",
        "  @fortnightly ",
    ]
    .iter()
    .map(|text| {
        let CronError { range, title, help } = Cron::parse(text).unwrap_err();
        format!("{:?}\n  {title}\n  {help}", &text[range])
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn every_wrong_field_is_reported() {
    let errors = Cron::parse_whole("60 24 1 * XXX").unwrap_err();
    let places: Vec<_> = errors.into_iter().map(|error| error.range).collect();
    assert_eq!(places, [0..2, 3..5, 10..13]);
}

#[test]
fn the_text_of_equal_bits_is_one_and_is_read_back() {
    for (text, expected) in [
        ("0,15,30,45 2 * * *", "*/15 2 * * *"),
        ("00 02 * * SUN", "0 2 * * 0"),
        ("0 0-23 * * *", "0 0-23 * * *"),
        ("0 *,5 * * *", "0 * * * *"),
        ("0 0,8,16-20/2 1-31 * 1-7", "0 0-0/1,8,16,18,20 1-31 * 0-6"),
        ("0 0 */10,5,L * *", "0 0 */10,5,L * *"),
        ("0 0 15W,LW,L-3 1-3,12 5L,FRI#2,MON", "0 0 LW,15W,L-3 1-3,12 1,5#2,5L"),
        ("@weekly", "0 0 * * 0"),
    ] {
        let cron = Cron::parse(text).unwrap();
        assert_eq!(cron.to_string(), expected, "{text}");
        assert_eq!(Cron::parse(expected), Ok(cron), "{text}");
    }
}

#[test]
fn a_cron_is_told_in_words() {
    let told: Vec<String> = [
        "0 2 * * *",
        "0 6 * * MON",
        "30 8-18/2 * * MON-FRI",
        "*/15 * * * *",
        "* * * * *",
        "0 * * * *",
        "5 * * * *",
        "7,37 * * * *",
        "*/20 9-17 * * 1-5",
        "0 */6 * * *",
        "1 */2 * * *",
        "0,30 2,14 * * *",
        "* 4 * * *",
        "0 3 1 1,7 *",
        "5,35 22 L * *",
        "0 0 13 * FRI",
        "0 0 */13 * FRI",
        "0 0 1-31 * FRI",
        "0 0 * * FRI#2,1L",
        "0 0 15W,LW,L-3,L-1 * *",
        "0 0 1,10-12 12 0,3,5-6",
    ]
    .iter()
    .map(|text| format!("{text:24} {}", Cron::parse(text).unwrap().words()))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn weekdays_alone_are_read_as_in_a_cron() {
    assert_eq!(Weekdays::parse("*"), Ok(Weekdays::ALL));
    assert_eq!(Weekdays::parse("sat,7"), Weekdays::parse("0,6"));
    for wrong in ["FRI#2", "MONL", "FREITAG", "", "MON TUE"] {
        assert!(Weekdays::parse(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn any_text_ends_in_bits_or_an_error_within_it(text in "\\PC{0,40}|[0-9*/,LW#@ A-Za-z-]{0,40}") {
        match Cron::parse_whole(&text) {
            Ok(cron) => prop_assert_eq!(Cron::parse(&cron.to_string()), Ok(cron)),
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    prop_assert!(text.get(error.range).is_some());
                }
            }
        }
    }

    #[test]
    fn every_set_of_bits_is_read_back(expression in super::brute::expression()) {
        let cron = Cron::parse(&expression.text).unwrap();
        prop_assert_eq!(Cron::parse(&cron.to_string()), Ok(cron), "{} became {}", expression.text, cron);
    }
}
