//! A session is closed on every path, and its calls stay under its lease. On paused clocks, with the fake service.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod calls;
mod closing;
#[path = "../support/mod.rs"]
mod support;
mod waiting;

use std::time::Duration;

use exorun::session::{CallError, Finished, Session, SessionError, Wait};
use support::{Act, House, Items, Op, read, run};

const SOON: Duration = Duration::from_millis(10);

#[derive(Debug)]
enum Failure {
    Session(SessionError),
    Call(CallError),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Failure {
        Failure::Session(error)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Failure {
        Failure::Call(error)
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn one_read(house: &House) -> Result<u64, Failure> {
    house
        .sessions
        .with_session(&run("r1"), Wait::OnlyIfFreeNow, async |session: &mut Session| {
            Ok(session.call(&read(), &mut Items::default()).await?.items)
        })
        .await
}

/// Nothing is open, held or owed.
async fn assert_settled(house: &House) {
    assert_eq!(house.reaper.finish(secs(10)).await, Finished::Clean);
    assert_eq!((house.service.live(), house.store.in_use()), (0, (0, 0)), "{:?}", house.watcher.seen());
    assert_eq!(house.service.broken(), Vec::<String>::new());
}

/// Calls do `act`; everything else goes well.
fn slow_call(op: Op, act: Act) -> Act {
    if matches!(op, Op::Call { .. }) { act } else { Act::Take(SOON) }
}
