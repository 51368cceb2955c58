//! A real Prometheus and a real Pushgateway on loopback, and a server of files in the place of a node exporter.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::listening::{address, listening};

/// Nothing in these tests takes longer; what does hangs.
const HANG: Duration = Duration::from_secs(60);

/// How often is scraped and how often rules are evaluated.
const INTERVAL: &str = "250ms";

const RULES: &str = include_str!("../../charts/exorun/files/rules.yaml");

/// The rules with the test's interval, and with an emulator in the place of a tenant: its runs are those that there are.
pub(crate) fn rules_of_an_emulator() -> String {
    assert!(RULES.contains("emulated=\"false\""));
    RULES
        .replace("interval: 15s", &format!("interval: {INTERVAL}"))
        .replace("interval: 1m", &format!("interval: {INTERVAL}"))
        .replace("emulated=\"false\"", "emulated=\"true\"")
}

/// A program that serves HTTP on a port of its own choice.
pub(crate) struct Serving {
    _child: Child,
    pub(crate) address: String,
}

impl Serving {
    /// Waits until the program has said on which address it listens.
    async fn start(command: &mut Command) -> Serving {
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let said = |line: &str| line.contains("\"Listening on\"").then(|| address(line)).flatten();
        let address = listening(&mut child, said).await;
        Serving { _child: child, address }
    }
}

/// A Pushgateway without storage.
pub(crate) async fn pushgateway() -> Serving {
    Serving::start(Command::new("prometheus-pushgateway").arg("--web.listen-address=127.0.0.1:0")).await
}

/// Serves the file at `path` to whoever asks, as a node exporter serves what lies in its folder of text files.
pub(crate) async fn serve_file(path: PathBuf) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            // A node exporter without a text file answers, too.
            let page = std::fs::read(&path).unwrap_or_default();
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_err() {
                continue;
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n",
                page.len()
            );
            // Who has gone does not wait for the answer.
            let _ = stream.write_all(&[head.as_bytes(), &page].concat()).await;
        }
    });
    address
}

/// One series of an answer: its labels and its value.
pub(crate) type Sample = (BTreeMap<String, String>, f64);

/// A Prometheus that scrapes and evaluates.
pub(crate) struct Prometheus {
    serving: Serving,
    client: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// `targets` are the addresses that it scrapes, each as a scrape job with a name.
    pub(crate) async fn start(targets: &[(&str, &str)]) -> Prometheus {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rules.yaml"), rules_of_an_emulator()).unwrap();
        let mut configuration = format!(
            "global:\n  scrape_interval: {INTERVAL}\n  evaluation_interval: {INTERVAL}\nrule_files: [rules.yaml]\n\
             scrape_configs:\n"
        );
        for (name, address) in targets {
            configuration.push_str(&format!(
                "  - job_name: {name}\n    honor_labels: true\n    static_configs: [{{ targets: ['{address}'] }}]\n"
            ));
        }
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, configuration).unwrap();
        let serving = Serving::start(
            Command::new("prometheus")
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
                .arg("--web.listen-address=127.0.0.1:0"),
        )
        .await;
        let _installed_already = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let prometheus = Prometheus { serving, client, _folder: folder };
        prometheus.until("its own start", "vector(1)", |samples| !samples.is_empty()).await;
        prometheus
    }

    /// The answer to an instant query; `Err` is what Prometheus says is wrong.
    pub(crate) async fn ask(&self, query: &str) -> Result<Vec<Sample>, String> {
        let address = format!("http://{}/api/v1/query", self.serving.address);
        let answer = self.client.post(address).form(&[("query", query)]).send().await;
        let answer: Value = match answer {
            Ok(answer) => answer.json().await.map_err(|why| why.to_string())?,
            Err(why) => return Err(why.to_string()),
        };
        if answer["status"] != "success" {
            return Err(format!("{query}: {}", answer["error"]));
        }
        let result = answer["data"]["result"].as_array().unwrap();
        Ok(result
            .iter()
            .map(|series| {
                let labels = serde_json::from_value(series["metric"].clone()).unwrap();
                (labels, series["value"][1].as_str().unwrap().parse().unwrap())
            })
            .collect())
    }

    /// Every rule, as Prometheus has it, with the state of its last evaluation.
    pub(crate) async fn rules(&self) -> Vec<Value> {
        let address = format!("http://{}/api/v1/rules", self.serving.address);
        let answer: Value = self.client.get(address).send().await.unwrap().json().await.unwrap();
        let groups = answer["data"]["groups"].as_array().unwrap();
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
    }

    /// Waits until the answer is as wanted, and returns it.
    pub(crate) async fn until(
        &self,
        what: &str,
        query: &str,
        mut wanted: impl FnMut(&[Sample]) -> bool,
    ) -> Vec<Sample> {
        let mut last = Ok(Vec::new());
        let waited = tokio::time::timeout(HANG, async {
            loop {
                last = self.ask(query).await;
                match &last {
                    Ok(samples) if wanted(samples) => return,
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        let in_time = waited.await.is_ok();
        assert!(in_time, "waited in vain for {what}: {query}\n{last:?}");
        last.unwrap()
    }

    /// Waits until the query's one value is `value`.
    pub(crate) async fn becomes(&self, query: &str, value: f64) {
        let is = |samples: &[Sample]| matches!(samples, [(_, found)] if *found == value);
        self.until(&format!("{value}"), query, is).await;
    }
}

/// A query of the dashboard as Grafana sends it for `job`.
pub(crate) fn with_variables(query: &str, job: &str) -> String {
    query.replace("$emulated", "true").replace("$job", job).replace("$__rate_interval", "2m")
}
