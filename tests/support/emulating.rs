//! The real `exorun emulate` as a process of its own.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::{Child, Command};

/// Starting and ending takes less; what does not hangs.
const HANG: Duration = Duration::from_secs(30);

/// A running emulator; it is killed when this is dropped.
pub(crate) struct Emulating {
    child: Child,
    pub(crate) folder: tempfile::TempDir,
}

impl Emulating {
    /// Starts it with further arguments, and waits until it serves.
    pub(crate) async fn start(arguments: &[&str]) -> Emulating {
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_exorun"))
            .args(["emulate", "--out", "out", "--log-format", "json"])
            .args(arguments)
            .env_clear()
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut emulating = Emulating { child, folder };
        let serves = tokio::time::timeout(HANG, async {
            // A line that is there to its end.
            while !emulating.log().contains("EMULATED: serving") || !emulating.log().ends_with('\n') {
                assert_eq!(emulating.child.try_wait().unwrap(), None, "{}", emulating.log());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        serves.await.expect("the emulator does not serve");
        emulating
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// A file that it wrote.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join("out").join(name)
    }

    /// An endpoint that it named when it began to serve, such as `exchange_endpoint`.
    pub(crate) fn endpoint(&self, name: &str) -> Option<String> {
        let log = self.log();
        let serving = log.lines().find(|line| line.contains("EMULATED: serving"))?;
        let serving: Value = serde_json::from_str(serving).unwrap();
        Some(serving[name].as_str()?.to_owned())
    }

    /// The port of an endpoint.
    pub(crate) fn port(&self, name: &str) -> u16 {
        let endpoint = self.endpoint(name).unwrap();
        endpoint.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// Its counters, asked for by curl.
    pub(crate) async fn state(&self) -> Value {
        let url = format!("{}/_emulator/state", self.endpoint("exchange_endpoint").unwrap());
        let answer = Command::new("curl")
            .args(["--silent", "--show-error", "--http1.1", "--noproxy", "*", "--max-time", "20", "--cacert"])
            .arg(self.out("ca.pem"))
            .arg(url)
            .output()
            .await
            .unwrap();
        serde_json::from_slice(&answer.stdout).unwrap_or_else(|_| panic!("{answer:?}"))
    }

    /// Ends it by SIGKILL: what it had in hand is cut off.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Ends it by SIGTERM, and looks at how it ended.
    pub(crate) async fn end(mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let ended = tokio::time::timeout(HANG, self.child.wait()).await;
        assert_eq!(ended.expect("SIGTERM does not end it").unwrap().code(), Some(0));
        assert!(!self.log().contains("panicked"), "{}", self.log());
    }
}
