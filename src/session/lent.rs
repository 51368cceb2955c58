//! An open session, as its run holds it: whether it can be used, and its lease before a call.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::oneshot;

use super::errors::CallError;
use super::events::{EndedBy, SessionFacts};
use super::keeper::{Keeper, Kept, Over};
use super::owed::{Owed, Shared, Stage};
use super::reaper::ReaperHandle;
use super::scope::open_outlasted_lease;
use super::under_lease::{Outcome, under_lease};
use crate::exchange::errors::{Happened, RemoteError};
use crate::exchange::{CmdletRequest, Intent};
use crate::rules::slots::MayCall;
use crate::secrets::{SecretError, SecretSource};
use crate::signin::TokenSource;
use crate::slots::SlotError;
use crate::spec::job::CredentialRef;

/// One open session, lent by [`super::Sessions::with_session`].
///
/// Its lease is renewed whether calls are made or not. Where that fails until the lease is about to end, the session is
/// closed, and further calls are refused.
pub struct Session {
    /// Nothing only after the session has been handed over to be closed.
    pub(super) owed: Option<Owed>,
    pub(super) tokens: Arc<dyn TokenSource>,
    reaper: ReaperHandle,
    secrets: Arc<dyn SecretSource>,
    condition: Condition,
    /// The longest limit of the calls that were given up: the service may still work on them.
    unanswered: Duration,
}

enum Condition {
    Usable,
    /// A call was cut short because the lease could not be renewed.
    Ended,
    Lost(String),
}

pub(super) const OWED: &str = "a session that is lent out has not been settled";

impl Session {
    pub(super) fn new(
        owed: Owed,
        reaper: ReaperHandle,
        tokens: Arc<dyn TokenSource>,
        secrets: Arc<dyn SecretSource>,
    ) -> Session {
        Session {
            owed: Some(owed),
            reaper,
            tokens,
            secrets,
            condition: Condition::Usable,
            unanswered: Duration::ZERO,
        }
    }

    /// A secret that a call is about to send, from where it is kept. It is wiped when dropped.
    ///
    /// # Errors
    /// [`SecretError`] names the place and the mend.
    // `&mut`, because a session goes from thread to thread but is not shared between them.
    pub async fn secret(&mut self, place: &CredentialRef) -> Result<SecretString, SecretError> {
        self.secrets.text(place, "password").await
    }

    /// The session as reports show it.
    pub fn facts(&self) -> &SessionFacts {
        &self.owed.as_ref().expect(OWED).facts
    }

    /// What became of a call under its lease; `before` is what [`Session::ready_lease`] has returned for it.
    // `&mut` as in `secret`.
    pub(super) async fn ended<T>(
        &mut self,
        outcome: Outcome<T>,
        before: Duration,
        happened: Happened,
    ) -> Result<T, CallError> {
        match outcome {
            Outcome::Done(answer) => {
                self.unanswered = before;
                Ok(answer)
            }
            Outcome::Lost(reason) => Err(self.lost(reason, happened)),
            Outcome::CutShort => {
                if let Some(reason) = self.lost_meanwhile().await {
                    return Err(self.lost(reason, happened));
                }
                self.condition = Condition::Ended;
                Err(CallError::CutShort { happened })
            }
        }
    }

    /// Whether a lease that has ended is lost, as a process that was stopped finds it: only the store knows.
    // `&mut` as in `secret`.
    async fn lost_meanwhile(&mut self) -> Option<String> {
        let Owed { keeper, shared, .. } = self.owed.as_ref().expect(OWED);
        let Kept { ends, recorded, .. } = keeper.kept().borrow().clone();
        if shared.clocks.boot() < ends {
            return None;
        }
        match keeper.renew(recorded).await {
            Err(SlotError::Lost { reason, .. }) => Some(reason),
            _ => None,
        }
    }

    /// Renews the lease if the call may not start under what is left of it. Returns the limit of what was given up before:
    /// from here on the call counts as given up, until it is answered.
    pub(super) async fn ready_lease(&mut self, request: &CmdletRequest) -> Result<Duration, CallError> {
        let before = self.unanswered;
        let limit = before.max(request.timeout);
        self.owed.as_ref().expect(OWED).keeper.limit_calls_to(limit);
        self.renew_for(request, limit).await?;
        self.unanswered = limit;
        Ok(before)
    }

