//! The scope of a session: wait for a slot, open, lend, close.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use uuid::Uuid;

use super::errors::SessionError;
use super::events::{EndedBy, SessionEvents, SessionFacts};
use super::keeper::Keeper;
use super::lent::Session;
use super::owed::{Owed, Shared, Stage};
use super::place::Place;
use super::reaper::ReaperHandle;
use super::times::SessionTimes;
use crate::clocks::Clocks;
use crate::exchange::errors::{ErrorKind, Happened, RemoteError};
use crate::exchange::{ConnectionId, Fence, Remote};
use crate::rules::slots::pause;
use crate::secrets::{LocalSecrets, SecretSource};
use crate::signin::TokenSource;
use crate::slots::{AccountKey, Ask, Attempt, Busy, Holder, SlotError, SlotLease, SlotStore};

/// Whoever is next in line is the only one who may take what another process gives back, so its pauses stop growing early: at
/// two seconds with the defaults.
const LOOKS_OF_THE_NEXT: u32 = 3;

/// How long a run waits for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// For a run's first session.
    UpTo(Duration),
    /// For a run's further sessions: a run that waited while it holds slots could wait for itself.
    OnlyIfFreeNow,
}

/// Which run asks, as slot records and events show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLabel {
    /// The run's id.
    pub run_id: String,
    /// The job's name.
    pub job: String,
}

/// What sessions of one account are made from.
pub struct SessionsParts {
    /// Who signs in, known from the first token.
    pub account: AccountKey,
    /// Where the account's slots are kept.
    pub store: Arc<dyn SlotStore>,
    /// What sessions are opened to.
    pub remote: Arc<dyn Remote>,
    /// The account's tokens.
    pub tokens: Arc<dyn TokenSource>,
    /// The process's clocks.
    pub clocks: Clocks,
    /// Deadlines and bounds.
    pub times: SessionTimes,
    /// The process's reaper.
    pub reaper: ReaperHandle,
    /// Who wants to know.
    pub events: Arc<dyn SessionEvents>,
}

/// The sessions of one account. Made by the composition root.
pub struct Sessions {
    account: AccountKey,
    remote: Arc<dyn Remote>,
    tokens: Arc<dyn TokenSource>,
    reaper: ReaperHandle,
    shared: Arc<Shared>,
    secrets: Arc<dyn SecretSource>,
    jitter: Box<dyn Fn() -> f64 + Send + Sync>,
}

impl Sessions {
    /// Sessions made from `parts`.
    pub fn new(parts: SessionsParts) -> Sessions {
        let SessionsParts { account, store, remote, tokens, clocks, times, reaper, events } = parts;
        let shared =
            Arc::new(Shared { clocks, times, events, store, freed: tokio::sync::watch::Sender::new(()) });
        let secrets = Arc::new(LocalSecrets);
        Sessions { account, remote, tokens, reaper, shared, secrets, jitter: Box::new(chance) }
    }

    /// Reads the secrets that calls send from `secrets`, in place of this process's environment and files.
    pub fn with_secrets(self, secrets: Arc<dyn SecretSource>) -> Sessions {
        Sessions { secrets, ..self }
    }

    /// Takes the chance in pauses from `jitter` (0 to 1), for repeatable simulations.
    pub fn with_jitter(mut self, jitter: impl Fn() -> f64 + Send + Sync + 'static) -> Sessions {
        self.jitter = Box::new(jitter);
        self
    }

    /// Whose sessions these are.
    pub fn account(&self) -> &AccountKey {
        &self.account
    }

    /// Opens a session for `run`, lends it to `work`, and closes it: the only way to connect.
    ///
    /// The close is awaited before this returns. A close that fails does not change the result: the slot is
    /// quarantined and [`SessionEvents::closed`] says so.
    ///
    /// # Cancel safety
    /// May be dropped at any time, and `work` may panic: the reaper closes the session then. What `work` has done
    /// by then is not undone; a call in hand has an unknown outcome.
    ///
    /// # Errors
    /// [`SessionError`] if there is no session, else what `work` returns.
    pub async fn with_session<T, E: From<SessionError>>(
        &self,
        run: &RunLabel,
        wait: Wait,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut session = match self.open(run, wait).await {
            Ok(session) => session,
            Err(error) => {
                self.shared.events.refused(&self.account, &error);
                return Err(error.into());
            }
        };
        let outcome = work(&mut session).await;
        session.settle(EndedBy::Return).await;
        outcome
    }

