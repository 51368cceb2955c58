//! Job files and connection files: a located tree is read from YAML, then checked into a [`job::Job`] or
//! [`Connections`]; every problem of a file at once.
//!
//! What a value is follows from the catalog, never from how YAML would guess: `no`, `012` and `1e3` are text unless
//! the parameter is a boolean or a number, and then they are errors. Names of properties in expressions are spelled
//! exactly as the service returns them.

mod check;
pub mod collect;
mod connections;
pub mod draft;
mod embedded;
mod engine;
mod escape;
pub mod explain;
mod expression;
mod file;
mod form;
mod inputs;
pub mod invocation;
pub mod job;
mod keep;
mod limits;
mod links;
mod mask;
mod names;
mod permits;
mod problem;
mod read;
pub mod reads;
mod schema;
mod scope;
mod syntax;
mod target;
pub mod template;
mod tree;
mod words;
mod zones;

pub(crate) use check::{can_be_a_step, can_be_given};
pub use connections::{ConnectionError, Connections};
pub use file::{
    Checked, check_file, check_file_outside, check_reader, check_text, read_connections, read_jobs,
};
pub use form::reference;
pub use inputs::resolve_inputs;
pub use permits::Targets;
pub use problem::{Place, Problem, Problems, Severity, Told};
pub use schema::schema;
pub use zones::{UnknownZone, time_zone};
