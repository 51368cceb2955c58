//! Whether a job may be started here, and on which target.

use super::practices::{Doing, judge_doing};
use crate::exit::Exit;
use crate::settings::{ProcessEnvironment, Settings};
use crate::spec::job::{Job, Target, TargetSpec};
use crate::spec::{ConnectionError, Connections, Problems, Targets, read_connections};

/// What a job may run on here: nothing is connected without one.
pub struct Permitted {
    /// Where it runs and as whom.
    pub target: TargetSpec,
    /// What the profile refuses unless it is allowed by name, and what was.
    pub warnings: Vec<String>,
}

/// Why a job may not be started.
pub enum Barred {
    /// The file of connections has mistakes.
    File(Problems),
    /// The job has no target.
    NoTarget(String),
    /// Connections or the profile forbid it: every reason.
    ByPolicy(Vec<String>),
}

impl Barred {
    /// How the command ends.
    pub fn exit(&self) -> Exit {
        match self {
            Barred::File(_) | Barred::NoTarget(_) => Exit::BadInput,
            Barred::ByPolicy(_) => Exit::RefusedByPolicy,
        }
    }

    /// Every reason, in words.
    pub fn why(&self) -> String {
        match self {
            Barred::File(problems) => problems.render_plain(),
            Barred::NoTarget(why) => why.clone(),
            Barred::ByPolicy(reasons) => reasons.join("; "),
        }
    }
}

/// Where the job runs and as whom, if connections and profile permit it. Reads the file of connections.
///
/// # Errors
/// Every reason why it may not.
pub fn judged(job: &Job, settings: &Settings, doing: Doing) -> Result<Permitted, Barred> {
    let (target, refusals) = target_of(job, settings)?;
    profiled(job, settings, target, refusals, doing)
}

/// As [`judged`], for what a person may do with a connection's sign-in: leave theirs there, or take it back. Which jobs may use
/// it does not matter then; Vault decides who may write it.
///
/// # Errors
/// As [`judged`].
pub fn of_connection(job: &Job, settings: &Settings) -> Result<Permitted, Barred> {
    let (target, _by_which_jobs) = target_of(job, settings)?;
    profiled(job, settings, target, Vec::new(), Doing::Keeping)
}

/// What the job would run on, and why it may not.
///
/// # Errors
/// There is nothing it could run on.
pub fn target_of(job: &Job, settings: &Settings) -> Result<(TargetSpec, Vec<String>), Barred> {
    let connections = match (&job.target, &settings.connections_file) {
        (Target::Connection { .. }, Some(file)) => read_connections(file).map_err(Barred::File)?,
        _ => Connections::none(),
    };
    match connections.target(job, targets(settings)) {
        Ok(target) => Ok((target, Vec::new())),
        Err(ConnectionError::Refused { target, refusals }) => Ok((*target, refusals)),
        Err(error) => Err(Barred::NoTarget(error.to_string())),
    }
}

/// Whether jobs may say themselves where they run.
pub fn targets(settings: &Settings) -> Targets {
    if settings.require_connections { Targets::ConnectionsOnly } else { Targets::Open }
}

fn profiled(
    job: &Job,
    settings: &Settings,
    target: TargetSpec,
    mut refusals: Vec<String>,
    doing: Doing,
) -> Result<Permitted, Barred> {
    let verdict = judge_doing(settings, &ProcessEnvironment, job, &target, doing);
    refusals.extend(verdict.refused);
    if refusals.is_empty() {
        return Ok(Permitted { target, warnings: verdict.allowed });
    }
    Err(Barred::ByPolicy(refusals))
}
