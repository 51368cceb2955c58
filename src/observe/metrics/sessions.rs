//! Sessions and the slots they hold.

use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Registry};

use super::{Metrics, counter, counters, made};

/// Seconds. No wait at all, up to the longest that the defaults allow.
const WAIT_BUCKETS: [f64; 9] = [0.01, 0.1, 1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1800.0];

pub(super) struct Sessions {
    opened: IntCounter,
    closed: IntCounterVec,
    refused: IntCounter,
    open: IntGauge,
    limit: IntGauge,
    waiting: IntGauge,
    slots_held: IntGauge,
    slots_quarantined: IntGauge,
    leases_lost: IntCounterVec,
    slot_store_errors: IntCounter,
    session_wait: Histogram,
}

impl Sessions {
    pub(super) fn new(r: &Registry) -> Sessions {
        let sessions = Sessions {
            opened: made(r, counter("exorun_sessions_opened_total", "Sessions that were opened.")),
            closed: made(
                r,
                counters("exorun_sessions_closed_total", "Sessions that were closed, by why.", &["reason"]),
            ),
            refused: made(
                r,
                counter(
                    "exorun_sessions_refused_total",
                    "Sessions the service refused because of its own limit.",
                ),
            ),
            open: made(r, IntGauge::new("exorun_sessions_open", "Sessions open in this process now.")),
            limit: made(
                r,
                IntGauge::new("exorun_sessions_limit", "Sessions the account may have now, as last known."),
            ),
            waiting: made(
                r,
                IntGauge::new("exorun_sessions_waiting", "Runs of this process that wait for a session now."),
            ),
            slots_held: made(
                r,
                IntGauge::new(
                    "exorun_slots_held",
                    "Slots of the account that were held, over all its runs, when last looked at.",
                ),
            ),
            slots_quarantined: made(
                r,
                IntGauge::new(
                    "exorun_slots_quarantined",
                    "Slots of the account that were in quarantine when last looked at.",
                ),
            ),
            leases_lost: made(
                r,
                counters(
                    "exorun_leases_lost_total",
                    "Sessions that ended because of their lease, by why.",
                    &["reason"],
                ),
            ),
            slot_store_errors: made(
                r,
                counter(
                    "exorun_slot_store_errors_total",
                    "Operations of the slot store that failed and are tried again.",
                ),
            ),
            session_wait: made(
                r,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "exorun_session_wait_seconds",
                        "How long runs waited for a session slot.",
                    )
                    .buckets(WAIT_BUCKETS.to_vec()),
                ),
            ),
        };
        // From zero on: a Pushgateway keeps a family that the next run's page does not have.
        for reason in ["lost", "not_renewed"] {
            sessions.leases_lost.with_label_values(&[reason]);
        }
        sessions
    }
}

impl Metrics {
    /// A run got a slot after `waited`.
    pub fn session_waited(&self, waited: Duration) {
        self.0.sessions.session_wait.observe(waited.as_secs_f64());
    }

    /// A session was opened.
    pub fn session_opened(&self) {
        self.0.sessions.opened.inc();
        self.0.sessions.open.inc();
    }

    /// A session that was opened is closed, or given up; `reason` is one word of a closed set.
    pub fn session_closed(&self, reason: &'static str) {
        self.0.sessions.closed.with_label_values(&[reason]).inc();
        self.0.sessions.open.dec();
    }

    /// The service said that the account has too many sessions: somebody else opened some.
    pub fn session_refused(&self) {
        self.0.sessions.refused.inc();
    }

    /// So many sessions may the account have now.
    pub fn sessions_limited(&self, limit: u32) {
        self.0.sessions.limit.set(i64::from(limit));
    }

    /// A run of this process begins to wait for a slot.
    pub fn wait_began(&self) {
        self.0.sessions.waiting.inc();
    }

    /// It has one, or has given up.
    pub fn wait_ended(&self) {
        self.0.sessions.waiting.dec();
    }

    /// What a look at the account's slots has seen.
    pub fn slots_seen(&self, held: u32, quarantined: u32) {
        self.0.sessions.slots_held.set(i64::from(held));
        self.0.sessions.slots_quarantined.set(i64::from(quarantined));
    }

    /// A session ended because of its lease; `reason` is one word of a closed set.
    pub fn lease_lost(&self, reason: &'static str) {
        self.0.sessions.leases_lost.with_label_values(&[reason]).inc();
    }

    /// An operation of the slot store failed, and is tried again.
    pub fn slot_store_failed(&self) {
        self.0.sessions.slot_store_errors.inc();
    }
}
