//! `exorun run` with its credentials in OpenBao, against the emulator.

use std::path::{Path, PathBuf};

use exorun::emulator::Options;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::process::Command;

use super::components;
use super::openbao::{OpenBao, ROOT_TOKEN};
use super::program::{CLIENT_SECRET, Ended, Tenant, ended, fault, signal};

/// An emulated tenant whose application's secret is in Vault, and a role that may read it.
struct House {
    bao: OpenBao,
    tenant: Tenant,
    role_id_file: PathBuf,
    secret_id_file: PathBuf,
}

/// The policy of docs/vault.md, as it stands there.
fn documented_policy() -> String {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/vault.md")).unwrap();
    let (_, rest) = page.split_once("```hcl file=exorun.hcl\n").expect("the page has a policy");
    rest.split_once("```").unwrap().0.to_owned()
}

impl House {
    async fn build(test: &str, faults: &[&str]) -> Option<House> {
        let bao = OpenBao::start_tls(test).await?;
        let faults = faults.iter().map(|spec| fault(spec)).collect();
        let tenant = Tenant::start(Options { mailboxes: 10, faults, ..Options::default() }).await;
        bao.write("secret/data/exorun/contoso", json!({"data": {"client_secret": CLIENT_SECRET}})).await;
        bao.policy("exorun", &documented_policy()).await;
        let (role_id_file, secret_id_file) = bao.approle("exorun", json!({"token_policies": "exorun"})).await;
        Some(House { bao, tenant, role_id_file, secret_id_file })
    }

    /// `exorun run` of a job that reads one mailbox after the other.
    fn run(&self, path: &str, more: &[&str]) -> Command {
        let auth = format!(
            "  method: client_secret\n  client_id: 11111111-2222-3333-4444-555555555555\n  credential:\n    \
             vault: {{path: {path}}}\n"
        );
        self.run_as(&auth, more)
    }

    /// The same, signed in so.
    fn run_as(&self, auth: &str, more: &[&str]) -> Command {
        let job = self.tenant.path("job.yaml");
        let text = format!(
            "version: 1\nname: a-job\ntenant: contoso.onmicrosoft.com\nauth:\n{auth}\
             steps:\n  - name: all\n    cmdlet: Get-Mailbox\n"
        );
        std::fs::write(&job, text).unwrap();
        let mut arguments =
            vec!["run", job.to_str().unwrap(), "--report", "report.json", "--metrics-file", "run.prom"];
        arguments.extend(more);
        let mut command = self.tenant.exorun(&arguments);
        command
            .env_remove("EXORUN_CLIENT_SECRET")
            .envs(self.bao.environment())
            .env("EXORUN_VAULT_AUTH", "approle")
            .env("EXORUN_VAULT_ROLE_ID_FILE", &self.role_id_file)
            .env("EXORUN_VAULT_SECRET_ID_FILE", &self.secret_id_file)
            .env("EXORUN_VAULT_TIMEOUT", "20s")
            // Revoking is given this long.
            .env("EXORUN_CLOSE_DEADLINE", "3s");
        command
    }

    async fn ran(&self, path: &str, more: &[&str]) -> Ended {
        ended(self.run(path, more).spawn().unwrap()).await
    }

    async fn assert_nothing_is_left(&self) {
        assert_eq!(self.bao.logins("approle").await, Vec::<Value>::new(), "every token is revoked");
    }

