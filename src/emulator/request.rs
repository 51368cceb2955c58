//! What Exchange Online reads from a request's head, and what its answers' heads say.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use serde_json::Value;
use uuid::Uuid;

use super::form;
use super::options::PageBinding;
use super::paging;
use super::respond;
use super::service::Ended;
use super::state::State;

/// Headers longer than this are not taken for ids.
const ID_LENGTH_MAX: usize = 128;

/// A request that has been let in.
pub(super) struct Request<'a> {
    pub(super) state: &'a Arc<State>,
    pub(super) parts: &'a Parts,
    pub(super) body: &'a [u8],
    /// The affinity cookie: the request's own, or a new one.
    pub(super) cookie: String,
    /// It came in a `$batch`.
    pub(super) member: bool,
}

/// What a page link is bound to, for this caller and what was asked.
pub(super) fn bound(request: &Request<'_>, asked: &Value) -> String {
    let header = |name: &str| request.parts.headers.get(name).map_or(&b""[..], |value| value.as_bytes());
    let (anchor, cookie): (&[u8], &[u8]) = match request.state.options.page_binding {
        PageBinding::AnchorAndCookie => (header("x-anchormailbox"), request.cookie.as_bytes()),
        PageBinding::Anchor => (header("x-anchormailbox"), b""),
        PageBinding::Nothing => (b"", b""),
    };
    // As a value: whitespace of the body does not matter.
    paging::bound_to(&[anchor, cookie, asked.to_string().as_bytes()])
}

pub(super) fn page_size(parts: &Parts) -> u64 {
    preferences(parts)
        .filter_map(|preference| preference.strip_prefix("odata.maxpagesize="))
        .filter_map(|number| number.trim().parse::<u64>().ok())
        .find(|number| *number > 0)
        .map_or(paging::PAGE_SIZE_MAX, |number| number.min(paging::PAGE_SIZE_MAX))
}

/// The host that the client called, without its port.
pub(super) fn host(parts: &Parts) -> Option<String> {
    parts.uri.host().map(str::to_owned).or_else(|| {
        let host = parts.headers.get("host")?.to_str().ok()?;
        Some(host.parse::<Authority>().ok()?.host().to_owned())
    })
}

/// Whether a `Prefer` header names this preference.
pub(super) fn prefers(parts: &Parts, preference: &str) -> bool {
    preferences(parts).any(|own| own.eq_ignore_ascii_case(preference))
}

fn preferences(parts: &Parts) -> impl Iterator<Item = &str> {
    let values = parts.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).map(str::trim)
}

/// `https://host` as the client calls it: the service echoes the host that was used.
pub(super) fn base(parts: &Parts) -> String {
    let host = parts
        .uri
        .authority()
        .map(ToString::to_string)
        .or_else(|| parts.headers.get("host").and_then(|value| value.to_str().ok()).map(str::to_owned));
    format!("https://{}", host.unwrap_or_else(|| "localhost".to_owned()))
}

/// `https://host/adminapi/beta/{tid}` as the client calls it.
pub(super) fn root(parts: &Parts) -> String {
    let path: Vec<&str> = parts.uri.path().trim_matches('/').split('/').take(3).collect();
    format!("{}/{}", base(parts), path.join("/"))
}

pub(super) fn context(parts: &Parts) -> String {
    format!("{}/$metadata#Collection(Exchange.GenericHashTable)", root(parts))
}

pub(super) fn next_link(parts: &Parts, token: &str) -> String {
    let kept = parts.uri.query().unwrap_or_default().split('&').filter(|pair| {
        let name = form::parse(pair.as_bytes()).pop().map(|(name, _)| name).unwrap_or_default();
        !name.is_empty() && !name.eq_ignore_ascii_case("$skiptoken")
    });
    let token = format!("$skiptoken={token}");
    let query: Vec<&str> = kept.chain([token.as_str()]).collect();
    format!("{}{}?{}", base(parts), parts.uri.path(), query.join("&"))
}

pub(super) fn id_header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let value = parts.headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty() && value.len() <= ID_LENGTH_MAX).then_some(value)
}

pub(super) fn cookie(parts: &Parts) -> Option<String> {
    let values = parts.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, value)| *name == "exchangecookie" && value.len() <= ID_LENGTH_MAX)
        .map(|(_, value)| value.to_owned())
}

/// What `Rate-Limit-*` shows: calls of the tenant in a window of five minutes. It refuses nobody.
#[derive(Debug, Default)]
pub(super) struct RateLimit(Mutex<(u64, u32)>);

const RATE_WINDOW: u64 = 5 * 60 * 1000;

impl RateLimit {
    /// Counts a call: how many are left, and when the window ends.
    fn count(&self, limit: u32, state: &State) -> (u32, String) {
        let (window, into) = (state.now() / RATE_WINDOW, state.now() % RATE_WINDOW);
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = if counted.0 == window { counted.1.saturating_add(1) } else { 1 };
        *counted = (window, used);
        let reset = state.options.clocks.wall() + Duration::from_millis(RATE_WINDOW - into);
        (limit.saturating_sub(used), reset.to_string())
    }
}

impl Ended {
    /// The headers that every answer of Exchange Online has.
    pub(super) fn dress(&mut self, request: &Request<'_>) {
        let Some(response) = self.response_mut() else { return };
        let id = Uuid::new_v4().to_string();
        let status = response.status().as_u16().to_string();
        for (name, value) in [
            ("request-id", id.as_str()),
            ("odata-version", "4.0"),
            ("cache-control", "no-cache, no-store"),
            ("x-calculatedfetarget", "emupr01cu001.internal.outlook.com"),
            ("x-calculatedbetarget", "EMUPR01MB0001.EMUPR01A001.PROD.OUTLOOK.COM"),
            ("x-feserver", "EMUPR01CA0001"),
            ("x-backendhttpstatus", &status),
            ("x-exchangeversion", "15.20.0.0"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ] {
            respond::header(response, name, value);
        }
        if let Some(id) = id_header(request.parts, "client-request-id") {
            respond::header(response, "client-request-id", id);
        }
        if cookie(request.parts).is_none() {
            let cookie = format!("exchangecookie={}; path=/; secure; HttpOnly", request.cookie);
            respond::header(response, "set-cookie", &cookie);
        }
        if let Some(limit) = request.state.options.rate_limit {
            let (left, reset) = request.state.rate.count(limit, request.state);
            respond::header(response, "rate-limit-limit", &limit.to_string());
            respond::header(response, "rate-limit-remaining", &left.to_string());
            respond::header(response, "rate-limit-reset", &reset);
        }
        if request.parts.headers.contains_key("prefer") {
            let size = format!("odata.maxpagesize={}", page_size(request.parts));
            respond::header(response, "preference-applied", &size);
        }
    }
}
