//! An open session: its calls, each under a lease that outlasts it.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::oneshot;

use super::errors::CallError;
use super::events::{EndedBy, SessionFacts};
use super::owed::{Owed, Shared, Stage};
use super::reaper::ReaperHandle;
use super::scope::open_outlasted_lease;
use super::under_lease::{Outcome, renew, under_lease};
use crate::catalog::CmdletName;
use crate::exchange::errors::{ErrorKind, Happened, RemoteError};
use crate::exchange::{CallSummary, CmdletRequest, Intent, ItemSink, Member};
use crate::rules::slots::MayCall;
use crate::rules::time::BootTime;
use crate::secrets::{SecretError, SecretSource};
use crate::signin::{AccessToken, TokenSource};
use crate::slots::SlotError;
use crate::spec::job::CredentialRef;

/// One open session, lent by [`super::Sessions::with_session`].
///
/// A run may work on its own side for longer than a lease: the next call renews the lease first, if the store still
/// lets it.
pub struct Session {
    /// Nothing only after the session has been handed over to be closed.
    owed: Option<Owed>,
    reaper: ReaperHandle,
    tokens: Arc<dyn TokenSource>,
    secrets: Arc<dyn SecretSource>,
    condition: Condition,
    /// What the slot's record names as the service's limit for a call.
    recorded: Duration,
}

enum Condition {
    Usable,
    /// A call was cut short because the lease could not be renewed.
    Ended,
    Lost(String),
}

const OWED: &str = "a session that is lent out has not been settled";

