//! Pure rules: no await, no clock, no I/O, no random source. `now` and jitter are arguments.

pub mod causes;
pub mod diff;
pub mod duration;
pub mod edit;
pub mod occurrences;
pub mod page;
pub mod paging;
pub mod profile;
pub mod proxy;
pub mod quantity;
pub mod renewal;
pub mod retry;
pub mod rights;
pub mod schedule;
pub mod skew;
pub mod slots;
pub mod tenancy;
pub mod time;
pub mod token;
pub mod validity;
pub mod withheld;
