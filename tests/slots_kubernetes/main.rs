//! Slots as Leases, where Leases have their own troubles: what a run costs in requests, what `kubectl` shows, an API
//! server that refuses, is silent or loses its answers, and people who edit.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "the stand-in's clients are real connections")]

mod cluster;
#[path = "../support/components.rs"]
mod components;
mod edited;
mod errors;
mod gone;
#[path = "../support/lease_server/mod.rs"]
mod lease_server;
mod outcomes;
mod overtaken;
mod processes;
mod requests;
mod rounding;
mod shown;
#[path = "../support/still.rs"]
mod still;
mod stopped;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
