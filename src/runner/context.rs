//! What everything in a run shares.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::place::OutputPlaces;
use super::stop::Stop;
use crate::clocks::Clocks;
use crate::observe::metrics::Metrics;
use crate::session::Sessions;
use crate::spec::job::{Job, TargetSpec};

/// Whether a run writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Changes what differs.
    Apply,
    /// Only reads, and says what it would change.
    DryRun,
}

impl Mode {
    /// The word for logs and reports.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Apply => "apply",
            Mode::DryRun => "dry-run",
        }
    }
}

/// Everything a run needs from outside. Made by the composition root.
pub struct RunParts {
    /// What to do.
    pub job: Arc<Job>,
    /// Where, and as whom.
    pub target: TargetSpec,
    /// Values of the job's inputs, checked.
    pub inputs: BTreeMap<String, Value>,
    /// The run's id: in every log line, record and report.
    pub run_id: String,
    /// Whether it writes.
    pub mode: Mode,
    /// Sessions of the account that signed in.
    pub sessions: Sessions,
    /// Who signed in, for the write log.
    pub actor: Actor,
    /// How long the run waits for its first session, if the job does not say.
    pub session_wait: Duration,
    /// How long one request may take.
    pub call_timeout: Duration,
    /// How many items of a loop are read in one request, at most.
    pub batch_size: u32,
    /// How long a write may take to be seen by reads.
    pub reread_wait: Duration,
    /// Where outputs may be written.
    pub output_places: OutputPlaces,
    /// Time.
    pub clocks: Clocks,
    /// What is counted.
    pub metrics: Metrics,
    /// How the run is asked to stop.
    pub stop: Stop,
    /// Where a dry run says what it would change.
    pub console: Console,
    /// Where progress is shown.
    pub progress: super::progress::Progress,
}

/// Who acts, and where.
#[derive(Clone, Debug)]
pub struct Actor {
    /// A user principal name, or an application's id. Escaped.
    pub name: String,
    /// The token's tenant.
    pub tenant_id: String,
}

/// Lines for people on standard output.
#[derive(Clone)]
pub struct Console(Arc<Mutex<Box<dyn Write + Send>>>);

impl Console {
    /// Lines go to `writer`.
    pub fn new(writer: impl Write + Send + 'static) -> Console {
        Console(Arc::new(Mutex::new(Box::new(writer))))
    }

    /// Writes lines in one piece. A closed pipe is nobody's error: who closed it has seen enough.
    ///
    /// # Errors
    /// The lines are lost, to a full disk for example. A run goes on: what it does matters more than what it says.
    pub fn lines(&self, text: &str) -> io::Result<()> {
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match writeln!(writer, "{text}").and_then(|()| writer.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}
