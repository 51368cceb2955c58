//! `exorun serve` as a process: real signals, real files, and the emulator as the witness of what ran.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/program.rs"]
mod program;

mod admin;
mod bad_input;
mod kill;
mod reload;
mod remembers;
mod server;
mod stop;
