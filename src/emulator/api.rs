//! Exchange Online's door: the token, the session, the faults, and then the cmdlet.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use serde_json::json;
use uuid::Uuid;

use super::cmdlets::{self, Answer, Effect, Invocation, Listing};
use super::errors::{self, Failure};
use super::faults::{At, Kind};
use super::form;
use super::options::{AnchorRule, Compression, SessionsMode};
use super::paging::{self, Mark};
use super::request::{Request, bound, context, cookie, id_header, next_link, page_size};
use super::respond::{self, Body, Encoding, Objects, Shown};
use super::service::{Ended, Visit};
use super::sessions::Key;
use super::state::InHand;
use super::tokens::{Identity, Rights};

/// What the faults drawn for a request add up to, besides those that end it early.
#[derive(Default)]
struct Mishaps {
    stale: Option<Duration>,
    errors: Vec<String>,
    truncate: bool,
    slow_after_commit: Duration,
    reset_after_commit: bool,
    bad_page: bool,
}

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

    let mishaps = match trouble(visit, what, number).await {
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
        None => module_file(request),
        Some(Err(failure)) => failure.response(),
        Some(Ok(_)) if request.parts.method != Method::POST => {
            let mut response = errors::plain(405, "The requested resource does not support this method.");
            respond::header(&mut response, "allow", "POST");
            response
        }
        Some(Ok(invocation)) => invoke(request, &invocation, &mishaps),
    };
    if !mishaps.slow_after_commit.is_zero() {
        state.options.clocks.sleep(mishaps.slow_after_commit).await;
    }
    if mishaps.reset_after_commit {
        return Ended::cut(what);
    }
    let response = if mishaps.truncate { truncated(response).await } else { response };
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

/// Waits, and finds what goes wrong; `Err` ends the request here.
async fn trouble(visit: &Visit, what: &str, number: u64) -> Result<Mishaps, Box<Ended>> {
    let state = &visit.state;
    let clocks = &state.options.clocks;
    let drawn = state.faults().draw(At::Api, what);
    let mut mishaps = Mishaps::default();
    let latency = state.latency();
    if !latency.is_zero() {
        clocks.sleep(latency).await;
    }
    for kind in drawn {
        state.records().note_fault(number, format!("{kind:?}"));
        let response = match kind {
            Kind::Slow(time) => {
                clocks.sleep(time).await;
                continue;
            }
            Kind::SlowAfterCommit(time) => {
                mishaps.slow_after_commit += time;
                continue;
            }
            Kind::Stale(time) => {
                mishaps.stale = Some(time);
                continue;
            }
            Kind::Errors(text) => {
                mishaps.errors.push(text);
                continue;
            }
            Kind::Truncate => {
                mishaps.truncate = true;
                continue;
            }
            Kind::ResetAfterCommit => {
                mishaps.reset_after_commit = true;
                continue;
            }
            Kind::BadPage => {
                mishaps.bad_page = true;
                continue;
            }
            Kind::Reset => return Err(Box::new(Ended::cut(what))),
            Kind::Status { status, retry_after } => faulty_status(status, retry_after),
            Kind::Exception(name) => Failure::exception(&name).response(),
            Kind::Unauthorized => {
                errors::unauthorized(&state.login, "The token was refused (emulated fault).")
            }
            Kind::Forbidden => errors::forbidden("Emulated fault."),
            Kind::NulForbidden => errors::nul_forbidden("Emulated fault."),
            Kind::HtmlBadGateway => html502(),
        };
        return Err(Box::new(Ended::answer(what, response)));
    }
    Ok(mishaps)
}

fn faulty_status(status: u16, retry_after: Option<f64>) -> Response<Body> {
    let mut response = match status {
        429 => errors::plain(429, "Too many requests. The request was throttled (emulated fault)."),
        _ => {
            let body = json!({"error": {"code": "ServiceUnavailable", "message": "Emulated fault."}});
            respond::full(status, respond::JSON, body.to_string())
        }
    };
    if let Some(seconds) = retry_after {
        respond::header(&mut response, "retry-after", &seconds.to_string());
    }
    response
}

/// What a proxy on the way says.
pub(super) fn html502() -> Response<Body> {
    let page = "<!DOCTYPE html>\r\n<html><head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad \
                Gateway</h1></center><hr><center>proxy (emulated)</center></body></html>\r\n";
    respond::full(502, "text/html", page)
}

