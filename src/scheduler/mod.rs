//! Runs jobs by their schedules: one dispatcher decides, a task around it writes down and does what it has decided.
//!
//! What is due, what is skipped and why, is [`crate::rules::occurrences`]; what was decided is in [`crate::history`] before it
//! is done. What a run is, the caller says: [`Work`].

mod agenda;
mod dispatcher;
mod folder;
mod held;
mod looking;
mod places;
mod serving;
mod stall;
mod steps;
mod telling;
mod turn;
mod view;
mod work;

pub use dispatcher::{Dispatcher, InHand};
pub use folder::{Broken, Folder, How, Look};
pub use places::Limits;
pub use serving::{Drained, Handle, Load, Parts, Scheduler, ServeError};
pub use telling::{ending, skipping};
pub use turn::{Skipped, Start, Turn};
pub use view::JobView;
pub use work::{Done, Entry, Order, Work};
