//! A recorded tenant: both ports answer as a recording says, instead of making a tenant up.
//!
//! Tokens are the emulator's own, for the account that the recording names; sessions are counted as ever.

mod answer;
mod file;
mod matching;

use bytes::Bytes;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::http::request::Parts;
use serde_json::Value;
use uuid::Uuid;

use super::api;
use super::entra;
use super::errors::{self, Failure};
use super::form;
use super::options::SessionsMode;
use super::request::id_header;
use super::service::{Ended, Role, Visit};
use super::sessions::Key as SessionKey;
use super::state::{InHand, State};
use crate::catalog;
use file::{Body, End, Pair, Peer};
use matching::{Found, Key, Matcher};

/// How much longer than the recorded client somebody has to wait for an answer that never came.
const NO_ANSWER: Duration = Duration::from_secs(5);

/// Cmdlets that a refusal names.
const NAMED_MAX: usize = 20;

/// A recording that is served.
pub(super) struct Replay {
    pairs: Vec<Pair>,
    matcher: Mutex<Matcher>,
}

impl Replay {
    /// Reads a recording.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub(super) fn read(folder: &Path) -> Result<Replay, String> {
        let pairs = file::read(folder)?;
        let matcher = Mutex::new(Matcher::new(&pairs));
        Ok(Replay { pairs, matcher })
    }

    /// The tenant that the recorded tokens name.
    pub(super) fn tenant_id(&self) -> Option<Uuid> {
        let answers =
            self.pairs.iter().filter(|pair| pair.peer == Peer::Login).filter_map(|pair| pair.answer.as_ref());
        let mut claims = answers.filter_map(|answer| match &answer.body {
            Body::Json(body) => body.pointer("/access_token/claims/tid")?.as_str(),
            _ => None,
        });
        claims.find_map(|tid| Uuid::parse_str(tid).ok())
    }

    fn matcher(&self) -> MutexGuard<'_, Matcher> {
        self.matcher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why nothing answers, in words that name the nearest recorded request.
    fn not_recorded(&self, key: &Key, name: &str, recorded: Option<usize>) -> String {
        if let Some(times) = recorded {
            return format!(
                "{name} with these parameters is in the recording {times} times, and was asked for once more"
            );
        }
        match self.matcher().nearest(key) {
            Some((index, differs)) => format!(
                "{name} with these parameters is not in the recording; the nearest is request {}, which differs in {}",
                self.pairs[index].number,
                differs.join(", ")
            ),
            None => {
                let mut names: Vec<&str> = self.pairs.iter().filter_map(cmdlet_of).collect();
                names.sort_unstable();
                names.dedup();
                names.truncate(NAMED_MAX);
                format!("{name} is not in the recording, which has {}", names.join(", "))
            }
        }
    }
}

fn cmdlet_of(pair: &Pair) -> Option<&str> {
    match &pair.request.body {
        Body::Json(body) => body.pointer("/CmdletInput/CmdletName")?.as_str(),
        _ => None,
    }
}

/// Answers a request of either port.
pub(super) async fn handle(
    replay: &Replay,
    visit: &Visit,
    role: Role,
    parts: &Parts,
    body: &Bytes,
    number: u64,
) -> Ended {
    match role {
        Role::Login => signin(replay, visit, parts, body, number).await,
        // Taken apart there; each member comes back here by itself.
        _ if parts.uri.path().ends_with("/$batch") => api::handle(visit, parts, body.clone(), number).await,
        _ => call(replay, visit, parts, body, number).await,
    }
}

async fn signin(replay: &Replay, visit: &Visit, parts: &Parts, body: &[u8], number: u64) -> Ended {
    let fields = form::parse(body);
    let field =
        |name: &str| fields.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str());
    let key = Key::of_signin(parts.method.as_str(), parts.uri.path(), field("grant_type"));
    let known = ["token", "devicecode", "openid-configuration"];
    let leaf = known.into_iter().find(|leaf| parts.uri.path().ends_with(leaf));
    let what = leaf.unwrap_or("(other)");
    visit.state.records().note(number, what, None);
    let found = replay.matcher().next(&key, true);
    match found {
        Found::Pair(index) => {
            let pair = &replay.pairs[index];
            let answered = |answer| answer::signin(&visit.state, answer, field("scope"));
            let response = pair.answer.as_ref().map(answered);
            ended(&visit.state, pair, what, response).await
        }
        // Recordings of programs that never asked for it are served to those that do.
        _ if what == "openid-configuration" => Ended::answer(what, entra::discovery_of_tenant(&visit.state)),
        _ => {
            let text = format!(
                "exorun replay: `{}` with grant `{}` is not in the recording.\n",
                parts.uri.path(),
                field("grant_type")
            );
            Ended::answer(what, errors::plain(501, &text))
        }
    }
}

pub(super) async fn call(replay: &Replay, visit: &Visit, parts: &Parts, body: &[u8], number: u64) -> Ended {
    let state = &visit.state;
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let said = body["CmdletInput"]["CmdletName"].as_str().unwrap_or_default();
    let known = catalog::cmdlet(said);
    let what = known.map_or("(unknown cmdlet)", |cmdlet| cmdlet.as_str());
    let identity = match api::authenticate(state, visit.role, parts) {
        Ok(identity) => identity,
        Err(response) => return Ended::answer(what, *response),
    };
    state.records().note(number, what, Some(&identity.account));
    let transport = visit.transport();
    let session = match id_header(parts, "connection-id") {
        Some(id) => SessionKey::ConnectionId(id.to_owned()),
        None => SessionKey::Transport(transport),
    };
    let now = state.now();
    if let Err(refused) = state.sessions().request(&identity.account, &session, transport, now) {
        return Ended::answer(what, errors::session_limit(refused.limit));
    }
    let _in_hand = (state.options.sessions != SessionsMode::Off)
        .then(|| InHand::new(state.clone(), identity.account.clone(), session));

    let address = parts.uri.path_and_query().map_or("/", |address| address.as_str());
    let key = Key::of_call(parts.method.as_str(), address, &body);
    let names = body["CmdletInput"]["Parameters"].as_object().into_iter().flatten();
    let is_read = parts.method == "GET"
        || known.is_some_and(|cmdlet| cmdlet.is_read_with(names.map(|(name, _)| name.as_str())));
    let found = replay.matcher().next(&key, is_read);
    let recorded = match found {
        Found::Pair(index) => {
            let pair = &replay.pairs[index];
            let response = pair.answer.as_ref().map(|answer| answer::call(answer, parts));
            return ended(state, pair, what, response).await;
        }
        Found::Spent { recorded } => Some(recorded),
        Found::Unknown => None,
    };
    let name = if said.is_empty() { address } else { said };
    Ended::answer(what, Failure::not_recorded(&replay.not_recorded(&key, name, recorded)).response())
}

/// The end that was recorded: an answer, a cut transport, or nothing for longer than the client waited then.
async fn ended(
    state: &State,
    pair: &Pair,
    what: &str,
    response: Option<hyper::Response<super::respond::Body>>,
) -> Ended {
    match (pair.end, response) {
        (End::Whole, Some(response)) => Ended::answer(what, response),
        (End::GivenUp, _) => {
            let time = Duration::from_millis(pair.took_ms) + NO_ANSWER;
            state.options.clocks.sleep(time).await;
            Ended::cut(what)
        }
        _ => Ended::cut(what),
    }
}
