//! The history: the counting law, what is claimed once, and what becomes of the file.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod claims;
mod ledger;
mod pages;
mod random;
mod retention;
