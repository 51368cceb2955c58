//! Entra: the sign-in service's two grants (client secret, device code), refresh, and its discovery document.

mod app;
mod device_code;
mod discovery;
mod refresh;

use hyper::Response;
use hyper::http::request::Parts;
use serde_json::{Value, json};
use uuid::Uuid;

use super::challenge;
use super::device::Refresh;
use super::errors;
use super::faults::{At, Kind};
use super::form;
use super::respond::{self, Body};
use super::service::{Ended, Visit};
use super::state::State;
use super::tokens::Subject;

const JSON: &str = "application/json; charset=utf-8";

/// An answer of the token endpoint: OAuth's JSON.
struct Refusal {
    status: u16,
    error: &'static str,
    code: u32,
    text: String,
}

fn refusal(status: u16, error: &'static str, code: u32, text: impl Into<String>) -> Refusal {
    Refusal { status, error, code, text: text.into() }
}

/// Which tenant a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Tenant,
    Organizations,
    Common,
}

pub(super) async fn handle(visit: &Visit, parts: &Parts, body: &[u8], number: u64) -> Ended {
    let state = &visit.state;
    let path: Vec<&str> = parts.uri.path().trim_matches('/').split('/').collect();
    let (what, at) = match path.as_slice() {
        [_, "v2.0", ".well-known", "openid-configuration"] if parts.method == "GET" => {
            ("openid-configuration", None)
        }
        [_, "oauth2", "v2.0", "token"] if parts.method == "POST" => ("token", Some(At::Token)),
        [_, "oauth2", "v2.0", "devicecode"] if parts.method == "POST" => ("devicecode", Some(At::DeviceCode)),
        _ => return Ended::answer("(other)", errors::plain(404, "Not found.")),
    };
    state.records().note(number, what, None);
    if let Some(at) = at
        && let Some(ended) = fault(visit, at, what, number).await
    {
        return ended;
    }
    let answer = tenant(state, path[0]).and_then(|named| match what {
        "openid-configuration" => Ok(discovery::document(state, path[0])),
        "token" => {
            let form = form::parse(body);
            token(state, named, &form).map(|answer| challenge::answered(state, &form, answer))
        }
        _ => device_code::issue(state, &form::parse(body)),
    });
    let mut response = match answer {
        Ok(json) => respond::full(200, JSON, json.to_string()),
        Err(refusal) => refused(state, &refusal),
    };
    respond::header(&mut response, "cache-control", "no-store, no-cache");
    respond::header(&mut response, "x-ms-request-id", &Uuid::new_v4().to_string());
    Ended::answer(what, response)
}

/// The faults that make sense here; `Some` ends the request.
async fn fault(visit: &Visit, at: At, what: &str, number: u64) -> Option<Ended> {
    let drawn = visit.state.faults().draw(at, what);
    for kind in drawn {
        visit.state.records().note_fault(number, format!("{kind:?}"));
        match kind {
            Kind::Slow(time) => visit.state.options.clocks.sleep(time).await,
            Kind::Status { status, retry_after } => {
                let text = "The service is temporarily unavailable (emulated).";
                let refusal = refusal(
                    status,
                    "temporarily_unavailable",
                    if status == 429 { 90055 } else { 90033 },
                    text,
                );
                let mut response = refused(&visit.state, &refusal);
                if let Some(seconds) = retry_after {
                    respond::header(&mut response, "retry-after", &seconds.to_string());
                }
                return Some(Ended::answer(what, response));
            }
            Kind::HtmlBadGateway => return Some(Ended::answer(what, super::api::html502())),
            Kind::Reset | Kind::ResetAfterCommit => return Some(Ended::cut(what)),
            _ => {}
        }
    }
    None
}

fn tenant(state: &State, name: &str) -> Result<Named, Refusal> {
    let ours = Uuid::parse_str(name).is_ok_and(|id| id == state.tenant.id)
        || state.tenant.accepted_domains().iter().any(|domain| domain.eq_ignore_ascii_case(name));
    match name.to_ascii_lowercase().as_str() {
        _ if ours => Ok(Named::Tenant),
        "organizations" => Ok(Named::Organizations),
        "common" => Ok(Named::Common),
        _ => Err(refusal(
            400,
            "invalid_tenant",
            90002,
            format!(
                "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
                printable(name)
            ),
        )),
    }
}

type Form = [(String, String)];

fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.iter()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

fn needed<'a>(form: &'a Form, name: &str) -> Result<&'a str, Refusal> {
    field(form, name).ok_or_else(|| {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        refusal(400, "invalid_request", 900_144, text)
    })
}

fn client(state: &State, form: &Form) -> Result<String, Refusal> {
    let id = needed(form, "client_id")?;
    Uuid::parse_str(id).map(|id| id.to_string()).map_err(|_| {
        let text = format!(
            "Application with identifier '{}' was not found in the directory '{}'.",
            printable(id),
            state.tenant.initial_domain
        );
        refusal(400, "unauthorized_client", 700_016, text)
    })
}

fn audience(state: &State, form: &Form) -> Result<String, Refusal> {
    let scope = needed(form, "scope")?;
    if !scope.split_whitespace().any(|part| part.ends_with("/.default")) {
        let text = format!(
            "The provided request must include a scope that ends in /.default; '{}' does not.",
            printable(scope)
        );
        return Err(refusal(400, "invalid_scope", 70_011, text));
    }
    state.tokens.audience(scope).ok_or_else(|| {
        let text = format!(
            "The resource principal of scope '{}' was not found in the tenant {}.",
            printable(scope),
            state.tenant.initial_domain
        );
        refusal(400, "invalid_resource", 500_011, text)
    })
}

fn token(state: &State, named: Named, form: &Form) -> Result<Value, Refusal> {
    match needed(form, "grant_type")? {
        "client_credentials" => app::token(state, named, form),
        device_code::GRANT => device_code::token(state, form),
        "refresh_token" => refresh::token(state, form),
        other => {
            let text = format!("The app requested an unsupported grant type '{}'.", printable(other));
            Err(refusal(400, "unsupported_grant_type", 70_003, text))
        }
    }
}

fn granted(state: &State, subject: &Subject, audience: &str, refresh: Refresh) -> Value {
    let life = i64::try_from(state.options.token_life.as_secs()).unwrap_or(i64::MAX / 4);
    let mut json = json!({
        "token_type": "Bearer",
        "expires_in": life,
        "ext_expires_in": life,
        "access_token": state.tokens.issue(subject, audience, state.wall(), life),
    });
    if subject.upn.is_some() {
        json["scope"] = json!(format!("{audience}/AdminApi.AccessAsUser.All {audience}/.default"));
        if refresh == Refresh::Issue {
            json["refresh_token"] = json!(state.devices().refresh_token(subject, state.now()));
        }
    }
    json
}

fn refused(state: &State, refusal: &Refusal) -> Response<Body> {
    let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
    let time = state.options.clocks.wall().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let json = json!({
        "error": refusal.error,
        "error_description": format!(
            "AADSTS{}: {}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {time}",
            refusal.code, refusal.text
        ),
        "error_codes": [refusal.code],
        "timestamp": time,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": format!("{}/error?code={}", state.login, refusal.code),
    });
    respond::full(refusal.status, JSON, json.to_string())
}

/// Input that comes back in a message: short, and without control characters.
fn printable(text: &str) -> String {
    text.chars().take(200).filter(|c| !c.is_control()).collect()
}
