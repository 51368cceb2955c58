//! `exorun run JOB --emulate`: every documented `auth` signs in at the emulator, without any credential of its own.

use super::documented::examples;
use super::program::{Ended, ended};
use super::{job, tenantless};

/// Methods that wait for a person.
const ASKING: [&str; 3] = ["device", "browser", "inline_credential"];

fn method(auth: &str) -> &str {
    let line = auth.lines().find_map(|line| line.trim().strip_prefix("method: "));
    line.unwrap_or_default()
}

async fn emulated(text: &str, flags: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("job.yaml"), text).unwrap();
    let mut command = tenantless(folder.path());
    command.args(["run", "job.yaml", "--emulate", "--mailboxes", "3"]).args(flags);
    ended(command.spawn().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_example_without_a_person_runs_emulated() {
    let examples = examples();
    let examples: Vec<&String> = examples.iter().filter(|text| !ASKING.contains(&method(text))).collect();
    assert!(examples.len() >= 10, "the examples are not found any more");
    for text in examples {
        let run = emulated(text, &[]).await;
        assert_eq!(run.code, Some(0), "{text}\n{}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains("EMULATED"), "{}", run.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emulated_run_meets_what_the_emulator_is_told_to_do() {
    let auth = "  method: certificate\n  client_id: 00000000-0000-0000-0000-000000000401\n  credential: {file: /none/such}\n";
    let run = emulated(&job(auth), &[]).await;
    run.assert_code(77);
    assert!(run.stdout.contains("grant the application `Exchange.ManageAsApp`"), "{}", run.stdout);
}
