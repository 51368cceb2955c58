//! Metrics of runs that nobody can scrape: by Pushgateway and by text file.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/program.rs"]
mod program;

mod bad_gateways;
mod gateway;
mod survives;

use std::path::PathBuf;

use program::{Ended, Tenant, ended};
use tokio::process::Command;

pub(crate) const TARGET: &str = "contoso.onmicrosoft.com";

/// A job that reads some mailboxes.
pub(crate) fn job(tenant: &Tenant, name: &str) -> PathBuf {
    let path = tenant.path(&format!("{name}.yaml"));
    let text = format!(
        "version: 1\nname: {name}\ntenant: {TARGET}\nenvironment: O365Default\nauth:\n  method: client_secret\n  \
         client_id: 11111111-2222-3333-4444-555555555555\n  credential:\n    env: EXORUN_CLIENT_SECRET\n\
         service: ExchangeOnline\nschedules:\n  - every: 1h\nsteps:\n  - name: look\n    cmdlet: Get-Mailbox\n    \
         parameters:\n      ResultSize: 10\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// A run of the job that pushes to `url`, although an emulator answers.
pub(crate) fn pushing(tenant: &Tenant, name: &str, url: &str, more: &[&str]) -> Command {
    let job = job(tenant, name);
    let mut arguments = vec!["run", job.to_str().unwrap()];
    arguments.extend(more);
    let mut command = tenant.exorun(&arguments);
    command.env("EXORUN_PUSHGATEWAY_URL", url).env("EXORUN_PUSH_EMULATED", "true");
    command
}

pub(crate) async fn run(command: &mut Command) -> Ended {
    ended(command.spawn().unwrap()).await
}

/// The lines of the log about a push that came to nothing.
pub(crate) fn complaints(run: &Ended) -> Vec<&str> {
    run.stderr.lines().filter(|line| line.contains("the metrics are not pushed")).collect()
}

/// The value of `family` for the job, in whatever order the labels are.
pub(crate) fn value(page: &str, family: &str, job: &str) -> Option<f64> {
    let is_meant = |line: &&str| {
        line.strip_prefix(family).is_some_and(|rest| rest.starts_with('{'))
            && line.contains(&format!("job=\"{job}\""))
            && line.contains(&format!("target=\"{TARGET}\""))
    };
    page.lines().find(is_meant)?.rsplit(' ').next()?.parse().ok()
}

/// Of the last run: success, failure, completion and exit code.
pub(crate) fn last(page: &str, job: &str) -> [Option<f64>; 4] {
    ["success_timestamp_seconds", "failure_timestamp_seconds", "completion_timestamp_seconds", "exit_code"]
        .map(|family| value(page, &format!("exorun_last_{family}"), job))
}
