//! The program's own rules, not a copy: what is checked here is what it ships.

#![allow(dead_code, unused_imports, clippy::wrong_self_convention, reason = "the model uses a part of them")]

#[path = "../../../src/rules/slots/mod.rs"]
pub mod slots;
#[path = "../../../src/rules/time.rs"]
pub mod time;
