//! One InvokeCommand request and its answer: headers out, items and envelope in. Source: protocol reference, 3.2 to 3.8.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::{read, write};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, HeaderValue,
    USER_AGENT,
};
use hyper::http::request::Builder;
use hyper::{Request, Response};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use serde_json::value::RawValue;

use super::classify::{Refusal, classify};
use super::cookies::Cookies;
use super::errors::{ErrorKind, Happened, RemoteError};
use super::routing::Route;
use super::transport::{Transport, broken};
use super::value_stream::{StreamError, ValueStream};
use super::{CmdletRequest, ConnectionId};
use crate::observe::escape::one_line;
use crate::recording::Entry;
use crate::rules::withheld::without;

/// A failed answer's body beyond this is not read: no message needs it.
const ERROR_BODY_BYTES_MAX: usize = 256 * 1024;
/// What one page's items may take in memory, each with [`ITEM_OVERHEAD_BYTES`]: ten times the six megabytes of a
/// thousand mailboxes with all properties. A page is whole before it is passed on, so that it can be asked for again.
const PAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What an item costs besides its text.
const ITEM_OVERHEAD_BYTES: usize = 64;
/// How much is unpacked at a time: a thousandfold at most comes of it.
const PACKED_PIECE_BYTES: usize = 4 * 1024;
/// Warnings and errors of one answer that are kept.
const TEXTS_MAX: usize = 100;
const TEXT_CHARS_MAX: usize = 600;

/// How the program names itself. It does not pretend to be the module.
pub(super) const USER_AGENT_TEXT: &str = concat!("exorun/", env!("CARGO_PKG_VERSION"));

/// What all requests of a session have in common.
pub(super) struct Headers<'a> {
    pub(super) authority: &'a str,
    pub(super) route: &'a Route,
    pub(super) connection_id: ConnectionId,
    pub(super) token: &'a SecretString,
    pub(super) cookies: &'a Cookies,
}

/// One page of an answer.
#[derive(Default)]
pub(super) struct Page {
    pub(super) items: Vec<Box<RawValue>>,
    pub(super) warnings: Vec<String>,
    pub(super) errors: Vec<String>,
    pub(super) next_link: Option<String>,
    pub(super) request_id: Option<String>,
}

/// What a request is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Cmdlet,
    /// Several cmdlets; each has headers of its own.
    Batch,
    ModuleFile,
}

impl What {
    /// The member of the answer that holds the items.
    fn list(self) -> &'static str {
        match self {
            What::Cmdlet | What::ModuleFile => "value",
            What::Batch => "responses",
        }
    }
}

/// What one request asks for.
pub(super) struct Asked {
    pub(super) path_and_query: String,
    /// Goes into `Prefer`.
    pub(super) page_size: Option<u32>,
    /// A POST's body; a GET has none.
    pub(super) body: Option<Bytes>,
    pub(super) what: What,
    /// Headers of its own.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Asked {
    pub(super) fn method(&self) -> &'static str {
        if self.body.is_some() { "POST" } else { "GET" }
    }
}

/// Builds a request.
pub(super) fn build(
    transport: &Transport,
    headers: &Headers<'_>,
    call: &CmdletRequest,
    asked: &Asked,
) -> Result<Request<Full<Bytes>>, RemoteError> {
    let refused = |why: String| RemoteError::new(ErrorKind::Refused, Happened::No, why);
    let uri = uri(transport, headers.authority, &asked.path_and_query);
    let request = match &asked.body {
        Some(_) => Request::post(uri).header(CONTENT_TYPE, "application/json; charset=utf-8"),
        None => Request::get(uri),
    };
    let request = request
        .header(AUTHORIZATION, bearer(headers.token)?)
        .header(ACCEPT, "application/json")
        .header(ACCEPT_ENCODING, "gzip")
        .header(USER_AGENT, USER_AGENT_TEXT)
        .header("X-ClientApplication", USER_AGENT_TEXT)
        .header("client-request-id", call.client_request_id.to_string())
        .header("connection-id", headers.connection_id.to_string());
    let request = match asked.what {
        What::Cmdlet => {
            request.header("X-CmdletName", call.cmdlet.as_str()).header("X-ResponseFormat", "json")
        }
        What::Batch | What::ModuleFile => request,
    };
    let request = asked.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    let request = with_host(request, transport, headers.authority);
    let request = match &headers.route.anchor {
        Some(anchor) => request.header("X-AnchorMailbox", anchor),
        None => request,
    };
    let request = match headers.route.is_by_parameters {
        true => request.header("parameter-based-routing", "true"),
        false => request,
    };
    let request = match asked.page_size {
        Some(size) => request.header("Prefer", format!("odata.maxpagesize={size}")),
        None => request,
    };
    let request = match headers.cookies.header() {
        Some(cookies) => request.header(COOKIE, cookies),
        None => request,
    };
    let body = Full::new(asked.body.clone().unwrap_or_default());
    request.body(body).map_err(|error| refused(format!("the request cannot be built: {error}")))
}

