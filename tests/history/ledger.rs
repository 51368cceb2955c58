//! Short ways to write what the tests write often.

use exorun::history::{
    Book, From, JobId, Occurrence, Registered, Registering, RunRecord, ScheduleId, Totals, Write,
};
use exorun::rules::occurrences::ended::{Ended, SkipReason};
use jiff::Timestamp;
use uuid::Uuid;

/// A minute of a day in 2026.
pub(crate) fn minute(minute: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 / 60 * 60 + minute * 60).unwrap()
}

/// Makes `name` with one schedule known, at minute 0.
pub(crate) fn job(book: &mut Book, name: &str) -> (JobId, ScheduleId) {
    let registered = register(book, name, &["cron * * * * * UTC"], minute(0));
    (registered.job, registered.schedules[0].0)
}

pub(crate) fn register(book: &mut Book, name: &str, schedules: &[&str], now: Timestamp) -> Registered {
    let schedules: Vec<String> = schedules.iter().map(|text| (*text).to_owned()).collect();
    book.register(&[Registering { name, schedules: &schedules }], now).unwrap().remove(0)
}

pub(crate) fn occurrence((job, schedule): (JobId, ScheduleId), due: i64) -> Occurrence {
    Occurrence { job, schedule, due: minute(due) }
}

pub(crate) fn waiting(occurrence: Occurrence) -> Write {
    Write::Waiting { occurrence, at: occurrence.due }
}

pub(crate) fn started(occurrence: Occurrence, from: From, run: Uuid) -> Write {
    Write::Started { occurrence, from, run, at: occurrence.due }
}

pub(crate) fn skipped(
    (job, schedule): (JobId, ScheduleId),
    (first, last): (i64, i64),
    reason: SkipReason,
    from: From,
) -> Write {
    let count = u64::try_from(last - first + 1).unwrap();
    Write::Skipped {
        job,
        schedule,
        first: minute(first),
        last: minute(last),
        count,
        reason,
        from,
        at: minute(last),
    }
}

pub(crate) fn ended(occurrence: Occurrence, ended: Ended, run: Uuid) -> Write {
    let word = match ended {
        Ended::Ran => "done",
        Ended::Failed(reason) => reason.word(),
    };
    Write::Ended {
        occurrence,
        ended,
        run: Box::new(RunRecord::bare(run, "job", word, occurrence.due, occurrence.due)),
    }
}

/// The counts of the only job; the law holds.
pub(crate) fn lawful_totals(book: &Book) -> Totals {
    lawful(book);
    book.totals().unwrap().into_values().next().unwrap_or_default()
}

pub(crate) fn lawful(book: &Book) {
    assert_eq!(book.law().unwrap(), []);
}
