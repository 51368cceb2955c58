//! `exorun emulate`, driven by a client in Python that was written from the protocol's description alone, by someone who
//! had not read the client in Rust: `tests/stranger`. Each test is one group of its checks against a fresh emulator.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "support/components.rs"]
mod components;
#[path = "support/emulating.rs"]
mod emulating;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use emulating::Emulating;
use tokio::process::Command;

/// The Python into which `tests/run` installed the client's one package; `None`, and the skip is shown, if it has not run.
fn python(test: &str) -> Option<PathBuf> {
    if !components::has("python3", test) {
        return None;
    }
    let python = std::env::var_os("EXORUN_TEST_PYTHON").map(PathBuf::from).filter(|python| python.is_file());
    if python.is_none() {
        components::skip(test, "the packages of Python are not installed: start the tests by tests/run");
    }
    python
}

async fn agrees(group: &str, emulate: &[&str]) {
    let Some(python) = python(&format!("the stranger's checks of {group}")) else { return };
    let emulator = Emulating::start(emulate).await;
    let mut client = Command::new(python);
    client
        .args(["-B", "-X", "utf8"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stranger/check.py"))
        .arg(group)
        .env_clear()
        .env("CA_FILE", emulator.out("ca.pem"))
        .env("CLIENT_SECRET", emulator.out("client-secret"))
        .env("TENANT", "contoso.onmicrosoft.com")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for door in ["login", "exchange", "compliance", "compliance_region"] {
        if let Some(endpoint) = emulator.endpoint(&format!("{door}_endpoint")) {
            client.env(format!("{}_ENDPOINT", door.to_uppercase()), endpoint);
        }
    }
    let verdict = tokio::time::timeout(Duration::from_secs(120), client.output()).await;
    let verdict = verdict.expect("the client hangs").unwrap();
    let said =
        [verdict.stdout, verdict.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(verdict.status.success() && said.contains("all checks passed"), "{said}");
    emulator.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_signs_in_calls_edits_and_understands_errors() {
    agrees("cmdlets", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_reads_listings_to_their_end_and_knows_the_values() {
    agrees("listings", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_reads_with_every_cmdlet_that_it_may_run() {
    agrees("everything", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_sends_ten_requests_in_one() {
    agrees("batch", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_learns_what_it_may_run_and_encrypts_a_password() {
    agrees("module", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_finds_the_region_of_security_and_compliance() {
    agrees("compliance", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_reads_the_entity_sets() {
    agrees("odata", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_sent_to_the_region_of_exchange() {
    agrees("front_door", &["--front-door", "eurprd04"]).await;
}
