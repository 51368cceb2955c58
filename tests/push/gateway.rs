//! A real Pushgateway.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::components;

pub(crate) const PROGRAM: &str = "prometheus-pushgateway";

/// It ends with this value.
pub(crate) struct Gateway {
    _process: Child,
    pub(crate) url: String,
}

impl Gateway {
    /// Nothing if it is not installed: `test` is skipped then.
    pub(crate) async fn start(test: &str) -> Option<Gateway> {
        if !components::has(PROGRAM, test) {
            return None;
        }
        // The program cannot say which free port it has taken.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new(PROGRAM)
            .arg(format!("--web.listen-address={free}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let gateway = Gateway { _process: process, url: format!("http://{free}") };
        let ready = tokio::time::timeout(Duration::from_secs(30), async {
            while get(&format!("{}/-/ready", gateway.url)).await.is_none() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        ready.await.expect("the Pushgateway is not ready");
        Some(gateway)
    }

    /// What Prometheus would scrape.
    pub(crate) async fn page(&self) -> String {
        get(&format!("{}/metrics", self.url)).await.unwrap()
    }
}

async fn get(url: &str) -> Option<String> {
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(url).send().await.ok().filter(|answer| answer.status().is_success())?;
    answer.text().await.ok()
}
