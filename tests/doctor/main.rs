//! `exorun doctor` as its users meet it: the real program against an emulator in which one thing is broken. Each test
//! says which rung breaks first and what mends it.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/openbao.rs"]
mod openbao;
#[path = "../support/program.rs"]
mod program;

mod account;
mod bundle;
mod certificate;
mod form;
mod network;
mod signin;
mod vault;

use std::path::PathBuf;

use exorun::emulator::Options;
use program::{Ended, Tenant, ended};

/// An application that hardens mailboxes.
const APPLICATION: &str = "\
version: 1
name: hardening
tenant: contoso.onmicrosoft.com
auth:
  method: client_secret
  client_id: 11111111-2222-3333-4444-555555555555
  credential:
    env: EXORUN_CLIENT_SECRET
steps:
  - name: some
    cmdlet: Get-EXOMailbox
    parameters:
      ResultSize: 3
  - name: harden
    for_each: steps.some.items
    ensure: CASMailbox
    identity: ${{ item.Guid }}
    properties:
      PopEnabled: false
";

/// The same by a person.
const PERSON: &str = "\
version: 1
name: by-a-person
tenant: contoso.onmicrosoft.com
auth:
  method: device
  user_principal_name: admin@contoso.onmicrosoft.com
steps:
  - name: some
    cmdlet: Get-Mailbox
    parameters:
      ResultSize: 3
";

async fn tenant(options: Options) -> Tenant {
    Tenant::start(Options { mailboxes: 6, ..options }).await
}

/// Writes the job and climbs with it.
async fn climbed(tenant: &Tenant, job: &str, flags: &[&str], variables: &[(&str, &str)]) -> Ended {
    let path = written(tenant, job);
    let mut arguments = vec!["doctor", path.to_str().unwrap()];
    arguments.extend(flags);
    ended(tenant.exorun(&arguments).envs(variables.iter().copied()).spawn().unwrap()).await
}

fn written(tenant: &Tenant, job: &str) -> PathBuf {
    let path = tenant.path("job.yaml");
    std::fs::write(&path, job).unwrap();
    path
}

/// The output without what differs between runs and machines.
fn told(ended: &Ended) -> String {
    let mut text = ended.stdout.clone();
    for (pattern, stand_in) in [
        (r"\b\d+ ms\b", "N ms"),
        (r"127\.0\.0\.1:\d{3,5}", "127.0.0.1:PORT"),
        (r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", "GUID"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "TIME"),
        (r"\d+ days", "N days"),
        (r"process \d+", "process N"),
        (r"/tmp/\.tmp\w+", "FOLDER"),
        (r"TCP \d{4,5} of", "TCP PORT of"),
        (r"is (?:9m5\ds|10m) behind", "is ten minutes behind"),
        (r"no address: [^\n]*", "no address: (the resolver's words)"),
        (r"failed to lookup address information: [A-Za-z -]*[a-z]", "(the resolver's words)"),
        (r"CN=[^,;\n]*emulator[^,;\n]*", "CN=(the emulator's)"),
    ] {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, stand_in).into_owned();
    }
    text
}

/// The line of a rung.
fn rung<'a>(ended: &'a Ended, name: &str) -> &'a str {
    let is_its = |line: &&str| line.split_whitespace().nth(1) == Some(name);
    ended.stdout.lines().find(is_its).unwrap_or_else(|| panic!("no rung {name}: {}", ended.stdout))
}

/// A climb that ends with `code`, at `rung`; what it said is in the snapshot `name`.
#[track_caller]
fn broken(ended: &Ended, code: i32, rung: &str, name: &str) {
    ended.assert_code(code);
    assert!(ended.stdout.contains(&format!("\nfirst broken rung: {rung}\n")), "{}", ended.stdout);
    assert!(ended.stdout.contains("\n  mend: "), "{}", ended.stdout);
    insta::assert_snapshot!(name, told(ended));
}
