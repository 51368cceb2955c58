//! Who keeps a session's lease: a task from the slot's taking to its return.
//!
//! It renews in the middle of the lease's time, whether a call is in hand or not, and moves the fence behind which no byte
//! leaves. A lease that cannot be renewed, or is lost, ends the session: a call in hand is cancelled by whoever makes it
//! ([`super::under_lease`]), and the connection is closed here, so that none is kept beyond its lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot, watch};

use super::events::SessionFacts;
use super::owed::{Shared, Stage};
use super::reaper::ReaperHandle;
use crate::exchange::Fence;
use crate::rules::time::BootTime;
use crate::slots::{Returned, SlotError, SlotLease};

/// The lease, as whoever makes calls sees it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// When it ends if it is not renewed.
    pub(super) ends: BootTime,
    /// What the slot's record names as the service's limit for a call.
    pub(super) recorded: Duration,
    /// Why the session is over.
    pub(super) over: Option<Over>,
}

/// Why a session has ended before its time.
#[derive(Clone, Debug)]
pub(super) enum Over {
    /// Somebody else may hold the slot.
    Lost(String),
    /// The lease could not be renewed in time.
    NotRenewed,
}

enum Command {
    Renew { call_limit: Duration, reply: oneshot::Sender<Result<(), SlotError>> },
    GiveBack { how: Returned, reply: oneshot::Sender<Result<(), SlotError>> },
}

/// Tells the task what to do. Dropped without [`Keeper::give_back`], the lease ends in quarantine.
pub(super) struct Keeper {
    commands: mpsc::Sender<Command>,
    kept: watch::Receiver<Kept>,
    slot: u32,
    limit_millis: Arc<AtomicU64>,
}

impl Keeper {
    /// Starts to keep `lease`, for the connection in `stage`.
    pub(super) fn start(
        lease: Box<dyn SlotLease>,
        stage: Arc<Mutex<Stage>>,
        fence: Fence,
        facts: SessionFacts,
        shared: Arc<Shared>,
        reaper: &ReaperHandle,
    ) -> Keeper {
        let (commands, inbox) = mpsc::channel(1);
        let slot = lease.slot().0;
        let (sender, kept) =
            watch::channel(Kept { ends: lease.ends(), recorded: Duration::ZERO, over: None });
        let limit_millis = Arc::new(AtomicU64::new(0));
        let limit = Arc::clone(&limit_millis);
        let keeping =
            Keeping { lease, stage, fence, facts, shared, kept: sender, inbox, limit_millis: limit };
        reaper.keep(keeping.run());
        Keeper { commands, kept, slot, limit_millis }
    }

    /// The lease as it is now and becomes.
    pub(super) fn kept(&self) -> watch::Receiver<Kept> {
        self.kept.clone()
    }

