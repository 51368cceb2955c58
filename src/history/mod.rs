//! What became of every due time: the books of the counting law, and the runs there were.
//!
//! The law: due = ran + skipped(reason) + failed(reason) + what is still open, for every job, for ever. An occurrence is
//! counted as due in the same transaction that first hears of it, and as one of the three in the one that ends it. Both
//! counts are kept apart from the rows ([`Totals`]), so that rows can be removed without losing a count, and
//! [`Reader::law`] compares the two.
//!
//! [`Book`] is the file with one connection, synchronous. [`History`] is the same for async code: one thread that
//! writes, and a connection of its own for readers. What a commit confirmed is on the disk (WAL, `synchronous=FULL`): it
//! survives the process and a power cut, as far as the disk keeps what it confirms.

mod book;
mod errors;
mod exclusive;
mod jobs;
mod law;
mod open;
mod prune;
mod read;
mod recover;
mod run_record;
mod schema;
mod shell;
mod stored;
mod totals;
mod write;

pub use book::Book;
pub use errors::HistoryError;
pub use jobs::{Registered, Registering};
pub use law::Broken;
pub use prune::Retention;
pub use read::{
    After, Found, LIMIT_MAX, LastRuns, ListedOccurrence, OccurrenceFilter, OccurrenceResult, Page, Paging,
    Reader, Remembered, RunDetail, RunFilter, RunOutcome,
};
pub use recover::{Lost, Recovered, Waiting};
pub use run_record::{RunRecord, StepRecord, Trigger};
pub use shell::History;
pub use stored::{JobId, Occurrence, ScheduleId};
pub use totals::Totals;
pub use write::{From, Write};
