//! The admin server over real sockets: what it answers, to whom, and what a peer cannot make it do.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/components.rs"]
mod components;

mod access;
mod answers;
mod examples;
mod house;
mod judges;
mod limits;
mod tls;
