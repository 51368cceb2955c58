//! A real API server, where one is given: a namespace of a cluster by `KUBECONFIG`, or the programs `kube-apiserver` and `etcd` in the
//! folder `KUBEBUILDER_ASSETS`. No package registry has them, so a machine without is no fault: the absence is shown.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Weak};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use rcgen::KeyPair;
use tokio::sync::{Mutex, OnceCell};

use crate::components::show;

/// Starting both programs takes a few seconds on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A real API server and somebody who may do everything there.
pub(crate) struct RealApi {
    pub(crate) kubeconfig: String,
    pub(crate) namespace: String,
    _programs: Vec<Program>,
    _dir: Option<tempfile::TempDir>,
}

/// A program that ends with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The API server that is given; if there is none, that is shown, and `test` is to return.
pub(crate) async fn given(test: &str) -> Option<Arc<RealApi>> {
    // One for the tests that run at the same time; the last of them ends it.
    static STARTED: Mutex<Weak<RealApi>> = Mutex::const_new(Weak::new());
    if let Some(folder) = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from) {
        let mut started = STARTED.lock().await;
        if let Some(real) = started.upgrade() {
            return Some(real);
        }
        let real = Arc::new(start(&folder).await);
        *started = Arc::downgrade(&real);
        return Some(real);
    }
    if let Some(path) = std::env::var_os("KUBECONFIG") {
        let kubeconfig = std::fs::read_to_string(path).expect("KUBECONFIG names one file");
        let namespace = config(&kubeconfig).await.default_namespace;
        return Some(Arc::new(RealApi { kubeconfig, namespace, _programs: Vec::new(), _dir: None }));
    }
    static SHOWN: OnceCell<()> = OnceCell::const_new();
    let words = "no real API server is given (KUBEBUILDER_ASSETS, KUBECONFIG), which no package has; the stand-in passes the same";
    SHOWN.get_or_init(async || show(&format!("{test} and what else asks a real one"), words)).await;
    None
}

async fn config(kubeconfig: &str) -> kube::Config {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap()
}

async fn start(folder: &Path) -> RealApi {
    let dir = tempfile::tempdir().unwrap();
    let (etcd, secure) = (free_port(), free_port());
    let data = format!("--data-dir={}", dir.path().join("etcd").display());
    let etcd = format!("http://127.0.0.1:{etcd}");
    let store = program(
        &folder.join("etcd"),
        dir.path(),
        &[
            data,
            format!("--listen-client-urls={etcd}"),
            format!("--advertise-client-urls={etcd}"),
            "--listen-peer-urls=http://127.0.0.1:0".to_owned(),
            "--unsafe-no-fsync=true".to_owned(),
        ],
    );
    let key = dir.path().join("accounts.key");
    std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let tokens = dir.path().join("tokens.csv");
    std::fs::write(&tokens, "test-only,tester,1,\"system:masters\"\n").unwrap();
    let api = program(
        &folder.join("kube-apiserver"),
        dir.path(),
        &[
            format!("--etcd-servers={etcd}"),
            format!("--secure-port={secure}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            "--disable-admission-plugins=ServiceAccount".to_owned(),
            "--service-account-issuer=https://127.0.0.1/".to_owned(),
            format!("--cert-dir={}", dir.path().join("certs").display()),
            format!("--service-account-key-file={}", key.display()),
            format!("--service-account-signing-key-file={}", key.display()),
            format!("--token-auth-file={}", tokens.display()),
        ],
    );
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: real\n\
         clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:{secure}', insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: u, user: {{token: test-only}}}}]\n\
         contexts: [{{name: real, context: {{cluster: c, user: u, namespace: default}}}}]\n"
    );
    let real =
        RealApi { kubeconfig, namespace: "default".to_owned(), _programs: vec![api, store], _dir: Some(dir) };
    real.wait_until_ready().await;
    real
}

impl RealApi {
    /// Waits until it answers and has made the namespace.
    async fn wait_until_ready(&self) {
        let client = kube::Client::try_from(config(&self.kubeconfig).await).unwrap();
        let is_ready = async |path: &str| {
            let request = hyper::Request::get(path).body(kube::client::Body::empty()).unwrap();
            client.send(request).await.is_ok_and(|response| response.status().is_success())
        };
        let ready = async {
            while !is_ready("/readyz").await || !is_ready("/api/v1/namespaces/default").await {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(START_LIMIT, ready)
            .await
            .expect("kube-apiserver and etcd start within a minute");
    }
}

fn program(path: &Path, dir: &Path, arguments: &[String]) -> Program {
    let log = std::fs::File::options().create(true).append(true).open(dir.join("log")).unwrap();
    let started = Command::new(path)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn();
    Program(started.unwrap_or_else(|error| panic!("{} does not start: {error}", path.display())))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
