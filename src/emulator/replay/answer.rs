//! From a recorded answer to one that is sent: the addresses and tokens in it are this emulator's.

use std::io::Write as _;

use flate2::write::GzEncoder;
use hyper::Response;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::errors;
use super::super::request::{base, id_header};
use super::super::respond::{self, Body as Sent};
use super::super::state::State;
use super::super::tokens::{Rights, Subject};
use super::file::{Answer, Body};

/// Headers that are made anew, or that only fit the bytes that were sent then.
const NOT_SENT: [&str; 4] = ["content-encoding", "content-length", "transfer-encoding", "client-request-id"];

/// What stands for codes and refresh tokens, which are not in a recording.
const REPLAYED: &str = "replayed";

/// An answer of Exchange Online.
pub(super) fn call(answer: &Answer, parts: &Parts) -> Response<Sent> {
    let mut response = match &answer.body {
        Body::Json(body) => {
            let mut body = body.clone();
            for link in ["@odata.nextLink", "@odata.context"] {
                if let Some(url) = body[link].as_str() {
                    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
                    let path = path.find('/').map_or("", |at| &path[at..]);
                    body[link] = format!("{}{path}", base(parts)).into();
                }
            }
            json_response(answer, parts, &body)
        }
        other => described(answer.status, other),
    };
    dress(&mut response, answer);
    if let Some(id) = id_header(parts, "client-request-id") {
        respond::header(&mut response, "client-request-id", id);
    }
    response
}

fn json_response(answer: &Answer, parts: &Parts, body: &Value) -> Response<Sent> {
    let accepts = parts.headers.get("accept-encoding").and_then(|value| value.to_str().ok());
    let packed = answer.headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip")
        && accepts.is_some_and(|accepts| accepts.contains("gzip"));
    if !packed {
        return respond::full(answer.status, respond::JSON, body.to_string());
    }
    const INTO_MEMORY: &str = "writing into memory cannot fail";
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body.to_string().as_bytes()).expect(INTO_MEMORY);
    let mut response = respond::full(answer.status, respond::JSON, encoder.finish().expect(INTO_MEMORY));
    respond::header(&mut response, "content-encoding", "gzip");
    response
}

/// A body of which only the kind and the length are known.
fn described(status: u16, body: &Body) -> Response<Sent> {
    match body {
        Body::Json(value) => respond::full(status, respond::JSON, value.to_string()),
        Body::Text(text) => errors::plain(status, text),
        Body::Nul(bytes) => {
            let mut response = respond::full(status, respond::JSON, vec![0; *bytes]);
            respond::header(&mut response, "content-encoding", "gzip");
            response
        }
        Body::CutJson(bytes) => {
            let mut text = "{\"@odata.context\":\"\",\"value\":[{\"Identity\":\"".to_owned();
            text.truncate((*bytes).max(1));
            text.push_str(&"x".repeat(bytes.saturating_sub(text.len())));
            respond::full(status, respond::JSON, text)
        }
        Body::Html(bytes) => {
            let mut page = "<html><head><title>A page was here</title></head></html>".to_owned();
            page.push_str(&"\n".repeat(bytes.saturating_sub(page.len())));
            respond::full(status, "text/html", page)
        }
        Body::Bytes(bytes) => respond::full(status, "application/octet-stream", vec![0xff; *bytes]),
        Body::LeftOut(bytes) => {
            let text = format!("exorun replay: this answer had {bytes} bytes, too many to be recorded.\n");
            errors::plain(501, &text)
        }
        Body::Empty(_) | Body::Form(_) => respond::empty(status),
    }
}

fn dress(response: &mut Response<Sent>, answer: &Answer) {
    for (name, value) in &answer.headers {
        if NOT_SENT.contains(&name.as_str()) {
            continue;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            response.headers_mut().insert(name, value);
        }
    }
}

/// An answer of the sign-in service: the token is made here, for the account of the recorded one.
pub(super) fn signin(state: &State, answer: &Answer, scope: &str) -> Response<Sent> {
    let mut response = match &answer.body {
        Body::Json(body) => {
            let mut body = body.clone();
            if let Some(claims) = body.pointer("/access_token/claims").cloned() {
                body["access_token"] = json!(token(state, &claims, scope, body["expires_in"].as_i64()));
            }
            for name in ["refresh_token", "device_code", "user_code"] {
                if body.get(name).is_some() {
                    body[name] = json!(REPLAYED);
                }
            }
            if body.get("verification_uri").is_some() {
                body["verification_uri"] = json!(format!("{}/devicelogin", state.login));
            }
            respond::full(answer.status, "application/json; charset=utf-8", body.to_string())
        }
        other => described(answer.status, other),
    };
    dress(&mut response, answer);
    response
}

fn token(state: &State, claims: &Value, scope: &str, life: Option<i64>) -> String {
    let text = |name: &str| claims[name].as_str().map(str::to_owned);
    let subject = Subject {
        client_id: text("appid").unwrap_or_default(),
        oid: text("oid").and_then(|oid| Uuid::parse_str(&oid).ok()).unwrap_or_default(),
        upn: text("upn").or_else(|| text("unique_name")),
        rights: Rights::Full,
    };
    let audience = state.tokens.audience(scope).unwrap_or_else(|| state.options.audiences[0].clone());
    state.tokens.issue(&subject, &audience, state.wall(), life.unwrap_or(3599))
}
