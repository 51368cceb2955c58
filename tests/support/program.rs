//! The real program as a process, against an emulator in this one: real TCP, TLS, files and signals.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use exorun::emulator::{Counters, Emulator, Fault, Options};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

/// What the emulator's applications sign in with. Made up; it opens nothing.
pub(crate) const CLIENT_SECRET: &str = "canary-7d1f-client-secret-of-the-emulator";

/// The one short set of times for real processes. An idle transport is forgotten by the emulator after
/// [`SESSION_IDLE`], before the quarantine ends.
pub(crate) const SHORT_TIMES: [(&str, &str); 10] = [
    ("EXORUN_LEASE", "6s"),
    ("EXORUN_QUARANTINE", "3s"),
    ("EXORUN_OPENS_PER_MINUTE", "1000"),
    ("EXORUN_CALL_TIMEOUT", "5s"),
    ("EXORUN_CLOSE_DEADLINE", "500ms"),
    ("EXORUN_DRAIN_GRACE", "5s"),
    ("EXORUN_RETRY_DELAY_FIRST", "50ms"),
    ("EXORUN_RETRY_DELAY_MAX", "500ms"),
    ("EXORUN_REREAD_WAIT", "4s"),
    ("EXORUN_SESSION_WAIT", "2m"),
];
pub(crate) const SESSION_IDLE: Duration = Duration::from_secs(2);

/// Lease, quarantine and the time a call may still work after its caller died: by then a killed run's slot is free.
pub(crate) const SLOT_COMES_BACK: Duration = Duration::from_secs(6 + 3 + 5);

/// Nothing in these tests takes longer; what does hangs.
const HANG: Duration = Duration::from_secs(120);

/// An emulated tenant and a host of its own for its runs.
pub(crate) struct Tenant {
    pub(crate) emulator: Emulator,
    pub(crate) folder: tempfile::TempDir,
}

impl Tenant {
    pub(crate) async fn start(options: Options) -> Tenant {
        let options =
            Options { client_secret: Some(CLIENT_SECRET.to_owned()), session_idle: SESSION_IDLE, ..options };
        let emulator = Emulator::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), emulator.ca_pem()).unwrap();
        Tenant { emulator, folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The services' own names, led to the emulator.
    fn detours(&self) -> String {
        let names = self.emulator.real_names();
        let detours: Vec<String> =
            names.iter().map(|(name, to)| format!("{name}:443:{}:{}", to.ip(), to.port())).collect();
        detours.join(",")
    }

    /// The program with this tenant's settings, and nothing else of the environment.
    pub(crate) fn exorun(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exorun"));
        command
            .args(arguments)
            .env_clear()
            .envs(SHORT_TIMES)
            .env("EXORUN_LOGIN_ENDPOINT", self.emulator.login_endpoint())
            .env("EXORUN_EXCHANGE_ENDPOINT", self.emulator.exchange_endpoint())
            .env("EXORUN_COMPLIANCE_ENDPOINT", "https://ps.compliance.protection.outlook.com")
            .env("EXORUN_CONNECT_TO", self.detours())
            .env("EXORUN_CA_FILE", self.path("ca.pem"))
            .env("EXORUN_EMULATED", "true")
            .env("EXORUN_STATE_DIR", self.path("state"))
            .env("EXORUN_CLIENT_SECRET", CLIENT_SECRET)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// The program started by a shell that runs `script` first, in which `exec "$@"` becomes the program.
    pub(crate) fn by_shell(&self, script: &str, arguments: &[&str]) -> Command {
        let program = self.exorun(arguments);
        let program = program.as_std();
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "sh"])
            .arg(program.get_program())
            .args(program.get_args())
            .env_clear()
            .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a job file to its end.
    pub(crate) async fn run(&self, job: &Path, more: &[&str]) -> Ended {
        let mut arguments = vec!["run", job.to_str().unwrap()];
        arguments.extend(more);
        ended(self.exorun(&arguments).spawn().unwrap()).await
    }

    /// A POST of the emulator's control endpoint.
    pub(crate) async fn control(&self, path: &str, body: &str) {
        let _installed_already = rustls::crypto::ring::default_provider().install_default();
        let ca = reqwest::Certificate::from_pem(self.emulator.ca_pem().as_bytes()).unwrap();
        let client =
            reqwest::Client::builder().tls_certs_only([ca]).no_proxy().timeout(HANG).build().unwrap();
        let url = format!("{}/{path}", self.emulator.control_url());
        let answer = client.post(url).body(body.to_owned()).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// Waits until the emulator has answered `count` calls of `cmdlet`.
    pub(crate) async fn calls(&self, cmdlet: &str, count: u64) {
        self.until(&format!("{count} calls of {cmdlet}"), |counters| requests(counters, cmdlet) >= count)
            .await;
    }

    /// Waits until the emulator's counters are as wanted.
    pub(crate) async fn until(&self, what: &str, mut wanted: impl FnMut(&Counters) -> bool) {
        let waited = tokio::time::timeout(HANG, async {
            while !wanted(&self.emulator.counters()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(waited.await.is_ok(), "waited in vain for {what}: {:?}", self.emulator.counters());
    }

    /// Invariant 3 as the service sees it: everything that was opened is closed, cleanly.
    pub(crate) fn assert_all_closed(&self) {
        // The emulator is in this process: on a busy machine it may see an end after the program has ended.
        let patience = Instant::now() + Duration::from_secs(5);
        while self.emulator.counters().sessions.live > 0 && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        let sessions = self.emulator.counters().sessions;
        assert!(sessions.opened > 0, "{sessions:?}");
        assert_eq!(sessions.opened, sessions.closed, "{sessions:?}");
        assert_eq!((sessions.live, sessions.unclean), (0, 0), "{sessions:?}");
    }
}

/// A process that has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The exit code, with everything the process said if it is another.
    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
    }
}

pub(crate) async fn ended(child: Child) -> Ended {
    let output = tokio::time::timeout(HANG, child.wait_with_output()).await;
    let Output { status, stdout, stderr } = output.expect("the process hangs").unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    for text in [&stdout, &stderr] {
        assert!(!text.contains(CLIENT_SECRET), "the secret is in the output");
    }
    Ended { code: status.code(), stdout, stderr }
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

pub(crate) fn fault(spec: &str) -> Fault {
    spec.parse().unwrap()
}

/// A shipped job.
pub(crate) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs").join(name)
}

/// How many requests of `cmdlet` the emulator has seen.
pub(crate) fn requests(counters: &Counters, cmdlet: &str) -> u64 {
    counters.by_cmdlet.iter().filter(|seen| seen.what == cmdlet).map(|seen| seen.count).sum()
}
