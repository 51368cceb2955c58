//! Exchange Online's door: the token, the session, the faults, and then the cmdlet.

mod invoke;
mod module_file;
mod trouble;

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use uuid::Uuid;

use super::cmdlets::{self, Invocation};
use super::errors::{self, Failure};
use super::options::SessionsMode;
use super::request::{Request, cookie, id_header};
use super::respond::{self, Body};
use super::service::{Ended, Visit};
use super::sessions::Key;
use super::state::InHand;
use super::tokens::{Identity, Rights};
pub(super) use trouble::html502;

pub(super) async fn handle(visit: &Visit, parts: &Parts, body: Bytes, number: u64) -> Ended {
    let state = &visit.state;
    let path: Vec<&str> = parts.uri.path().trim_matches('/').split('/').collect();
    let (tenant, operation) = match path.as_slice() {
        [api, version, tenant, operation]
            if api.eq_ignore_ascii_case("adminapi") && matches!(*version, "beta" | "v1.0") =>
        {
            (*tenant, operation.to_ascii_lowercase())
        }
        _ => return Ended::answer("(other)", errors::plain(404, "Not found.")),
    };
    let invocation = match operation.as_str() {
        "invokecommand" => Some(Invocation::parse(&body)),
        "exomodulefile" => None,
        _ => return Ended::answer("(other)", errors::plain(404, "Not found.")),
    };
    let what = match &invocation {
        Some(Ok(invocation)) => {
            cmdlets::find(&invocation.cmdlet).map_or("(unknown cmdlet)", |cmdlet| cmdlet.name)
        }
        Some(Err(_)) => "(no cmdlet)",
        None => "EXOModuleFile",
    };
    let cookie = cookie(parts).unwrap_or_else(|| Uuid::new_v4().simple().to_string());
    let request = Request { state, parts, body: &body, cookie };
    let mut ended = admitted(visit, &request, tenant, invocation, what, number).await;
    ended.dress(&request);
    ended
}

async fn admitted(
    visit: &Visit,
    request: &Request<'_>,
    tenant: &str,
    invocation: Option<Result<Invocation, Failure>>,
    what: &'static str,
    number: u64,
) -> Ended {
    let state = request.state;
    let identity = match authenticate(request) {
        Ok(identity) => identity,
        Err(response) => return Ended::answer(what, *response),
    };
    state.records().note(number, what, Some(&identity.account));
    let ours = Uuid::parse_str(tenant).is_ok_and(|id| id == state.tenant.id)
        || state.tenant.accepted_domains().iter().any(|domain| domain.eq_ignore_ascii_case(tenant));
    if !ours {
        return Ended::answer(
            what,
            errors::forbidden("The tenant of the address is not the tenant of the token."),
        );
    }
    let key = match id_header(request.parts, "connection-id") {
        Some(id) => Key::ConnectionId(id.to_owned()),
        None => Key::Transport(visit.connection.id),
    };
    let now = state.now();
    let admitted = state.sessions().request(&identity.account, &key, visit.connection.id, now);
    if let Err(refused) = admitted {
        return Ended::answer(what, errors::session_limit(refused.limit));
    }
    let _in_hand = (state.options.sessions != SessionsMode::Off)
        .then(|| InHand::new(state.clone(), identity.account.clone(), key));

    let mishaps = match trouble::trouble(visit, what, number).await {
        Ok(mishaps) => mishaps,
        Err(ended) => return *ended,
    };
    let allowed = match identity.rights {
        Rights::Full => None,
        Rights::NoDirectoryRole => Some(Failure::role(403, &identity.client_id)),
        Rights::NoAppRole => Some(Failure::role(401, &identity.client_id)),
    };
    if let Some(failure) = allowed {
        return Ended::answer(what, failure.response());
    }
    let response = match invocation {
        None => module_file::answer(request),
        Some(Err(failure)) => failure.response(),
        Some(Ok(_)) if request.parts.method != Method::POST => {
            let mut response = errors::plain(405, "The requested resource does not support this method.");
            respond::header(&mut response, "allow", "POST");
            response
        }
        Some(Ok(invocation)) => invoke::invoke(request, &invocation, &mishaps),
    };
    if !mishaps.slow_after_commit.is_zero() {
        state.options.clocks.sleep(mishaps.slow_after_commit).await;
    }
    if mishaps.reset_after_commit {
        return Ended::cut(what);
    }
    let response = if mishaps.truncate { trouble::truncated(response).await } else { response };
    Ended::answer(what, response)
}

fn authenticate(request: &Request<'_>) -> Result<Identity, Box<Response<Body>>> {
    let state = request.state;
    let refuse = |why| Box::new(errors::unauthorized(&state.login, why));
    let value = request.parts.headers.get("authorization").ok_or_else(|| refuse("There is no token."))?;
    let value = value.to_str().map_err(|_| refuse("The token is not a JWT."))?;
    let (scheme, token) = value.split_once(' ').ok_or_else(|| refuse("There is no token."))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refuse("The scheme is not Bearer."));
    }
    state.tokens.check(token.trim(), state.wall()).map_err(refuse)
}
