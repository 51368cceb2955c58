//! A real OpenBao for one test: `bao server -dev` on a free port of loopback, with its own root token and folder.
//!
//! ```ignore
//! let Some(bao) = OpenBao::start("my_test").await else { return };   // skipped visibly, if it is not installed
//! bao.write("secret/data/app", json!({"data": {"client_secret": "…"}})).await;
//! let token = bao.token_file(&["reader"]).await;                     // after `bao.policy("reader", HCL)`
//! command.envs(bao.environment()).env("EXORUN_VAULT_AUTH", "token").env("EXORUN_VAULT_TOKEN_FILE", token);
//! ```

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::components;

/// Opens the server of one test, and nothing else.
pub(crate) const ROOT_TOKEN: &str = "canary-root-token-of-a-test";

/// It answers in less than a second; on a busy machine in ten.
const HANG: Duration = Duration::from_secs(60);

/// A running OpenBao; it is killed when this is dropped.
pub(crate) struct OpenBao {
    child: Child,
    pub(crate) folder: tempfile::TempDir,
    /// `http://127.0.0.1:PORT`, or https.
    pub(crate) address: String,
    tls: bool,
    http: reqwest::Client,
    files: AtomicU32,
    namespace: Option<String>,
}

/// Where `tests/run` puts it, and then `PATH`.
fn program(test: &str) -> Option<PathBuf> {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/openbao/bin/bao");
    if installed.is_file() {
        return Some(installed);
    }
    components::has("bao", test).then(|| PathBuf::from("bao"))
}

impl OpenBao {
    /// Over plain HTTP. `None`: it is not installed, and `test` is skipped visibly.
    pub(crate) async fn start(test: &str) -> Option<OpenBao> {
        Some(OpenBao::serve(&program(test)?, false).await)
    }

    /// Over TLS, with an authority of its own: [`OpenBao::ca_file`].
    pub(crate) async fn start_tls(test: &str) -> Option<OpenBao> {
        Some(OpenBao::serve(&program(test)?, true).await)
    }

