//! Lists in pages, filters, and single runs.

use exorun::history::{
    Book, Found, From, OccurrenceFilter, OccurrenceResult, Paging, RunFilter, RunOutcome, RunRecord,
    StepRecord,
};
use exorun::rules::occurrences::ended::{Ended, FailReason, SkipReason};
use serde_json::json;
use uuid::Uuid;

use crate::ledger::{ended, job, minute, occurrence, register, skipped, started, waiting};

const ALL: Paging = Paging { limit: 1000, after: None };

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x1a2b_3c4d_0000_4000_8000_0000_0000_0000 + number)
}

/// Two jobs that were due at the same minutes, 1 to 10, and one failure each.
fn twenty_runs() -> Book {
    let mut book = Book::in_memory().unwrap();
    for (name, base) in [("a", 0), ("b", 100)] {
        let job = job(&mut book, name);
        for due in 1..=10 {
            let run = id(base + u128::try_from(due).unwrap());
            let (how, word) = match due {
                5 => (Ended::Failed(FailReason::NoSession), "no_session"),
                6 => (Ended::Ran, "changes_pending"),
                _ => (Ended::Ran, "done"),
            };
            let at = occurrence(job, due);
            book.commit(&[started(at, From::Fresh, run)]).unwrap();
            let run = Box::new(RunRecord::bare(run, name, word, at.due, at.due));
            book.commit(&[exorun::history::Write::Ended { occurrence: at, ended: how, run }]).unwrap();
        }
    }
    book
}

/// Every item of a list by pages of `limit`, and how many pages it took.
fn walk<T>(limit: u32, mut page: impl FnMut(Paging) -> exorun::history::Page<T>) -> (Vec<T>, usize) {
    let (mut items, mut pages, mut after) = (Vec::new(), 0, None);
    loop {
        let page = page(Paging { limit, after });
        assert!(page.items.len() <= limit as usize);
        items.extend(page.items);
        pages += 1;
        match page.next {
            Some(next) => after = Some(next.parse().unwrap()),
            None => return (items, pages),
        }
    }
}

#[test]
fn pages_leave_nothing_out_and_show_nothing_twice() {
    let book = twenty_runs();
    let whole = book.runs(&RunFilter::default(), ALL).unwrap();
    assert_eq!((whole.items.len(), whole.next), (20, None));
    assert!(whole.items.is_sorted_by(|newer, older| newer.began >= older.began));
    let (occurrences, _) =
        walk(1000, |paging| book.occurrences(&OccurrenceFilter::default(), paging).unwrap());
    assert_eq!(occurrences.len(), 20);
    for (limit, pages) in [(1, 20), (3, 7), (10, 2), (19, 2), (20, 1)] {
        let runs = walk(limit, |paging| book.runs(&RunFilter::default(), paging).unwrap());
        assert_eq!(runs, (whole.items.clone(), pages), "{limit} a page");
        let filter = OccurrenceFilter::default();
        assert_eq!(
            walk(limit, |paging| book.occurrences(&filter, paging).unwrap()),
            (occurrences.clone(), pages)
        );
    }
}

#[test]
fn a_page_begins_where_the_one_before_ended_whatever_came_in_between() {
    let mut book = twenty_runs();
    let first = book.runs(&RunFilter::default(), Paging { limit: 5, after: None }).unwrap();
    let now = minute(100);
    book.record_run(&RunRecord::bare(id(1000), "c", "done", now, now)).unwrap();
    let after = Some(first.next.unwrap().parse().unwrap());
    let second = book.runs(&RunFilter::default(), Paging { limit: 5, after }).unwrap();
    let ids: Vec<Uuid> = first.items.iter().chain(&second.items).map(|run| run.run).collect();
    let expected = [110, 10, 109, 9, 108, 8, 107, 7, 106, 6].map(id);
    assert_eq!(ids, expected);
}

#[test]
fn filters_choose() {
    let book = twenty_runs();
    let runs = |filter: RunFilter| {
        let runs = book.runs(&filter, ALL).unwrap().items;
        runs.into_iter().map(|run| run.run).collect::<Vec<_>>()
    };
    let of_a = RunFilter { job: Some("a".to_owned()), ..RunFilter::default() };
    assert_eq!(runs(of_a.clone()).len(), 10);
    let not_well = RunFilter { outcome: Some(RunOutcome::NotWell), ..RunFilter::default() };
    assert_eq!(runs(not_well), [id(105), id(5)]);
    let pending = RunOutcome::Is("changes_pending".to_owned());
    assert_eq!(runs(RunFilter { outcome: Some(pending), ..of_a.clone() }), [id(6)]);
    assert_eq!(runs(RunFilter { since: Some(minute(9)), ..of_a }), [id(10), id(9)]);
    assert!(runs(RunFilter { job: Some("' OR 1=1".to_owned()), ..RunFilter::default() }).is_empty());
}

