//! What people and machines see of a run: log lines, metrics, the admin server, and the escaping that all rest on.

pub mod admin;
pub mod escape;
pub mod exposition;
pub mod logs;
pub mod metrics;
pub mod outlet;
pub mod push;
pub mod tail;
pub mod textfile;
pub mod whole_file;