    async fn renew_for(&mut self, request: &CmdletRequest, limit: Duration) -> Result<(), CallError> {
        if self.may_call(request) == MayCall::Now {
            return Ok(());
        }
        let Owed { keeper, .. } = self.owed.as_ref().expect(OWED);
        match keeper.renew(limit).await {
            Ok(()) => {}
            Err(SlotError::Lost { reason, .. }) => return Err(self.lost(reason, Happened::No)),
            Err(error) => {
                // The half that a write needs is not there, but a read may use what is left.
                return match (self.may_call(request), request.intent) {
                    (MayCall::Now | MayCall::OnlyReads, Intent::Read) => Ok(()),
                    _ => Err(CallError::Renew(error)),
                };
            }
        }
        match self.may_call(request) {
            MayCall::Now => Ok(()),
            MayCall::OnlyReads | MayCall::AfterRenewal => Err(CallError::Renew(SlotError::Unavailable {
                place: format!("slot {}", self.facts().slot.0),
                reason: "the renewal took more than half of the lease; lengthen the lease".to_owned(),
            })),
        }
    }

    fn may_call(&self, request: &CmdletRequest) -> MayCall {
        let Owed { keeper, shared, .. } = self.owed.as_ref().expect(OWED);
        let Shared { clocks, times, .. } = &**shared;
        let Kept { ends, recorded, .. } = keeper.kept().borrow().clone();
        times.terms().may_call(clocks.boot(), ends, recorded, request.timeout)
    }

    pub(super) fn check_usable(&self) -> Result<(), CallError> {
        let Owed { keeper, .. } = self.owed.as_ref().expect(OWED);
        match &self.condition {
            Condition::Usable if keeper.kept().borrow().over.is_none() => Ok(()),
            Condition::Usable => Err(over(keeper)),
            Condition::Ended => Err(CallError::Gone),
            Condition::Lost(reason) => {
                Err(CallError::LeaseLost { reason: reason.clone(), happened: Happened::No })
            }
        }
    }

    fn lost(&mut self, reason: String, happened: Happened) -> CallError {
        self.condition = Condition::Lost(reason.clone());
        CallError::LeaseLost { reason, happened }
    }

    /// Waits for the open, while the first lease lasts.
    pub(super) async fn opened(&mut self) -> Result<(), RemoteError> {
        let Owed { stage, facts, keeper, shared, .. } = self.owed.as_mut().expect(OWED);
        let mut stage = stage.lock().await;
        let Stage::Opening(opening) = &mut *stage else { return Err(open_outlasted_lease()) };
        // No longer than one lease, though it is renewed: an open that never ends must not keep its slot.
        let limit = shared.times.terms().stop_at(keeper.kept().borrow().ends).since(shared.clocks.boot());
        let answer = match shared.clocks.timeout(limit, under_lease(opening, keeper.kept(), shared)).await {
            Ok(Outcome::Done(answer)) => answer,
            Ok(Outcome::Lost(_) | Outcome::CutShort) | Err(_) => Err(open_outlasted_lease()),
        };
        match answer {
            Ok(connection) => {
                facts.endpoint = Some(connection.endpoint());
                *stage = Stage::Open(connection);
                facts.opened_at = shared.clocks.wall();
                Ok(())
            }
            Err(error) => {
                *stage = Stage::Failed(error.happened);
                Err(error)
            }
        }
    }

    /// Has the session closed and its slot given back, and waits for that.
    ///
    /// The reaper does it, so that it is done even if this is dropped.
    pub(super) async fn settle(mut self, by: EndedBy) {
        let (done, settled) = oneshot::channel();
        let mut owed = self.owed.take().expect(OWED);
        owed.by = by;
        owed.done = Some(done);
        match self.reaper.hand_over(owed) {
            // An error says that the task which settles has panicked: the slot is in quarantine then.
            Ok(()) => drop(settled.await),
            Err(owed) => owed.settle().await,
        }
    }
}

/// Why there is no connection to make a call on.
pub(super) fn over(keeper: &Keeper) -> CallError {
    match &keeper.kept().borrow().over {
        Some(Over::Lost(reason)) => CallError::LeaseLost { reason: reason.clone(), happened: Happened::No },
        Some(Over::NotRenewed) | None => CallError::Gone,
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(owed) = self.owed.take() {
            // Without a reaper the runtime is gone: the transport is cut, and the slot comes back after quarantine.
            drop(self.reaper.hand_over(owed));
        }
    }
}
