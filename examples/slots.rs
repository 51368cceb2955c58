//! What does a slot cost? Takes a slot of the local store and gives it back, again and again, and says how long one
//! round took. `benches/slots.sh` runs it beside a peer.
//!
//! ```text
//! slots FOLDER ROUNDS
//! ```
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::path::PathBuf;
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::rules::slots::opens::Budget;
use exorun::session::SessionTimes;
use exorun::slots::{AccountKey, Ask, Attempt, Holder, LocalStore, Returned, SlotStore, SlotTimes};

/// As many opens as there are rounds: the budget's record must not be what is measured.
const OPENS_KEPT: u32 = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(rounds)) = (arguments.next(), arguments.next()) else {
        return Err("usage: slots FOLDER ROUNDS".into());
    };
    let rounds: u32 = rounds.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(measure(PathBuf::from(folder), rounds))
}

async fn measure(folder: PathBuf, rounds: u32) -> Result<(), Box<dyn std::error::Error>> {
    let clocks = Clocks::system();
    // A window of a millisecond: the budget is kept and written as ever, and never full.
    let opens = Budget { limit: OPENS_KEPT, window: Duration::from_millis(1) };
    let times = SlotTimes { opens, ..SessionTimes::default().slots() };
    let store = LocalStore::new(folder, 5, times, clocks.clone())?;
    let account =
        AccountKey { cloud: "cloud".into(), tenant_id: "tenant".into(), object_id: "object".into() };
    let began = clocks.boot();
    let mut taken = 0;
    while taken < rounds {
        let holder = Holder {
            run_id: format!("run-{taken}"),
            job: "a-job".to_owned(),
            connection_id: format!("connection-{taken}"),
        };
        match store.attempt(&account, &holder, Ask::InPassing).await? {
            Attempt::Lease(lease) => lease.give_back(Returned::Free).await?,
            Attempt::Busy(busy) if busy.opens_exhausted => continue,
            Attempt::Busy(busy) => return Err(format!("busy: {busy:?}").into()),
        }
        taken += 1;
    }
    let took = clocks.boot().since(began);
    println!("{:.1}", took.as_secs_f64() * 1e6 / f64::from(rounds));
    Ok(())
}
