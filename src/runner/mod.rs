//! One run: steps, loops, ensure, report, write log.

mod acting;
mod budget;
mod bytes;
mod call;
mod calling;
mod collect;
mod console;
mod context;
mod declaration;
mod each;
mod ensure;
#[cfg(feature = "fault-points")]
mod fault_points;
mod halt;
pub mod invoked;
pub mod items;
pub mod ledger;
mod left_out;
mod output;
mod place;
pub mod progress;
pub mod report;
mod run;
pub mod stop;
mod table;
mod tally;
mod write_log;

pub use context::{Actor, Console, Mode, RunParts};
pub use halt::signin_exit;
pub use place::OutputPlaces;
pub use run::{RunEnd, run};
pub use table::table;
pub use tally::{Counts, NamedFailure};

/// The report's word for a peer that is no tenant.
pub const EMULATED: &str = "EMULATED";
