//! What a session owes from the moment it has a slot: the connection's close and the slot's return.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex, oneshot, watch};

use super::events::{Ended, EndedBy, SessionEvents, SessionFacts};
use super::keeper::Keeper;
use super::times::SessionTimes;
use crate::clocks::Clocks;
use crate::exchange::errors::{Happened, RemoteError};
use crate::exchange::{Closed, Connection};
use crate::rules::time::BootTime;
use crate::slots::{Returned, SlotStore};

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
    /// Closed like this, the open is waited for and then closed.
    Opening(Opening),
    Open(Box<dyn Connection>),
    Failed(Happened),
    Closed(Closed),
}

/// A session that is not settled yet. Dropped unsettled, its lease ends in quarantine.
pub(super) struct Owed {
    /// Shared with the keeper, which closes it where the lease ends. Locked while a call is made.
    pub(super) stage: Arc<Mutex<Stage>>,
    pub(super) keeper: Keeper,
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
        let Owed { stage, keeper, facts, taken, by, shared, done, count } = self;
        let closed = stage.lock().await.close(&shared).await;
        let how = match closed {
            Closed::Cleanly | Closed::NothingOpened => Returned::Free,
            Closed::Unconfirmed => Returned::Quarantine,
        };
        let recorded = keeper.kept().borrow().recorded;
        let returned = keeper.give_back(how).await.map(|()| how);
        let free_at = match returned {
            // As `Slot::give_back_quarantined` reckons, in the time that people read.
            Ok(Returned::Quarantine) => later(shared.clocks.wall(), recorded + shared.times.quarantine),
            _ => None,
        };
        shared.freed.send_replace(());
        let held_for = shared.clocks.boot().since(taken);
        let ended = Ended { by, closed, returned: returned.as_ref().copied(), held_for, free_at };
        shared.events.closed(&facts, &ended);
        drop(count);
        if let Some(done) = done {
            // The scope may be gone by now; nobody has to hear it then.
            let _ = done.send(());
        }
    }
}

fn later(at: Timestamp, by: Duration) -> Option<Timestamp> {
    at.checked_add(SignedDuration::try_from(by).ok()?).ok()
}

impl Stage {
    /// Closes what is open, each step within its deadline. What is closed already stays so.
    pub(super) async fn close(&mut self, shared: &Shared) -> Closed {
        // Dropped in between, or after a panic in the transport's code, nobody has seen the end.
        let stage = std::mem::replace(self, Stage::Closed(Closed::Unconfirmed));
        let closing = AssertUnwindSafe(closed(stage, &shared.clocks, &shared.times)).catch_unwind();
        let closed = closing.await.unwrap_or(Closed::Unconfirmed);
        *self = Stage::Closed(closed);
        closed
    }
}

async fn closed(stage: Stage, clocks: &Clocks, times: &SessionTimes) -> Closed {
    let connection = match stage {
        Stage::Closed(closed) => return closed,
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