    /// No secret is in anything that the run wrote.
    fn assert_clean(&self, ended: &Ended) {
        let secret_id = std::fs::read_to_string(&self.secret_id_file).unwrap();
        let mut texts = vec![ended.stdout.clone(), ended.stderr.clone()];
        for name in ["report.json", "run.prom"] {
            texts.extend(std::fs::read_to_string(self.tenant.path(name)));
        }
        let token = regex::Regex::new(r"\b(s|b|r)\.[A-Za-z0-9_-]{20,}").unwrap();
        for text in &texts {
            for canary in [CLIENT_SECRET, secret_id.trim(), ROOT_TOKEN] {
                assert!(!text.contains(canary), "{canary}");
            }
            assert!(!token.is_match(text), "a token of Vault is in: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_its_secret_from_vault_and_gives_its_token_back() {
    let Some(house) = House::build("vault: a_run_takes_its_secret", &[]).await else { return };
    let ended = house.ran("exorun/contoso", &["--log-level", "trace"]).await;
    ended.assert_code(0);
    assert!(
        ended.stderr.contains("logged in to Vault") && ended.stderr.contains("a token of Vault is revoked")
    );
    assert!(ended.stderr.contains("TRACE"), "the finest logs are written");
    house.assert_clean(&ended);
    house.assert_nothing_is_left().await;
    house.tenant.assert_all_closed();
    let metrics = std::fs::read_to_string(house.tenant.path("run.prom")).unwrap();
    for series in ["logins_total{outcome=\"ok\"", "reads_total{outcome=\"ok\""] {
        assert!(metrics.contains(&format!("exorun_vault_{series}")), "{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_fail_leave_no_token_and_show_no_secret() {
    let Some(house) = House::build("vault: runs_that_fail", &[]).await else { return };
    house
        .bao
        .write("secret/data/exorun/wrong", json!({"data": {"client_secret": "canary-wrong-secret"}}))
        .await;
    house.bao.write("secret/data/exorun/number", json!({"data": {"client_secret": 4711}})).await;
    house.bao.write("secret/data/other", json!({"data": {"client_secret": CLIENT_SECRET}})).await;
    for (path, code, words) in [
        ("exorun/wrong", 77, "AADSTS7000215"),
        ("exorun/nothing", 64, "credential vault:secret/exorun/nothing: there is no secret at this path"),
        ("exorun/number", 64, "the field `client_secret` holds a number"),
        ("other", 64, "path \"secret/data/other\" { capabilities = [\"read\"] }"),
    ] {
        let ended = house.ran(path, &["--log-level", "trace", "--log-format", "json"]).await;
        ended.assert_code(code);
        let report: Value =
            serde_json::from_str(&std::fs::read_to_string(house.tenant.path("report.json")).unwrap())
                .unwrap();
        assert!(report["reason"].as_str().unwrap().contains(words), "{report}");
        assert!(!ended.stderr.contains("canary-wrong-secret"));
        house.assert_clean(&ended);
        house.assert_nothing_is_left().await;
    }
    std::fs::write(&house.secret_id_file, "canary-that-is-no-secret-id").unwrap();
    let ended = house.ran("exorun/contoso", &["--log-level", "trace"]).await;
    ended.assert_code(64);
    assert!(ended.stderr.contains("cannot log in to Vault by approle at auth/approle"), "{}", ended.stderr);
    house.assert_clean(&ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_gives_its_token_back() {
    let Some(house) =
        House::build("vault: a_run_that_is_stopped", &["slow:ms=20000:cmdlet=Get-Mailbox"]).await
    else {
        return;
    };
    let child = house.run("exorun/contoso", &["--drain-grace", "200ms"]).spawn().unwrap();
    house.tenant.until("a call in hand", |counters| counters.sessions.live == 1).await;
    assert_eq!(house.bao.logins("approle").await.len(), 1, "while it runs, there is one");
    signal(&child, Signal::TERM);
    ended(child).await.assert_code(75);
    house.assert_nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_vault_a_run_goes_on_and_a_new_one_is_told_why_it_cannot() {
    let Some(mut house) =
        House::build("vault: without_vault_a_run_goes_on", &["slow:ms=2000:cmdlet=Get-Mailbox"]).await
    else {
        return;
    };
    let child = house.run("exorun/contoso", &[]).spawn().unwrap();
    house.tenant.until("a call in hand", |counters| counters.sessions.live == 1).await;
    house.bao.kill().await;
    let went_on = ended(child).await;
    went_on.assert_code(0);
    assert!(went_on.stderr.contains("a token of Vault is not revoked"), "{}", went_on.stderr);
    let new = house.ran("exorun/contoso", &["--retry-attempts", "2", "--session-wait", "5s"]).await;
    new.assert_code(1);
    assert!(new.stderr.contains(&format!("no answer from Vault at {}", house.bao.address)), "{}", new.stderr);
    house.assert_clean(&new);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_stands_still_is_given_up_in_time() {
    let Some(house) = House::build("vault: a_vault_that_stands_still", &[]).await else { return };
    house.bao.freeze();
    let mut command = house.run("exorun/contoso", &["--retry-attempts", "2"]);
    let ended = ended(command.env("EXORUN_VAULT_TIMEOUT", "300ms").spawn().unwrap()).await;
    house.bao.resume();
    ended.assert_code(1);
    assert!(ended.stderr.contains("no answer from Vault at"), "{}", ended.stderr);
    house.assert_clean(&ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_whose_key_never_leaves_vault_signs_in() {
    let test = "vault: an_application_whose_key_never_leaves_vault";
    let Some(bao) = OpenBao::start_tls(test).await else { return };
    if !components::has("openssl", test) {
        return;
    }
    bao.mount("transit", "transit", json!({})).await;
    bao.write("transit/keys/exorun-contoso", json!({"type": "rsa-2048"})).await;
    let key = bao.read("transit/keys/exorun-contoso").await;
    let certificate = certificate_for(bao.folder.path(), key["keys"]["1"]["public_key"].as_str().unwrap());
    bao.write("secret/data/exorun/contoso-certificate", json!({"data": {"certificate": certificate}})).await;
    bao.policy("exorun", &documented_policy()).await;
    let (role_id_file, secret_id_file) = bao.approle("exorun", json!({"token_policies": "exorun"})).await;
    let options = Options { mailboxes: 10, certificates: vec![certificate], ..Options::default() };
    let house = House { bao, tenant: Tenant::start(options).await, role_id_file, secret_id_file };
    for signature in ["PS256", "RS256"] {
        let auth = format!(
            "  method: transit\n  client_id: 11111111-2222-3333-4444-555555555555\n  transit: {{key: exorun-contoso}}\n  \
             signature: {signature}\n  certificate:\n    vault: {{path: exorun/contoso-certificate}}\n"
        );
        let ended = ended(house.run_as(&auth, &["--log-level", "trace"]).spawn().unwrap()).await;
        ended.assert_code(0);
        house.assert_clean(&ended);
        house.assert_nothing_is_left().await;
    }
    // A key that was rotated does not fit its certificate any more.
    house.bao.write("transit/keys/exorun-contoso/rotate", json!({})).await;
    let auth = "  method: transit\n  client_id: 11111111-2222-3333-4444-555555555555\n  transit: {key: exorun-contoso}\n  \
                certificate:\n    vault: {path: exorun/contoso-certificate}\n";
    let rotated = ended(house.run_as(auth, &[]).spawn().unwrap()).await;
    rotated.assert_code(64);
    house.assert_nothing_is_left().await;
}

/// A certificate for a key of which only the public half is there, by an authority that is made for it.
fn certificate_for(folder: &Path, public_key: &str) -> String {
    std::fs::write(folder.join("transit.pub"), public_key).unwrap();
    let openssl = |arguments: &str| {
        let run =
            std::process::Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
        let run = run.unwrap();
        assert!(run.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&run.stderr));
    };
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout authority.key -out authority.pem -subj /CN=authority -days 30",
    );
    openssl("req -new -key authority.key -out request.csr -subj /CN=exorun");
    openssl(
        "x509 -req -in request.csr -CA authority.pem -CAkey authority.key -CAcreateserial -force_pubkey transit.pub -days 30 -out \
         exorun.pem",
    );
    std::fs::read_to_string(folder.join("exorun.pem")).unwrap()
}