    /// What the renewals from now on note as the service's limit for a call: that of the call in hand, and of those that
    /// were given up and may still be worked on.
    pub(super) fn limit_calls_to(&self, limit: Duration) {
        self.limit_millis.store(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// Renews the lease now and notes how long the service may work on the next call.
    ///
    /// # Errors
    /// As [`SlotLease::renew`].
    pub(super) async fn renew(&self, call_limit: Duration) -> Result<(), SlotError> {
        self.ask(|reply| Command::Renew { call_limit, reply }).await
    }

    /// Gives the slot back. Nothing is kept after it.
    ///
    /// # Errors
    /// As [`SlotLease::give_back`].
    pub(super) async fn give_back(&self, how: Returned) -> Result<(), SlotError> {
        self.ask(|reply| Command::GiveBack { how, reply }).await
    }

    async fn ask(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<(), SlotError>>) -> Command,
    ) -> Result<(), SlotError> {
        let (reply, answer) = oneshot::channel();
        let gone = || SlotError::Unavailable {
            place: format!("slot {}", self.slot),
            reason: "nobody keeps its lease any more; it comes back by itself after lease and quarantine"
                .to_owned(),
        };
        self.commands.send(command(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

struct Keeping {
    lease: Box<dyn SlotLease>,
    stage: Arc<Mutex<Stage>>,
    fence: Fence,
    facts: SessionFacts,
    shared: Arc<Shared>,
    kept: watch::Sender<Kept>,
    inbox: mpsc::Receiver<Command>,
    limit_millis: Arc<AtomicU64>,
}

impl Keeping {
    async fn run(mut self) {
        let (mut not_before, mut next) = (BootTime::default(), None);
        loop {
            let command = match next.take() {
                Some(command) => Some(command),
                None => {
                    let due = self.due(not_before);
                    let at_due = async {
                        match due {
                            Some(due) => self.shared.clocks.sleep_until(due).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        biased;
                        command = self.inbox.recv() => match command {
                            Some(command) => Some(command),
                            // Dropped unsettled: so is the lease.
                            None => return,
                        },
                        () = at_due => None,
                    }
                }
            };
            match command {
                Some(Command::Renew { call_limit, reply }) => {
                    let renewed = self.renew(call_limit).await;
                    // Whoever asked may be gone; the lease is renewed all the same.
                    let _ = reply.send(renewed);
                }
                Some(Command::GiveBack { how, reply }) => {
                    let _ = reply.send(self.give_back(how).await);
                    return;
                }
                None => {
                    next = self.keep().await;
                    not_before = self.shared.clocks.boot() + self.shared.times.terms().renew_retry();
                }
            }
        }
    }

    /// When there is something to do by itself; never again, once the session is over.
    fn due(&self, not_before: BootTime) -> Option<BootTime> {
        let terms = self.shared.times.terms();
        let ends = self.lease.ends();
        let due = terms.renew_at(ends).max(not_before).min(terms.stop_at(ends));
        self.kept.borrow().over.is_none().then_some(due)
    }

    /// Renews, or ends the session if the time for that is over. Returns a command that came in between.
    async fn keep(&mut self) -> Option<Command> {
        let Some(give_up_at) = self.give_up_at() else {
            self.end(Over::NotRenewed).await;
            return None;
        };
        let (clocks, call_limit) = (&self.shared.clocks, self.limit());
        // Past its end only one try is left: whoever asks in between gets its outcome.
        let takes_commands = clocks.boot() < self.lease.ends();
        let renewed = tokio::select! {
            biased;
            renewed = renew(self.lease.as_mut(), call_limit, &self.shared) => Some(renewed),
            Some(command) = self.inbox.recv(), if takes_commands => return Some(command),
            () = clocks.sleep_until(give_up_at) => None,
        };
        // What has failed is in the log.
        drop(self.settled(renewed, call_limit).await);
        None
    }

    /// Renews for somebody who waits for it.
    async fn renew(&mut self, call_limit: Duration) -> Result<(), SlotError> {
        let slot = self.facts.slot.0;
        match self.kept.borrow().over.clone() {
            None => {}
            Some(Over::Lost(reason)) => return Err(SlotError::Lost { slot, reason }),
            Some(Over::NotRenewed) => return Err(not_in_time(slot)),
        }
        let Some(give_up_at) = self.give_up_at() else {
            self.end(Over::NotRenewed).await;
            return Err(not_in_time(slot));
        };
        let renewed = tokio::select! {
            biased;
            renewed = renew(self.lease.as_mut(), call_limit, &self.shared) => Some(renewed),
            () = self.shared.clocks.sleep_until(give_up_at) => None,
        };
        self.settled(renewed, call_limit).await
    }

    /// Until when a renewal is waited for; `None`: there is no time for one. Past its end this process was stopped, and
    /// the store knows whether the slot is still its own.
    fn give_up_at(&self) -> Option<BootTime> {
        let Shared { clocks, times, .. } = &*self.shared;
        let (now, ends) = (clocks.boot(), self.lease.ends());
        let stop_at = times.terms().stop_at(ends);
        match now {
            _ if now < stop_at => Some(stop_at),
            _ if now < ends => None,
            _ => Some(now + times.store_deadline),
        }
    }

    /// What a try to renew has come to; nothing, if it was given up.
    async fn settled(
        &mut self,
        renewed: Option<Result<(), SlotError>>,
        call_limit: Duration,
    ) -> Result<(), SlotError> {
        let slot = self.facts.slot.0;
        match renewed {
            Some(Ok(())) => {
                self.renewed(call_limit);
                Ok(())
            }
            Some(Err(SlotError::Lost { reason, .. })) => {
                self.end(Over::Lost(reason.clone())).await;
                Err(SlotError::Lost { slot, reason })
            }
            Some(Err(error)) => {
                self.shared.events.renewal_failed(&self.facts, &error);
                if self.give_up_at().is_none() || self.lease.ends() <= self.shared.clocks.boot() {
                    self.end(Over::NotRenewed).await;
                }
                Err(error)
            }
            None => {
                self.end(Over::NotRenewed).await;
                Err(not_in_time(slot))
            }
        }
    }

    /// The service's limit for the call in hand, or for the last one.
    fn limit(&self) -> Duration {
        Duration::from_millis(self.limit_millis.load(Ordering::Acquire))
    }

    fn renewed(&self, call_limit: Duration) {
        let ends = self.lease.ends();
        self.fence.move_to(ends);
        self.kept.send_modify(|kept| (kept.ends, kept.recorded) = (ends, call_limit));
    }

    /// Ends the session: a call in hand is cancelled, and the connection closed.
    async fn end(&mut self, over: Over) {
        match &over {
            Over::Lost(reason) => {
                self.fence.move_to(BootTime::default());
                self.shared.events.lease_lost(&self.facts, reason);
            }
            Over::NotRenewed => self.shared.events.not_renewed(&self.facts),
        }
        self.kept.send_modify(|kept| kept.over = Some(over));
        // Whoever makes a call lets go of it now.
        self.stage.lock().await.close(&self.shared).await;
    }

    async fn give_back(self, how: Returned) -> Result<(), SlotError> {
        let Keeping { lease, shared, facts, .. } = self;
        match shared.clocks.timeout(shared.times.store_deadline, lease.give_back(how)).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(SlotError::Unavailable {
                place: format!("slot {}", facts.slot.0),
                reason: format!(
                    "giving it back {elapsed}; it comes back by itself after lease and quarantine"
                ),
            }),
        }
    }
}

fn not_in_time(slot: u32) -> SlotError {
    let (place, reason) = (format!("slot {slot}"), "the lease was not renewed in time".to_owned());
    SlotError::Unavailable { place, reason }
}

/// Renews `lease` within the store's deadline.
async fn renew(lease: &mut dyn SlotLease, call_limit: Duration, shared: &Shared) -> Result<(), SlotError> {
    let slot = lease.slot().0;
    match shared.clocks.timeout(shared.times.store_deadline, lease.renew(call_limit)).await {
        Ok(answer) => answer,
        Err(elapsed) => Err(SlotError::Unavailable {
            place: format!("slot {slot}"),
            reason: format!("renewing the lease {elapsed}"),
        }),
    }
}
