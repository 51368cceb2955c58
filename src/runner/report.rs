//! What a run says when it is over: for people a table, for programs JSON.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::tally::Counts;
use crate::exit::Exit;
use crate::observe::whole_file;

/// The version of the JSON form; fields are only added within one.
const FORMAT: u32 = 1;

/// A finished run.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// The version of this form.
    pub format: u32,
    /// `EMULATED` if an emulator answered, else `Exchange Online`: nobody must mistake one for the other.
    pub peer: &'static str,
    /// The run's id.
    pub run_id: String,
    /// The job's name.
    pub job: String,
    /// SHA-256 of the job's document.
    pub job_hash: String,
    /// The file it was read from.
    pub source: String,
    /// The tenant as the job names it.
    pub tenant: String,
    /// The cloud.
    pub environment: String,
    /// The service.
    pub service: &'static str,
    /// Who signed in; nothing if nobody could.
    pub actor: Option<String>,
    /// The token's tenant.
    pub tenant_id: Option<String>,
    /// `apply` or `dry-run`.
    pub mode: &'static str,
    /// When the run began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The outcome's word.
    pub outcome: &'static str,
    /// The process's exit code.
    pub exit_code: u8,
    #[serde(skip)]
    exit: Exit,
    /// Why it ended before its last step, in one line.
    pub reason: Option<String>,
    /// The steps that began, in order.
    pub steps: Vec<StepReport>,
    /// The sessions it held.
    pub sessions: Vec<SessionReport>,
}

/// One step of a finished run.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// The step's name.
    pub name: String,
    /// What it calls: `Get-Mailbox`, or `ensure CASMailbox`.
    pub action: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What it did.
    #[serde(flatten)]
    pub counts: Counts,
    /// The file it wrote.
    pub output: Option<String>,
}

/// One session of a run, as `Get-ConnectionInformation` would tell.
#[derive(Clone, Debug, Serialize)]
pub struct SessionReport {
    /// The `connection-id` of its requests.
    pub connection_id: String,
    /// Who signed in: a user principal name, or an application's id.
    pub account: String,
    /// The tenant as the job names it.
    pub tenant: String,
    /// The token's tenant.
    pub tenant_id: String,
    /// The cloud.
    pub environment: String,
    /// The service.
    pub service: &'static str,
    /// Where it was connected to at its end: `https://HOST[:PORT]`; nothing if it could not be opened.
    pub endpoint: Option<String>,
    /// Which of the account's places it held.
    pub slot: u32,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the token of its last call ends.
    pub token_expires_at: Option<Timestamp>,
    /// `cleanly`, `unconfirmed` or `nothing_opened`; nothing while it is open.
    pub closed: Option<&'static str>,
}

impl RunReport {
    /// A report of a run that has done nothing yet.
    pub fn new(peer: &'static str, run_id: &str, began_at: Timestamp) -> RunReport {
        RunReport {
            format: FORMAT,
            peer,
            run_id: run_id.to_owned(),
            job: String::new(),
            job_hash: String::new(),
            source: String::new(),
            tenant: String::new(),
            environment: String::new(),
            service: "",
            actor: None,
            tenant_id: None,
            mode: "",
            began_at,
            ended_at: began_at,
            seconds: 0.0,
            outcome: Exit::Failed.word(),
            exit_code: Exit::Failed.code(),
            exit: Exit::Failed,
            reason: None,
            steps: Vec::new(),
            sessions: Vec::new(),
        }
    }

    /// Sets how it ended.
    pub fn end(&mut self, exit: Exit, reason: Option<String>, ended_at: Timestamp, took: Duration) {
        self.outcome = exit.word();
        self.exit_code = exit.code();
        self.exit = exit;
        self.reason = reason;
        self.ended_at = ended_at;
        self.seconds = took.as_secs_f64();
    }

    /// Makes it a failed one, after the run itself has ended well.
    pub fn fail(&mut self, reason: &str) {
        self.end(Exit::Failed, Some(reason.to_owned()), self.ended_at, Duration::from_secs_f64(self.seconds));
    }

    /// How it ended.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes the JSON form to `path`: mode 0600, complete or not at all.
    ///
    /// # Errors
    /// The text names the file.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let fill = |file: &mut File| {
            let mut file = BufWriter::new(file);
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.flush()
        };
        whole_file::write_whole(path, whole_file::PRIVATE, fill)
            .map_err(|error| format!("report {}: {}", path.display(), error.source))
    }
}
