//! What is counted while a step runs, by all its sessions together.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::halt::{Failure, Halt};

/// Failures a report names; the others are only counted, so that a report does not grow with the tenant.
const FAILURES_NAMED_MAX: usize = 20;

/// One failed object, as the report names it.
#[derive(Clone, Debug, Serialize)]
pub struct NamedFailure {
    /// Which object, escaped; nothing for a step without one.
    pub object: Option<String>,
    /// A word of a closed set.
    pub kind: &'static str,
    /// One line, escaped.
    pub message: String,
    /// The service's id of the request.
    pub request_id: Option<String>,
}

/// Counts of one step.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// Calls made.
    pub calls: u64,
    /// Requests those took.
    pub requests: u64,
    /// Repeats among the requests.
    pub retries: u64,
    /// Items returned.
    pub items: u64,
    /// Objects changed.
    pub changed: u64,
    /// Objects found as declared.
    pub unchanged: u64,
    /// Objects that a dry run would change.
    pub pending: u64,
    /// Objects that failed.
    pub failed: u64,
    /// Items for which `when` was false.
    pub skipped: u64,
    /// Properties changed, or that would be.
    pub changes: u64,
    /// Warnings of the service.
    pub warnings: u64,
    /// The first failures.
    pub failures: Vec<NamedFailure>,
}

/// Shared counts, and the reason to stop that whoever comes first sets for all.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: Mutex<Counts>,
    halt: Mutex<Option<Halt>>,
}

impl Tally {
    pub(super) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn failed(&self, object: Option<&str>, failure: &Failure) {
        let mut counts = self.counts();
        counts.failed += 1;
        if counts.failures.len() < FAILURES_NAMED_MAX {
            counts.failures.push(NamedFailure {
                object: object.map(str::to_owned),
                kind: failure.kind,
                message: failure.message.clone(),
                request_id: failure.request_id.clone(),
            });
        }
    }

    /// Ends the step for all its sessions; the first reason stays.
    pub(super) fn halt(&self, why: Halt) {
        self.halt_slot().get_or_insert(why);
    }

    pub(super) fn halted(&self) -> Option<Halt> {
        self.halt_slot().clone()
    }

    fn halt_slot(&self) -> MutexGuard<'_, Option<Halt>> {
        self.halt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
