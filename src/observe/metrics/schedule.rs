//! What the scheduler does, over all jobs.

use std::time::Duration;

use jiff::Timestamp;
use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Registry};

use super::{Metrics, counters, made};

/// Seconds. A turn of the scheduler takes milliseconds; a run that had to wait for others may be minutes late.
const LATENESS_BUCKETS: [f64; 11] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 10.0, 60.0, 600.0];

/// How a reading of the jobs ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// Every file was read.
    Whole,
    /// Some files are broken; their jobs stay as they were.
    Partly,
    /// The folder itself could not be read; everything stays as it was.
    Failed,
}

impl Reload {
    const ALL: [Reload; 3] = [Reload::Whole, Reload::Partly, Reload::Failed];

    fn word(self) -> &'static str {
        match self {
            Reload::Whole => "whole",
            Reload::Partly => "partly",
            Reload::Failed => "failed",
        }
    }
}

/// Where the wall clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStep {
    /// Ahead.
    Forward,
    /// Back.
    Back,
}

impl ClockStep {
    fn word(self) -> &'static str {
        match self {
            ClockStep::Forward => "forward",
            ClockStep::Back => "back",
        }
    }
}

pub(super) struct Schedule {
    lateness: Histogram,
    running: IntGauge,
    waiting: IntGauge,
    jobs_loaded: IntGauge,
    files_broken: IntGauge,
    reloads: IntCounterVec,
    reload_success: IntGauge,
    history_writable: IntGauge,
    history_errors: IntCounterVec,
    clock_steps: IntCounterVec,
}

impl Schedule {
    fn new(r: &Registry) -> Schedule {
        let gauge = |name: &str, help: &str| made(r, IntGauge::new(name, help));
        let schedule = Schedule {
            lateness: made(
                r,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "exorun_schedule_lateness_seconds",
                        "How long after their due time, and its jitter, occurrences were started.",
                    )
                    .buckets(LATENESS_BUCKETS.to_vec()),
                ),
            ),
            running: gauge("exorun_runs_running", "Runs of the scheduler that are under way now."),
            waiting: gauge("exorun_runs_waiting", "Occurrences that wait now for others to end."),
            jobs_loaded: gauge("exorun_jobs", "Jobs that are loaded."),
            files_broken: gauge(
                "exorun_job_files_broken",
                "Files of jobs whose newest version cannot be used; the version before it stays.",
            ),
            reloads: made(
                r,
                counters("exorun_reloads_total", "Readings of the jobs, by how they ended.", &["result"]),
            ),
            reload_success: gauge(
                "exorun_reload_success_timestamp_seconds",
                "When every file of jobs was last read without a mistake.",
            ),
            history_writable: gauge(
                "exorun_history_writable",
                "Whether the history takes what happens (1), or nothing is started because it does not (0).",
            ),
            history_errors: made(
                r,
                counters("exorun_history_errors_total", "Errors of the history, by kind.", &["kind"]),
            ),
            clock_steps: made(
                r,
                counters(
                    "exorun_clock_steps_total",
                    "Times the wall clock was set, by where.",
                    &["direction"],
                ),
            ),
        };
        // From zero on, so that the first one is an increase.
        for reload in Reload::ALL {
            schedule.reloads.with_label_values(&[reload.word()]);
        }
        for step in [ClockStep::Forward, ClockStep::Back] {
            schedule.clock_steps.with_label_values(&[step.word()]);
        }
        schedule
    }
}

impl Metrics {
    /// This process schedules jobs: from now on there are the families that say how.
    pub fn schedules(&self) {
        self.schedule();
    }

    fn schedule(&self) -> &Schedule {
        self.0.schedule.get_or_init(|| Schedule::new(&self.0.registry))
    }

    /// An occurrence was started so long after its due time and its jitter.
    pub fn occurrence_started(&self, late: Duration) {
        self.schedule().lateness.observe(late.as_secs_f64());
    }

    /// So many runs are under way now, and so many occurrences wait.
    pub fn runs_in_hand(&self, running: u32, waiting: u32) {
        self.schedule().running.set(i64::from(running));
        self.schedule().waiting.set(i64::from(waiting));
    }

    /// The jobs were read at `at`: so many are loaded now, and so many files are broken.
    pub fn reloaded(&self, reload: Reload, jobs: u32, files_broken: u32, at: Timestamp) {
        let schedule = self.schedule();
        schedule.reloads.with_label_values(&[reload.word()]).inc();
        schedule.jobs_loaded.set(i64::from(jobs));
        schedule.files_broken.set(i64::from(files_broken));
        if reload == Reload::Whole {
            schedule.reload_success.set(at.as_second());
        }
    }

    /// The history has taken what happened.
    pub fn history_works(&self) {
        self.schedule().history_writable.set(1);
    }

    /// The history has not taken it; `kind` is one word of a closed set.
    pub fn history_failed(&self, kind: &'static str) {
        self.schedule().history_writable.set(0);
        self.schedule().history_errors.with_label_values(&[kind]).inc();
    }

    /// Somebody has set the wall clock.
    pub fn clock_stepped(&self, step: ClockStep) {
        self.schedule().clock_steps.with_label_values(&[step.word()]).inc();
    }
}
