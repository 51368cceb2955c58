//! Exchange's doors: the token, the session, the faults, and then what was asked for.

mod batch;
mod invoke;
mod module_file;
mod odata;
mod odata_filter;
mod property_sets;
mod read;
mod route;
mod service_document;
mod show;
mod trouble;

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use uuid::Uuid;

use super::cmdlets::{self, Invocation};
use super::directory::Class;
use super::errors::{self, Failure};
use super::options::{Plan, SessionsMode};
use super::prop::Prop;
use super::request::{Request, cookie, host, id_header};
use super::respond::Body;
use super::roles::Access;
use super::service::{Ended, Role, Visit};
use super::sessions::Key;
use super::state::{InHand, State};
use super::tokens::{Identity, Rights};
use crate::catalog::Service;
use route::{Operation, Route};
pub(super) use trouble::html502;

/// Who calls, and what exists for them. While it lives, their session has a request in hand.
pub(super) struct Caller {
    identity: Identity,
    access: Access,
    _in_hand: Option<InHand>,
}

pub(super) async fn handle(visit: &Visit, parts: &Parts, body: Bytes, number: u64) -> Ended {
    let cookie = cookie(parts).unwrap_or_else(|| Uuid::new_v4().simple().to_string());
    let request = Request { state: &visit.state, parts, body: &body, cookie, member: false };
    let mut ended = match Route::of(parts.uri.path()) {
        None => Ended::answer("(other)", errors::plain(404, "Not found.")),
        Some(Route { operation: Operation::Batch, tenant }) => {
            batch::answer(visit, &request, &tenant, number).await
        }
        Some(route) => single(visit, &request, &route, number).await,
    };
    ended.dress(&request);
    ended
}

/// Anything but a batch: a request of its own, or a member of one.
async fn single(visit: &Visit, request: &Request<'_>, route: &Route, number: u64) -> Ended {
    let invocation = (route.operation == Operation::Invoke).then(|| Invocation::parse(request.body));
    let what = match &invocation {
        Some(Ok(invocation)) => {
            cmdlets::find(&invocation.cmdlet).map_or("(unknown cmdlet)", |cmdlet| cmdlet.name)
        }
        Some(Err(_)) => "(no cmdlet)",
        None => route.operation.name(),
    };
    let caller = match admit(visit, request, &route.tenant, what, number) {
        Ok(caller) => caller,
        Err(response) => return Ended::answer(what, *response),
    };
    let mishaps = match trouble::trouble(visit, request, &caller.identity, what, number).await {
        Ok(mishaps) => mishaps,
        Err(ended) => return *ended,
    };
    let response = match caller.refused(request) {
        Some(response) => response,
        None => run(request, &caller, route, invocation, &mishaps),
    };
    if !mishaps.slow_after_commit.is_zero() {
        request.state.options.clocks.sleep(mishaps.slow_after_commit).await;
    }
    if mishaps.reset_after_commit {
        return Ended::cut(what);
    }
    let response = if mishaps.truncate { trouble::truncated(response).await } else { response };
    Ended::answer(what, response)
}

fn run(
    request: &Request<'_>,
    caller: &Caller,
    route: &Route,
    invocation: Option<Result<Invocation, Failure>>,
    mishaps: &trouble::Mishaps,
) -> Response<Body> {
    match (&route.operation, &request.parts.method, invocation) {
        (Operation::Invoke, &Method::POST, Some(Ok(invocation))) => {
            invoke::invoke(request, caller, invocation, mishaps)
        }
        (_, _, Some(Err(failure))) => failure.response(),
        (Operation::Invoke, ..) => errors::only("POST"),
        (_, method, _) if method != Method::GET => errors::only("GET"),
        (Operation::ModuleFile, ..) => module_file::answer(request, caller),
        (Operation::Banner, ..) => module_file::banner(request),
        (Operation::Metadata, ..) => service_document::metadata(),
        (Operation::Read(read), ..) => odata::answer(request, caller, read, mishaps),
        _ => service_document::answer(request),
    }
}

