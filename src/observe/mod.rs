//! What people and machines see of a run: log lines, metrics, and the escaping that both rest on.

pub mod escape;
pub mod logs;
pub mod metrics;
pub mod outlet;
pub mod tail;
pub mod textfile;
pub mod whole_file;
pub mod withheld;