/// The header that says who calls; it is kept out of logs.
pub(super) fn bearer(token: &SecretString) -> Result<HeaderValue, RemoteError> {
    let bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()));
    let mut bearer = bearer.map_err(|_| {
        RemoteError::new(ErrorKind::Refused, Happened::No, "the access token cannot stand in a header")
    })?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

pub(super) fn uri(transport: &Transport, authority: &str, path_and_query: &str) -> String {
    if transport.is_http2() {
        format!("https://{authority}{path_and_query}")
    } else {
        path_and_query.to_owned()
    }
}

pub(super) fn with_host(request: Builder, transport: &Transport, authority: &str) -> Builder {
    if transport.is_http2() { request } else { request.header(HOST, authority) }
}

/// Reads an answer to its end; `entry` gets the pieces of its body.
///
/// # Errors
/// Every failed answer, classified; an answer cut short is [`ErrorKind::Network`] or [`ErrorKind::Protocol`].
pub(super) async fn read(
    answer: Response<Incoming>,
    what: What,
    now: Timestamp,
    token: &SecretString,
    entry: Entry,
) -> Result<Page, RemoteError> {
    let (head, body) = answer.into_parts();
    let is_gzip = head.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip");
    if !head.status.is_success() {
        let body = read_refusal(body, is_gzip, entry).await;
        // Before anything of it is cut, which would leave a part of the token.
        let body = without(&String::from_utf8_lossy(&body), [token.expose_secret()]);
        let refusal = Refusal { status: head.status.as_u16(), headers: &head.headers, body: body.as_bytes() };
        let error = classify(&refusal, now);
        let message = without(&error.message, [token.expose_secret()]);
        return Err(RemoteError { message, ..error });
    }
    let request_id =
        head.headers.get("request-id").and_then(|id| id.to_str().ok()).map(|id| one_line(id, 64));
    let failed = |mut error: RemoteError| {
        error.status = Some(head.status.as_u16());
        error.request_id.clone_from(&request_id);
        error
    };
    let mut page = read_items(body, what, is_gzip, token, entry).await.map_err(failed)?;
    page.request_id = request_id;
    Ok(page)
}

async fn read_items(
    body: Incoming,
    what: What,
    is_gzip: bool,
    token: &SecretString,
    mut entry: Entry,
) -> Result<Page, RemoteError> {
    let page = read_pieces(body, what, is_gzip, token, &mut entry).await;
    match &page {
        Err(error) if error.kind == ErrorKind::Network => entry.broken(),
        _ => entry.whole(),
    }
    page
}

async fn read_pieces(
    mut body: Incoming,
    what: What,
    is_gzip: bool,
    token: &SecretString,
    entry: &mut Entry,
) -> Result<Page, RemoteError> {
    let mut page = Paging::of(what);
    let mut gzip = write::GzDecoder::new(Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error, Happened::Unknown))?;
        let Ok(chunk) = frame.into_data() else { continue };
        entry.data(&chunk);
        if is_gzip {
            for piece in chunk.chunks(PACKED_PIECE_BYTES) {
                gzip.write_all(piece).map_err(|error| unreadable(&error.to_string()))?;
                page.push(gzip.get_ref())?;
                gzip.get_mut().clear();
            }
        } else {
            page.push(&chunk)?;
        }
    }
    if is_gzip {
        gzip.try_finish().map_err(|error| unreadable(&error.to_string()))?;
        page.push(gzip.get_ref())?;
    }
    page.finish(Some(token))
}

