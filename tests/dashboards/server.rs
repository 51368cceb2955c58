//! `exorun serve` with its admin server, for Prometheus to scrape.

use tokio::process::Child;

use crate::listening::{address, listening};
use crate::program::Tenant;

/// Serves the tenant's folder `jobs`, until the process is dropped; and the address to scrape. No call times out.
pub(crate) async fn served(tenant: &Tenant) -> (Child, String) {
    let mut command = tenant.exorun(&["serve", "jobs", "--admin-address", "127.0.0.1:0"]);
    command
        .env("EXORUN_RELOAD_INTERVAL", "200ms")
        .env("EXORUN_CALL_TIMEOUT", "10m")
        .env("EXORUN_HISTORY", tenant.path("history.sqlite"));
    let mut child = command.spawn().unwrap();
    let said = |line: &str| line.contains("the admin server listens").then(|| address(line)).flatten();
    let address = listening(&mut child, said).await;
    (child, address)
}
