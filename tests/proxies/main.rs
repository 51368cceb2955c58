//! Proxies between the real program and the real `exorun emulate`: whatever stands in the way, a run ends in time, says
//! what it met, and every session is closed as far as the service can see.
//!
//! A proxy stands before Exchange or before sign-in, never both, so that each test shows one thing.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/emulating.rs"]
mod emulating;
#[path = "../support/haproxy.rs"]
mod haproxy;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/toxic.rs"]
mod toxic;

mod answering;
mod cutting;
mod intercepting;
mod passing;
mod signing_in;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use emulating::Emulating;
use haproxy::{Haproxy, Tls};
use program::{Ended, ended, shipped};
use serde_json::Value;
use tokio::process::Command;

/// Settings of an administrator who is in a hurry.
const LIMITS: [(&str, &str); 9] = [
    ("EXORUN_CALL_TIMEOUT", "1500ms"),
    ("EXORUN_SIGNIN_TIMEOUT", "5s"),
    ("EXORUN_CLOSE_DEADLINE", "500ms"),
    ("EXORUN_RETRY_ATTEMPTS", "3"),
    ("EXORUN_RETRY_DELAY_FIRST", "50ms"),
    ("EXORUN_RETRY_DELAY_MAX", "200ms"),
    ("EXORUN_REREAD_WAIT", "2s"),
    ("EXORUN_OPENS_PER_MINUTE", "1000"),
    ("EXORUN_SESSION_WAIT", "5s"),
];

/// Three tries of one call with two pauses, a close, and what a busy machine adds.
const GIVES_UP_WITHIN: Duration = Duration::from_millis(3 * 1500 + 2 * 200 + 500 + 5000);

/// How long the program tries to connect: TCP and TLS together. No setting changes it.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// A run that ended, what it reported and how long it took.
struct Run {
    ended: Ended,
    report: Value,
    took: Duration,
}

impl Run {
    /// The run has failed in its first call, with this exit code and these words for whoever reads the output.
    #[track_caller]
    fn assert_failed(&self, code: i32, words: &[&str]) {
        self.ended.assert_code(code);
        for words in words {
            assert!(self.ended.stdout.contains(words), "{words}\n{}", self.ended.stdout);
        }
        assert_eq!(self.report["exit_code"], code);
        assert!(self.took < GIVES_UP_WITHIN, "{:?}", self.took);
    }

    /// The sum of a number over all steps.
    fn sum(&self, of: &str) -> u64 {
        self.report["steps"].as_array().unwrap().iter().map(|step| step[of].as_u64().unwrap()).sum()
    }
}

async fn emulator(mailboxes: &str) -> Emulating {
    Emulating::start(&["--sessions", "count", "--session-idle", "2s", "--mailboxes", mailboxes]).await
}

/// Whether HAProxy and what these tests ask the emulator with are there; if not, the skip is shown.
fn has_haproxy(test: &str) -> bool {
    ["haproxy", "curl"].into_iter().all(|program| components::has(program, test))
}

/// The job that reads a listing, and then reads and writes each of its objects.
fn hardening() -> PathBuf {
    shipped("shared-mailbox-hardening.yaml")
}

/// A job that only reads a listing.
fn listing(emulator: &Emulating) -> PathBuf {
    let path = emulator.folder.path().join("listing.yaml");
    let text = "version: 1\nname: listing\ntenant: contoso.onmicrosoft.com\nauth:\n  method: client_secret\n  \
                client_id: 11111111-2222-3333-4444-555555555555\n  credential:\n    env: EXORUN_CLIENT_SECRET\n\
                steps:\n  - name: all\n    cmdlet: Get-EXOMailbox\n    parameters:\n      ResultSize: Unlimited\n";
    std::fs::write(&path, text).unwrap();
    path
}

/// A job that is running against the emulator.
struct Running {
    child: tokio::process::Child,
    report: PathBuf,
    began: Instant,
}

impl Running {
    /// Starts a job with the emulator's Exchange door at `endpoint`.
    fn start(
        emulator: &Emulating,
        endpoint: &str,
        ca_file: &Path,
        job: &Path,
        more: &[(&str, &str)],
    ) -> Running {
        let folder = emulator.folder.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_exorun"));
        command
            .arg("run")
            .arg(job)
            .args(["--report", "report.json"])
            .env_clear()
            .envs(LIMITS)
            .env("EXORUN_LOGIN_ENDPOINT", emulator.endpoint("login_endpoint").unwrap())
            .env("EXORUN_EXCHANGE_ENDPOINT", endpoint)
            .env("EXORUN_CA_FILE", ca_file)
            .env("EXORUN_EMULATED", "true")
            .env("EXORUN_STATE_DIR", folder.join("state"))
            .env(
                "EXORUN_CLIENT_SECRET",
                std::fs::read_to_string(emulator.out("client-secret")).unwrap().trim(),
            )
            .envs(more.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let (began, report) = (Instant::now(), folder.join("report.json"));
        Running { child: command.spawn().unwrap(), report, began }
    }

    async fn end(self) -> Run {
        let ended = ended(self.child).await;
        let took = self.began.elapsed();
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        let report = std::fs::read_to_string(self.report).unwrap();
        Run { ended, report: serde_json::from_str(&report).unwrap(), took }
    }
}

/// Runs a job to its end.
async fn run(emulator: &Emulating, endpoint: &str, ca_file: &Path, job: &Path, more: &[(&str, &str)]) -> Run {
    Running::start(emulator, endpoint, ca_file, job, more).end().await
}

/// Waits until the emulator counts no session any more: then as many were closed as opened. Returns its state.
async fn all_closed(emulator: &Emulating) -> Value {
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        let state = emulator.state().await;
        let sessions = &state["sessions"];
        if sessions["live"] == 0 || Instant::now() > patience {
            assert_eq!(
                (&sessions["live"], &sessions["opened"]),
                (&0.into(), &sessions["closed"]),
                "{sessions}"
            );
            return state;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The same, where nothing was cut: the emulator saw a clean end of every transport.
async fn all_closed_cleanly(emulator: &Emulating) -> Value {
    let state = all_closed(emulator).await;
    assert!(state["sessions"]["opened"].as_u64().unwrap() > 0, "{state}");
    assert_eq!(state["sessions"]["unclean"], 0, "{state}");
    state
}

/// How many requests of a cmdlet the emulator has answered.
fn answered(state: &Value, cmdlet: &str) -> u64 {
    let counts = state["by_cmdlet"].as_array().unwrap().iter();
    counts.filter(|count| count["what"] == cmdlet).map(|count| count["count"].as_u64().unwrap()).sum()
}

/// An emulator behind HAProxy with these rules in its frontend.
async fn behind(tls: Tls, rules: &str) -> (Emulating, Haproxy) {
    let emulator = emulator("60").await;
    let port = emulator.port("exchange_endpoint");
    let proxy = Haproxy::start(tls, port, &emulator.out("ca.pem"), rules);
    (emulator, proxy)
}

/// Runs a job through HAProxy.
async fn run_through(emulator: &Emulating, proxy: &Haproxy, job: &Path, more: &[(&str, &str)]) -> Run {
    let run = run(emulator, &proxy.endpoint(), &proxy.ca_file, job, more).await;
    assert!(!proxy.log().contains("[ALERT]"), "{}", proxy.log());
    run
}
