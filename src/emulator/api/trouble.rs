//! What goes wrong on purpose with a request of Exchange Online.

use std::time::Duration;

use hyper::Response;
use serde_json::json;

use super::super::challenge;
use super::super::errors::{self, Failure};
use super::super::faults::{At, Kind};
use super::super::request::Request;
use super::super::respond::{self, Body};
use super::super::service::{Ended, Visit};
use super::super::tokens::Identity;

/// What the faults drawn for a request add up to, besides those that end it early.
#[derive(Default)]
pub(super) struct Mishaps {
    pub(super) stale: Option<Duration>,
    pub(super) errors: Vec<String>,
    pub(super) warnings: Vec<String>,
    /// Compressed or not, whatever was agreed.
    pub(super) compressed: Option<bool>,
    pub(super) truncate: bool,
    pub(super) slow_after_commit: Duration,
    pub(super) reset_after_commit: bool,
    pub(super) bad_page: bool,
}

/// Waits, and finds what goes wrong; `Err` ends the request here.
pub(super) async fn trouble(
    visit: &Visit,
    request: &Request<'_>,
    identity: &Identity,
    what: &str,
    number: u64,
) -> Result<Mishaps, Box<Ended>> {
    let state = &visit.state;
    let clocks = &state.options.clocks;
    let drawn = state.faults().draw(At::Api, what);
    let mut mishaps = Mishaps::default();
    let latency = state.latency();
    if !latency.is_zero() && !request.member {
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
            Kind::Warnings(text) => {
                mishaps.warnings.push(text);
                continue;
            }
            Kind::Compressed(compressed) => {
                mishaps.compressed = Some(compressed);
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
            Kind::Challenge { declared_only, of_user } => {
                let claims = challenge::claims(state, of_user);
                let spared = declared_only && !identity.declared;
                if spared || challenge::is_met(identity, &claims, of_user) {
                    continue;
                }
                errors::challenge(&state.login, &claims)
            }
            Kind::Reset => return Err(Box::new(Ended::cut(what))),
            Kind::Status { status, retry_after } => faulty_status(status, retry_after),
            Kind::Concurrency(status) => Failure::concurrency(status).response(),
            Kind::Proxy => Failure::proxy().response(),
            Kind::JsonDetail => Failure::json_detail().response(),
            Kind::Empty(status) => respond::empty(status),
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
pub(in super::super) fn html502() -> Response<Body> {
    let page = "<!DOCTYPE html>\r\n<html><head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad \
                Gateway</h1></center><hr><center>proxy (emulated)</center></body></html>\r\n";
    respond::full(502, "text/html", page)
}

/// The same answer, whose JSON ends half way.
pub(super) async fn truncated(response: Response<Body>) -> Response<Body> {
    use http_body_util::BodyExt as _;
    let (parts, body) = response.into_parts();
    let Ok(whole) = body.collect().await;
    let whole = whole.to_bytes();
    let half = http_body_util::Full::new(whole.slice(..whole.len() / 2)).boxed_unsync();
    Response::from_parts(parts, half)
}
