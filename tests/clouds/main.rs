//! Tenants of every cloud, as the real program meets them: discovery, the wrong cloud, partners, and the documented
//! examples against emulator tenants of their names.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/forwarding.rs"]
mod forwarding;
#[path = "../support/program.rs"]
mod program;

mod discovery;
mod examples;
mod own_clouds;
mod proxies;
mod tls;

use std::path::PathBuf;

use exorun::emulator::{Cloud, Options};
use program::Tenant;

/// A small tenant of `domain` in `cloud`.
async fn tenant(cloud: Cloud, domain: &str) -> Tenant {
    let options = Options { cloud, tenant_domain: domain.to_owned(), mailboxes: 6, ..Options::default() };
    Tenant::start(options).await
}

/// A job of an application that reads one listing.
fn job(tenant: &Tenant, target: &str) -> PathBuf {
    let path = tenant.path("job.yaml");
    let text = format!(
        "version: 1\nname: reading\n{target}\nauth:\n  method: client_secret\n  \
         client_id: 11111111-2222-3333-4444-555555555555\n  credential:\n    env: EXORUN_CLIENT_SECRET\n\
         steps:\n  - name: all\n    cmdlet: Get-AcceptedDomain\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}
