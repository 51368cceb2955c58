//! Several reads in one request. Source: protocol reference, 3.12.
//!
//! An outer 200 says nothing about the members: each has a status of its own, is repeated by itself, and goes on with
//! its further pages by itself, as the module does.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tracing::warn;

use super::body;
use super::by_parameters::pages_of;
use super::classify::{Refusal, classify};
use super::client::{RestConnection, Tally};
use super::errors::{ErrorKind, Happened, RemoteError};
use super::locate::REDIRECTS_MAX;
use super::page::{self, Asked, Page, What};
use super::repeat::{AfterRedirect, given_up, interrupted, jitter, meaning, policy_of};
use super::routing::can_be_routed;
use super::{CallSummary, CmdletRequest, Intent, Member, Repeats};
use crate::observe::escape::one_line;
use crate::rules::duration::show_about;
use crate::rules::retry::{Next, Repeated};
use crate::rules::time::BootTime;

/// The service takes no more members. Source: protocol reference, 3.12.
pub const BATCH_MAX: usize = 10;

/// One member's answer. Their order is not that of the requests.
#[derive(Deserialize)]
struct Answer<'a> {
    id: Value,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

impl RestConnection {
    /// Makes the members' calls, together where the service lets us. Results are in the members' order.
    pub(super) async fn together(
        &mut self,
        token: &SecretString,
        members: &mut [Member<'_>],
    ) -> Vec<Result<CallSummary, RemoteError>> {
        let fits = members.len() >= 2 && members.len() <= BATCH_MAX;
        if !fits || !self.takes_batches || !members.iter().all(|member| may_be_a_member(member.request)) {
            return self.one_by_one(token, members, Tally::default(), 0).await;
        }
        let mut tally = Tally::default();
        if let Err(error) = self.locate(token, members[0].request, &mut tally).await {
            return all_failed(members, &tally.noted(error));
        }
        let requests: Vec<&CmdletRequest> = members.iter().map(|member| member.request).collect();
        let page = match self.sent(token, &requests, &mut tally).await {
            Ok(page) => page,
            Err(error) if is_for_all(error.kind) => return all_failed(members, &tally.noted(error)),
            Err(error) => {
                if is_about_batches(error.kind) {
                    self.takes_batches = false;
                }
                warn!(error = %error, "several calls cannot be made together, going on one by one");
                // Refused as a batch, no member was tried yet; anything else was a try of each.
                let refused = matches!(
                    error.kind,
                    ErrorKind::Forbidden | ErrorKind::InvalidInput | ErrorKind::NotFound
                );
                let tried = u32::from(!refused);
                return self.one_by_one(token, members, tally, tried).await;
            }
        };
        let answered = self.config.clocks.boot();
        let mut answers = self.answers(&page);
        let mut results = Vec::with_capacity(members.len());
        for (index, member) in members.iter_mut().enumerate() {
            // The requests that all of them share are the first one's.
            let tally = std::mem::take(&mut tally);
            let answer = answers.remove(&index.to_string()).unwrap_or_else(|| Err(missing()));
            results.push(self.finished(token, member, answer, answered, tally).await);
        }
        results
    }

    /// The answer to all of them. Only throttling is waited out together: what else goes wrong says nothing of the
    /// members, which have tries of their own.
    async fn sent(
        &mut self,
        token: &SecretString,
        requests: &[&CmdletRequest],
        tally: &mut Tally,
    ) -> Result<Page, RemoteError> {
        let policy = policy_of(&self.config.retry, requests[0].repeats);
        let on = Repeated { throttled: policy.on.throttled, transient: false };
        let repeats = Some(Repeats { attempts_max: policy.attempts_max, on });
        let request = CmdletRequest { repeats, ..requests[0].clone() };
        for _ in 0..=REDIRECTS_MAX {
            let asked = self.asked(token, requests)?;
            let origin = self.origin.clone();
            let page = self.repeated(token, &request, &asked, AfterRedirect::Enough, tally).await?;
            // The members' addresses name the host: for another one they are written anew.
            if self.origin == origin {
                return Ok(page);
            }
        }
        Err(RemoteError::new(ErrorKind::Protocol, Happened::No, "the redirects do not end"))
    }

    /// `tally` has what was asked for all of them; it is the first one's. Each member was tried `tried` times.
    async fn one_by_one(
        &mut self,
        token: &SecretString,
        members: &mut [Member<'_>],
        mut tally: Tally,
        tried: u32,
    ) -> Vec<Result<CallSummary, RemoteError>> {
        let mut results = Vec::with_capacity(members.len());
        for member in members {
            let mut tally = std::mem::take(&mut tally);
            tally.retries += tried;
            results.push(self.alone(token, member, tally).await);
        }
        results
    }

    fn asked(&self, token: &SecretString, requests: &[&CmdletRequest]) -> Result<Asked, RemoteError> {
        let mut members = Vec::with_capacity(requests.len());
        for (index, request) in requests.iter().enumerate() {
            members.push(self.member(token, index, request)?);
        }
        let body = serde_json::to_vec(&json!({ "requests": members })).map_err(|error| unwritable(&error))?;
        let version = &self.config.api_version;
        Ok(Asked {
            path_and_query: format!("/adminapi/{version}/{}/$batch", self.config.tenant_id),
            page_size: None,
            body: Some(Bytes::from(body)),
            what: What::Batch,
            headers: vec![("Prefer", "odata.continue-on-error".to_owned())],
        })
    }

    fn member(
        &self,
        token: &SecretString,
        index: usize,
        request: &CmdletRequest,
    ) -> Result<Value, RemoteError> {
        let body = body::of(&request.cmdlet, &request.parameters)?;
        let body: Value = serde_json::from_slice(&body).map_err(|error| unwritable(&error))?;
        let size = self.page_size(request, 0).unwrap_or(self.config.page_size);
        let mut headers = json!({
            "Authorization": format!("Bearer {}", token.expose_secret()),
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json",
            "X-CmdletName": request.cmdlet.as_str(),
            "X-ResponseFormat": "json",
            "client-request-id": request.client_request_id.to_string(),
            "connection-id": self.id.to_string(),
            "Prefer": format!("odata.maxpagesize={size};odata.continue-on-error"),
        });
        if let Some(anchor) = self.route(request).anchor {
            headers["X-AnchorMailbox"] = anchor.into();
        }
        Ok(json!({
            "id": index.to_string(),
            "method": "POST",
            "url": format!("{}{}", self.origin, self.first_path(request)),
            "headers": headers,
            "body": body,
        }))
    }

    /// Each member's page or refusal, by its id.
    fn answers(&self, page: &Page) -> BTreeMap<String, Result<Page, RemoteError>> {
        let now = self.config.clocks.wall();
        let mut answers = BTreeMap::new();
        for item in &page.items {
            let Ok(answer) = serde_json::from_str::<Answer<'_>>(item.get()) else { continue };
            let id = match &answer.id {
                Value::String(id) => id.clone(),
                other => other.to_string(),
            };
            let headers = header_map(&answer.headers);
            let body = answer.body.map_or("", RawValue::get);
            let read = if (200..300).contains(&answer.status) {
                page::of_text(body)
            } else {
                let body = as_text(body);
                Err(classify(
                    &Refusal { status: answer.status, headers: &headers, body: body.as_bytes() },
                    now,
                ))
            };
            let request_id = headers.get("request-id").and_then(|id| id.to_str().ok());
            let request_id = request_id.map(|id| one_line(id, 64)).or_else(|| page.request_id.clone());
            let read = read.map(|page| Page { request_id, ..page });
            // What stands there twice is nobody's.
            let read = if answers.contains_key(&id) { Err(missing()) } else { read };
            answers.insert(id, read);
        }
        answers
    }

    /// A member's call to its end: its further pages, or its repeats.
    async fn finished(
        &mut self,
        token: &SecretString,
        member: &mut Member<'_>,
        answer: Result<Page, RemoteError>,
        answered: BootTime,
        mut tally: Tally,
    ) -> Result<CallSummary, RemoteError> {
        let error = match answer {
            Ok(page) => {
                let done = self.pages(token, member.request, member.sink, Some(page), &mut tally).await;
                return done.map_err(|error| tally.noted(error));
            }
            Err(error) => error,
        };
        if matches!(error.kind, ErrorKind::Throttled | ErrorKind::SessionLimit) {
            tally.throttled += 1;
        }
        let policy = policy_of(&self.config.retry, member.request.repeats);
        let clocks = self.config.clocks.clone();
        let wait =
            match policy.next(1, meaning(&error, Intent::Read), clocks.boot().since(answered), jitter()) {
                Next::After(wait) => wait,
                Next::GiveUp(why) => return Err(tally.noted(given_up(error, why, 1))),
            };
        tally.retries += 1;
        warn!(
            cmdlet = %member.request.cmdlet, client_request_id = %member.request.client_request_id,
            wait_ms = wait.as_millis() as u64, error = %error,
            "one of several calls failed, trying it again by itself in {}", show_about(wait)
        );
        // Members that were refused together wait together, not one after the other.
        tokio::select! {
            () = clocks.sleep_until(answered + wait) => {}
            () = member.request.stop.cancelled() => {
                let place = format!("while it waited to try again after: {error}");
                return Err(tally.noted(interrupted(&place)));
            }
        }
        // The try in the batch was the first.
        let repeats =
            Some(Repeats { attempts_max: policy.attempts_max.saturating_sub(1).max(1), on: policy.on });
        let rest = CmdletRequest { repeats, ..member.request.clone() };
        let done = self.pages(token, &rest, member.sink, None, &mut tally).await;
        done.map_err(|error| tally.noted(error))
    }
}

/// Only what reads, and what the module puts into batches too: not what is routed by a mailbox of its own, nor what
/// pages by parameters or holds secrets.
fn may_be_a_member(request: &CmdletRequest) -> bool {
    request.intent == Intent::Read
        && request.secrets.is_empty()
        && !can_be_routed(request)
        && matches!(pages_of(request), Ok(None))
}

fn unwritable(error: &serde_json::Error) -> RemoteError {
    let why = format!("the calls cannot be put together: {error}");
    RemoteError::new(ErrorKind::Refused, Happened::No, why)
}

/// What is wrong is everybody's: asking one by one would only ask more often.
fn is_for_all(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Throttled
            | ErrorKind::SessionLimit
            | ErrorKind::Unauthorized
            | ErrorKind::Interrupted
            | ErrorKind::Refused
    )
}

/// The error is every member's; what it took is the first one's.
fn all_failed(members: &[Member<'_>], error: &RemoteError) -> Vec<Result<CallSummary, RemoteError>> {
    let of = |index: usize| match index {
        0 => error.clone(),
        _ => RemoteError { attempts: 0, throttled: 0, ..error.clone() },
    };
    (0..members.len()).map(|index| Err(of(index))).collect()
}

/// What is wrong is the batch, not a member of it.
fn is_about_batches(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Forbidden
            | ErrorKind::InvalidInput
            | ErrorKind::NotFound
            | ErrorKind::Protocol
            | ErrorKind::Server
    )
}

fn missing() -> RemoteError {
    let why = "the answer to several calls leaves this one out";
    RemoteError::new(ErrorKind::Protocol, Happened::Unknown, why)
}

fn header_map(headers: &BTreeMap<String, Value>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(text)) {
            map.append(name, value);
        }
    }
    map
}

/// A refusal's body may be a JSON string instead of an object: plain text in an envelope of JSON.
fn as_text(body: &str) -> String {
    serde_json::from_str::<String>(body).unwrap_or_else(|_| body.to_owned())
}
