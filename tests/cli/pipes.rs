//! Files that never give anything: a run that waits for one holds no session and can be stopped.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;

use super::program::{Tenant, ended, signal};
use super::{HEAD, some_mailboxes};

/// Standard input that stays open and is silent, as a scheduler's may be.
fn silent() -> (std::io::PipeWriter, Stdio) {
    let (reader, writer) = std::io::pipe().unwrap();
    (writer, reader.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_come_from_regular_files_only() {
    let tenant = Tenant::with(1, &[]).await;
    let step = "  - name: rules\n    cmdlet: New-ClassificationRuleCollection\n    parameters:\n      FileData:\n        \
                file: /dev/stdin\n";
    let job = tenant.job("", step);
    let (_open, input) = silent();
    let mut command = tenant.exorun(&["run", job.to_str().unwrap()]);
    let run = ended(command.stdin(input).spawn().unwrap()).await;
    run.assert_code(1);
    assert!(run.stderr.contains("/dev/stdin is a pipe, a device or a folder"), "{}", run.stderr);
    assert!(run.stdout.contains("sessions: 1 opened, 1 closed"), "{}", run.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_never_comes_does_not_outlast_a_signal() {
    let tenant = Tenant::with(1, &[]).await;
    let head = HEAD.replace("env: EXORUN_CLIENT_SECRET", "file: /dev/stdin");
    std::fs::write(tenant.path("job.yaml"), format!("{head}steps:\n{}", some_mailboxes(1))).unwrap();
    let (_open, input) = silent();
    let child = tenant.exorun(&["run", "job.yaml"]).stdin(input).spawn().unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    signal(&child, Signal::TERM);
    let run = ended(child).await;
    run.assert_code(75);
    assert!(run.stderr.contains("told to stop while signing in"), "{}", run.stderr);
}
