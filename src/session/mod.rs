//! The only way to a session: [`Sessions::with_session`] opens one, lends it to the work, and closes it on every path.
//!
//! A session is one slot, one connection id and one transport. The order is: slot and open of the budget, then the
//! first byte, then calls under a lease, then the close, and only then the slot's return.
//!
//! There is no asynchronous `Drop`. What a session owes (close the connection, return the slot) therefore always
//! goes to the [`Reaper`], a tracked task: the scope waits for it on the paths that return, and a cancelled or
//! panicking scope leaves it behind in `Drop`. [`Reaper::finish`] waits until nothing is owed.
//!
//! Callers who wait for a slot stand in the store's line, and look again after a pause with chance in it.

mod calls;
mod errors;
mod events;
mod keeper;
mod lent;
mod owed;
mod place;
mod reaper;
mod scope;
mod times;
mod under_lease;

pub use errors::{CallError, SessionError};
pub use events::{Ended, EndedBy, NoEvents, SessionEvents, SessionFacts};
pub use lent::Session;
pub use reaper::{Finished, Reaper, ReaperHandle};
pub use scope::{RunLabel, Sessions, SessionsParts, Wait};
pub use times::SessionTimes;
