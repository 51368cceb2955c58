//! The program's metrics, as one value that is passed down; nothing is process-global.
//!
//! Labels hold only what the configuration bounds: job, target, step, cmdlet and words of closed sets. Never an
//! object's identity, never a text of the service. Every series says whether an emulator answered.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus::core::Collector;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use super::openmetrics;
use crate::exit::Exit;

/// The name of the gauge that outlives a failed run in a text file.
pub(super) const LAST_SUCCESS: &str = "exorun_last_success_timestamp_seconds";

/// Seconds. A call takes some hundred milliseconds; the service ends one after 15 minutes.
const CALL_BUCKETS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 300.0, 960.0];

/// Seconds. No wait at all, up to the longest that the defaults allow.
const WAIT_BUCKETS: [f64; 9] = [0.01, 0.1, 1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1800.0];

/// Who answered: the value of the label `emulated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Microsoft's service.
    Service,
    /// An emulator: dashboards and alerts leave these series out.
    Emulator,
}

/// What became of one object of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectResult {
    /// It was written.
    Changed,
    /// It was in the declared state already.
    Unchanged,
    /// It could not be read or written.
    Failed,
    /// It would be written, but this run only looks.
    Pending,
}

impl ObjectResult {
    fn word(self) -> &'static str {
        match self {
            ObjectResult::Changed => "changed",
            ObjectResult::Unchanged => "unchanged",
            ObjectResult::Failed => "failed",
            ObjectResult::Pending => "pending",
        }
    }
}

/// One finished call, repeats included.
#[derive(Clone, Copy, Debug)]
pub struct FinishedCall<'a> {
    /// The job's name.
    pub job: &'a str,
    /// The step's name.
    pub step: &'a str,
    /// Canonical spelling.
    pub cmdlet: &'a str,
    /// `ok`, or the error kind's word; `'static`, so that no text of the service becomes a label.
    pub outcome: &'static str,
    /// From the first byte to the end of the last answer, pauses included.
    pub took: Duration,
    /// Requests that were repeats.
    pub retries: u32,
    /// Answers that said "too many requests".
    pub throttled: u32,
}

/// Everything the program counts. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Families>);

struct Families {
    registry: Registry,
    runs: IntCounterVec,
    run_duration: GaugeVec,
    last_completion: IntGaugeVec,
    last_success: IntGaugeVec,
    /// Which series of `last_success` this process set itself: a kept value never overwrites one of them.
    succeeded: Mutex<BTreeSet<(String, String)>>,
    /// The jobs of which runs ended in this process.
    jobs: Mutex<BTreeSet<String>>,
    calls: IntCounterVec,
    call_duration: HistogramVec,
    call_retries: IntCounter,
    throttled: IntCounter,
    objects: IntCounterVec,
    sessions_opened: IntCounter,
    sessions_closed: IntCounterVec,
    sessions_refused: IntCounter,
    sessions_open: IntGauge,
    sessions_limit: IntGauge,
    sessions_waiting: IntGauge,
    slots_held: IntGauge,
    slots_quarantined: IntGauge,
    leases_lost: IntCounterVec,
    slot_store_errors: IntCounter,
    session_wait: Histogram,
    signins: IntCounterVec,
    vault_logins: IntCounterVec,
    vault_renewals: IntCounterVec,
    vault_reads: IntCounterVec,
    vault_token_end: IntGauge,
    certificate_expiry: IntGaugeVec,
}

/// The names, helps and labels are constants of this file, so neither making nor registering them can fail.
const CONSTANT: &str = "metric names and labels are constants that a test registers";

fn made<C: Collector + Clone + 'static>(registry: &Registry, family: prometheus::Result<C>) -> C {
    let family = family.expect(CONSTANT);
    registry.register(Box::new(family.clone())).expect(CONSTANT);
    family
}

