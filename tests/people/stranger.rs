//! Our client against an authorization server that nobody here wrote: `oidc-provider`, at the addresses of Entra.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use exorun::emulator::Options;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::components;
use super::desk::{HANG, end_of};
use super::program::Ended;
use super::vaulted::{Vaulted, options};
use super::walker::Walker;

/// A running server.
struct Provider {
    _node: Child,
    base: String,
    tenant: String,
}

/// Where `tests/run` installs it.
fn modules(test: &str) -> Option<PathBuf> {
    let modules = std::env::var_os("EXORUN_TEST_NODE_MODULES").map(PathBuf::from);
    let modules = modules.filter(|modules| modules.join("oidc-provider").is_dir());
    if modules.is_none() {
        components::skip(test, "oidc-provider is not installed: start the tests by tests/run");
    }
    modules.filter(|_| components::has("node", test) && components::has("openssl", test))
}

fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
    let output = std::process::Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The public key of a certificate, as a JWK.
fn jwk(folder: &Path) -> Value {
    use base64::Engine as _;
    let modulus = String::from_utf8(openssl(folder, "x509 -in app.pem -noout -modulus")).unwrap();
    let hex = modulus.trim().strip_prefix("Modulus=").unwrap().to_owned();
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let modulus = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    json!({"kty": "RSA", "use": "sig", "alg": "PS256", "n": modulus, "e": "AQAB"})
}

impl Provider {
    async fn start(modules: &Path, folder: &Path) -> Provider {
        openssl(
            folder,
            "req -x509 -newkey rsa:2048 -nodes -keyout app.key -out app.pem -subj /CN=app -days 2",
        );
        let key = folder.join("app.jwk");
        std::fs::write(&key, jwk(folder).to_string()).unwrap();
        let mut node = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/people/provider.mjs"))
            .arg(modules)
            .arg(key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.join("provider.log")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
        let listening = tokio::time::timeout(HANG, async {
            loop {
                let line = lines.next_line().await.unwrap();
                let line = line.unwrap_or_else(|| {
                    panic!("{}", std::fs::read_to_string(folder.join("provider.log")).unwrap_or_default())
                });
                if let Some(rest) = line.strip_prefix("listening ") {
                    return rest.to_owned();
                }
            }
        });
        let listening = listening.await.expect("the server does not listen");
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let (base, tenant) = listening.split_once(' ').unwrap();
        Provider { _node: node, base: base.to_owned(), tenant: tenant.to_owned() }
    }
}

/// A job in the server's tenant, whose sessions are still the emulator's.
struct Strange {
    vaulted: Vaulted,
    provider: Provider,
}

impl Strange {
    async fn start(test: &str) -> Option<Strange> {
        let modules = modules(test)?;
        let vaulted = Vaulted::start(test, Options { ..options() }).await?;
        let provider = Provider::start(&modules, vaulted.desk.tenant.folder.path()).await;
        Some(Strange { vaulted, provider })
    }

