//! `exorun emulate`, tried by curl and jq alone: none of this program's client takes part.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "support/components.rs"]
mod components;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

/// A value of the settings file that the emulator writes.
fn setting(folder: &Path, key: &str) -> String {
    let text = std::fs::read_to_string(folder.join("settings.yaml")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{key}: "))).unwrap();
    line.trim_matches('"').to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_and_jq_agree_that_it_speaks_the_protocol() {
    const TEST: &str = "the emulator by curl and jq";
    if !["bash", "curl", "jq"].into_iter().all(|program| components::has(program, TEST)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut emulator = Command::new(env!("CARGO_BIN_EXE_exorun"))
        .args(["emulate", "--out", "out", "--log-format", "json"])
        .env_clear()
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(emulator.stderr.take().unwrap()).lines();
    let serving = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the emulator ended");
            if line.contains("EMULATED: serving") {
                break line;
            }
        }
    });
    let serving = serving.await.expect("the emulator does not serve");
    let said = |name: &str| {
        let (_, rest) = serving.split_once(&format!("\"{name}\":\"")).expect("an endpoint");
        rest.split('"').next().unwrap().to_owned()
    };

    let out = folder.path().join("out");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator-by-curl.sh");
    let mut judge = Command::new("bash");
    judge
        .arg(script)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LOGIN_ENDPOINT", setting(&out, "login_endpoint"))
        .env("EXCHANGE_ENDPOINT", setting(&out, "exchange_endpoint"))
        .env("COMPLIANCE_ENDPOINT", said("compliance_endpoint"))
        .env("REGION_ENDPOINT", said("compliance_region_endpoint"))
        .env("CA_FILE", setting(&out, "ca_file"))
        .env("CLIENT_SECRET", out.join("client-secret"))
        .env("TENANT", "contoso.onmicrosoft.com")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let verdict = tokio::time::timeout(Duration::from_secs(120), judge.output()).await;
    let verdict = verdict.expect("the script hangs").unwrap();
    let said =
        [verdict.stdout, verdict.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(verdict.status.success() && said.contains("all checks passed"), "{said}");

    let pid = Pid::from_raw(i32::try_from(emulator.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), emulator.wait()).await;
    assert_eq!(ended.expect("SIGTERM does not end it").unwrap().code(), Some(0));
    let mut rest = String::new();
    lines.into_inner().read_to_string(&mut rest).await.unwrap();
    assert!(!rest.contains("panicked"), "{rest}");
}
