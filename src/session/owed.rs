//! What a session owes from the moment it has a slot: the connection's close and the slot's return.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::{oneshot, watch};

use super::events::{Ended, EndedBy, SessionEvents, SessionFacts};
use super::times::SessionTimes;
use crate::clocks::Clocks;
use crate::exchange::errors::{Happened, RemoteError};
use crate::exchange::{Closed, Connection};
use crate::rules::time::BootTime;
use crate::slots::{Returned, SlotError, SlotLease, SlotStore};

/// What all sessions of an account share.
pub(super) struct Shared {
    pub(super) clocks: Clocks,
    pub(super) times: SessionTimes,
    pub(super) events: Arc<dyn SessionEvents>,
    pub(super) store: Arc<dyn SlotStore>,
    /// Changes when a slot has come back: the waiting runs of this process look at once.
    pub(super) freed: watch::Sender<()>,
}

/// An open that is under way.
pub(super) type Opening = Pin<Box<dyn Future<Output = Result<Box<dyn Connection>, RemoteError>> + Send>>;

/// How far the session has come.
pub(super) enum Stage {
    /// Handed over like this, the open is waited for and then closed.
    Opening(Opening),
    Open(Box<dyn Connection>),
    Failed(Happened),
}

/// A session that is not settled yet. Dropped unsettled, its lease ends in quarantine.
pub(super) struct Owed {
    pub(super) stage: Stage,
    pub(super) lease: Box<dyn SlotLease>,
    pub(super) facts: SessionFacts,
    pub(super) taken: BootTime,
    pub(super) by: EndedBy,
    pub(super) shared: Arc<Shared>,
    /// Tells the scope that everything is settled.
    pub(super) done: Option<oneshot::Sender<()>>,
    pub(super) count: Count,
}

/// One session in the reaper's count, from before its open until it is settled.
pub(super) struct Count(Arc<watch::Sender<usize>>);

impl Count {
    pub(super) fn up(counter: &Arc<watch::Sender<usize>>) -> Count {
        counter.send_modify(|count| *count += 1);
        Count(Arc::clone(counter))
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Owed {
    /// Closes the connection, then gives the slot back, each within its deadline, and says so.
    pub(super) async fn settle(self) {
        let Owed { stage, lease, facts, taken, by, shared, done, count } = self;
        let (clocks, times) = (&shared.clocks, &shared.times);
        // A panic in the transport's code must cost neither the slot's return nor the event.
        let closing = AssertUnwindSafe(close(stage, clocks, times)).catch_unwind();
        let closed = closing.await.unwrap_or(Closed::Unconfirmed);
        let how = match closed {
            Closed::Cleanly | Closed::NothingOpened => Returned::Free,
            Closed::Unconfirmed => Returned::Quarantine,
        };
        let returned = match clocks.timeout(times.store_deadline, lease.give_back(how)).await {
            Ok(answer) => answer.map(|()| how),
            Err(elapsed) => Err(SlotError::Unavailable {
                place: format!("slot {}", facts.slot.0),
                reason: format!(
                    "giving it back {elapsed}; it comes back by itself after lease and quarantine"
                ),
            }),
        };
        shared.freed.send_replace(());
        let held_for = clocks.boot().since(taken);
        let ended = Ended { by, closed, returned: returned.as_ref().copied(), held_for };
        shared.events.closed(&facts, &ended);
        drop(count);
        if let Some(done) = done {
            // The scope may be gone by now; nobody has to hear it then.
            let _ = done.send(());
        }
    }
}

async fn close(stage: Stage, clocks: &Clocks, times: &SessionTimes) -> Closed {
    let connection = match stage {
        Stage::Failed(Happened::No) => return Closed::NothingOpened,
        Stage::Failed(Happened::Unknown) => return Closed::Unconfirmed,
        Stage::Open(connection) => connection,
        Stage::Opening(opening) => match clocks.timeout(times.close_deadline, opening).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) if error.happened == Happened::No => return Closed::NothingOpened,
            Ok(Err(_)) | Err(_) => return Closed::Unconfirmed,
        },
    };
    clocks.timeout(times.close_deadline, connection.close()).await.unwrap_or(Closed::Unconfirmed)
}
