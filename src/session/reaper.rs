//! One tracked task that settles what sessions owe, and a count of everything that is not settled.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use super::owed::{Count, Owed};
use super::place::Leaving;
use crate::clocks::Clocks;

/// Closes sessions whose scope cannot. There is one in a process; it is finished last.
pub struct Reaper {
    handle: ReaperHandle,
    clocks: Clocks,
}

/// Where sessions leave what they owe. Cheap to clone.
#[derive(Clone)]
pub struct ReaperHandle {
    owed: mpsc::UnboundedSender<Left>,
    counter: Arc<watch::Sender<usize>>,
    tracker: TaskTracker,
}

/// What somebody has left to the reaper.
enum Left {
    /// A session to close.
    Session(Box<Owed>),
    /// A place among those who wait.
    Place(Leaving, Count),
}

/// How [`Reaper::finish`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Finished {
    /// Nothing is owed: every session is closed and every slot given back.
    Clean,
    /// The deadline came first; the slots of what is left come back after lease and quarantine.
    CutShort {
        /// Sessions not settled.
        left: usize,
    },
}

impl Reaper {
    /// Starts the reaper on the current runtime. Its task ends when the last handle is gone.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn start(clocks: Clocks) -> Reaper {
        // Unbounded so that `Drop` can send; at most one entry a slot that this process holds.
        let (owed, mut inbox) = mpsc::unbounded_channel::<Left>();
        let tracker = TaskTracker::new();
        let settling = tracker.clone();
        tracker.spawn(async move {
            // A task for each: a close that hangs up to its deadline, or panics, leaves the others alone.
            while let Some(left) = inbox.recv().await {
                match left {
                    Left::Session(owed) => drop(settling.spawn(owed.settle())),
                    Left::Place(leaving, count) => drop(settling.spawn(async move {
                        leaving.leave().await;
                        drop(count);
                    })),
                }
            }
        });
        let (counter, _) = watch::channel(0);
        Reaper { handle: ReaperHandle { owed, counter: Arc::new(counter), tracker }, clocks }
    }

    /// What [`super::Sessions`] needs.
    pub fn handle(&self) -> ReaperHandle {
        self.handle.clone()
    }

    /// Sessions that are being opened, open, or being closed.
    pub fn unsettled(&self) -> usize {
        *self.handle.counter.borrow()
    }

    /// Waits until no session is left, those included whose scope still runs: end the runs first.
    ///
    /// # Cancel safety
    /// Cancel safe: settling goes on, and it may be called again.
    pub async fn finish(&self, deadline: Duration) -> Finished {
        let mut counter = self.handle.counter.subscribe();
        let settled = counter.wait_for(|count| *count == 0);
        // The sender lives in `self`, so an error of the channel cannot happen; it would mean that nothing is left.
        let in_time = self.clocks.timeout(deadline, async { settled.await.is_ok() }).await.is_ok();
        match self.unsettled() {
            0 => Finished::Clean,
            _ if in_time => Finished::Clean,
            left => Finished::CutShort { left },
        }
    }
}

impl ReaperHandle {
    /// Leaves `owed` to the reaper; gives it back if the reaper is gone with its runtime.
    pub(super) fn hand_over(&self, owed: Owed) -> Result<(), Box<Owed>> {
        self.owed.send(Left::Session(Box::new(owed))).or_else(|error| match error.0 {
            Left::Session(owed) => Err(owed),
            Left::Place(..) => Ok(()),
        })
    }

    /// Keeps a session's lease beside whatever is done with the session.
    pub(super) fn keep(&self, keeping: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(keeping);
    }

    /// Has a place among those who wait left. Without a reaper it is passed over after the patience.
    pub(super) fn leave(&self, leaving: Leaving) {
        let _no_runtime = self.owed.send(Left::Place(leaving, self.count()));
    }

    pub(super) fn count(&self) -> Count {
        Count::up(&self.counter)
    }
}
