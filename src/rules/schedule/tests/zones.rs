//! Nights that are known by name, long spans, and what a search may cost.

use super::*;

/// Due times of a night, shown with their offsets.
fn night(text: &str, name: &str, dst: Dst, after: &str, through: &str) -> Vec<String> {
    let schedule = cron(text, name, dst);
    between(&schedule, at(after), at(through))
        .into_iter()
        .map(|due| due.to_zoned(zone(name)).strftime("%d %H:%M%:z").to_string())
        .collect()
}

#[test]
fn berlin_skips_an_hour_and_shows_one_twice() {
    let [vixie, .., kubernetes] = SCHOOLS;
    let spring = |text, dst| night(text, "Europe/Berlin", dst, "2026-03-28T12:00Z", "2026-03-29T12:00Z");
    let autumn = |text, dst| night(text, "Europe/Berlin", dst, "2026-10-24T12:00Z", "2026-10-25T12:00Z");
    assert_eq!(spring("30 2 * * *", vixie), ["29 03:00+02:00"]);
    assert_eq!(spring("30 2 * * *", kubernetes), [""; 0]);
    assert_eq!(
        spring("0,30 2-3 * * *", vixie),
        ["29 03:00+02:00", "29 03:30+02:00"],
        "one for the gap and 03:00"
    );
    assert_eq!(
        spring("0 */2 * * *", vixie)[4..7],
        ["28 22:00+01:00", "29 00:00+01:00", "29 04:00+02:00"],
        "02:00 does not come, and nothing makes up for it"
    );
    assert_eq!(autumn("30 2 * * *", vixie), ["25 02:30+02:00"]);
    assert_eq!(autumn("30 2 * * *", kubernetes), ["25 02:30+02:00", "25 02:30+01:00"]);
    assert_eq!(autumn("0 3 * * *", vixie), ["25 03:00+01:00"]);
}

#[test]
fn a_skipped_day_is_due_once_at_its_end() {
    let apia = |text, dst| night(text, "Pacific/Apia", dst, "2011-12-29T10:00Z", "2011-12-31T10:00Z");
    assert_eq!(
        apia("0 2,14 * * *", SCHOOLS[0]),
        ["29 02:00-10:00", "29 14:00-10:00", "31 00:00+14:00", "31 02:00+14:00", "31 14:00+14:00"]
    );
    assert_eq!(apia("0 12 30 12 *", SCHOOLS[0]), ["31 00:00+14:00"]);
    assert_eq!(apia("0 12 30 12 *", SCHOOLS[2]), [""; 0]);
    assert_eq!(
        apia("0 */12 * * *", SCHOOLS[0]),
        ["29 12:00-10:00", "31 00:00+14:00", "31 12:00+14:00", "01 00:00+14:00"]
    );
}

#[test]
fn an_offset_of_odd_seconds_moves_the_instant() {
    let noon = cron("0 12 * * *", "Africa/Monrovia", Dst::default());
    assert_eq!(noon.next_after(at("1971-06-01T00:00Z")), Some(at("1971-06-01T12:44:30Z")));
}

#[test]
fn a_year_of_minutes_is_counted_and_so_are_all_years_there_are() {
    let minutes = cron("* * * * *", "Europe/Berlin", Dst::default());
    let (start, end) = (at("2026-01-01T00:00Z"), at("2027-01-01T00:00Z"));
    assert_eq!(minutes.count_in(start, end), 365 * 1440);
    assert_eq!(minutes.last_in(start, end), Some(end));
    let daily = cron("30 2 * * *", "Europe/Berlin", Dst::default());
    assert_eq!(daily.count_in(start, end), 365, "once a day, whatever the clocks do");
    let both = cron("30 2 * * *", "Europe/Berlin", SCHOOLS[3]);
    assert_eq!(both.count_in(start, at("2036-01-01T00:00Z")), 3652, "ten gaps, ten repetitions");
    let all = minutes.count_in(Timestamp::MIN, Timestamp::MAX);
    let seconds = Timestamp::MAX.as_second() - Timestamp::MIN.as_second();
    assert!(all.abs_diff((seconds / 60) as u64) < 100, "{all}");
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    assert_eq!((zone::EARLIEST, zone::LATEST), (Timestamp::MIN.as_second(), Timestamp::MAX.as_second()));
    for name in ["UTC", "Pacific/Apia", "America/New_York", "Etc/GMT+12", "Etc/GMT-14"] {
        for text in ["* * * * *", "30 2 * * *"] {
            let schedule = cron(text, name, Dst::default());
            assert!(schedule.next_after(Timestamp::MIN).is_some(), "{name}");
            assert_eq!(schedule.next_after(Timestamp::MAX), None, "{name}");
            assert!(schedule.last_in(Timestamp::MIN, Timestamp::MAX).is_some(), "{name}");
            assert_eq!(schedule.count_in(Timestamp::MAX, Timestamp::MIN), 0);
        }
    }
}

#[test]
fn what_is_always_in_the_gap_ends_the_search() {
    // The last Sunday of March: both days begin with a star or are restricted by it.
    let skipped = cron("30 2 * 3 SUNL", "Europe/Berlin", SCHOOLS[2]);
    assert_eq!(skipped.next_after(at("2026-01-01T00:00Z")), None);
    assert_eq!(skipped.last_in(at("2026-01-01T00:00Z"), Timestamp::MAX), None);
    let made_up = cron("30 2 * 3 SUNL", "Europe/Berlin", SCHOOLS[0]);
    assert_eq!(made_up.next_after(at("2026-01-01T00:00Z")), Some(at("2026-03-29T01:00Z")));
}

#[test]
fn every_zone_has_a_due_time_a_day_and_the_questions_agree() {
    let (start, end) = (at("2025-12-31T12:00Z"), at("2027-12-31T12:00Z"));
    let mut zones = 0;
    for name in jiff::tz::db().available() {
        let Ok(zone) = TimeZone::get(name.as_str()) else { continue };
        zones += 1;
        for (text, dst) in
            [("30 2 * * *", SCHOOLS[0]), ("15,45 0-3 * * *", SCHOOLS[3]), ("0 */6 * * 1", SCHOOLS[0])]
        {
            let schedule = Schedule::cron(Cron::parse(text).unwrap(), zone.clone(), dst);
            let found = between(&schedule, start, end);
            assert_eq!(schedule.count_in(start, end), found.len() as u64, "{}", schedule.canonical());
            assert_eq!(schedule.last_in(start, end), found.last().copied(), "{}", schedule.canonical());
            if text == "30 2 * * *" {
                assert_eq!(found.len(), 730, "{}", schedule.canonical());
            }
        }
    }
    assert!(zones > 400, "{zones}");
}

#[test]
fn a_look_back_from_far_away_knows_which_hour_was_the_second() {
    // Found by years of the counting law: two weeks later, the second 02:15 of the night was taken for a due time.
    let schedule = cron("15 2 * * 0,6", "Antarctica/Troll", SCHOOLS[0]);
    let (first, later) = (at("2018-10-28T00:15Z"), at("2018-11-02T12:00Z"));
    assert_eq!(schedule.last_in(at("2018-10-20T00:00Z"), later), Some(first));
    assert_eq!(schedule.last_in(first, later), None);
}
