//! Every command that makes an `App` ends it, so that no token of Vault outlives its process by mistake.

use std::path::{Path, PathBuf};

use exorun::emulator::{DeviceApproval, Options};
use serde_json::{Value, json};

use super::openbao::OpenBao;
use super::program::{CLIENT_SECRET, Tenant, ended};

/// By which a command gets an `App`.
const MADE: [&str; 3] = ["start::ready(", "start::ready_keeping(", "App::new("];

#[test]
fn every_command_that_can_log_in_to_vault_gives_its_tokens_back() {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
    let mut commands = Vec::new();
    let mut folders = vec![cli.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            if MADE.iter().any(|made| text.contains(made)) && !path.ends_with("start.rs") {
                let name = path.strip_prefix(&cli).unwrap().display().to_string();
                commands.push((name, text.contains(".end().await")));
            }
        }
    }
    for wanted in ["doctor/mod.rs", "invoke.rs", "login.rs", "run.rs"] {
        assert!(commands.iter().any(|(name, _)| name == wanted), "{wanted} is not found: {commands:?}");
    }
    let left: Vec<_> = commands.iter().filter(|(_, ends)| !ends).map(|(name, _)| name).collect();
    assert!(left.is_empty(), "these make an App and never call `app.end().await`: {left:?}");
}

/// A tenant whose codes are confirmed by themselves, beside an OpenBao that is logged in to by a role.
struct House {
    bao: OpenBao,
    tenant: Tenant,
    role: (PathBuf, PathBuf),
}

impl House {
    fn job(&self, auth: &str) -> String {
        let path = self.tenant.path("job.yaml");
        let steps = "steps:\n  - name: some\n    cmdlet: Get-Mailbox\n    parameters:\n      ResultSize: 3\n";
        let text = format!("version: 1\nname: a-job\ntenant: contoso.onmicrosoft.com\nauth: {auth}\n{steps}");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The command ends well, has logged in, and leaves no token.
    async fn leaves_nothing(&self, arguments: &[&str]) {
        let mut command = self.tenant.exorun(arguments);
        command
            .envs(self.bao.environment())
            .env("EXORUN_VAULT_AUTH", "approle")
            .env("EXORUN_VAULT_ROLE_ID_FILE", &self.role.0)
            .env("EXORUN_VAULT_SECRET_ID_FILE", &self.role.1)
            .env("EXORUN_CLOSE_DEADLINE", "3s");
        let ended = ended(command.spawn().unwrap()).await;
        ended.assert_code(0);
        assert!(ended.stderr.contains("logged in to Vault"), "{arguments:?}: {}", ended.stderr);
        assert_eq!(self.bao.logins("approle").await, Vec::<Value>::new(), "{arguments:?}: {}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_climb_a_login_and_a_logout_leave_no_token() {
    let Some(bao) = OpenBao::start("vault: a_climb_a_login_and_a_logout_leave_no_token").await else {
        return;
    };
    let options =
        Options { device_approval: DeviceApproval::AfterPolls(0), mailboxes: 5, ..Options::default() };
    bao.write("secret/data/exo/contoso", json!({"data": {"client_secret": CLIENT_SECRET}})).await;
    let policy = "path \"secret/data/exo/*\" { capabilities = [\"create\", \"read\", \"update\"] }\n\
                  path \"secret/metadata/exo/*\" { capabilities = [\"delete\"] }";
    bao.policy("exo", policy).await;
    let role = bao.approle("exorun", json!({"token_policies": "exo"})).await;
    let house = House { bao, tenant: Tenant::start(options).await, role };
    let job = house.job(
        "{method: client_secret, client_id: 11111111-2222-3333-4444-555555555555, credential: {vault: {path: exo/contoso}}}",
    );
    house.leaves_nothing(&["doctor", &job]).await;
    let job = house.job("{method: device, credential: {vault: {path: exo/person}}}");
    house.leaves_nothing(&["login", &job, "--method", "device"]).await;
    house.leaves_nothing(&["doctor", &job]).await;
    house.leaves_nothing(&["logout", &job, "--yes"]).await;
    house.tenant.assert_all_closed();
}
