//! Credentials in Vault, against a real OpenBao.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/openbao.rs"]
mod openbao;
#[path = "../support/program.rs"]
mod program;

mod canned;
mod client;
mod ends;
mod failures;
mod hostile;
mod issuer;
mod kv;
mod life;
mod logins;
mod program_runs;
mod stalling;
mod transit;
mod wrapping;
