//! People sign in: at a terminal, in a browser, by a code; and what they leave is kept. The real program against the
//! emulator, real terminals, a real Chromium, a real OpenBao, and an authorization server that nobody here wrote.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/openbao.rs"]
mod openbao;
#[path = "../support/program.rs"]
mod program;

mod browser;
mod chromium;
mod desk;
mod kept;
mod pages;
mod passwords;
mod race;
mod stops;
mod stranger;
mod vaulted;
mod walker;
mod webhook;