/// A page that is here whole already: the body of a batch's member.
pub(super) fn of_text(text: &str) -> Result<Page, RemoteError> {
    let mut page = Paging::of(What::Cmdlet);
    page.push(text.as_bytes())?;
    page.finish(None)
}

/// What is read of it becomes messages: the members of a batch are refusals as well.
fn cleaned(item: Box<RawValue>, token: &str) -> Box<RawValue> {
    if token.is_empty() || !item.get().contains(token) {
        return item;
    }
    RawValue::from_string(without(item.get(), [token])).unwrap_or(item)
}

/// A page that is coming in.
struct Paging {
    what: What,
    stream: ValueStream,
    kept: Kept,
}

/// The items of a page, and how many bytes of them there may still be.
struct Kept {
    items: Vec<Box<RawValue>>,
    room: usize,
}

impl Kept {
    fn keep(&mut self, item: &RawValue) -> Result<(), String> {
        self.room = self.room.checked_sub(item.get().len() + ITEM_OVERHEAD_BYTES).ok_or_else(|| {
            format!("a page of the answer takes more than {PAGE_BYTES_MAX} bytes; ask for less with `select`")
        })?;
        self.items.push(item.to_owned());
        Ok(())
    }
}

impl Paging {
    fn of(what: What) -> Paging {
        let kept = Kept { items: Vec::new(), room: PAGE_BYTES_MAX };
        Paging { what, stream: ValueStream::of(what.list()), kept }
    }

    fn push(&mut self, chunk: &[u8]) -> Result<(), RemoteError> {
        let Paging { stream, kept, .. } = self;
        stream.push(chunk, &mut |item| kept.keep(item)).map_err(|error| not_understood(&error))
    }

    fn finish(self, token: Option<&SecretString>) -> Result<Page, RemoteError> {
        let Paging { what, stream, mut kept } = self;
        let token = token.map_or("", |token| token.expose_secret());
        let rest = stream.finish(&mut |item| kept.keep(item)).map_err(|error| not_understood(&error))?;
        let items = match what {
            What::Batch => kept.items.into_iter().map(|item| cleaned(item, token)).collect(),
            What::Cmdlet | What::ModuleFile => kept.items,
        };
        Ok(Page {
            items,
            warnings: texts(&rest, "@adminapi.warnings", token),
            errors: texts(&rest, "@adminapi.errors", token),
            next_link: rest.get("@odata.nextLink").and_then(Value::as_str).map(str::to_owned),
            request_id: None,
        })
    }
}

fn unreadable(why: &str) -> RemoteError {
    RemoteError::new(ErrorKind::Protocol, Happened::Unknown, format!("the answer's gzip is broken: {why}"))
}

fn not_understood(error: &StreamError) -> RemoteError {
    let text = one_line(&error.to_string(), TEXT_CHARS_MAX);
    RemoteError::new(ErrorKind::Protocol, Happened::Unknown, text)
}

fn texts(rest: &Value, member: &str, token: &str) -> Vec<String> {
    let list = rest.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts = list.iter().filter_map(Value::as_str).take(TEXTS_MAX);
    texts.map(|text| one_line(&without(text, [token]), TEXT_CHARS_MAX)).collect()
}

/// A failed answer's body, as much of it as can be had: it is a message's ornament, so nothing here fails.
async fn read_refusal(mut body: Incoming, is_gzip: bool, mut entry: Entry) -> Vec<u8> {
    let mut raw = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(chunk) = frame.into_data() {
            entry.data(&chunk);
            raw.extend_from_slice(&chunk);
        }
        if raw.len() > ERROR_BODY_BYTES_MAX {
            break;
        }
    }
    entry.whole();
    if is_gzip {
        let mut decoded = Vec::new();
        // NUL bytes are sent declared as gzip: what is no gzip is taken as it came.
        let whole =
            read::GzDecoder::new(raw.as_slice()).take(ERROR_BODY_BYTES_MAX as u64).read_to_end(&mut decoded);
        if whole.is_ok() {
            return decoded;
        }
    }
    raw
}