#[test]
fn occurrences_say_what_became_of_each_due_time() {
    let mut book = Book::in_memory().unwrap();
    let registered = register(&mut book, "report", &["hourly"], minute(0));
    let report = (registered.job, registered.schedules[0].0);
    let run = id(1);
    book.commit(&[
        started(occurrence(report, 1), From::Fresh, run),
        skipped(report, (2, 4), SkipReason::Missed, From::Fresh),
        waiting(occurrence(report, 5)),
    ])
    .unwrap();
    let all = book.occurrences(&OccurrenceFilter::default(), ALL).unwrap();
    insta::assert_json_snapshot!("occurrences", all);
    for (result, many) in OccurrenceResult::ALL.into_iter().zip([1, 1, 0, 1, 0]) {
        let filter = OccurrenceFilter { result: Some(result), ..OccurrenceFilter::default() };
        let page = book.occurrences(&filter, ALL).unwrap();
        assert_eq!(page.items.len(), many, "{result:?}");
        assert!(page.items.iter().all(|item| item.result == result.word()));
    }
    // Of a range, the last due time counts.
    let since = OccurrenceFilter { since: Some(minute(4)), job: Some("report".to_owned()), result: None };
    assert_eq!(book.occurrences(&since, ALL).unwrap().items.len(), 2);
    book.commit(&[ended(occurrence(report, 1), Ended::Failed(FailReason::Failed), run)]).unwrap();
    let failed = OccurrenceFilter { result: Some(OccurrenceResult::Failed), ..OccurrenceFilter::default() };
    let item = book.occurrences(&failed, ALL).unwrap().items.remove(0);
    assert_eq!((item.reason.as_deref(), item.run_id), (Some("failed"), Some(run)));
}

fn full_run() -> RunRecord {
    let step = |name: &str, calls| StepRecord {
        name: name.to_owned(),
        action: "ensure CASMailbox".to_owned(),
        seconds: 1.5,
        calls,
        items: 2,
        changed: 3,
        unchanged: 4,
        pending: 5,
        failed: 6,
        skipped: 7,
    };
    RunRecord {
        seconds: Some(12.25),
        exit_code: Some(3),
        reason: Some("step harden: 6 objects failed".to_owned()),
        peer: "Exchange Online".to_owned(),
        tenant: "contoso.onmicrosoft.com".to_owned(),
        tenant_id: Some("11111111-2222-3333-4444-555555555555".to_owned()),
        environment: "O365Default".to_owned(),
        service: "ExchangeOnline".to_owned(),
        actor: Some("app 66666666-7777-8888-9999-000000000000".to_owned()),
        mode: "apply".to_owned(),
        job_hash: "0".repeat(64),
        source: "jobs/report.yaml".to_owned(),
        sessions: 2,
        steps: vec![step("first", 1), step("second", 9)],
        ..RunRecord::bare(id(7), "report", "partly_failed", minute(0), minute(1))
    }
}

#[test]
fn a_run_is_kept_whole() {
    let mut book = Book::in_memory().unwrap();
    let run = full_run();
    book.record_run(&run).unwrap();
    let kept = book.run(run.run).unwrap().unwrap();
    assert_eq!(kept.steps, run.steps);
    insta::assert_json_snapshot!("run", kept);
    assert_eq!(kept.run, RunRecord { steps: Vec::new(), ..run.clone() });
    assert_eq!(book.run(id(8)).unwrap(), None);
    let error = book.record_run(&run).unwrap_err();
    assert_eq!(error.kind(), "other", "{error}");
    // A scheduled one is told from one by hand by its due time.
    let report = job(&mut book, "report");
    let at = occurrence(report, 3);
    book.commit(&[started(at, From::Fresh, id(9)), ended(at, Ended::Ran, id(9))]).unwrap();
    let json = serde_json::to_value(book.run(id(9)).unwrap().unwrap()).unwrap();
    assert_eq!((&json["trigger"], &json["due_at"]), (&json!("schedule"), &json!(at.due.to_string())));
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let mut book = Book::in_memory().unwrap();
    let reason = Some("é".repeat(5_000));
    book.record_run(&RunRecord { reason, ..full_run() }).unwrap();
    let kept = book.run(id(7)).unwrap().unwrap();
    assert_eq!(kept.run.reason.unwrap().chars().count(), 2_000);
}

#[test]
fn the_beginning_of_an_id_is_enough_if_it_is_the_only_one() {
    let mut book = twenty_runs();
    let other = Uuid::from_u128(0xffff_0000_0000_4000_8000_0000_0000_0001);
    book.record_run(&RunRecord::bare(other, "c", "done", minute(1), minute(1))).unwrap();
    let found = |prefix: &str| match book.run_by_prefix(prefix).unwrap() {
        Found::One(run) => Some(run.run.run),
        Found::Nothing => None,
        Found::Several => Some(Uuid::nil()),
    };
    for prefix in ["f", "ffff", "FFFF0000", "ffff0000-00", &other.to_string(), &other.simple().to_string()] {
        assert_eq!(found(prefix), Some(other), "{prefix}");
    }
    assert_eq!(found("1a2b3c4d"), Some(Uuid::nil()));
    assert_eq!(found(&id(3).to_string()), Some(id(3)));
    for prefix in ["", "-", "0", "xyz", "ffff1", &"f".repeat(33), "1a2b3c4d%"] {
        assert_eq!(found(prefix), None, "{prefix}");
    }
}