impl Session {
    pub(super) fn new(
        owed: Owed,
        reaper: ReaperHandle,
        tokens: Arc<dyn TokenSource>,
        secrets: Arc<dyn SecretSource>,
    ) -> Session {
        let condition = Condition::Usable;
        Session { owed: Some(owed), reaper, tokens, secrets, condition, recorded: Duration::ZERO }
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

    /// Makes one call; items reach `sink` in order.
    ///
    /// The token comes from the token source. Refused once with 401, the call is repeated once with a renewed token,
    /// after [`ItemSink::restart`]; a second 401 is returned, and so is the first where no other token would help. The lease is renewed before and during the call where
    /// needed; what cannot be done under it is not begun, or cancelled.
    ///
    /// # Cancel safety
    /// May be dropped at any time; the outcome of a write is unknown then. A further call begins on a new transport.
    ///
    /// # Errors
    /// [`CallError`]; [`CallError::happened`] says whether the service may have done what was asked.
    pub async fn call(
        &mut self,
        request: &CmdletRequest,
        sink: &mut dyn ItemSink,
    ) -> Result<CallSummary, CallError> {
        self.check_usable()?;
        let token = self.tokens.token().await?;
        match self.attempt(&token, request, sink).await {
            Err(CallError::Remote(error)) if is_stale(&error, request.intent) => {
                let Some(renewed) = self.tokens.renewed(&token, error.claims.as_deref()).await? else {
                    return Err(error.into());
                };
                drop(token);
                sink.restart().map_err(|text| RemoteError::new(ErrorKind::Refused, Happened::No, text))?;
                let repeated = self.attempt(&renewed, request, sink).await;
                self.noted(&renewed, repeated).await
            }
            done => done,
        }
    }

    /// Makes several calls that only read together; results are in their order.
    ///
    /// Members that are refused with 401 are called once more, each by itself, with one renewed token.
    ///
    /// # Cancel safety
    /// As [`Session::call`].
    ///
    /// # Errors
    /// What concerns the session, and so all of them; each member's own failure is in its place.
    pub async fn batch(
        &mut self,
        members: &mut [Member<'_>],
    ) -> Result<Vec<Result<CallSummary, RemoteError>>, CallError> {
        self.check_usable()?;
        let Some(longest) = members.iter().map(|member| member.request).max_by_key(|request| request.timeout)
        else {
            return Ok(Vec::new());
        };
        let token = self.tokens.token().await?;
        self.ready_lease(longest).await?;
        let Owed { stage, lease, facts, shared, .. } = self.owed.as_mut().expect(OWED);
        facts.token_expires_at = Some(token.expires_at);
        let Stage::Open(connection) = stage else { return Err(CallError::Gone) };
        let calls = connection.batch(&token.secret, members);
        let outcome = under_lease(calls, lease.as_mut(), self.recorded, facts, shared).await;
        facts.endpoint = Some(connection.endpoint());
        let results = self.ended(outcome, Happened::No)?;
        if results.iter().any(was_refused) {
            self.lower().await;
        }
        let mut token = Some(token);
        let mut is_renewed = false;
        let mut settled = Vec::with_capacity(results.len());
        for (member, result) in members.iter_mut().zip(results) {
            settled.push(match result {
                Err(error) if is_stale(&error, Intent::Read) => {
                    if !is_renewed && let Some(stale) = &token {
                        token = self.tokens.renewed(stale, error.claims.as_deref()).await?;
                        is_renewed = true;
                    }
                    // No other token would help.
                    let Some(token) = &token else {
                        settled.push(Err(error));
                        continue;
                    };
                    member
                        .sink
                        .restart()
                        .map_err(|text| RemoteError::new(ErrorKind::Refused, Happened::No, text))?;
                    let repeated = self.attempt(token, member.request, member.sink).await;
                    match self.noted(token, repeated).await {
                        Err(CallError::Remote(error)) => Err(error),
                        other => Ok(other?),
                    }
                }
                other => other,
            });
        }
        Ok(settled)
    }

    /// Which of `names` the caller may run, as the service says. Timeout, stop and ids are those of `request`, which is
    /// not made. Refused with 401, it is asked once more, as a call is.
    ///
    /// # Cancel safety
    /// As [`Session::call`]; nothing is written by it.
    ///
    /// # Errors
    /// As [`Session::call`].
    pub async fn exported(
        &mut self,
        request: &CmdletRequest,
        names: &[CmdletName],
    ) -> Result<Vec<String>, CallError> {
        self.check_usable()?;
        let token = self.tokens.token().await?;
        match self.attempt_exported(&token, request, names).await {
            Err(CallError::Remote(error)) if is_stale(&error, Intent::Read) => {
                match self.tokens.renewed(&token, error.claims.as_deref()).await? {
                    Some(renewed) => {
                        let repeated = self.attempt_exported(&renewed, request, names).await;
                        self.noted(&renewed, repeated).await
                    }
                    None => Err(error.into()),
                }
            }
            done => done,
        }
    }

    /// What a call came to with a renewed token; its source is told if that was refused too.
    // `&mut` as in `secret`.
    async fn noted<T>(
        &mut self,
        renewed: &AccessToken,
        repeated: Result<T, CallError>,
    ) -> Result<T, CallError> {
        if matches!(&repeated, Err(CallError::Remote(error)) if error.kind == ErrorKind::Unauthorized) {
            self.tokens.refused_again(renewed).await;
        }
        repeated
    }

    async fn attempt_exported(
        &mut self,
        token: &AccessToken,
        request: &CmdletRequest,
        names: &[CmdletName],
    ) -> Result<Vec<String>, CallError> {
        self.ready_lease(request).await?;
        let Owed { stage, lease, facts, shared, .. } = self.owed.as_mut().expect(OWED);
        facts.token_expires_at = Some(token.expires_at);
        let Stage::Open(connection) = stage else { return Err(CallError::Gone) };
        let call = connection.exported(&token.secret, request, names);
        let outcome = under_lease(call, lease.as_mut(), self.recorded, facts, shared).await;
        facts.endpoint = Some(connection.endpoint());
        Ok(self.ended(outcome, Happened::No)??)
    }

    async fn attempt(
        &mut self,
        token: &AccessToken,
        request: &CmdletRequest,
        sink: &mut dyn ItemSink,
    ) -> Result<CallSummary, CallError> {
        self.ready_lease(request).await?;
        let Owed { stage, lease, facts, shared, .. } = self.owed.as_mut().expect(OWED);
        facts.token_expires_at = Some(token.expires_at);
        let Stage::Open(connection) = stage else { return Err(CallError::Gone) };
        let call = connection.call(&token.secret, request, sink);
        let outcome = under_lease(call, lease.as_mut(), self.recorded, facts, shared).await;
        // The service may have named another host.
        facts.endpoint = Some(connection.endpoint());
        let happened = match request.intent {
            Intent::Read => Happened::No,
            Intent::Write => Happened::Unknown,
        };
        let answer = self.ended(outcome, happened)?;
        if was_refused(&answer) {
            self.lower().await;
        }
        Ok(answer?)
    }

    /// Tells all holders of the account that the service wants fewer of them.
    // `&mut` for the same reason as in `Session::secret`.
    async fn lower(&mut self) {
        let Owed { facts, shared, .. } = self.owed.as_ref().expect(OWED);
        let noted = shared.store.refused(&facts.account);
        match shared.clocks.timeout(shared.times.store_deadline, noted).await {
            Ok(Ok(left)) => shared.events.lowered(facts, left),
            Ok(Err(error)) => shared.events.not_lowered(facts, &error),
            Err(elapsed) => {
                let reason = format!("noting that the service refuses {elapsed}");
                let error = SlotError::Unavailable { place: "of the account".to_owned(), reason };
                shared.events.not_lowered(facts, &error);
            }
        }
    }

    /// What became of a call under its lease.
    fn ended<T>(&mut self, outcome: Outcome<T>, happened: Happened) -> Result<T, CallError> {
        match outcome {
            Outcome::Done(answer) => Ok(answer),
            Outcome::Lost(reason) => Err(self.lost(reason, happened)),
            Outcome::CutShort => {
                self.condition = Condition::Ended;
                Err(CallError::CutShort { happened })
            }
        }
    }

    /// Renews the lease if the call may not start under what is left of it.
    async fn ready_lease(&mut self, request: &CmdletRequest) -> Result<(), CallError> {
        let may = self.may_call(request);
        if may == MayCall::Now {
            return Ok(());
        }
        let limit = self.recorded.max(request.timeout);
        let Owed { lease, facts, shared, .. } = self.owed.as_mut().expect(OWED);
        let renewed = renew(lease.as_mut(), limit, shared).await;
        match renewed {
            Ok(()) => self.recorded = limit,
            Err(SlotError::Lost { reason, .. }) => return Err(self.lost(reason, Happened::No)),
            Err(error) => {
                shared.events.renewal_failed(facts, &error);
                // The half that a write needs is not there, but a read may use what is left.
                return match (self.may_call(request), request.intent) {
                    (MayCall::Now | MayCall::OnlyReads, Intent::Read) => Ok(()),
                    _ => Err(CallError::Renew(error)),
                };
            }
        }
        match self.may_call(request) {
            MayCall::Now => Ok(()),
            MayCall::OnlyReads | MayCall::AfterRenewal => Err(CallError::Renew(SlotError::Store {
                place: format!("slot {}", self.facts().slot.0),
                reason: "the renewal took more than half of the lease; lengthen the lease".to_owned(),
            })),
        }
    }

    fn may_call(&self, request: &CmdletRequest) -> MayCall {
        let Owed { lease, shared, .. } = self.owed.as_ref().expect(OWED);
        let Shared { clocks, times, .. } = &**shared;
        times.terms().may_call(clocks.boot(), lease.ends(), self.recorded, request.timeout)
    }

    fn check_usable(&self) -> Result<(), CallError> {
        match &self.condition {
            Condition::Usable => Ok(()),
            Condition::Ended => Err(CallError::Gone),
            Condition::Lost(reason) => {
                Err(CallError::LeaseLost { reason: reason.clone(), happened: Happened::No })
            }
        }
    }

    fn lost(&mut self, reason: String, happened: Happened) -> CallError {
        self.condition = Condition::Lost(reason.clone());
        let Owed { facts, shared, .. } = self.owed.as_ref().expect(OWED);
        shared.events.lease_lost(facts, &reason);
        CallError::LeaseLost { reason, happened }
    }

    /// Waits for the open, at most until `stop_at`.
    pub(super) async fn opened(&mut self, stop_at: BootTime) -> Result<(), RemoteError> {
        let Owed { stage, facts, shared, .. } = self.owed.as_mut().expect(OWED);
        let clocks = &shared.clocks;
        let Stage::Opening(opening) = stage else { return Ok(()) };
        let limit = stop_at.since(clocks.boot());
        let answer = clocks.timeout(limit, opening).await.unwrap_or_else(|_| Err(open_outlasted_lease()));
        match answer {
            Ok(connection) => {
                facts.endpoint = Some(connection.endpoint());
                *stage = Stage::Open(connection);
                facts.opened_at = clocks.wall();
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

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(owed) = self.owed.take() {
            // Without a reaper the runtime is gone: the transport is cut, and the slot comes back after quarantine.
            drop(self.reaper.hand_over(owed));
        }
    }
}

/// The service wants another token and has certainly not done what was asked.
fn is_stale(error: &RemoteError, intent: Intent) -> bool {
    error.kind == ErrorKind::Unauthorized && (error.happened == Happened::No || intent == Intent::Read)
}

/// The service has refused for concurrency, or has throttled the call on its way.
fn was_refused(answer: &Result<CallSummary, RemoteError>) -> bool {
    match answer {
        Ok(summary) => summary.throttled > 0,
        Err(error) => {
            error.throttled > 0 || matches!(error.kind, ErrorKind::Throttled | ErrorKind::SessionLimit)
        }
    }
}