    async fn serve(program: &Path, tls: bool) -> OpenBao {
        let _installed_already = rustls::crypto::ring::default_provider().install_default();
        // Another process may take the port before the server does.
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let log = std::fs::File::create(folder.path().join("log")).unwrap();
            let mut command = Command::new(program);
            command
                .args(["server", "-dev", "-dev-no-store-token"])
                .arg(format!("-dev-root-token-id={ROOT_TOKEN}"))
                .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .env("HOME", folder.path())
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap())
                .stderr(log)
                .kill_on_drop(true);
            if tls {
                command.arg("-dev-tls").arg("-dev-tls-cert-dir").arg(folder.path());
            }
            let mut child = command.spawn().unwrap();
            if !until_serving(&mut child, folder.path()).await {
                continue;
            }
            let scheme = if tls { "https" } else { "http" };
            let mut http = reqwest::Client::builder().no_proxy().tls_certs_only(Vec::new());
            if tls {
                let ca = std::fs::read(folder.path().join("vault-ca.pem")).unwrap();
                http = reqwest::Client::builder()
                    .no_proxy()
                    .tls_certs_only(reqwest::Certificate::from_pem_bundle(&ca).unwrap());
            }
            return OpenBao {
                child,
                folder,
                address: format!("{scheme}://127.0.0.1:{port}"),
                tls,
                http: http.build().unwrap(),
                files: AtomicU32::new(0),
                namespace: None,
            };
        }
        panic!("OpenBao does not start");
    }

    /// The authority of its certificate, with TLS.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("vault-ca.pem")
    }

    /// What exorun's environment needs to reach it; how to log in comes beside it.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![("EXORUN_VAULT_ADDRESS", self.address.clone())];
        if self.tls {
            environment.push(("EXORUN_VAULT_CA_FILE", self.ca_file().display().to_string()));
        }
        environment
    }

    /// From now on everything here is asked in this namespace, which is made.
    pub(crate) async fn enter_namespace(&mut self, name: &str) {
        self.write(&format!("sys/namespaces/{name}"), json!({})).await;
        self.namespace = Some(name.to_owned());
    }

    /// One request as root: status and body.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.ask_as(ROOT_TOKEN, method, path, body).await
    }

    /// One request with another token.
    pub(crate) async fn ask_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}/v1/{path}", self.address));
        request = request.header("X-Vault-Token", token);
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    /// Writes as root; it must work. The answer's body.
    #[track_caller]
    pub(crate) fn write(&self, path: &str, body: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let (status, answer) = self.ask(Method::POST, path, Some(body)).await;
            assert!((200..300).contains(&status), "{caller}: {path}: {status} {answer}");
            answer
        }
    }

    /// Reads as root; it must work. The answer's `data`.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let (status, mut answer) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer["data"].take()
    }

    /// Writes as root, and gets the answer wrapped for a minute: the wrapping token.
    pub(crate) async fn wrapped(&self, path: &str, body: Value) -> String {
        let request = self.http.post(format!("{}/v1/{path}", self.address));
        let request = request.header("X-Vault-Token", ROOT_TOKEN).header("X-Vault-Wrap-TTL", "60s");
        let answer = request.json(&body).send().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        answer["wrap_info"]["token"].as_str().unwrap().to_owned()
    }

    /// A policy of this name.
    pub(crate) async fn policy(&self, name: &str, hcl: &str) {
        self.write(&format!("sys/policies/acl/{name}"), json!({"policy": hcl})).await;
    }

    /// Mounts a secrets engine: `mount("old", "kv", json!({"version": "1"}))`.
    pub(crate) async fn mount(&self, path: &str, kind: &str, options: Value) {
        self.write(&format!("sys/mounts/{path}"), json!({"type": kind, "options": options})).await;
    }

    /// Enables an auth method under its own name.
    pub(crate) async fn auth(&self, kind: &str) {
        self.write(&format!("sys/auth/{kind}"), json!({"type": kind})).await;
    }

    /// A token with these policies, which lives an hour.
    pub(crate) async fn token(&self, policies: &[&str]) -> String {
        let answer = self.write("auth/token/create", json!({"policies": policies, "ttl": "1h"})).await;
        answer["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// The same in a file, as `vault_token_file` wants it, with the line end that `echo` adds.
    pub(crate) async fn token_file(&self, policies: &[&str]) -> PathBuf {
        let token = self.token(policies).await;
        self.file(&format!("{token}\n"))
    }

    /// A file with this content.
    pub(crate) fn file(&self, content: &str) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("file-{number}"));
        std::fs::write(&path, content).unwrap();
        path
    }

    /// An AppRole with `role` as its settings (`{"token_policies": …}`): the files of its role id and a secret id.
    pub(crate) async fn approle(&self, name: &str, role: Value) -> (PathBuf, PathBuf) {
        if self.ask(Method::GET, "sys/auth/approle", None).await.0 != 200 {
            self.auth("approle").await;
        }
        self.write(&format!("auth/approle/role/{name}"), role).await;
        let role_id = self.read(&format!("auth/approle/role/{name}/role-id")).await;
        let secret_id = self.write(&format!("auth/approle/role/{name}/secret-id"), json!({})).await;
        (
            self.file(role_id["role_id"].as_str().unwrap()),
            self.file(secret_id["data"]["secret_id"].as_str().unwrap()),
        )
    }

    /// The accessors of all tokens that there are.
    pub(crate) async fn accessors(&self) -> Vec<String> {
        let (_, answer) = self.ask(Method::from_bytes(b"LIST").unwrap(), "auth/token/accessors", None).await;
        let keys = answer["data"]["keys"].as_array().cloned().unwrap_or_default();
        keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect()
    }

    /// What is known of a token, or `None` if there is no such token (any more).
    pub(crate) async fn accessor(&self, accessor: &str) -> Option<Value> {
        let body = json!({"accessor": accessor});
        let (status, mut answer) = self.ask(Method::POST, "auth/token/lookup-accessor", Some(body)).await;
        (status == 200).then(|| answer["data"].take())
    }

    /// Tokens that a login of this kind gave and that are alive: `logins("approle")`.
    pub(crate) async fn logins(&self, kind: &str) -> Vec<Value> {
        let mut alive = Vec::new();
        for accessor in self.accessors().await {
            alive.extend(self.accessor(&accessor).await);
        }
        alive
            .retain(|token| token["path"].as_str().unwrap_or_default().starts_with(&format!("auth/{kind}/")));
        alive
    }

    /// Seals it: it answers 503 to everything from now on.
    pub(crate) async fn seal(&self) {
        let (status, _) = self.ask(Method::PUT, "sys/seal", None).await;
        assert_eq!(status, 204);
    }

    /// Opens it again, with the key that a dev server prints.
    pub(crate) async fn unseal(&self) {
        let log = self.log();
        let key = log.lines().find_map(|line| line.trim().strip_prefix("Unseal Key:")).unwrap();
        self.write("sys/unseal", json!({"key": key.trim()})).await;
    }

    /// Kills it: nobody answers at its address from now on.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Stops it in its tracks: connections are accepted, and nothing is answered, until [`OpenBao::resume`].
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// It goes on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// Waits until it says that it serves; false if it ended before.
async fn until_serving(child: &mut Child, folder: &Path) -> bool {
    let serving = tokio::time::timeout(HANG, async {
        loop {
            let log = std::fs::read_to_string(folder.join("log")).unwrap();
            // The last line of its greeting.
            if log.contains("Development mode should NOT be used") {
                return true;
            }
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    serving.await.expect("OpenBao does not serve")
}
