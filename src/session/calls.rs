//! The calls of a session: the token, and one repeat with a new one.

use super::errors::CallError;
use super::lent::{OWED, Session, over};
use super::owed::{Owed, Stage};
use super::under_lease::under_lease;
use crate::catalog::CmdletName;
use crate::exchange::errors::{ErrorKind, Happened, RemoteError};
use crate::exchange::{CallSummary, CmdletRequest, Intent, ItemSink, Member};
use crate::signin::AccessToken;
use crate::slots::SlotError;

impl Session {
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
        let before = self.ready_lease(longest).await?;
        let Owed { stage, keeper, facts, shared, .. } = self.owed.as_mut().expect(OWED);
        facts.token_expires_at = Some(token.expires_at);
        let mut stage = stage.lock().await;
        let Stage::Open(connection) = &mut *stage else { return Err(over(keeper)) };
        let calls = connection.batch(&token.secret, members);
        let outcome = under_lease(calls, keeper.kept(), shared).await;
        facts.endpoint = Some(connection.endpoint());
        drop(stage);
        let results = self.ended(outcome, before, Happened::No).await?;
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
        let before = self.ready_lease(request).await?;
        let Owed { stage, keeper, facts, shared, .. } = self.owed.as_mut().expect(OWED);
        facts.token_expires_at = Some(token.expires_at);
        let mut stage = stage.lock().await;
        let Stage::Open(connection) = &mut *stage else { return Err(over(keeper)) };
        let call = connection.exported(&token.secret, request, names);
        let outcome = under_lease(call, keeper.kept(), shared).await;
        facts.endpoint = Some(connection.endpoint());
        drop(stage);
        Ok(self.ended(outcome, before, Happened::No).await??)
    }

    async fn attempt(
        &mut self,
        token: &AccessToken,
        request: &CmdletRequest,
        sink: &mut dyn ItemSink,
    ) -> Result<CallSummary, CallError> {
        let before = self.ready_lease(request).await?;
        let Owed { stage, keeper, facts, shared, .. } = self.owed.as_mut().expect(OWED);
        facts.token_expires_at = Some(token.expires_at);
        let mut stage = stage.lock().await;
        let Stage::Open(connection) = &mut *stage else { return Err(over(keeper)) };
        let call = connection.call(&token.secret, request, sink);
        let outcome = under_lease(call, keeper.kept(), shared).await;
        // The service may have named another host.
        facts.endpoint = Some(connection.endpoint());
        drop(stage);
        let happened = match request.intent {
            Intent::Read => Happened::No,
            Intent::Write => Happened::Unknown,
        };
        let answer = self.ended(outcome, before, happened).await?;
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