    fn job(&self, auth: &[&str]) -> String {
        let path = self.vaulted.desk.job(auth);
        let text = std::fs::read_to_string(&path).unwrap();
        let tenant = format!("tenant: {}", self.provider.tenant);
        std::fs::write(&path, text.replace("tenant: contoso.onmicrosoft.com", &tenant)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = self.vaulted.with_vault(self.vaulted.desk.unattended(arguments));
        command.env("EXORUN_LOGIN_ENDPOINT", &self.provider.base);
        command
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        super::desk::end(self.program(arguments)).await
    }

    /// Walks through the library's own pages: code, confirmation, sign-in, consent.
    async fn confirm(&self, log: &Path) {
        let (uri, code) = tokio::time::timeout(HANG, async {
            loop {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let asked = said.lines().find_map(|line| line.split_once("to sign in, open "));
                if let Some((uri, rest)) =
                    asked.and_then(|(_, rest)| rest.split_once(" in a browser and enter the code "))
                {
                    return (uri.to_owned(), rest.split_whitespace().next().unwrap().to_owned());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
        .expect("no code is shown");
        let mut person = Walker::new(None);
        person.open(&uri).await.fill(&[("user_code", &code)]).await;
        person.fill(&[]).await;
        person.fill(&[("login", "navin"), ("password", "any")]).await;
        person.fill(&[]).await;
        assert!(person.html.contains("Sign-in Success"), "{}: {}", person.at, person.html);
    }
}

/// What the service would have said: these tokens are not the emulator's, so its Exchange refuses them. That the run got
/// so far is what is looked at.
fn assert_signed_in(run: &Ended, actor: &str) {
    assert!(
        run.stderr.contains("signed in") && run.stderr.contains(&format!("actor={actor}")),
        "{}",
        run.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_code_is_confirmed_kept_refreshed_rotated_and_revoked() {
    let test = "a_device_code_is_confirmed_kept_refreshed_rotated_and_revoked";
    let Some(strange) = Strange::start(test).await else { return };
    let job = strange.job(&["method: device", "credential:", "  vault: {path: people/navin}"]);
    let log = strange.vaulted.desk.tenant.path("login.log");
    let mut command = strange.program(&["login", &job, "--method", "device"]);
    let child = command.stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    strange.confirm(&log).await;
    let login = end_of(child).await;
    assert_eq!(login.code, Some(0), "{}", std::fs::read_to_string(&log).unwrap());
    let (mut tokens, mut last) = (Vec::new(), 0);
    for _ in 0..3 {
        let (fields, version) = strange.vaulted.kept().await;
        // The emulator's Exchange does not know these tokens: its 401 has one more asked for.
        assert!(version > last, "no successor was written: version {version}");
        last = version;
        tokens.push(fields["refresh_token"].as_str().unwrap().to_owned());
        let run = strange.run(&["run", &job]).await;
        assert_signed_in(&run, "navin@contoso.onmicrosoft.com");
    }
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 3, "each is another");
    let logout = strange.run(&["logout", &job, "--yes"]).await;
    logout.assert_code(0);
    assert!(logout.stdout.contains("the sign-in service has revoked it"), "{}", logout.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_refresh_token_is_refused_and_the_run_says_to_log_in() {
    let test = "a_used_refresh_token_is_refused_and_the_run_says_to_log_in";
    let Some(strange) = Strange::start(test).await else { return };
    let job = strange.job(&["method: device", "credential:", "  vault: {path: people/navin}"]);
    let log = strange.vaulted.desk.tenant.path("login.log");
    let mut command = strange.program(&["login", &job, "--method", "device"]);
    let child = command.stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    strange.confirm(&log).await;
    end_of(child).await.assert_code(0);
    let (old, _) = strange.vaulted.kept().await;
    assert_signed_in(&strange.run(&["run", &job]).await, "navin@contoso.onmicrosoft.com");
    // Somebody restores the version before.
    strange.vaulted.bao.write(super::vaulted::PLACE, json!({ "data": old })).await;
    let run = strange.run(&["run", &job]).await;
    run.assert_code(77);
    assert!(
        run.stdout.contains("invalid_grant") && run.stdout.contains("`exorun login JOB`"),
        "{}",
        run.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_assertion_is_accepted_each_with_an_id_of_its_own() {
    let test = "a_signed_assertion_is_accepted_each_with_an_id_of_its_own";
    let Some(strange) = Strange::start(test).await else { return };
    let auth = |key: &str| {
        strange.job(&[
            "method: certificate",
            "client_id: 11111111-2222-3333-4444-555555555555",
            "credential:",
            &format!("  file: {key}.key"),
            "certificate:",
            &format!("  file: {key}.pem"),
        ])
    };
    let job = auth("app");
    // A library that keeps assertions refuses one that comes again.
    for _ in 0..2 {
        assert_signed_in(&strange.run(&["run", &job]).await, "11111111-2222-3333-4444-555555555555");
    }
    let folder = strange.vaulted.desk.tenant.folder.path();
    openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout foreign.key -out foreign.pem -subj /CN=app -days 2",
    );
    let run = strange.run(&["run", &auth("foreign")]).await;
    run.assert_code(77);
    assert!(run.stdout.contains("invalid_client"), "{}", run.stdout);
}
