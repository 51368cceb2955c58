//! The emulator's sign-in, judged by Microsoft's own sign-in libraries: MSAL for Python and for Node, against the real
//! `exorun emulate`. `tests/run` installs them.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "support/components.rs"]
mod components;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A judge that takes longer hangs.
const HANG: Duration = Duration::from_secs(180);

/// Runs `openssl`, and returns what it prints.
fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
    let output = std::process::Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A key, its certificate, and both thumbprints in hex: `NAME.key`, `.pem`, `.sha1`, `.sha256`.
fn certificate(folder: &Path, name: &str) {
    openssl(
        folder,
        &format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -subj /CN={name} -days 2"
        ),
    );
    for hash in ["sha1", "sha256"] {
        let line = openssl(folder, &format!("x509 -in {name}.pem -noout -fingerprint -{hash}"));
        let line = String::from_utf8(line).unwrap();
        let hex = line.trim().split_once('=').unwrap().1.replace(':', "");
        std::fs::write(folder.join(format!("{name}.{hash}")), hex).unwrap();
    }
}

/// `exorun emulate` with the certificate `own`, and the files that a judge needs.
struct Judged {
    folder: tempfile::TempDir,
    _emulator: Child,
}

impl Judged {
    async fn start(arguments: &[&str]) -> Judged {
        let folder = tempfile::tempdir().unwrap();
        certificate(folder.path(), "own");
        certificate(folder.path(), "foreign");
        let federated = "https://oidc.cluster.example/,system:serviceaccount:jobs:exorun,own.pem";
        let mut emulator = Command::new(env!("CARGO_BIN_EXE_exorun"))
            .args(["emulate", "--out", "out", "--log-format", "json", "--certificate", "own.pem"])
            .args(["--federated", federated])
            .args(arguments)
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
            while !lines.next_line().await.unwrap().expect("the emulator ended").contains("EMULATED: serving")
            {
            }
        });
        serving.await.expect("the emulator does not serve");
        // Drained, so that the emulator never meets a closed pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Judged { folder, _emulator: emulator }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("out").join(name)).unwrap()
    }

    fn setting(&self, key: &str) -> String {
        let settings = self.read("settings.yaml");
        let line = settings.lines().find_map(|line| line.strip_prefix(&format!("{key}: "))).unwrap();
        line.trim_matches('"').to_owned()
    }

    /// Runs a judge that has nothing of this machine's environment.
    async fn by(&self, mut judge: Command) -> Output {
        judge
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LOGIN_ENDPOINT", self.setting("login_endpoint"))
            .env("EXCHANGE_ENDPOINT", self.setting("exchange_endpoint"))
            .env("CA_FILE", self.setting("ca_file"))
            .env("NODE_EXTRA_CA_CERTS", self.setting("ca_file"))
            .env("CLIENT_SECRET", self.read("client-secret"))
            .env("USER_PASSWORD", self.read("user-password"))
            .env("FOLDER", self.folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        tokio::time::timeout(HANG, judge.output()).await.expect("the judge hangs").unwrap()
    }
}

fn assert_passed(verdict: Output) {
    let said =
        [verdict.stdout, verdict.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(verdict.status.success() && said.contains("all checks passed"), "{said}");
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/msal").join(name)
}

/// What `tests/run` has installed for a variable, if it is `there`.
fn installed(variable: &str, there: impl Fn(&Path) -> bool, test: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from).filter(|path| there(path));
    if path.is_none() {
        components::skip(test, "Microsoft's libraries are not installed: start the tests by tests/run");
    }
    path
}

fn has_msal(python: &Path) -> bool {
    let import = std::process::Command::new(python).args(["-c", "import msal"]).output();
    import.is_ok_and(|output| output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn msal_for_python_signs_in_and_is_refused_as_by_entra() {
    let test = "msal_for_python_signs_in_and_is_refused_as_by_entra";
    let Some(python) =
        installed("EXORUN_TEST_PYTHON", has_msal, test).filter(|_| components::has("openssl", test))
    else {
        return;
    };
    let judged = Judged::start(&["--device-life", "6s"]).await;
    let mut judge = Command::new(python);
    judge.arg(script("client.py"));
    assert_passed(judged.by(judge).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn msal_for_node_signs_in_and_is_refused_as_by_entra() {
    let test = "msal_for_node_signs_in_and_is_refused_as_by_entra";
    let modules = installed("EXORUN_TEST_NODE_MODULES", |path| path.join("@azure/msal-node").is_dir(), test);
    let Some(modules) = modules.filter(|_| components::has("node", test) && components::has("openssl", test))
    else {
        return;
    };
    // This library sends an assertion again while it lives, also for another resource.
    let judged = Judged::start(&["--assertion-reuse", "accept"]).await;
    let mut judge = Command::new("node");
    judge.arg(script("client.mjs")).arg(modules);
    assert_passed(judged.by(judge).await);
}
