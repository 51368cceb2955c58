//! `exorun history`, and what `exorun run` adds to it.

use std::os::unix::fs::PermissionsExt;

use exorun::history::{Book, From, Occurrence, Registering, RunRecord, Write};
use exorun::rules::occurrences::ended::SkipReason;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::HARDENING;
use super::program::{Ended, Tenant, shipped};

impl Tenant {
    /// The program with a history of its own.
    async fn with_history(&self, arguments: &[&str]) -> Ended {
        let file = self.path("history.sqlite");
        self.said(arguments, &[("EXORUN_HISTORY", file.to_str().unwrap())]).await
    }
}

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 / 60 * 60 + minute * 60).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_in_the_history_with_its_steps() {
    let tenant = Tenant::with(12, &[]).await;
    let job = shipped(HARDENING);
    let run = tenant.with_history(&["run", job.to_str().unwrap(), "--report", "report.json"]).await;
    run.assert_code(0);
    let mode = std::fs::metadata(tenant.path("history.sqlite")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let report: Value = serde_json::from_slice(&std::fs::read(tenant.path("report.json")).unwrap()).unwrap();

    let listed = tenant.with_history(&["history", "--json"]).await;
    listed.assert_code(0);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed["next"], Value::Null);
    let item = &listed["items"][0];
    for same in [
        "run_id",
        "job",
        "seconds",
        "outcome",
        "exit_code",
        "reason",
        "peer",
        "tenant",
        "tenant_id",
        "environment",
        "service",
        "actor",
        "mode",
        "job_hash",
        "source",
    ] {
        assert_eq!(item[same], report[same], "{same}");
    }
    let sessions = report["sessions"].as_array().unwrap().len();
    assert_eq!((&item["trigger"], &item["sessions"]), (&"hand".into(), &sessions.into()));

    let id = item["run_id"].as_str().unwrap();
    let shown = tenant.with_history(&["history", "show", &id[..8], "--json"]).await;
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    for (step, reported) in shown["steps"].as_array().unwrap().iter().zip(report["steps"].as_array().unwrap())
    {
        for same in step.as_object().unwrap().keys() {
            assert_eq!(step[same], reported[same], "{same}");
        }
    }
    assert_eq!(shown["steps"].as_array().unwrap().len(), 2);
    let human = tenant.with_history(&["history", "show", id]).await;
    human.assert_code(0);
    assert!(human.stdout.contains("outcome  done (EMULATED), exit code 0"), "{}", human.stdout);
    assert!(human.stdout.contains("ensure CASMailbox"), "{}", human.stdout);
    let human = tenant.with_history(&["history", "shared-mailbox-hardening", "--since", "1h"]).await;
    let line = human.stdout.lines().nth(1).unwrap();
    assert!(line.contains("shared-mailbox-hardening  hand  done (EMULATED)"), "{line}");
    let failed = tenant.with_history(&["history", "--failed"]).await;
    assert_eq!(failed.stdout, "no run\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_cannot_be_written_is_a_warning_and_the_run_stays_what_it_was() {
    let tenant = Tenant::with(12, &[]).await;
    let file = tenant.path("history.sqlite");
    std::fs::write(&file, "this is no database, and long enough to be looked at".repeat(40)).unwrap();
    let before = std::fs::read(&file).unwrap();
    let job = shipped(HARDENING);
    let run = tenant.with_history(&["run", job.to_str().unwrap()]).await;
    run.assert_code(0);
    let warnings: Vec<&str> =
        run.stderr.lines().filter(|line| line.contains("the run is not in the history")).collect();
    assert_eq!(warnings.len(), 1, "{}", run.stderr);
    assert!(
        warnings[0].contains("history.sqlite") && warnings[0].contains("move it away"),
        "{}",
        warnings[0]
    );
    assert_eq!(std::fs::read(&file).unwrap(), before, "somebody's file was changed");
    let listed = tenant.with_history(&["history"]).await;
    listed.assert_code(1);
    assert!(listed.stderr.contains("file is not a database"), "{}", listed.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_with_the_mend() {
    let tenant = Tenant::with(1, &[]).await;
    let none = tenant.with_history(&["history"]).await;
    none.assert_code(64);
    assert!(
        none.stderr.contains("there is no history at") && none.stderr.contains("serve"),
        "{}",
        none.stderr
    );
    assert!(!tenant.path("history.sqlite").exists(), "reading made a file");
    Book::open(&tenant.path("history.sqlite")).unwrap();
    let unknown = tenant.with_history(&["history", "show", "12345678"]).await;
    unknown.assert_code(64);
    assert!(unknown.stderr.contains("has no run `12345678`"), "{}", unknown.stderr);
    for bad in [
        &["history", "--since", "1.5h"][..],
        &["history", "--limit", "0"],
        &["history", "--limit", "1001"],
        &["history", "--page", "x"],
        &["history", "--failed", "--skipped"],
    ] {
        tenant.with_history(bad).await.assert_code(64);
    }
    let relative = tenant.said(&["history"], &[("EXORUN_HISTORY", "history.sqlite")]).await;
    relative.assert_code(64);
    assert!(relative.stderr.contains("wants an absolute path"), "{}", relative.stderr);
}

/// A history of a server: a run that runs, one that failed with a hostile text, and what was skipped.
fn of_a_server(tenant: &Tenant) {
    let mut book = Book::open(&tenant.path("history.sqlite")).unwrap();
    let texts = ["cron 0 * * * * UTC".to_owned()];
    let jobs = [Registering { name: "report", schedules: &texts }];
    let registered = book.register(&jobs, minute(0)).unwrap().remove(0);
    let (job, (schedule, _)) = (registered.job, registered.schedules[0]);
    let skipped = |first, last, count, reason| Write::Skipped {
        job,
        schedule,
        first: minute(first),
        last: minute(last),
        count,
        reason,
        from: From::Fresh,
        at: minute(last),
    };
    let run = Uuid::from_u128(0xabcd_ef01_0000_4000_8000_0000_0000_0000);
    book.commit(&[
        skipped(60, 60, 1, SkipReason::Overlap),
        skipped(120, 600, 9, SkipReason::Missed),
        Write::Started {
            occurrence: Occurrence { job, schedule, due: minute(660) },
            from: From::Fresh,
            run,
            at: minute(661),
        },
    ])
    .unwrap();
    let hostile = RunRecord {
        reason: Some("x\n2026-11-22T02:00:01.123Z INFO forged\r\u{1b}[2J\u{202e}y".to_owned()),
        seconds: Some(0.25),
        ..RunRecord::bare(Uuid::from_u128(7), "report", "failed", minute(1), minute(1))
    };
    book.record_run(&hostile).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_for_people_and_hostile_text_stays_in_its_place() {
    let tenant = Tenant::with(1, &[]).await;
    of_a_server(&tenant);
    let mut all = String::new();
    for arguments in [
        &["history"][..],
        &["history", "--skipped"],
        &["history", "--skipped", "--limit", "1"],
        &["history", "show", "00000000"],
        &["history", "nobody"],
    ] {
        let said = tenant.with_history(arguments).await;
        said.assert_code(0);
        all.push_str(&format!("$ exorun {}\n{}\n", arguments.join(" "), said.stdout));
    }
    insta::assert_snapshot!(all);
    let running = tenant.with_history(&["history", "show", "abcdef01"]).await;
    running.assert_code(64);
    assert!(running.stderr.contains("of report has not ended"), "{}", running.stderr);
    let json = tenant.with_history(&["history", "--json"]).await.stdout;
    assert!(!json.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{json}");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(json["items"][0]["reason"].as_str().unwrap().contains("\u{1b}[2J\u{202e}"), "it is what it was");
}
