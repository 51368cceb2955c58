//! `/_emulator/`: the state, the ring of requests, faults and device codes, on all ports.
//!
//! | Request | What it does |
//! | --- | --- |
//! | `GET state` | counters, faults in force, user codes that wait |
//! | `GET requests` | the ring, the oldest first |
//! | `GET ca.pem` | the certificate authority |
//! | `POST faults` | body `{"add": ["503:nth=1"], "replace": [...], "clear": true}`, any one of the three |
//! | `POST latency` | body `250`: milliseconds added to each answer of Exchange Online |
//! | `POST roles` | body `{"account": ["GlobalReader"]}`: the roles of tokens made from now on; `[]`: every right |
//! | `POST rotate-key` | another key for secret parameters; the last one stays good |
//! | `POST device/{user_code}` | body `approve`, `approve USER` or `decline` |
//! | `POST certificates` | body PEM: the applications have these certificates too |
//! | `POST signin-trouble` | body `USER=AADSTS50076`, `USER=mfa`, `USER=federated` or `USER=none`, one a line |
//!
//! It listens on loopback, and refuses requests that a browser sends for a page from elsewhere: those with an
//! `Origin` header or a host name that is not loopback's.

use hyper::http::request::Parts;
use hyper::{Method, Response};
use serde_json::{Value, json};

use super::account::SigninTrouble;
use super::device::Answer;
use super::errors::plain;
use super::faults::Fault;
use super::respond::{self, Body};
use super::roles::RoleAssignment;
use super::state::State;
use super::{Counters, counters};

pub(super) fn handle(state: &State, path: &str, parts: &Parts, body: &[u8]) -> Response<Body> {
    if parts.headers.contains_key("origin") || !is_loopback(parts) {
        return plain(403, "The control endpoint answers local programs only.");
    }
    match (&parts.method, path) {
        (&Method::GET, "state") => json_response(&state_json(state)),
        (&Method::GET, "requests") => json_response(&state.records().list()),
        (&Method::GET, "ca.pem") => respond::full(200, "application/x-pem-file", state.ca_pem.clone()),
        (&Method::POST, "faults") => match faults(state, body) {
            Ok(()) => json_response(&state_json(state)),
            Err(problem) => plain(400, &problem),
        },
        (&Method::POST, "latency") => {
            match std::str::from_utf8(body).map(|text| text.trim().parse::<u64>()) {
                Ok(Ok(millis)) if millis <= 86_400_000 => {
                    state.set_latency(millis);
                    json_response(&state_json(state))
                }
                _ => plain(400, "the body is a whole number of milliseconds, at most a day\n"),
            }
        }
        (&Method::POST, "roles") => match roles(state, body) {
            Ok(()) => respond::empty(204),
            Err(problem) => plain(400, &problem),
        },
        (&Method::POST, "rotate-key") => {
            state.keys.rotate();
            respond::empty(204)
        }
        (&Method::POST, "certificates") => certificates(state, body),
        (&Method::POST, "signin-trouble") => signin_trouble(state, body),
        (&Method::POST, _) if path.starts_with("device/") => device(state, &path["device/".len()..], body),
        _ => plain(404, "There is no such control.\n"),
    }
}

