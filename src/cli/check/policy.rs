//! Which jobs would be refused where these settings hold: what `run` would say, before anything runs.

use crate::app::permitted::targets;
use crate::app::practices::judge_job;
use crate::cli::start;
use crate::exit::Exit;
use crate::settings::Settings;
use crate::spec::job::{Job, Target};
use crate::spec::{ConnectionError, Connections, Place, Severity, Told, read_connections};

/// The settings, with the connections that they name.
pub(super) struct Policy {
    settings: Settings,
    connections: Option<Connections>,
}

impl Policy {
    /// Reads the file of connections, if the settings name one.
    ///
    /// # Errors
    /// After every problem of that file was said.
    pub(super) fn of(settings: Settings) -> Result<Policy, Exit> {
        let connections = match &settings.connections_file {
            Some(file) => Some(read_connections(file).map_err(|problems| start::refuse_file(&problems))?),
            None => None,
        };
        Ok(Policy { settings, connections })
    }

    /// Why the job, whose name stands at `place`, may not run.
    pub(super) fn told(&self, job: &Job, place: Option<Place>) -> Vec<Told> {
        let none = Connections::none();
        let known = match (&job.target, &self.connections) {
            // Without their file nothing is known of connections: a pipeline of jobs need not have it.
            (Target::Connection { .. }, None) => None,
            (_, connections) => Some(connections.as_ref().unwrap_or(&none)),
        };
        let (target, mut refusals) = match known.map(|known| known.target(job, targets(&self.settings))) {
            None => (None, Vec::new()),
            Some(Ok(target)) => (Some(target), Vec::new()),
            Some(Err(ConnectionError::Refused { target, refusals })) => (Some(*target), refusals),
            Some(Err(error)) => (None, vec![error.to_string()]),
        };
        refusals.extend(judge_job(&self.settings, job, target.as_ref()).refused);
        let told = |title: String| Told {
            severity: Severity::Error,
            title,
            place,
            label: String::new(),
            related: None,
            help: Vec::new(),
        };
        refusals.into_iter().map(told).collect()
    }
}
