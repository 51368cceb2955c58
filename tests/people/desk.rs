//! A person's desk: a tenant with accounts, a job, a terminal, and a browser that is opened by the program.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use exorun::emulator::{DeviceApproval, Options};
use tokio::process::{Child, Command};

use super::program::{Ended, Tenant, ended};

/// Everybody's password here. Made up; it opens nothing.
pub(crate) const PASSWORD: &str = "canary-5b1e-password-of-the-emulator";
/// What is asked for besides.
pub(crate) const VERIFICATION_CODE: &str = "424242";
/// Without a second factor, and with one.
pub(crate) const NAVIN: &str = "navin@contoso.onmicrosoft.com";
pub(crate) const MFA: &str = "mfa@contoso.onmicrosoft.com";

/// What opens addresses here: it writes them down.
const OPENER: &str = "#!/bin/sh\nprintf '%s' \"$1\" >opened.part && mv opened.part opened\n";

/// Waiting for a process takes less; what does not hangs.
pub(crate) const HANG: Duration = Duration::from_secs(60);

pub(crate) fn options() -> Options {
    let accounts = [
        NAVIN,
        "mfa@contoso.onmicrosoft.com=mfa",
        "gone@contoso.onmicrosoft.com=disabled",
        "locked@contoso.onmicrosoft.com=locked",
        "fed@contoso.onmicrosoft.com=federated",
    ];
    Options {
        mailboxes: 5,
        accounts: accounts.iter().map(|account| account.parse().unwrap()).collect(),
        user_password: Some(PASSWORD.to_owned()),
        verification_code: Some(VERIFICATION_CODE.to_owned()),
        device_approval: DeviceApproval::Manual,
        device_interval: Duration::from_secs(1),
        ..Options::default()
    }
}

/// A desk in a tenant.
pub(crate) struct Desk {
    pub(crate) tenant: Tenant,
}

impl Desk {
    pub(crate) async fn new(options: Options) -> Desk {
        use std::os::unix::fs::PermissionsExt as _;
        let tenant = Tenant::start(options).await;
        std::fs::create_dir(tenant.path("bin")).unwrap();
        let opener = tenant.path("bin/xdg-open");
        std::fs::write(&opener, OPENER).unwrap();
        std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
        Desk { tenant }
    }

    /// Writes a job with this `auth`, one key a line.
    pub(crate) fn job(&self, auth: &[&str]) -> PathBuf {
        let auth: String = auth.iter().map(|line| format!("  {line}\n")).collect();
        let path = self.tenant.path("job.yaml");
        let text = format!(
            "version: 1\nname: by-a-person\ntenant: contoso.onmicrosoft.com\nauth:\n{auth}steps:\n  - name: some\n    \
             cmdlet: Get-Mailbox\n    parameters:\n      ResultSize: 3\n"
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    fn path(&self) -> std::ffi::OsString {
        let system = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.tenant.path("bin")).chain(std::env::split_paths(&system));
        std::env::join_paths(folders).unwrap()
    }

    /// The program where nobody is.
    pub(crate) fn unattended(&self, arguments: &[&str]) -> Command {
        let mut command = self.tenant.exorun(arguments);
        command.env("PATH", self.path());
        command
    }

    /// The program at a terminal, whose person types each answer when its question is seen; `None` is Ctrl-C.
    pub(crate) fn attended(&self, arguments: &[&str], answers: &[(&str, Option<&str>)]) -> Command {
        let program = self.tenant.exorun(arguments);
        let program = program.as_std();
        let mut command = Command::new("python3");
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/people/at_a_terminal.py"))
            .arg(serde_json::to_string(answers).unwrap())
            .arg(program.get_program())
            .args(program.get_args())
            .env_clear()
            .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("PATH", self.path())
            .current_dir(self.tenant.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// The address that the program had opened, waited for.
    pub(crate) async fn opened(&self) -> String {
        let path = self.tenant.path("opened");
        let waited = tokio::time::timeout(HANG, async {
            while !path.exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        waited.await.expect("nothing was opened");
        std::fs::read_to_string(path).unwrap()
    }

    /// The one user code that waits to be confirmed.
    pub(crate) async fn user_code(&self) -> String {
        let state = format!("{}/state", self.tenant.emulator.control_url());
        let mut walker = super::walker::Walker::new(Some(self.tenant.emulator.ca_pem()));
        let waited = tokio::time::timeout(HANG, async {
            loop {
                walker.open(&state).await;
                let state: serde_json::Value = serde_json::from_str(&walker.html).unwrap();
                if let Some(code) = state["device_codes_waiting"][0].as_str() {
                    return code.to_owned();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        waited.await.expect("no code waits")
    }
}

/// Runs to the end; no password may be seen anywhere.
pub(crate) async fn end(mut command: Command) -> Ended {
    end_of(command.spawn().unwrap()).await
}

pub(crate) async fn end_of(child: Child) -> Ended {
    let ended = ended(child).await;
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains(PASSWORD), "the password is in the output: {text}");
    }
    ended
}
