#![doc = include_str!("ARCHITECTURE.md")]

pub mod catalog;
pub mod clocks;
pub mod emulator;
pub mod exchange;
pub mod exit;
pub mod net;
pub mod observe;
pub mod rules;
pub mod runner;
pub mod secrets;
pub mod session;
pub mod settings;
pub mod signin;
pub mod slots;
pub mod spec;
