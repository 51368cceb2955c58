//! One real session: what the account may run, a harmless read, and a close that is seen.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Account, Climb, Finding, Name, Parts, cmdlets, module_access, read};
use crate::catalog::CmdletName;
use crate::exchange::errors::{ErrorKind, RemoteError};
use crate::exchange::{CmdletRequest, Intent};
use crate::exit::Exit;
use crate::session::{CallError, RunLabel, Session, SessionError, Sessions, Wait};
use crate::signin::AccessToken;
use crate::slots::{AccountKey, ListedState};

/// Why the session's work ended early; the rung says the rest.
enum Stop {
    /// A rung is broken.
    Broken,
    /// There is no session.
    None(SessionError),
}

impl From<SessionError> for Stop {
    fn from(error: SessionError) -> Stop {
        Stop::None(error)
    }
}

pub(super) async fn climb<A: Account>(
    parts: &Parts<A>,
    climb: &mut Climb<'_>,
    sessions: &Sessions,
    account: &AccountKey,
    token: &AccessToken,
) {
    let run = RunLabel { run_id: Uuid::new_v4().to_string(), job: "exorun-doctor".to_owned() };
    let opening = climb.clocks().boot();
    let worked = sessions
        .with_session(&run, Wait::OnlyIfFreeNow, async |session: &mut Session| {
            work(parts, climb, session, token).await.ok_or(Stop::Broken)
        })
        .await;
    if let Err(Stop::None(error)) = worked {
        let took = climb.clocks().boot().since(opening);
        climb.found(Name::ModuleAccess, &no_session(&error), took);
        return;
    }
    let began = climb.clocks().boot();
    let closed = closed(parts, account, &run).await;
    let took = climb.clocks().boot().since(began);
    climb.found(Name::Close, &closed, took);
}

async fn work<A: Account>(
    parts: &Parts<A>,
    climb: &mut Climb<'_>,
    session: &mut Session,
    token: &AccessToken,
) -> Option<()> {
    let limit = parts.limits.call;
    let wanted = cmdlets::wanted(&parts.job);
    let mut exported = None;
    let asking = async {
        let first = wanted.first().cloned().unwrap_or_else(read::cmdlet);
        let mut names = wanted.clone();
        names.push(read::cmdlet());
        names.sort();
        names.dedup();
        match session.exported(&request(parts, first, Default::default()), &names).await {
            Ok(names) => {
                exported = Some(names);
                module_access::ok(token)
            }
            Err(error) => module_access::refused(token, &error),
        }
    };
    climb.rung(Name::ModuleAccess, limit, asking).await;
    let exported = exported?;
    let compared = cmdlets::look(&wanted, &exported, parts.job.service);
    climb.found(Name::Cmdlets, &compared, Duration::ZERO);
    if !climb.goes_on() {
        return None;
    }
    climb.rung(Name::Read, limit, read::look(parts, session, &exported)).await;
    climb.goes_on().then_some(())
}

/// A request that only reads, tried twice at most.
pub(super) fn request<A: Account>(
    parts: &Parts<A>,
    cmdlet: CmdletName,
    parameters: serde_json::Map<String, serde_json::Value>,
) -> CmdletRequest {
    CmdletRequest {
        cmdlet,
        parameters,
        secrets: Vec::new(),
        select: Vec::new(),
        intent: Intent::Read,
        client_request_id: Uuid::new_v4(),
        repeats: None,
        timeout: parts.limits.call,
        stop: CancellationToken::clone(&parts.stop),
    }
}

fn no_session(error: &SessionError) -> Finding {
    match error {
        SessionError::Open(error) => Finding::failed(
            exit_of(error),
            format!("no session could be opened: {}", error.message),
            "look at the way to the service (the setting `proxy`)",
        ),
        SessionError::Slot(error) => {
            Finding::failed(super::slots::exit_of(error), error.to_string(), super::slots::STORE_MEND)
        }
        busy => Finding::failed(Exit::NoSession, busy.to_string(), "wait, or end one of the account's runs"),
    }
}

/// How a refused call ends the command.
pub(super) fn exit_of(error: &RemoteError) -> Exit {
    match error.kind {
        ErrorKind::Throttled | ErrorKind::SessionLimit => Exit::NoSession,
        ErrorKind::Interrupted => Exit::Interrupted,
        _ => Exit::Failed,
    }
}

/// A failed call as a finding; `mend` where the error names none.
pub(super) fn failed(error: &CallError, mend: &str) -> Finding {
    match error {
        CallError::Remote(error) => {
            let found = match error.kind {
                ErrorKind::SessionLimit => Finding::failed(
                    Exit::NoSession,
                    error.to_string(),
                    "something outside this host uses the account's five sessions: find it, or lower `session_limit`",
                ),
                _ => Finding::failed_as(exit_of(error), &error.to_string(), mend),
            };
            found.with_id("request_id", error.request_id.clone())
        }
        CallError::Signin(error) => Finding::failed_as(super::exit_of(error), &error.message, mend),
        other => Finding::failed(Exit::Failed, other.to_string(), mend),
    }
}

/// Whether the session's slot is free again.
async fn closed<A: Account>(parts: &Parts<A>, account: &AccountKey, run: &RunLabel) -> Finding {
    let taken = match parts.store.list(Some(account)).await {
        Ok(listed) => listed.into_iter().flat_map(|listed| listed.slots).collect::<Vec<_>>(),
        Err(error) => return Finding::warning(error.to_string(), super::slots::STORE_MEND),
    };
    let mut states: BTreeMap<&str, u32> = BTreeMap::new();
    for slot in &taken {
        let word = match &slot.state {
            ListedState::Held { holder, .. } if holder.run_id == run.run_id => "ours",
            ListedState::Held { .. } => "held",
            ListedState::Quarantined { .. } => "quarantined",
        };
        *states.entry(word).or_default() += 1;
    }
    if states.contains_key("ours") {
        return Finding::warning(
            "the session's slot was not given back",
            "look at the log lines on standard error; the slot comes back after lease and quarantine",
        );
    }
    Finding::ok("the session was closed, and its slot given back")
}
