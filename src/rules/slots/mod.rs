//! What may become of an account's places for sessions: pure state machines over (now, event), shared by all stores.

pub mod opens;
mod polling;
mod slot;
mod terms;
pub mod waiting;
pub mod working_limit;

pub use polling::{Polling, pause};
pub use slot::{Hold, Quarantine, Refusal, Slot};
pub use terms::{MayCall, Terms};

#[cfg(test)]
mod tests;
