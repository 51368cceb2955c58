//! `exorun next` with a job file or an expression.

use serde_json::Value;

use super::next;

const JOBS: &str = "\
version: 1
name: nightly
tenant: contoso.onmicrosoft.com
auth: {method: managed_identity}
schedules:
  - cron: '30 2 * * *'
    time_zone: Europe/Berlin
    jitter: 10m
  - every: 12h
run_policy:
  blackout:
    - {from: 2026-03-29T00:00, until: 2026-03-29T12:00, time_zone: Europe/Berlin}
steps:
  - name: domains
    cmdlet: Get-AcceptedDomain
---
version: 1
name: by-hand
tenant: contoso.onmicrosoft.com
auth: {method: managed_identity}
steps:
  - name: domains
    cmdlet: Get-AcceptedDomain
";

#[test]
fn a_job_file_is_shown_with_all_its_schedules() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.yaml");
    std::fs::write(&file, JOBS).unwrap();
    let file = file.to_str().unwrap();
    let (code, out, err) = next(&[file, "--from", "2026-03-28T00:00:00Z", "--count", "3"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    insta::assert_snapshot!(out, @r"
    job nightly: cron 30 2 * * * Europe/Berlin gap=after overlap=first, delayed by up to 10m
    Sat 2026-03-28T02:30:00+01:00 Europe/Berlin
    Sun 2026-03-29T03:00:00+02:00 Europe/Berlin, in a blackout window: skipped
    Mon 2026-03-30T02:30:00+02:00 Europe/Berlin
    job nightly: every 12h
    Sat 2026-03-28T12:00:00+00:00 UTC
    Sun 2026-03-29T00:00:00+00:00 UTC, in a blackout window: skipped
    Sun 2026-03-29T12:00:00+00:00 UTC
    job by-hand: no schedule
    ");
    let (code, out, _) = next(&[file, "--job", "nightly", "--from", "2026-03-28", "--count", "2", "--json"]);
    assert_eq!(code, Some(0));
    let page: Value = serde_json::from_str(&out).unwrap();
    insta::assert_json_snapshot!(page["schedules"][0], @r#"
    {
      "job": "nightly",
      "suspended": false,
      "schedule": "cron 30 2 * * * Europe/Berlin gap=after overlap=first",
      "time_zone": "Europe/Berlin",
      "jitter_seconds": 600.0,
      "due": [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:00:00+02:00"
      ],
      "blackout": [
        "2026-03-29T03:00:00+02:00"
      ]
    }
    "#);
    let (code, _, err) = next(&[file, "--job", "weekly"]);
    assert_eq!(code, Some(64));
    assert!(err.contains("has no job `weekly`; it has nightly, by-hand"), "{err}");
    let (code, _, err) = next(&[file, "--time-zone", "UTC"]);
    assert_eq!(code, Some(64), "{err}");
}

#[test]
fn an_expression_is_shown_on_the_clocks_of_its_zone() {
    let berlin = ["--time-zone", "europe/berlin", "--from", "2026-10-25", "--count", "2"];
    let with = |first: &[&'static str]| [first, &berlin].concat();
    for (arguments, expected) in [
        (
            with(&["30 2 * * *"]),
            "Sun 2026-10-25T02:30:00+02:00 Europe/Berlin\nMon 2026-10-26T02:30:00+01:00 Europe/Berlin\n",
        ),
        (
            with(&["30 2 * * *", "--dst-overlap", "both"]),
            "Sun 2026-10-25T02:30:00+02:00 Europe/Berlin\nSun 2026-10-25T02:30:00+01:00 Europe/Berlin\n",
        ),
        (
            vec!["every 6h", "--from", "2026-10-25T00:00:00Z", "--count", "1"],
            "Sun 2026-10-25T06:00:00+00:00 UTC\n",
        ),
        (vec!["@daily", "--from", "9999-12-30T12:00:00Z"], "not due again\n"),
    ] {
        assert_eq!(next(&arguments), (Some(0), expected.to_owned(), String::new()), "{arguments:?}");
    }
}

#[test]
fn what_is_wrong_is_said_with_the_mend_and_ends_with_64() {
    let told: Vec<String> = [
        &["0 2 * *"][..],
        &["0 0 31 2 *"],
        &["0 2 * * *", "--time-zone", "Europe/Berlni"],
        &["every 1.5h"],
        &["every 5m", "--time-zone", "UTC"],
        &["@daily", "--from", "tomorrow"],
        &["@daily", "--job", "x"],
        &["nothing.yaml"],
        &["0 22-2 * * *"],
    ]
    .iter()
    .map(|arguments| {
        let (code, out, err) = next(arguments);
        assert_eq!((code, out.as_str()), (Some(64), ""), "{arguments:?}");
        err
    })
    .collect();
    insta::assert_snapshot!(told.concat(), @r"
    error: a cron expression has five fields, found 4 in `0 2 * *`; write minute, hour, day of month, month, day of week: `0 2 * * *` is at 02:00 every day
    error: `0 0 31 2 *` is never due: there is no such day; check day of month and month
    error: there is no time zone `Europe/Berlni`; did you mean `Europe/Berlin`?
    error: `1.5h` is no period: the numbers are whole: `1h30m`, not `1.5h`; write `every 15m`
    error: a period of elapsed time has no time zone; leave the time zone out, or write five fields
    error: `tomorrow` is no time; write `2026-03-28T00:00:00Z`, or `2026-03-28T00:00` for the clocks of the time zone
    error: --job belongs to a job file, and this is an expression
    error: `nothing.yaml` is no file, and no expression; an expression is five fields in quotes, `'0 2 * * *'`, a nickname, `@daily`, or `'every 15m'`
    error: hour of a cron expression is 0 to 23, found `22-2`; a range runs upwards: write `22-23,0-2` instead of `22-2`
    ");
    for arguments in
        [&[][..], &["@daily", "--count", "0"], &["@daily", "--count", "10001"], &["--stdin", "@daily"]]
    {
        assert_eq!(next(arguments).0, Some(64), "{arguments:?}");
    }
}
