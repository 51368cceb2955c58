//! Every way to sign in, as its users meet it: the real program against the emulator, with what goes wrong beside it.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/program.rs"]
mod program;

mod certificate;
mod client_secret;
mod documented;
mod openssl;

use exorun::emulator::Options;
use program::{Ended, Tenant};

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
