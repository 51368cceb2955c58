//! The checked job: made only by the checker, so what is here has been looked up, typed and resolved.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use super::inputs::resolve_inputs;
pub use super::names::{ConnectionName, JobName, StepName};
pub use super::target::{
    Auth, CredentialRef, Environment, MODULE_CLIENT_ID, MachineIdentity, Method, Signature, Target,
    TargetSpec, TransitRef, VaultRef, Who,
};
use super::template::{Expression, Template};
use crate::catalog::CmdletName;
pub use crate::catalog::Service;
use crate::rules::schedule::{RunPolicy, Schedule};

/// One YAML document: what to do, where, as whom and when.
#[derive(Debug)]
pub struct Job {
    /// A DNS label; it becomes a Kubernetes name and a metric label.
    pub name: JobName,
    /// One sentence for people.
    pub description: Option<String>,
    /// The file the job was read from, as the user wrote it.
    pub source: PathBuf,
    /// SHA-256 of the document's text, in lower-case hex: which version of the job wrote a log line.
    pub hash: String,
    /// Where the job runs and as whom; only [`Connections::target`](super::Connections::target) makes a
    /// [`TargetSpec`] of it.
    pub target: Target,
    /// Which service answers.
    pub service: Service,
    /// What becomes of cmdlets and parameters that the catalog does not have.
    pub unknown: Unknown,
    /// Free labels of the job's owner; never metric labels.
    pub labels: BTreeMap<String, String>,
    /// What may be given on the command line with `--input name=value`.
    pub inputs: Vec<InputSpec>,
    /// What the job allows itself.
    pub limits: Limits,
    /// When it is due; no two of them have the same due times by the same rule.
    pub schedules: Vec<Schedule>,
    /// What becomes of occurrences that are due at a bad moment.
    pub run_policy: RunPolicy,
    /// What to do, in order.
    pub steps: Vec<Step>,
}

/// What becomes of what the catalog does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// It is an error.
    #[default]
    Refused,
    /// It goes to the service as it stands.
    Allowed,
}

/// An input a job declares.
#[derive(Clone, Debug)]
pub struct InputSpec {
    /// Identifier, as a step's name.
    pub name: String,
    /// What a value must be.
    pub kind: InputKind,
    /// One sentence for people.
    pub description: Option<String>,
    /// Used when nothing is given; without it the input is required.
    pub default: Option<serde_json::Value>,
}

/// The type of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list of texts; on the command line separated by commas.
    List,
}

/// What a job allows itself.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Sessions the run may hold at once; it waits only for the first. At least 1.
    pub max_sessions: u32,
    /// Changes the run may make; it stops before the next one with exit code 78. `None`: no limit.
    pub max_changes: Option<u64>,
    /// How long the run may last. `None`: no limit.
    pub max_duration: Option<Duration>,
    /// How long the run waits for its first session. `None`: the setting's value.
    pub session_wait: Option<Duration>,
}

/// One entry of the job.
#[derive(Debug)]
pub struct Step {
    /// Its name in expressions, logs, metrics and the report.
    pub name: StepName,
    /// What it does.
    pub action: Action,
    /// A bare expression that gives a list: the action is done once for each of its items.
    pub for_each: Option<Expression>,
    /// Calls in flight at most, with `for_each`. `None`: as many as the job has sessions.
    pub parallel: Option<u32>,
    /// A bare expression: the action (of this item) is done only if it is true.
    pub when: Option<Expression>,
    /// Properties to ask for (`$select`), as the user wrote them; empty: what later expressions need.
    pub select: Vec<String>,
    /// What is kept of each item this step returns.
    pub keep: Keep,
    /// What happens after a failure.
    pub on_error: OnError,
    /// How requests are repeated. `None`: as the settings say.
    pub retry: Option<Retry>,
    /// How long the whole step may take, all items of its loop together. `None`: no limit but each request's own.
    pub timeout: Option<Duration>,
    /// Where the items go.
    pub output: Option<Output>,
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// Calls one cmdlet.
    Cmdlet {
        /// Canonical spelling.
        cmdlet: CmdletName,
        /// Canonical spelling of each parameter, in the order of the file.
        parameters: Vec<(String, Template)>,
    },
    /// Reads `Get-NOUN`, writes `Set-NOUN` only where a property differs, and reads again.
    Ensure {
        /// The noun as the user wrote it, in canonical spelling: `CASMailbox`.
        noun: String,
        /// The cmdlet that reads.
        get: CmdletName,
        /// The cmdlet that writes.
        set: CmdletName,
        /// Which object; `None` for nouns with one object (`TransportConfig`).
        identity: Option<Template>,
        /// What must hold, canonical spelling, in the order of the file.
        properties: Vec<(String, Template)>,
    },
}

impl Action {
    /// Whether it can only read: its cmdlet is on the reviewed list, and no parameter makes it act.
    pub fn only_reads(&self) -> bool {
        match self {
            Action::Cmdlet { cmdlet, parameters } => cmdlet
                .cmdlet()
                .is_some_and(|found| found.is_read_with(parameters.iter().map(|(name, _)| name.as_str()))),
            Action::Ensure { .. } => false,
        }
    }
}

/// What is kept of an item for later expressions and the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Everything: an expression uses the item as a whole.
    All,
    /// Only these properties; none: only the count is used.
    Properties(Vec<String>),
}

/// What happens after a failure of a step or of one of its items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The run stops.
    #[default]
    Stop,
    /// The next item, or the next step.
    Continue,
    /// The next item; later steps with the same `for_each` leave this one out.
    SkipRestOfItem,
}

/// How the requests of a step are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Tries in all, the first one counted. At least 1.
    pub attempts: u32,
    /// Whether a service that asks for patience is asked again.
    pub throttled: bool,
    /// Whether what passes by itself is tried again.
    pub transient: bool,
}

/// Where a step's items go.
#[derive(Debug)]
pub struct Output {
    /// The file; written atomically, mode 0600. It may hold expressions over `inputs`, `run` and `target`, so that it is
    /// known before the run.
    pub path: Template,
    /// Its form.
    pub format: OutputFormat,
}

impl Output {
    /// Bytes of one file; a run fails that would write more.
    pub const BYTES_MAX: u64 = super::limits::OUTPUT_BYTES_MAX;
}

/// The form of an output file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// Comma-separated values with a header line (RFC 4180); columns are the step's `select`.
    Csv {
        /// The file begins with a UTF-8 byte order mark, by which Excel knows the encoding.
        bom: bool,
        /// Text is written as the service returned it, formulas and control characters included.
        raw: bool,
    },
    /// One JSON object a line.
    Ndjson,
    /// One JSON array of all items.
    Json,
}

/// A value given for an input on the command line, before it is checked against the job.
#[derive(Clone, Debug)]
pub struct GivenInput {
    /// The input's name.
    pub name: String,
    /// The text after `=`.
    pub value: String,
}