impl Metrics {
    /// A registry with all families at zero.
    pub fn new(peer: Peer) -> Metrics {
        let emulated = match peer {
            Peer::Service => "false",
            Peer::Emulator => "true",
        };
        let labels = HashMap::from([("emulated".to_owned(), emulated.to_owned())]);
        let registry = Registry::new_custom(None, Some(labels)).expect(CONSTANT);
        let r = &registry;
        let build = IntGaugeVec::new(
            Opts::new("exorun_build_info", "Which version this is; always 1."),
            &["version"],
        );
        made(r, build).with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let run = ["job", "target"];
        Metrics(Arc::new(Families {
            runs: made(
                r,
                counters("exorun_runs_total", "Runs that ended, by how.", &["job", "target", "outcome"]),
            ),
            run_duration: made(
                r,
                GaugeVec::new(Opts::new("exorun_run_duration_seconds", "How long the last run took."), &run),
            ),
            last_completion: made(
                r,
                gauges(
                    "exorun_last_completion_timestamp_seconds",
                    "When the last run ended, whatever its outcome.",
                    &run,
                ),
            ),
            last_success: made(
                r,
                gauges(
                    LAST_SUCCESS,
                    "When the last run ended that did all it had to do (exit code 0).",
                    &run,
                ),
            ),
            succeeded: Mutex::default(),
            jobs: Mutex::default(),
            calls: made(
                r,
                counters(
                    "exorun_calls_total",
                    "Cmdlet calls that ended, by how.",
                    &["job", "step", "cmdlet", "outcome"],
                ),
            ),
            call_duration: made(
                r,
                HistogramVec::new(
                    HistogramOpts::new(
                        "exorun_call_duration_seconds",
                        "How long a cmdlet call took, repeats included.",
                    )
                    .buckets(CALL_BUCKETS.to_vec()),
                    &["cmdlet"],
                ),
            ),
            call_retries: made(r, counter("exorun_call_retries_total", "Requests that were repeats.")),
            throttled: made(r, counter("exorun_throttled_total", "Answers that said: too many requests.")),
            objects: made(
                r,
                counters(
                    "exorun_objects_total",
                    "Objects a step dealt with, by what became of them.",
                    &["job", "step", "result"],
                ),
            ),
            sessions_opened: made(r, counter("exorun_sessions_opened_total", "Sessions that were opened.")),
            sessions_closed: made(
                r,
                counters("exorun_sessions_closed_total", "Sessions that were closed, by why.", &["reason"]),
            ),
            sessions_refused: made(
                r,
                counter(
                    "exorun_sessions_refused_total",
                    "Sessions the service refused because of its own limit.",
                ),
            ),
            sessions_open: made(
                r,
                IntGauge::new("exorun_sessions_open", "Sessions open in this process now."),
            ),
            sessions_limit: made(
                r,
                IntGauge::new("exorun_sessions_limit", "Sessions the account may have now, as last known."),
            ),
            sessions_waiting: made(
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
            signins: made(r, counters("exorun_signins_total", "Sign-ins that ended, by how.", &["outcome"])),
            vault_logins: made(
                r,
                counters("exorun_vault_logins_total", "Logins to Vault that ended, by how.", &["outcome"]),
            ),
            vault_renewals: made(
                r,
                counters(
                    "exorun_vault_renewals_total",
                    "Renewals of a token of Vault, by how.",
                    &["outcome"],
                ),
            ),
            vault_reads: made(
                r,
                counters("exorun_vault_reads_total", "Secrets asked of Vault, by how.", &["outcome"]),
            ),
            vault_token_end: made(
                r,
                IntGauge::new(
                    "exorun_vault_token_expiry_timestamp_seconds",
                    "When the token of Vault ends unless it is renewed; 0: there is none, or it does not end.",
                ),
            ),
            certificate_expiry: made(
                r,
                gauges(
                    "exorun_certificate_expiry_timestamp_seconds",
                    "When the certificate of an application ends, as it was last read.",
                    &["target", "client_id"],
                ),
            ),
            registry,
        }))
    }

    /// A run of `job` against `target` ended at `at` after `took`.
    pub fn run_finished(&self, job: &str, target: &str, outcome: Exit, took: Duration, at: Timestamp) {
        let run = [job, target];
        self.jobs_of_process().insert(job.to_owned());
        self.0.runs.with_label_values(&[job, target, outcome.word()]).inc();
        self.0.run_duration.with_label_values(&run).set(took.as_secs_f64());
        self.0.last_completion.with_label_values(&run).set(at.as_second());
        if outcome == Exit::Done {
            self.0.last_success.with_label_values(&run).set(at.as_second());
            self.succeeded().insert((job.to_owned(), target.to_owned()));
        }
    }

    /// The last success of an earlier process, unless this one had a success of its own.
    pub(super) fn keep_last_success(&self, job: &str, target: &str, second: i64) {
        if !self.succeeded().contains(&(job.to_owned(), target.to_owned())) {
            self.0.last_success.with_label_values(&[job, target]).set(second);
        }
    }

    fn succeeded(&self) -> std::sync::MutexGuard<'_, BTreeSet<(String, String)>> {
        self.0.succeeded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call ended.
    pub fn call_finished(&self, call: &FinishedCall<'_>) {
        self.0.calls.with_label_values(&[call.job, call.step, call.cmdlet, call.outcome]).inc();
        self.0.call_duration.with_label_values(&[call.cmdlet]).observe(call.took.as_secs_f64());
        self.0.call_retries.inc_by(u64::from(call.retries));
        self.0.throttled.inc_by(u64::from(call.throttled));
    }

    /// A step is done with an object.
    pub fn object(&self, job: &str, step: &str, result: ObjectResult) {
        self.0.objects.with_label_values(&[job, step, result.word()]).inc();
    }

    /// A run got a slot after `waited`.
    pub fn session_waited(&self, waited: Duration) {
        self.0.session_wait.observe(waited.as_secs_f64());
    }

    /// A session was opened.
    pub fn session_opened(&self) {
        self.0.sessions_opened.inc();
        self.0.sessions_open.inc();
    }

    /// A session that was opened is closed, or given up; `reason` is one word of a closed set.
    pub fn session_closed(&self, reason: &'static str) {
        self.0.sessions_closed.with_label_values(&[reason]).inc();
        self.0.sessions_open.dec();
    }

    /// So many sessions may the account have now.
    pub fn sessions_limited(&self, limit: u32) {
        self.0.sessions_limit.set(i64::from(limit));
    }

    /// A run of this process begins to wait for a slot.
    pub fn wait_began(&self) {
        self.0.sessions_waiting.inc();
    }

    /// It has one, or has given up.
    pub fn wait_ended(&self) {
        self.0.sessions_waiting.dec();
    }

    /// What a look at the account's slots has seen.
    pub fn slots_seen(&self, held: u32, quarantined: u32) {
        self.0.slots_held.set(i64::from(held));
        self.0.slots_quarantined.set(i64::from(quarantined));
    }

    /// A session ended because of its lease; `reason` is one word of a closed set.
    pub fn lease_lost(&self, reason: &'static str) {
        self.0.leases_lost.with_label_values(&[reason]).inc();
    }

    /// An operation of the slot store failed, and is tried again.
    pub fn slot_store_failed(&self) {
        self.0.slot_store_errors.inc();
    }

    /// The service said that the account has too many sessions: somebody else opened some.
    pub fn session_refused(&self) {
        self.0.sessions_refused.inc();
    }

    /// A sign-in ended; `outcome` is `ok` or a word of a closed set.
    pub fn signin_finished(&self, outcome: &'static str) {
        self.0.signins.with_label_values(&[outcome]).inc();
    }

    /// A login to Vault ended; `outcome` is a word of a closed set.
    pub fn vault_login(&self, outcome: &'static str) {
        self.0.vault_logins.with_label_values(&[outcome]).inc();
    }

    /// A token of Vault was renewed, or not; `outcome` is a word of a closed set.
    pub fn vault_renewal(&self, outcome: &'static str) {
        self.0.vault_renewals.with_label_values(&[outcome]).inc();
    }

    /// A secret was asked of Vault; `outcome` is a word of a closed set.
    pub fn vault_read(&self, outcome: &'static str) {
        self.0.vault_reads.with_label_values(&[outcome]).inc();
    }

    /// The token of Vault ends `at`, unless it is renewed.
    pub fn vault_token_ends(&self, at: Option<Timestamp>) {
        self.0.vault_token_end.set(at.map_or(0, Timestamp::as_second));
    }

    /// The certificate by which `client_id` signs in to the tenant `target` ends at `at`.
    pub fn certificate_ends(&self, target: &str, client_id: &str, at: Timestamp) {
        self.0.certificate_expiry.with_label_values(&[target, client_id]).set(at.as_second());
    }

    /// All series in Prometheus' text format.
    pub fn encode(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.0.registry.gather())
            .expect("encoding into memory cannot fail")
    }

    /// All series as OpenMetrics 1.0.
    pub fn encode_openmetrics(&self) -> String {
        openmetrics::encode(&self.0.registry.gather())
    }

    /// A dry run of `job` ended: it moves nothing, but what earlier runs left of the job is kept.
    pub fn run_looked(&self, job: &str) {
        self.jobs_of_process().insert(job.to_owned());
    }

    /// The jobs of which runs ended in this process.
    pub(super) fn jobs(&self) -> BTreeSet<String> {
        self.jobs_of_process().clone()
    }

    fn jobs_of_process(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counter(name: &str, help: &str) -> prometheus::Result<IntCounter> {
    IntCounter::new(name, help)
}

fn counters(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

fn gauges(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
    IntGaugeVec::new(Opts::new(name, help), labels)
}

#[cfg(test)]
pub(super) mod tests;
