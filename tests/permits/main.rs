//! Who may use which credential: what connections permit, `require_connections` and the profile, from the outside. A
//! refused job ends with 78, says everything at once with the mend, and has connected to nothing.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
mod connections;
#[path = "../support/openbao.rs"]
mod openbao;
mod profile;
#[path = "../support/program.rs"]
mod program;

use std::path::PathBuf;

use exorun::emulator::Options;
use program::{Ended, Tenant, ended};

/// A tenant with a file of connections and a job on one of them.
async fn tenant(connections: &str) -> Tenant {
    let tenant = Tenant::start(Options::default()).await;
    std::fs::write(tenant.path("connections.yaml"), connections).unwrap();
    tenant
}

/// A connection that signs in by the emulator's secret, with `more` keys.
fn connection(more: &str) -> String {
    format!(
        "version: 1\nkind: Connections\nconnections:\n  contoso:\n    tenant: contoso.onmicrosoft.com\n    auth:\n      \
         method: client_secret\n      client_id: 11111111-2222-3333-4444-555555555555\n      credential: {{env: EXORUN_CLIENT_SECRET}}\n{more}"
    )
}

/// A job called `mail-report` that reads, with `head` and further `steps`.
fn written(tenant: &Tenant, head: &str, steps: &str) -> PathBuf {
    let text = format!(
        "version: 1\nname: mail-report\n{head}steps:\n  - name: domains\n    cmdlet: Get-AcceptedDomain\n{steps}"
    );
    let path = tenant.path("job.yaml");
    std::fs::write(&path, text).unwrap();
    path
}

const ON_CONNECTION: &str = "connection: contoso\n";

const SPELLED: &str = "tenant: contoso.onmicrosoft.com\nauth:\n  method: client_secret\n  client_id: 11111111-2222-3333-4444-555555555555\n  \
                       credential: {env: EXORUN_CLIENT_SECRET}\n";

async fn exorun(tenant: &Tenant, arguments: &[&str]) -> Ended {
    ended(tenant.exorun(arguments).spawn().unwrap()).await
}

/// Runs the job with these settings.
async fn run(tenant: &Tenant, more: &[&str]) -> Ended {
    let fixed = ["run", "job.yaml", "--connections-file", "connections.yaml"];
    exorun(tenant, &[&fixed[..], more].concat()).await
}

/// The lines of errors, in order, and that nothing was connected.
#[track_caller]
fn refused(tenant: &Tenant, run: &Ended) -> Vec<String> {
    run.assert_code(78);
    assert_eq!(run.stdout, "");
    let counters = tenant.emulator.counters();
    assert_eq!((counters.requests, counters.sessions.opened), (0, 0), "{counters:?}");
    let mut lines: Vec<String> = run
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("error: "))
        .map(|line| line.replace(tenant.folder.path().to_str().unwrap(), "FOLDER"))
        .collect();
    assert_eq!(lines.pop().as_deref(), Some("nothing was connected"), "{}", run.stderr);
    lines
}
