//! What becomes of the due times of a schedule: each ends as exactly one of ran, skipped(reason), failed(reason).

mod delay;
mod due;
pub mod ended;

pub use delay::delay;
pub use due::{Found, MISSED_AFTER, Passed, barred, found, lateness, passed};
pub use ended::{Ended, FailReason, SkipReason};