    async fn open(&self, run: &RunLabel, wait: Wait) -> Result<Session, SessionError> {
        let clocks = &self.shared.clocks;
        let connection_id = ConnectionId(Uuid::new_v4());
        let holder = Holder {
            run_id: run.run_id.clone(),
            job: run.job.clone(),
            connection_id: connection_id.to_string(),
        };
        let remote = Arc::clone(&self.remote);
        let (lease, waited) = self.lease(&holder, wait).await?;
        let (fence, seen) = (Fence::until(lease.ends(), clocks.clone()), lease.seen());
        let facts = SessionFacts {
            connection_id,
            slot: lease.slot(),
            account: self.account.clone(),
            run_id: holder.run_id,
            job: holder.job,
            endpoint: None,
            opened_at: clocks.wall(),
            token_expires_at: None,
        };
        self.shared.events.taken(&facts, waited, &seen);
        let opening_fence = fence.clone();
        let opening = Box::pin(async move { remote.open(connection_id, opening_fence).await });
        let stage = Arc::new(Mutex::new(Stage::Opening(opening)));
        let shared = Arc::clone(&self.shared);
        let keeper =
            Keeper::start(lease, Arc::clone(&stage), fence, facts.clone(), Arc::clone(&shared), &self.reaper);
        // Armed before the open is awaited: dropped from here on, the reaper has it.
        let mut session = Session::new(
            Owed {
                stage,
                keeper,
                facts,
                taken: clocks.boot(),
                by: EndedBy::Drop,
                shared,
                done: None,
                count: self.reaper.count(),
            },
            self.reaper.clone(),
            Arc::clone(&self.tokens),
            Arc::clone(&self.secrets),
        );
        match session.opened().await {
            Ok(()) => {
                self.shared.events.opened(session.facts(), waited);
                Ok(session)
            }
            Err(error) => {
                session.settle(EndedBy::FailedOpen).await;
                Err(SessionError::Open(error))
            }
        }
    }

    /// A slot with an open of the budget. Nothing is awaited between the store's answer and the return.
    async fn lease(
        &self,
        holder: &Holder,
        wait: Wait,
    ) -> Result<(Box<dyn SlotLease>, Duration), SessionError> {
        let Shared { clocks, times, events, freed, .. } = &*self.shared;
        let started = clocks.boot();
        let limit = match wait {
            Wait::OnlyIfFreeNow => {
                return match self.attempt(holder, Ask::InPassing).await? {
                    Attempt::Lease(lease) => Ok((lease, Duration::ZERO)),
                    Attempt::Busy(Busy { held, quarantined, .. }) => {
                        Err(SessionError::NoneFree { held, quarantined })
                    }
                };
            }
            Wait::UpTo(limit) => limit,
        };
        // Armed before the first look: a wait that is dropped leaves the line too.
        let mut place = Place::new(&self.account, holder, &self.shared, &self.reaper);
        let (mut freed, mut attempt) = (freed.subscribe(), 0u32);
        let mut last = None;
        loop {
            freed.mark_unchanged();
            let answer = self.attempt(holder, Ask::InLine).await;
            let waited = clocks.boot().since(started);
            let left = limit.saturating_sub(waited);
            let busy = match answer {
                Ok(Attempt::Lease(lease)) => {
                    place.is_left();
                    return Ok((lease, waited));
                }
                Ok(Attempt::Busy(busy)) => busy,
                // A store that is away for a moment does not end a run that has time to wait.
                Err(SlotError::Unavailable { place, reason }) if !left.is_zero() => {
                    last = Some(SlotError::Unavailable { place, reason });
                    Busy::default()
                }
                Err(error) => {
                    place.leave().await;
                    return Err(SessionError::Slot(error));
                }
            };
            if left.is_zero() {
                place.leave().await;
                return Err(SessionError::no_session(busy, waited));
            }
            let is_next = last.is_none() && busy.ahead == 0;
            match last.take() {
                Some(error) => events.store_failed(&self.account, &error, left),
                None => events.waiting(&self.account, &busy, left),
            }
            let until_change = busy.until.map(|until| until.since(clocks.boot()));
            let looks = if is_next { attempt.min(LOOKS_OF_THE_NEXT) } else { attempt };
            let pause = pause(looks, until_change, times.polling, (self.jitter)()).min(left);
            attempt = attempt.saturating_add(1);
            tokio::select! {
                () = clocks.sleep(pause) => {}
                Ok(()) = freed.changed() => {}
            }
        }
    }

    /// One look at the slots, within the store's deadline.
    async fn attempt(&self, holder: &Holder, ask: Ask) -> Result<Attempt, SlotError> {
        let Shared { clocks, times, store, .. } = &*self.shared;
        let answer = clocks.timeout(times.store_deadline, store.attempt(&self.account, holder, ask)).await;
        answer.unwrap_or_else(|elapsed| {
            let reason = format!("looking for a slot {elapsed}; see whether it can be reached");
            Err(SlotError::Unavailable { place: "of the account".to_owned(), reason })
        })
    }
}

/// What a failed open means where the lease's end came first.
pub(super) fn open_outlasted_lease() -> RemoteError {
    RemoteError::new(
        ErrorKind::Timeout,
        Happened::Unknown,
        "no connection before the end of the slot's lease",
    )
}

/// A number from 0 to 1: 32 random bits of a UUID.
fn chance() -> f64 {
    let (bits, ..) = Uuid::new_v4().as_fields();
    f64::from(bits) / f64::from(u32::MAX)
}
