//! What Exchange Online reads from a request's head, and what its answers' heads say.

use std::sync::Arc;

use hyper::http::request::Parts;
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
}

/// What a page link is bound to, for this caller.
pub(super) fn bound(request: &Request<'_>) -> String {
    let header = |name: &str| request.parts.headers.get(name).map_or(&b""[..], |value| value.as_bytes());
    let (anchor, cookie): (&[u8], &[u8]) = match request.state.options.page_binding {
        PageBinding::AnchorAndCookie => (header("x-anchormailbox"), request.cookie.as_bytes()),
        PageBinding::Anchor => (header("x-anchormailbox"), b""),
        PageBinding::Nothing => (b"", b""),
    };
    // Whitespace and order of the body's members do not matter.
    let body: Value = serde_json::from_slice(request.body).unwrap_or(Value::Null);
    paging::bound_to(&[anchor, cookie, body.to_string().as_bytes()])
}

pub(super) fn page_size(parts: &Parts) -> u64 {
    parts
        .headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .filter_map(|preference| preference.trim().strip_prefix("odata.maxpagesize="))
        .filter_map(|number| number.trim().parse::<u64>().ok())
        .find(|number| *number > 0)
        .map_or(paging::PAGE_SIZE_MAX, |number| number.min(paging::PAGE_SIZE_MAX))
}

/// `https://host` as the client calls it: the service echoes the host that was used.
fn base(parts: &Parts) -> String {
    let host = parts
        .uri
        .authority()
        .map(ToString::to_string)
        .or_else(|| parts.headers.get("host").and_then(|value| value.to_str().ok()).map(str::to_owned));
    format!("https://{}", host.unwrap_or_else(|| "localhost".to_owned()))
}

pub(super) fn context(parts: &Parts) -> String {
    let path = parts.uri.path().trim_end_matches('/');
    let collection = path.rsplit_once('/').map_or(path, |(collection, _)| collection);
    format!("{}{collection}/$metadata#Collection(Exchange.GenericHashTable)", base(parts))
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
        if request.parts.headers.contains_key("prefer") {
            let size = format!("odata.maxpagesize={}", page_size(request.parts));
            respond::header(response, "preference-applied", &size);
        }
    }
}
