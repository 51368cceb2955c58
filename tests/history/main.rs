//! The history: the counting law, what is claimed once, and what becomes of the file.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/mod.rs"]
mod support;

mod child;
mod claims;
mod files;
mod full;
mod killed;
mod ledger;
mod pages;
mod random;
mod remembered;
mod retention;
