//! `exorun serve` with its admin server, for Prometheus to scrape.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::program::Tenant;

const HANG: Duration = Duration::from_secs(30);

/// Serves the tenant's folder `jobs`, until the process is dropped; and the address to scrape. No call times out.
pub(crate) async fn served(tenant: &Tenant) -> (Child, String) {
    let mut command = tenant.exorun(&["serve", "jobs", "--admin-address", "127.0.0.1:0"]);
    command
        .env("EXORUN_RELOAD_INTERVAL", "200ms")
        .env("EXORUN_CALL_TIMEOUT", "10m")
        .env("EXORUN_HISTORY", tenant.path("history.sqlite"));
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = String::new();
    let listening = tokio::time::timeout(HANG, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            said.push_str(&line);
            said.push('\n');
            if let Some(address) = line.split("the admin server listens").nth(1) {
                let address = address.split("address=").nth(1).unwrap().split_whitespace().next().unwrap();
                return Some(address.trim_matches('"').to_owned());
            }
        }
        None
    });
    let address = listening.await.ok().flatten().unwrap_or_else(|| panic!("it does not listen:\n{said}"));
    // Else the server's log would have nowhere to go.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, address)
}
