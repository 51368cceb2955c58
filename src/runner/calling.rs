//! One call: sent, timed, counted, written to the log, and ended early if the run has to stop.

use std::time::Duration;

use serde_json::Value;
use tracing::{debug, info};
use uuid::Uuid;

use super::acting::Acting;
use super::call::{Call, KeptSecret};
use super::collect::Collect;
use super::context::RunParts;
use super::halt::Failure;
use super::items::Items;
use super::write_log;
use crate::exchange::errors::{ErrorKind, Happened};
use crate::exchange::{
    CallSummary, CmdletRequest, Intent, Member, Repeats, SecretParameter, SecretParameterValue, time_limits,
};
use crate::exit::Exit;
use crate::observe::metrics::FinishedCall;
use crate::rules::duration::show;
use crate::rules::retry::Repeated;
use crate::rules::time::BootTime;
use crate::session::Session;
use crate::spec::job::Keep;

impl Acting<'_> {
    /// A writing call with its line in the write log, whatever comes of it.
    pub(super) async fn write(
        &self,
        session: &mut Session,
        call: &Call,
        changed: &[&str],
    ) -> Result<CallSummary, Failure> {
        let entry = write_log::Entry::of(self.run, call, changed);
        let mut collect = Collect::new(&self.step.keep);
        // Dropped in between (a panic, a kill of the task), the entry writes that the outcome is unknown.
        let entry = entry.begun();
        let outcome = self.call_with_id(session, call, &mut collect, entry.client_request_id()).await;
        match &outcome {
            Ok(summary) => match summary.errors.first() {
                None => entry.ended("done", summary.request_id.as_deref()),
                Some(first) => {
                    entry.ended("partly_failed", summary.request_id.as_deref());
                    return Err(partial(summary, first));
                }
            },
            Err(failure) if failure.is_in_doubt() => entry.ended("unknown", failure.request_id.as_deref()),
            Err(failure) => entry.ended(failure.kind, failure.request_id.as_deref()),
        }
        outcome
    }

    /// One call: counted, timed, and ended early if the run is told to stop at once or the step's time is over.
    pub(super) async fn call(
        &self,
        session: &mut Session,
        call: &Call,
        collect: &mut Collect<'_>,
    ) -> Result<CallSummary, Failure> {
        self.call_with_id(session, call, collect, Uuid::new_v4()).await
    }

    async fn call_with_id(
        &self,
        session: &mut Session,
        call: &Call,
        collect: &mut Collect<'_>,
        client_request_id: Uuid,
    ) -> Result<CallSummary, Failure> {
        let run = self.run;
        if run.stop.is_asked() {
            return Err(interrupted("before the next call", Happened::No));
        }
        if let Some(deadline) = self.deadline
            && run.clocks.boot() >= deadline
        {
            return Err(self.out_of_time(Happened::No));
        }
        let secrets = secrets(session, call).await?;
        let request = CmdletRequest { secrets, ..self.request(call, client_request_id) };
        debug!(cmdlet = %call.cmdlet, object = call.object, %client_request_id, "calling");
        let began = run.clocks.boot();
        let happened = match call.intent {
            Intent::Read => Happened::No,
            Intent::Write => Happened::Unknown,
        };
        let outcome = tokio::select! {
            biased;
            answer = session.call(&request, collect) => answer.map_err(Failure::from),
            () = run.stop.insisted() => Err(interrupted("in the middle of the call", happened)),
            () = until(run, self.deadline) => Err(self.out_of_time(happened)),
        };
        self.count_call(call, &outcome, run.clocks.boot().since(began));
        if let Ok(summary) = &outcome {
            self.tell_warnings(call, client_request_id, summary);
        }
        outcome
    }

    fn request(&self, call: &Call, client_request_id: Uuid) -> CmdletRequest {
        CmdletRequest {
            cmdlet: call.cmdlet.clone(),
            parameters: call.parameters.clone(),
            secrets: Vec::new(),
            select: call.select.clone(),
            intent: call.intent,
            client_request_id,
            repeats: self.step.retry.map(|retry| Repeats {
                attempts_max: retry.attempts,
                on: Repeated { throttled: retry.throttled, transient: retry.transient },
            }),
            timeout: time_limits::of(&call.cmdlet, self.run.call_timeout),
            stop: self.run.stop.soon(),
        }
    }

    /// Several calls that only read, together; each result is in its call's place.
    pub(super) async fn calls_together(
        &self,
        session: &mut Session,
        calls: &[(&Call, &Keep)],
    ) -> Vec<Result<Items, Failure>> {
        let run = self.run;
        let all = |failure: Failure| calls.iter().map(|_| Err(failure.clone())).collect();
        if run.stop.is_asked() {
            return all(interrupted("before the next call", Happened::No));
        }
        if self.deadline.is_some_and(|deadline| run.clocks.boot() >= deadline) {
            return all(self.out_of_time(Happened::No));
        }
        let requests: Vec<CmdletRequest> =
            calls.iter().map(|(call, _)| self.request(call, Uuid::new_v4())).collect();
        let mut collects: Vec<Collect<'_>> = calls.iter().map(|(_, keep)| Collect::new(keep)).collect();
        let mut members: Vec<Member<'_>> = requests
            .iter()
            .zip(&mut collects)
            .map(|(request, collect)| Member { request, sink: collect })
            .collect();
        debug!(calls = calls.len(), "calling together");
        let began = run.clocks.boot();
        let outcome = tokio::select! {
            biased;
            results = session.batch(&mut members) => results.map_err(Failure::from),
            () = run.stop.insisted() => Err(interrupted("in the middle of the call", Happened::No)),
            () = until(run, self.deadline) => Err(self.out_of_time(Happened::No)),
        };
        let took = run.clocks.boot().since(began);
        drop(members);
        let results: Vec<Result<CallSummary, Failure>> = match outcome {
            Ok(results) => results.into_iter().map(|result| result.map_err(Failure::from)).collect(),
            Err(failure) => calls.iter().map(|_| Err(failure.clone())).collect(),
        };
        let ended = calls.iter().zip(&requests).zip(collects).zip(results);
        ended
            .map(|((((call, _), request), collect), result)| {
                self.count_call(call, &result, took);
                let summary = result?;
                self.tell_warnings(call, request.client_request_id, &summary);
                match summary.errors.first() {
                    Some(first) => Err(partial(&summary, first)),
                    None => collect.spool.finish().map_err(|error| Failure::new("spool", error.to_string())),
                }
            })
            .collect()
    }

    fn tell_warnings(&self, call: &Call, client_request_id: Uuid, summary: &CallSummary) {
        for warning in &summary.warnings {
            info!(cmdlet = %call.cmdlet, object = call.object, %client_request_id, "the service warns: {warning}");
        }
    }

    fn count_call(&self, call: &Call, outcome: &Result<CallSummary, Failure>, took: Duration) {
        let (requests, retries, throttled, warnings) = match outcome {
            Ok(summary) => (summary.requests, summary.retries, summary.throttled, summary.warnings.len()),
            Err(failure) => (failure.requests, failure.requests.saturating_sub(1), failure.throttled, 0),
        };
        {
            let mut counts = self.tally.counts();
            counts.calls += 1;
            counts.requests += u64::from(requests);
            counts.retries += u64::from(retries);
            counts.warnings += warnings as u64;
        }
        if matches!(outcome, Err(failure) if failure.kind == ErrorKind::SessionLimit.word()) {
            self.run.metrics.session_refused();
        }
        self.run.metrics.call_finished(&FinishedCall {
            job: self.run.job.name.as_str(),
            step: self.step.name.as_str(),
            cmdlet: call.cmdlet.as_str(),
            outcome: outcome.as_ref().map_or_else(|failure| failure.kind, |_| "ok"),
            took,
            retries,
            throttled,
        });
    }

    fn out_of_time(&self, happened: Happened) -> Failure {
        let timeout = self.step.timeout.unwrap_or_default();
        Failure {
            happened,
            ..Failure::new("step_timeout", format!("the step's time-out of {} is over", show(timeout)))
        }
    }

    /// A call whose items are few: an object read back.
    pub(super) async fn read(&self, session: &mut Session, call: &Call) -> Result<Vec<Value>, Failure> {
        let mut collect = Collect::new(&Keep::All);
        let summary = self.call(session, call, &mut collect).await?;
        if let Some(first) = summary.errors.first() {
            return Err(partial(&summary, first));
        }
        let items = collect.spool.finish().map_err(|error| Failure::new("spool", error.to_string()))?;
        first_two(&items)
    }
}

