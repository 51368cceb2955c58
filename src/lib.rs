#![doc = include_str!("ARCHITECTURE.md")]

pub mod catalog;
pub mod clocks;
pub mod exchange;
pub mod exit;
pub mod observe;
pub mod rules;
pub mod secrets;
pub mod settings;
pub mod signin;
pub mod spec;
