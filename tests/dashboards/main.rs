//! The chart's rules and dashboard, judged by Prometheus' own programs and Grafana's own models.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../signin/openssl.rs"]
#[allow(dead_code, reason = "certificates for a year are for others")]
mod openssl;
#[path = "../support/program.rs"]
mod program;

mod demo;
mod grafana;
mod jobs;
mod listening;
mod prometheus;
mod rules;
mod server;
mod thirty;

/// Whether a real Prometheus and a real Pushgateway are there; if not, `test` is to return.
fn components(test: &str) -> bool {
    ["prometheus", "prometheus-pushgateway"].iter().all(|program| components::has(program, test))
}