/// As many as it takes to see whether there is one.
pub(super) fn first_two(items: &Items) -> Result<Vec<Value>, Failure> {
    let read: std::io::Result<Vec<Value>> = items.iter().take(2).collect();
    read.map_err(|error| Failure::new("spool", error.to_string()))
}

/// The call's secrets, read from where they are kept, for this one call.
async fn secrets(session: &mut Session, call: &Call) -> Result<Vec<SecretParameter>, Failure> {
    let mut secrets = Vec::with_capacity(call.secrets.len());
    for KeptSecret { name, place, user_name } in &call.secrets {
        let read = session.secret(place).await;
        let secret = read.map_err(|error| Failure::new("secret", format!("{name}: {error}")))?;
        let value = match user_name {
            None => SecretParameterValue::Text(secret),
            Some(user_name) => {
                SecretParameterValue::Credential { user_name: user_name.clone(), password: secret }
            }
        };
        secrets.push(SecretParameter { name: name.clone(), value });
    }
    Ok(secrets)
}

async fn until(run: &RunParts, deadline: Option<BootTime>) {
    match deadline {
        Some(deadline) => run.clocks.sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn interrupted(place: &str, happened: Happened) -> Failure {
    let message = format!("the run was told to stop {place}");
    Failure { happened, ..Failure::ends_run(ErrorKind::Interrupted.word(), Exit::Interrupted, message) }
}

/// Errors inside a successful answer: the call failed in part. Source: protocol reference, 3.7.
pub(super) fn partial(summary: &CallSummary, first: &str) -> Failure {
    let more = summary.errors.len() - 1;
    let message = if more == 0 { first.to_owned() } else { format!("{first} (and {more} more)") };
    Failure { request_id: summary.request_id.clone(), ..Failure::new("partial_failure", message) }
}