/// The same answer, whose JSON ends half way.
async fn truncated(response: Response<Body>) -> Response<Body> {
    use http_body_util::BodyExt as _;
    let (parts, body) = response.into_parts();
    let Ok(whole) = body.collect().await;
    let whole = whole.to_bytes();
    let half = http_body_util::Full::new(whole.slice(..whole.len() / 2)).boxed_unsync();
    Response::from_parts(parts, half)
}

fn module_file(request: &Request<'_>) -> Response<Body> {
    let names: Vec<&str> = cmdlets::all().map(|cmdlet| cmdlet.name).collect();
    let body = json!({
        "@odata.context": context(request.parts),
        "value": [{"exportedCmdlets": names.join(","), "moduleVersion": "exorun-emulator"}],
    });
    respond::full(200, respond::JSON, body.to_string())
}

fn invoke(request: &Request<'_>, invocation: &Invocation, mishaps: &Mishaps) -> Response<Body> {
    let state = request.state;
    let Some(cmdlet) = cmdlets::find(&invocation.cmdlet) else {
        return errors::nul_forbidden("The cmdlet does not exist or the role does not include it.");
    };
    let anchored = request.parts.headers.get("x-anchormailbox").is_some_and(|value| !value.is_empty());
    if cmdlet.effect == Effect::Write && !anchored && state.options.anchor == AnchorRule::Writes {
        return errors::forbidden("A write needs X-AnchorMailbox.");
    }
    let now = state.now();
    let wall = state.options.clocks.wall();
    let answer = {
        let mut directory = state.directory();
        cmdlets::run(cmdlet, invocation, &mut directory, now, wall, mishaps.stale)
    };
    match answer {
        Err(failure) => failure.response(),
        Ok(Answer::Listing(listing)) => list(request, listing, mishaps),
        Ok(Answer::Objects(objects)) => {
            show(request, mishaps, Objects::These(objects), Vec::new(), None, None)
        }
        Ok(Answer::Done { warnings }) => {
            show(request, mishaps, Objects::These(Vec::new()), warnings, None, None)
        }
        Ok(Answer::Confirm(text)) => {
            show(request, mishaps, Objects::These(Vec::new()), Vec::new(), Some(text), None)
        }
    }
}

fn list(request: &Request<'_>, listing: Listing, mishaps: &Mishaps) -> Response<Body> {
    let state = request.state;
    let now = state.now();
    let query = form::parse(request.parts.uri.query().unwrap_or_default().as_bytes());
    let token =
        query.iter().find(|(name, _)| name.eq_ignore_ascii_case("$skiptoken")).map(|(_, value)| value);
    let bound = bound(request);
    let (start, left) = match token {
        None => (0, listing.result_size.limit()),
        Some(token) => match state.links.open(token, &bound, now).filter(|_| !mishaps.bad_page) {
            Some(mark) => (mark.position, mark.left),
            None => return errors::bad_page(state.options.page_life),
        },
    };
    let page = {
        let directory = state.directory();
        let total = directory.len(listing.class);
        paging::page(total, start, page_size(request.parts), left, |index| {
            listing.passes(&directory, index, now)
        })
    };
    let life = u64::try_from(state.options.page_life.as_millis()).unwrap_or(u64::MAX);
    let link = page.next.map(|(position, left)| {
        let mark = Mark { position, left, bound, expires: now.saturating_add(life) };
        next_link(request.parts, &state.links.seal(&mark))
    });
    let warnings = if page.cut_short { listing.result_size.warnings() } else { Vec::new() };
    let objects = Objects::Indexes { class: listing.class, indexes: page.indexes, only: listing.only };
    show(request, mishaps, objects, warnings, None, link)
}

fn show(
    request: &Request<'_>,
    mishaps: &Mishaps,
    objects: Objects,
    warnings: Vec<String>,
    confirmation: Option<String>,
    next_link: Option<String>,
) -> Response<Body> {
    let select = form::parse(request.parts.uri.query().unwrap_or_default().as_bytes())
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("$select"))
        .map(|(_, names)| names.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
        .filter(|names| !names.iter().any(|name| name == "*" || name.is_empty()));
    let accepts = |value: &hyper::header::HeaderValue| value.to_str().is_ok_and(|text| text.contains("gzip"));
    let gzip = request.state.options.compression == Compression::Gzip
        && request.parts.headers.get_all("accept-encoding").iter().any(accepts);
    let encoding = if gzip { Encoding::Gzip } else { Encoding::Identity };
    let errors = mishaps.errors.clone();
    let context = context(request.parts);
    let shown = Shown { objects, warnings, errors, confirmation, next_link, context, select };
    respond::shown(request.state.clone(), shown, encoding)
}
