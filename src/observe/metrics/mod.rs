//! The program's metrics, as one value that is passed down; nothing is process-global.
//!
//! Labels hold only what the configuration bounds: job, target, step, cmdlet and words of closed sets. Never an
//! object's identity, never a text of the service. Every series says whether an emulator answered.

mod jobs;
mod last;
mod runs;
mod schedule;
mod sessions;
mod signins;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use prometheus::core::Collector;
use prometheus::{IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};

pub use jobs::Ending;
pub use last::Kept;
pub use runs::{FinishedCall, ObjectResult};
pub use schedule::{ClockStep, Reload};

use super::exposition::{Form, Page};
use jobs::Jobs;
use last::Last;
use runs::Runs;
use schedule::Schedule;
use sessions::Sessions;
use signins::Signins;

/// The commit the program was built from: twelve digits, with `-changed` where the sources differed from it;
/// `development` in a build for development, `unknown` where there was no repository.
pub const REVISION: &str = env!("EXORUN_REVISION");

/// Who answered: the value of the label `emulated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Microsoft's service.
    Service,
    /// An emulator: dashboards and alerts leave these series out.
    Emulator,
}

/// Everything the program counts. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Families>);

struct Families {
    peer: Peer,
    registry: Registry,
    jobs: Jobs,
    last: Last,
    runs: Runs,
    /// Only where something is scheduled: zeros of a scheduler that is not there would look like one that is stuck.
    schedule: OnceLock<Schedule>,
    sessions: Sessions,
    signins: Signins,
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
            &["version", "revision"],
        );
        made(r, build).with_label_values(&[env!("CARGO_PKG_VERSION"), REVISION]).set(1);
        Metrics(Arc::new(Families {
            peer,
            jobs: Jobs::new(emulated),
            last: Last::new(r),
            runs: Runs::new(r),
            schedule: OnceLock::new(),
            sessions: Sessions::new(r),
            signins: Signins::new(r),
            registry,
        }))
    }

    /// Who answered what is counted here.
    pub fn peer(&self) -> Peer {
        self.0.peer
    }

    /// All series in Prometheus' text format.
    pub fn encode(&self) -> String {
        self.page(Form::Text)
    }

    /// All series in `form`. With many jobs this takes a while: not on a thread that something waits for.
    pub fn page(&self, form: Form) -> String {
        let mut page = Page::new(form);
        page.families(&self.0.registry.gather());
        self.0.jobs.write(&mut page);
        if self.0.schedule.get().is_some() {
            self.0.jobs.write_scheduled(&mut page);
        }
        page.finish()
    }

    /// The series of `jobs` vanish: these jobs are no more.
    pub fn forget_jobs(&self, jobs: &BTreeSet<&str>) {
        self.0.last.forget(jobs);
        self.0.runs.forget(jobs);
        self.0.jobs.forget(jobs);
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
