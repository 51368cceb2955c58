//! The chart's rules and dashboard, judged by Prometheus' own programs and Grafana's own models.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

#[path = "../support/components.rs"]
mod components;

mod grafana;
mod rules;
