//! The program as its users meet it: a real process, real files and exit codes, and the emulator as the witness.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/module_key.rs"]
mod module_key;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/scripted_service.rs"]
mod scripted_service;

mod batches;
mod bytes;
mod check;
mod cmdlets;
mod device;
mod dry_run;
mod echoes;
mod emulate;
mod ensure;
mod exit_codes;
mod explain;
mod faults;
mod history;
mod hostile;
mod invoke;
mod jobs;
mod listings;
mod loops;
mod new;
mod outputs;
mod pipes;
mod recording;
mod report;
mod secret_parameters;
mod secrets;
mod services;
mod sessions;
mod streams;
mod throttling;

use std::path::PathBuf;

use exorun::emulator::{Fault, Options};
use program::{Ended, Tenant, ended, fault};
use serde_json::Value;

/// The shipped job that most tests run: one listing, then `ensure` over what it found.
pub(crate) const HARDENING: &str = "shared-mailbox-hardening.yaml";

/// What every job of these tests begins with.
pub(crate) const HEAD: &str = "\
version: 1
name: a-job
tenant: contoso.onmicrosoft.com
auth:
  method: client_secret
  client_id: 11111111-2222-3333-4444-555555555555
  credential:
    env: EXORUN_CLIENT_SECRET
";

/// A step that finds the first `count` mailboxes.
pub(crate) fn some_mailboxes(count: u32) -> String {
    format!(
        "  - name: some\n    cmdlet: Get-Mailbox\n    parameters:\n      ResultSize: {count}\n    \
         select: [ExternalDirectoryObjectId, DisplayName]\n"
    )
}

/// A step that sets one property of what `some` found; `more` are further lines of the step.
pub(crate) fn ensure_office(more: &str) -> String {
    format!(
        "  - name: office\n    for_each: steps.some.items\n    ensure: Mailbox\n    \
         identity: ${{{{ item.ExternalDirectoryObjectId }}}}\n    properties:\n      CustomAttribute1: x\n{more}"
    )
}

impl Tenant {
    /// A tenant of `mailboxes` where `faults` go wrong.
    pub(crate) async fn with(mailboxes: u64, faults: &[&str]) -> Tenant {
        let faults: Vec<Fault> = faults.iter().map(|spec| fault(spec)).collect();
        Tenant::start(Options { mailboxes, faults, ..Options::default() }).await
    }

    /// A job file: the common head, `middle` (limits, inputs), then `steps`.
    pub(crate) fn job(&self, middle: &str, steps: &str) -> PathBuf {
        let path = self.path("job.yaml");
        std::fs::write(&path, format!("{HEAD}{middle}steps:\n{steps}")).unwrap();
        path
    }

    /// Runs the program with `arguments` and further variables, to its end.
    pub(crate) async fn said(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        let mut command = self.exorun(arguments);
        ended(command.envs(variables.iter().copied()).spawn().unwrap()).await
    }

    /// Runs a job that writes its report, and reads that.
    pub(crate) async fn reported(&self, job: &std::path::Path, more: &[&str]) -> (Ended, Value) {
        let mut arguments = more.to_vec();
        arguments.extend(["--report", "report.json"]);
        let run = self.run(job, &arguments).await;
        let report = std::fs::read_to_string(self.path("report.json"))
            .unwrap_or_else(|error| panic!("no report: {error}\n{}\n{}", run.stdout, run.stderr));
        (run, serde_json::from_str(&report).unwrap())
    }

    /// What `exorun invoke … --format json` finds.
    pub(crate) async fn invoked(&self, arguments: &[&str]) -> Vec<Value> {
        let job = self.path("invoked.yaml");
        std::fs::write(&job, format!("{HEAD}steps:\n{}", some_mailboxes(1))).unwrap();
        let mut all = vec!["invoke"];
        all.extend(arguments);
        all.extend(["--job", job.to_str().unwrap(), "--format", "json"]);
        let run = self.said(&all, &[]).await;
        run.assert_code(0);
        serde_json::from_str(&run.stdout).unwrap()
    }

    /// The recorded requests of one cmdlet (or `token`), the oldest first.
    pub(crate) fn recorded(&self, what: &str) -> Vec<Value> {
        let all = self.emulator.requests();
        all.as_array().unwrap().iter().filter(|request| request["what"] == what).cloned().collect()
    }

    /// Cmdlets that the emulator saw and that are no reads.
    pub(crate) fn writes_seen(&self) -> Vec<String> {
        let counters = self.emulator.counters();
        let names = counters.by_cmdlet.iter().map(|seen| seen.what.clone());
        names
            .filter(|name| name.contains('-') && !name.starts_with("Get-"))
            .filter(|name| name != "openid-configuration")
            .collect()
    }
}

/// The lines of the write log.
pub(crate) fn write_log(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| line.contains("actor=") && line.contains("outcome=")).collect()
}
