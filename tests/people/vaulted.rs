//! A desk beside a real OpenBao.

use std::time::Duration;

use exorun::emulator::Options;
use serde_json::Value;
use tokio::process::Command;

use super::desk::{Desk, end, end_of};
use super::openbao::OpenBao;
use super::program::Ended;

/// What runs may do in Vault, and nothing else.
const POLICY: &str = "path \"secret/data/people/*\" { capabilities = [\"create\", \"read\", \"update\"] }\n\
                      path \"secret/metadata/people/*\" { capabilities = [\"read\", \"delete\"] }";

/// Where the sign-in of these tests is kept.
pub(crate) const PLACE: &str = "secret/data/people/navin";

/// A desk whose program reads and writes Vault.
pub(crate) struct Vaulted {
    pub(crate) desk: Desk,
    pub(crate) bao: OpenBao,
    environment: Vec<(&'static str, String)>,
}

impl Vaulted {
    /// `None`: OpenBao is not installed, and `test` is skipped visibly.
    pub(crate) async fn start(test: &str, options: Options) -> Option<Vaulted> {
        let bao = OpenBao::start(test).await?;
        bao.policy("people", POLICY).await;
        let token = bao.token_file(&["people"]).await;
        let mut environment = bao.environment();
        environment.push(("EXORUN_VAULT_AUTH", "token".to_owned()));
        environment.push(("EXORUN_VAULT_TOKEN_FILE", token.display().to_string()));
        Some(Vaulted { desk: Desk::new(options).await, bao, environment })
    }

    /// A job whose sign-in is kept, with further keys of `auth`.
    pub(crate) fn job(&self, method: &str, more: &[&str]) -> String {
        let method = format!("method: {method}");
        let mut auth = vec![method.as_str()];
        auth.extend(more);
        auth.extend(["credential:", "  vault: {path: people/navin}"]);
        self.desk.job(&auth).to_str().unwrap().to_owned()
    }

    /// Adds how Vault is reached.
    pub(crate) fn with_vault(&self, mut command: Command) -> Command {
        command.envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// The program where nobody is, to its end.
    pub(crate) async fn unattended(&self, arguments: &[&str]) -> Ended {
        end(self.with_vault(self.desk.unattended(arguments))).await
    }

    /// The program at a terminal, to its end.
    pub(crate) async fn attended(&self, arguments: &[&str], answers: &[(&str, Option<&str>)]) -> Ended {
        end(self.with_vault(self.desk.attended(arguments, answers))).await
    }

    /// `exorun login --method device`, whose code `user` confirms elsewhere.
    pub(crate) async fn login(&self, job: &str, user: &str) -> Ended {
        self.login_with(job, user, &[]).await
    }

    /// The same, of a job or connection, with further arguments.
    pub(crate) async fn login_with(&self, whose: &str, user: &str, more: &[&str]) -> Ended {
        let arguments = [&["login", whose, "--method", "device"], more].concat();
        let mut command = self.with_vault(self.desk.unattended(&arguments));
        let child = command.spawn().unwrap();
        let code = self.desk.user_code().await;
        self.desk.tenant.control(&format!("device/{code}"), &format!("approve {user}")).await;
        end_of(child).await
    }

    /// What is kept: its fields and its version.
    pub(crate) async fn kept(&self) -> (Value, u64) {
        let mut data = self.bao.read(PLACE).await;
        let version = data["metadata"]["version"].as_u64().unwrap();
        (data["data"].take(), version)
    }

    /// Whether a confirmed code was exchanged for a token.
    pub(crate) fn redeemed(&self) -> bool {
        let counters = self.desk.tenant.emulator.counters();
        counters.by_cmdlet.iter().any(|seen| seen.what == "token" && seen.status == 200)
    }

    /// The device codes asked for so far.
    pub(crate) fn asked(&self) -> u64 {
        super::program::requests(&self.desk.tenant.emulator.counters(), "devicecode")
    }
}

/// Options whose access tokens do not matter and whose device codes are polled often.
pub(crate) fn options() -> Options {
    Options { token_life: Duration::from_secs(3599), ..super::desk::options() }
}
