//! `$batch`: up to ten cmdlets or next pages in one request.
//!
//! Source: protocol reference, 3.12. Members go through the same door as requests of their own: token, session, faults.
//! A member without `Authorization`, `connection-id` or `client-request-id` has the batch's. What the service does not
//! publish, and is ours: bodies that are no JSON come back as a string, and a member after the first failure of a batch
//! without `odata.continue-on-error` is answered 424, as OData says.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use serde_json::{Map, Value, json};

use super::super::errors::Failure;
use super::super::faults::BATCH;
use super::super::random::mix;
use super::super::replay;
use super::super::request::{Request, prefers};
use super::super::respond::{self, Body};
use super::super::service::{Ended, Visit};
use super::route::{Operation, Route};
use super::{admit, single, trouble};

/// The most members of a batch.
const MEMBERS_MAX: usize = 10;

/// Headers of the batch that a member has, too, unless it has its own.
const INHERITED: [&str; 3] = ["authorization", "connection-id", "client-request-id"];

struct Member {
    id: String,
    method: String,
    url: String,
    headers: Map<String, Value>,
    body: Value,
}

pub(super) async fn answer(visit: &Visit, request: &Request<'_>, tenant: &str, number: u64) -> Ended {
    let caller = match admit(visit, request, tenant, BATCH, number) {
        Ok(caller) => caller,
        Err(response) => return Ended::answer(BATCH, *response),
    };
    let mishaps = match trouble::trouble(visit, request, &caller.identity, BATCH, number).await {
        Ok(mishaps) => mishaps,
        Err(ended) => return *ended,
    };
    if request.parts.method != "POST" {
        return Ended::answer(BATCH, super::errors::only("POST"));
    }
    let members = match read(request.body) {
        Ok(members) => members,
        Err(failure) => return Ended::answer(BATCH, failure.response()),
    };
    let goes_on = prefers(request.parts, "odata.continue-on-error");
    let mut answers: Vec<Value> = Vec::new();
    let mut failed = false;
    for member in &members {
        if failed && !goes_on {
            let failure = Failure::dependency();
            answers.push(
                json!({"id": member.id, "status": failure.status, "headers": {}, "body": failure.json()}),
            );
            continue;
        }
        let Some(response) = ask(visit, request, tenant, member, number).await else {
            return Ended::cut(BATCH);
        };
        failed |= response.status().as_u16() >= 400;
        answers.push(shown(&member.id, response).await);
    }
    shuffle(&mut answers, request.state.tenant.seed);
    let response = respond::full(200, respond::JSON, json!({"responses": answers}).to_string());
    let response = if mishaps.truncate { trouble::truncated(response).await } else { response };
    Ended::answer(BATCH, response)
}

fn read(body: &[u8]) -> Result<Vec<Member>, Failure> {
    let body: Value = serde_json::from_slice(body).map_err(|error| Failure::bad_body(&error.to_string()))?;
    let requests =
        body["requests"].as_array().ok_or_else(|| Failure::bad_body("requests must be an array."))?;
    if requests.is_empty() || requests.len() > MEMBERS_MAX {
        let text = format!("A batch has 1 to {MEMBERS_MAX} requests; this one has {}.", requests.len());
        return Err(Failure::bad_body(&text));
    }
    let mut members: Vec<Member> = Vec::new();
    for request in requests {
        let text = |name: &str| {
            let text = request[name].as_str().map(str::to_owned);
            text.ok_or_else(|| Failure::bad_body(&format!("Each request needs the string {name}.")))
        };
        let member = Member {
            id: text("id")?,
            method: text("method")?,
            url: text("url")?,
            headers: request["headers"].as_object().cloned().unwrap_or_default(),
            body: request["body"].clone(),
        };
        if members.iter().any(|other| other.id == member.id) {
            return Err(Failure::bad_body(&format!("The id '{}' is there twice.", member.id)));
        }
        members.push(member);
    }
    Ok(members)
}

