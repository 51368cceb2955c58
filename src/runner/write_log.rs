//! One line per writing call, at every log level: who changed what, where, and what came of it.

use tracing::info;
use uuid::Uuid;

use super::acting::OBJECT_CHARS_MAX;
use super::call::Call;
use super::context::RunParts;
use crate::observe::escape::one_line;

/// What a line says besides run, job, tenant and step, which the spans add. Names of parameters, never their values.
pub(super) struct Entry {
    actor: String,
    tenant_id: String,
    job_hash: String,
    cmdlet: String,
    object: String,
    parameters: String,
    client_request_id: Uuid,
}

impl Entry {
    /// `changed` are the properties that differ; a plain cmdlet names all its parameters.
    pub(super) fn of(run: &RunParts, call: &Call, changed: &[&str]) -> Entry {
        let parameters = if changed.is_empty() {
            let secrets = call.secrets.iter().map(|secret| secret.name.as_str());
            let names = call.parameters.keys().map(String::as_str).chain(secrets);
            names.filter(|name| !matches!(*name, "Identity" | "Confirm")).collect::<Vec<_>>().join(",")
        } else {
            changed.join(",")
        };
        Entry {
            actor: run.actor.name.clone(),
            tenant_id: run.actor.tenant_id.clone(),
            job_hash: run.job.hash.clone(),
            cmdlet: call.cmdlet.to_string(),
            object: one_line(call.object.as_deref().unwrap_or_default(), OBJECT_CHARS_MAX),
            parameters,
            client_request_id: Uuid::new_v4(),
        }
    }

    /// The call is about to be sent.
    pub(super) fn begun(self) -> Begun {
        Begun { entry: self, is_written: false }
    }
}

/// A call that was sent and whose line is still to be written; dropped, it writes `unknown`.
pub(super) struct Begun {
    entry: Entry,
    is_written: bool,
}

impl Begun {
    pub(super) fn client_request_id(&self) -> Uuid {
        self.entry.client_request_id
    }

    /// The call ended; `outcome` is `done`, `unknown` or an error's kind.
    pub(super) fn ended(mut self, outcome: &'static str, request_id: Option<&str>) {
        self.write(outcome, request_id);
    }

    fn write(&mut self, outcome: &'static str, request_id: Option<&str>) {
        self.is_written = true;
        let entry = &self.entry;
        info!(
            target: crate::observe::logs::WRITE_TARGET,
            actor = %entry.actor, tenant_id = %entry.tenant_id, job_hash = %entry.job_hash, cmdlet = %entry.cmdlet,
            object = %entry.object, parameters = %entry.parameters, outcome, request_id,
            client_request_id = %entry.client_request_id, "{} {outcome}", entry.cmdlet
        );
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.is_written {
            self.write("unknown", None);
        }
    }
}