fn is_loopback(parts: &Parts) -> bool {
    let host = parts.uri.host().map(str::to_owned).or_else(|| {
        let host = parts.headers.get("host")?.to_str().ok()?;
        host.parse::<hyper::http::uri::Authority>().ok().map(|authority| authority.host().to_owned())
    });
    matches!(host.as_deref(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

fn json_response(value: &Value) -> Response<Body> {
    respond::full(200, "application/json", format!("{value:#}\n"))
}

fn state_json(state: &State) -> Value {
    let Counters { sessions, requests, by_cmdlet, changed_objects } = counters(state);
    let accounts: Vec<Value> = state
        .sessions()
        .by_account()
        .into_iter()
        .map(|(account, live)| json!({"account": account, "live": live}))
        .collect();
    let faults: Vec<Value> = state
        .faults()
        .list()
        .into_iter()
        .map(|(spec, seen, met)| json!({"fault": spec, "seen": seen, "met": met}))
        .collect();
    json!({
        "sessions": sessions,
        "accounts": accounts,
        "requests": requests,
        "by_cmdlet": by_cmdlet,
        "changed_objects": changed_objects,
        "faults": faults,
        "latency_ms": state.latency().as_millis() as u64,
        "device_codes_waiting": state.devices().waiting(),
        "mailboxes": state.tenant.mailboxes,
        "tenant_id": state.tenant.id,
    })
}

/// All faults of the body are checked before any takes effect.
fn faults(state: &State, body: &[u8]) -> Result<(), String> {
    const SHAPE: &str = "the body is one of {\"add\": [..]}, {\"replace\": [..]}, {\"clear\": true}\n";
    let body: Value = serde_json::from_slice(body).map_err(|error| format!("{SHAPE}{error}\n"))?;
    let parse = |list: &Value| -> Result<Vec<Fault>, String> {
        let list = list.as_array().ok_or(SHAPE)?;
        list.iter()
            .map(|spec| spec.as_str().ok_or(SHAPE)?.parse::<Fault>().map_err(|error| format!("{error}\n")))
            .collect()
    };
    let members = body.as_object().filter(|members| members.len() == 1).ok_or(SHAPE)?;
    match members.iter().next().map(|(name, value)| (name.as_str(), value)) {
        Some(("add", list)) => {
            let faults = parse(list)?;
            state.faults().add(faults);
        }
        Some(("replace", list)) => {
            let faults = parse(list)?;
            let mut all = state.faults();
            all.clear();
            all.add(faults);
        }
        Some(("clear", Value::Bool(true))) => state.faults().clear(),
        _ => return Err(SHAPE.to_owned()),
    }
    Ok(())
}

/// All assignments of the body are checked before any takes effect.
fn roles(state: &State, body: &[u8]) -> Result<(), String> {
    const SHAPE: &str = "the body is {\"account\": [\"role\", ..], ..}\n";
    let body: Value = serde_json::from_slice(body).map_err(|error| format!("{SHAPE}{error}\n"))?;
    let assignments = body.as_object().ok_or(SHAPE)?.iter().map(|(account, names)| {
        let names: Option<Vec<&str>> = names.as_array().ok_or(SHAPE)?.iter().map(Value::as_str).collect();
        RoleAssignment::new(account, names.ok_or(SHAPE)?).map_err(|problem| format!("{problem}\n"))
    });
    for assignment in assignments.collect::<Result<Vec<_>, String>>()? {
        state.tokens.roles.assign(assignment);
    }
    Ok(())
}

fn device(state: &State, user_code: &str, body: &[u8]) -> Response<Body> {
    let said = std::str::from_utf8(body).unwrap_or_default();
    let words: Vec<&str> = said.split_whitespace().collect();
    let answer = match words.as_slice() {
        ["approve"] => Answer::Approved(None),
        ["approve", upn] => Answer::Approved(Some((*upn).to_owned())),
        ["decline"] => Answer::Declined,
        _ => return plain(400, "the body is `approve`, `approve USER` or `decline`\n"),
    };
    if state.devices().answer(user_code, answer) {
        respond::empty(204)
    } else {
        plain(404, "nobody was given that code\n")
    }
}

fn certificates(state: &State, body: &[u8]) -> Response<Body> {
    let registered = match std::str::from_utf8(body) {
        Ok(pem) => state.signins().register(pem),
        Err(_) => Err("the body is PEM".to_owned()),
    };
    match registered {
        Ok(thumbprints) => json_response(&json!({ "registered": thumbprints })),
        Err(problem) => plain(400, &format!("{problem}\n")),
    }
}

/// All lines are checked before any takes effect.
fn signin_trouble(state: &State, body: &[u8]) -> Response<Body> {
    let lines = String::from_utf8_lossy(body);
    let troubles: Result<Vec<SigninTrouble>, String> =
        lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::parse).collect();
    match troubles {
        Ok(troubles) => {
            let mut signins = state.signins();
            troubles.iter().for_each(|trouble| signins.set_trouble(trouble));
            respond::empty(204)
        }
        Err(problem) => plain(400, &format!("{problem}\n")),
    }
}