/// The member's answer; `None`: a fault cuts the transport.
async fn ask(
    visit: &Visit,
    batch: &Request<'_>,
    tenant: &str,
    member: &Member,
    number: u64,
) -> Option<Response<Body>> {
    let Some((parts, route)) = address(batch, member, tenant) else {
        let text = "A request of a batch is an InvokeCommand, or a next page of one, of the batch's tenant.";
        return Some(Failure::bad_body(text).response());
    };
    let body = if member.body.is_null() { Bytes::new() } else { Bytes::from(member.body.to_string()) };
    let own = visit.record_member(number, &parts, &body);
    let request = Request {
        state: batch.state,
        parts: &parts,
        body: &body,
        cookie: batch.cookie.clone(),
        member: true,
    };
    let ended = match &batch.state.replay {
        Some(replay) => replay::call(replay, visit, &parts, &body, own).await,
        None => {
            let mut ended = single(visit, &request, &route, own).await;
            ended.dress(&request);
            ended
        }
    };
    visit.record_end(own, &ended);
    ended.into_response()
}

/// The member's head, as if it had come by itself to the host of the batch.
fn address(batch: &Request<'_>, member: &Member, tenant: &str) -> Option<(Parts, Route)> {
    let url: hyper::Uri = member.url.parse().ok()?;
    let path = url.path_and_query()?.as_str();
    let route = Route::of(url.path())
        .filter(|route| route.operation == Operation::Invoke && route.tenant.eq_ignore_ascii_case(tenant))?;
    let mut builder = hyper::Request::builder().method(member.method.as_str());
    builder = match batch.parts.uri.authority() {
        Some(authority) => builder.uri(format!("https://{authority}{path}")),
        None => builder.uri(path),
    };
    let (mut parts, ()) = builder.body(()).ok()?.into_parts();
    for (name, value) in &member.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        parts.headers.insert(name, HeaderValue::from_str(value.as_str()?).ok()?);
    }
    for name in INHERITED {
        if let (None, Some(value)) = (parts.headers.get(name), batch.parts.headers.get(name)) {
            parts.headers.insert(name, value.clone());
        }
    }
    // A member's body is part of the batch's: it is not compressed by itself.
    parts.headers.remove("accept-encoding");
    if let Some(host) = batch.parts.headers.get("host") {
        parts.headers.insert("host", host.clone());
    }
    let cookie = HeaderValue::from_str(&format!("exchangecookie={}", batch.cookie)).ok()?;
    parts.headers.insert("cookie", cookie);
    Some((parts, route))
}

async fn shown(id: &str, response: Response<Body>) -> Value {
    let (head, body) = response.into_parts();
    let Ok(body) = body.collect().await;
    let body = body.to_bytes();
    let headers: Map<String, Value> = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), json!(value.to_str().ok()?))))
        .collect();
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&body)));
    json!({"id": id, "status": head.status.as_u16(), "headers": headers, "body": body})
}

/// Another order than the requests', if there are two: nobody may count on it. The same seed gives the same order.
fn shuffle(answers: &mut [Value], seed: u64) {
    let mut order: Vec<(u64, Value)> = answers
        .iter()
        .cloned()
        .enumerate()
        .map(|(at, value)| (mix(seed, at as u64, BATCH_DICE), value))
        .collect();
    let in_order = order.is_sorted_by_key(|(dice, _)| *dice);
    order.sort_by_key(|(dice, _)| *dice);
    if in_order && !order.is_empty() {
        order.rotate_left(1);
    }
    for (slot, (_, value)) in answers.iter_mut().zip(order) {
        *slot = value;
    }
}

/// Tells the dice of a batch from others of the seed.
const BATCH_DICE: u64 = 70;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_order_is_the_requests_order_and_none_is_lost() {
        for (seed, count) in (0..50).flat_map(|seed| (2..=MEMBERS_MAX).map(move |count| (seed, count))) {
            let original: Vec<Value> = (0..count).map(|at| json!(at)).collect();
            let mut answers = original.clone();
            shuffle(&mut answers, seed);
            assert_ne!(answers, original, "seed {seed}");
            answers.sort_by_key(Value::as_u64);
            assert_eq!(answers, original);
        }
    }
}
