//! Every way to sign in, as its users meet it: the real program against the emulator, with what goes wrong beside it.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/openbao.rs"]
mod openbao;
#[path = "../support/program.rs"]
mod program;
#[allow(dead_code, reason = "other tests use all of it")]
#[path = "../support/scripted_service.rs"]
mod scripted_service;

#[allow(dead_code, reason = "the people's tests use all of it")]
#[path = "../people/desk.rs"]
mod desk;
#[allow(dead_code, reason = "the people's tests use all of it")]
#[path = "../people/walker.rs"]
mod walker;

mod access_token;
mod assertions;
mod certificate;
mod client_policy;
mod client_secret;
mod discovering;
mod documented;
mod emulated;
mod managed_identity;
mod openssl;
mod responder;
mod sharing;
mod table;
mod vault;
mod workload_identity;

use std::path::Path;
use std::process::Stdio;

use exorun::emulator::Options;
use program::{Ended, Tenant, ended};
use tokio::process::Command;

/// The application of these tests.
pub(crate) const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";

/// A small tenant.
pub(crate) fn small() -> Options {
    Options { mailboxes: 3, ..Options::default() }
}

/// A job that reads and has this `auth`, written with two spaces before each line.
pub(crate) fn job(auth: &str) -> String {
    format!(
        "version: 1\nname: a-job\ntenant: contoso.onmicrosoft.com\nauth:\n{auth}steps:\n  - name: all\n    cmdlet: Get-Mailbox\n"
    )
}

/// Runs a job with this `auth`; what is not registered is refused at once.
pub(crate) async fn run(tenant: &Tenant, auth: &str, more: &[&str]) -> Ended {
    std::fs::write(tenant.path("job.yaml"), job(auth)).unwrap();
    let mut flags = vec!["--credential-settle-wait", "0s"];
    flags.extend(more);
    tenant.run(&tenant.path("job.yaml"), &flags).await
}

/// As [`run`], with further variables in the environment.
pub(crate) async fn run_with(tenant: &Tenant, auth: &str, variables: &[(&str, &str)]) -> Ended {
    std::fs::write(tenant.path("job.yaml"), job(auth)).unwrap();
    let mut command = tenant.exorun(&["run", "job.yaml", "--credential-settle-wait", "0s"]);
    ended(command.envs(variables.iter().copied()).spawn().unwrap()).await
}

/// The program in `folder`, with nothing in its environment.
pub(crate) fn tenantless(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exorun"));
    command
        .env_clear()
        .env("EXORUN_STATE_DIR", folder.join("state"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// An access token of the tenant, as somebody else may have got it.
pub(crate) fn token(tenant: &Tenant, upn: Option<&str>) -> String {
    tenant.emulator.access_token("https://outlook.office365.com/.default", CLIENT_ID, upn).unwrap()
}