/// Lets a request in: its token, its tenant, the right host and a session.
fn admit(
    visit: &Visit,
    request: &Request<'_>,
    tenant: &str,
    what: &str,
    number: u64,
) -> Result<Caller, Box<Response<Body>>> {
    let state = request.state;
    let identity = authenticate(state, visit.role, request.parts)?;
    state.records().note(number, what, Some(&identity.account));
    let ours = Uuid::parse_str(tenant).is_ok_and(|id| id == state.tenant.id)
        || state.tenant.accepted_domains().iter().any(|domain| domain.eq_ignore_ascii_case(tenant));
    if !ours {
        let why = "The tenant of the address is not the tenant of the token.";
        return Err(Box::new(errors::forbidden(why)));
    }
    if let Some(response) = sent_on(visit, request) {
        return Err(Box::new(response));
    }
    let key = match id_header(request.parts, "connection-id") {
        Some(id) => Key::ConnectionId(id.to_owned()),
        None => Key::Transport(visit.transport()),
    };
    let admitted = state.sessions().request(&identity.account, &key, visit.transport(), state.now());
    if let Err(refused) = admitted {
        return Err(Box::new(errors::session_limit(refused.limit)));
    }
    let in_hand = (state.options.sessions != SessionsMode::Off)
        .then(|| InHand::new(state.clone(), identity.account.clone(), key));
    let service = match (visit.role, state.options.plan) {
        (Role::ComplianceRegion, _) => Service::SecurityCompliance,
        (_, Plan::Eop) => Service::ExchangeOnlineProtection,
        (_, Plan::Exchange) => Service::ExchangeOnline,
    };
    let access = Access { service, roles: identity.roles.clone() };
    Ok(Caller { identity, access, _in_hand: in_hand })
}

pub(super) fn authenticate(
    state: &State,
    door: Role,
    parts: &Parts,
) -> Result<Identity, Box<Response<Body>>> {
    let refuse = |why| Box::new(errors::unauthorized(&state.login, why));
    let value = parts.headers.get("authorization").ok_or_else(|| refuse("There is no token."))?;
    let value = value.to_str().map_err(|_| refuse("The token is not a JWT."))?;
    let (scheme, token) = value.split_once(' ').ok_or_else(|| refuse("There is no token."))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refuse("The scheme is not Bearer."));
    }
    let identity = state.tokens.check(token.trim(), state.wall()).map_err(refuse)?;
    let audiences = match door {
        Role::ComplianceGlobal | Role::ComplianceRegion => &state.options.compliance_audiences,
        _ => &state.options.audiences,
    };
    if audiences.contains(&identity.audience) {
        Ok(identity)
    } else {
        Err(refuse("The audience claim value is invalid."))
    }
}

/// The answer of a host that is not the tenant's own. The global host of Security & Compliance sends each `GET` and
/// the first request of a transport on; the cmdlets that come after that fail. Source: protocol reference, 1.2.
fn sent_on(visit: &Visit, request: &Request<'_>) -> Option<Response<Body>> {
    let state = request.state;
    let cloud = state.options.cloud.names();
    let path = request.parts.uri.path_and_query().map_or("/", |path| path.as_str());
    match (visit.role, &state.options.front_door) {
        (Role::ComplianceGlobal, _) => {
            let first = visit.is_first_request();
            if !first && request.parts.method != Method::GET {
                return Some(Failure::organization_container().response());
            }
            let region = &state.options.compliance_region;
            Some(errors::elsewhere(&format!("https://{region}.{}:446{path}", cloud.admin)))
        }
        (Role::Exchange, Some(prefix)) => {
            let own = format!("{prefix}.{}", cloud.exchange);
            let there = host(request.parts).is_some_and(|host| host.eq_ignore_ascii_case(&own));
            (!there).then(|| errors::elsewhere(&format!("https://{own}{path}")))
        }
        _ => None,
    }
}

impl Caller {
    /// Why the caller may do nothing at all here.
    fn refused(&self, request: &Request<'_>) -> Option<Response<Body>> {
        let status = match self.identity.rights {
            Rights::Full => return self.blocked(request),
            Rights::NoDirectoryRole => 403,
            Rights::NoAppRole => 401,
        };
        Some(Failure::role(status, &self.identity.client_id).response())
    }

    /// A user whom `Set-User -EXOModuleEnabled $false` keeps out. Source: protocol reference, 2.1; the form of the
    /// refusal is ours.
    fn blocked(&self, request: &Request<'_>) -> Option<Response<Body>> {
        let upn = self.identity.upn.as_deref()?;
        let directory = request.state.directory();
        let by_mailbox = directory.find(Class::User, upn).is_some_and(|user| {
            directory.current(Class::User, user).get("EXOModuleEnabled") == Some(&Prop::Bool(false))
        });
        let by_option = request.state.options.module_off.iter().any(|off| off.eq_ignore_ascii_case(upn));
        (by_mailbox || by_option).then(|| {
            errors::forbidden("The user may not use the Exchange module (EXOModuleEnabled is False).")
        })
    }

    /// What a cmdlet gets that does not exist, or not for this caller.
    fn unknown(&self, cmdlet: &str) -> Response<Body> {
        if self.access.service == Service::SecurityCompliance {
            return Failure::not_allowed(cmdlet).response();
        }
        errors::nul_forbidden("The cmdlet does not exist or the role does not include it.")
    }
}
