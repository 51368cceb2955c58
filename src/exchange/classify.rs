//! Tells failed answers apart. Source: protocol reference, 3.10 and 3.11.
//!
//! The body of a failure may be an OData envelope, plain text, empty, NUL bytes declared as gzip, or a proxy's HTML.

use std::time::Duration;

use base64::Engine;
use hyper::HeaderMap;
use hyper::header::{LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use jiff::Timestamp;
use serde_json::Value;

use super::errors::{ErrorKind, Happened, RemoteError};
use crate::observe::escape::one_line;
use crate::rules::page;

/// Longer texts of the service are cut; the request id finds the rest.
pub(super) const MESSAGE_CHARS_MAX: usize = 600;

/// Directory and store hiccups that pass by themselves. Source: protocol reference, 3.10; the module repeats on them.
const TRANSIENT_EXCEPTIONS: [&str; 7] = [
    "ADTransientException",
    "SuitabilityDirectoryException",
    "DCOverloadedException",
    "ServerInMMException",
    "ADServerSettingsChangedException",
    "StorageTransientException",
    "CmdletProxyException",
];

/// What is there already: for a step that wants it there, as good as done.
const EXISTS_EXCEPTIONS: [&str; 3] = [
    "MemberAlreadyExistsException",
    "UserAlreadyExistsInPermissionEntryException",
    "ADObjectAlreadyExistsException",
];

/// The service's old sentence about the sixth session; it is known by this text under any status.
const SESSION_LIMIT_TEXT: &str = "maximum number of connections allowed";
/// The per-tenant concurrency limit; it can come under another status than 429.
const TENANT_CONCURRENCY_TEXT: &str = "maximum number of concurrent requests per tenant";
/// An application whose directory role does not allow this.
const ROLE_TEXT: &str = "isn't supported in this scenario";
const ROLE_ADVICE: &str = " -> give the application's service principal, or the person who signs in, a directory role, Exchange Administrator say";
const FORBIDDEN_ADVICE: &str = " -> the directory role does not include this cmdlet (`exorun cmdlets` lists services), or the tenant has no licence for it";
/// Said only if a token that was asked for with the claims was refused too.
const CHALLENGE_TEXT: &str = " -> the service asks for claims (Conditional Access): a person signs in again; for an application \
                              look at its Conditional Access for workload identities";
/// A page link that lived too long, or reached another server.
const PAGINATION_TEXT: &str = "pagination request";

/// An answer that is not a success.
pub(super) struct Refusal<'a> {
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    /// Decoded if it could be, as it came otherwise.
    pub(super) body: &'a [u8],
}

/// What `refusal` means; `now` is for a `Retry-After` that names a date.
pub(super) fn classify(refusal: &Refusal<'_>, now: Timestamp) -> RemoteError {
    let said = read_body(refusal.body);
    let diagnostics = header(refusal.headers, "x-ms-diagnostics");
    let text = match (&said.text, diagnostics) {
        (text, _) if !text.is_empty() => text.clone(),
        (_, Some(diagnostics)) => diagnostics.to_owned(),
        _ => "the answer has no text".to_owned(),
    };
    let all = format!("{text} {}", diagnostics.unwrap_or_default());
    let named = |names: &[&str]| names.iter().any(|name| said.exceptions.contains(name));
    let (kind, happened) = if all.contains(SESSION_LIMIT_TEXT) {
        (ErrorKind::SessionLimit, Happened::No)
    } else if refusal.status == 429 || all.contains(TENANT_CONCURRENCY_TEXT) {
        (ErrorKind::Throttled, Happened::No)
    } else if named(&TRANSIENT_EXCEPTIONS) {
        (ErrorKind::Transient, Happened::Unknown)
    } else {
        match refusal.status {
            300..=399 => (ErrorKind::Protocol, Happened::No),
            401 => (ErrorKind::Unauthorized, Happened::No),
            403 => (ErrorKind::Forbidden, Happened::No),
            404 if said.is_envelope => (ErrorKind::NotFound, Happened::No),
            404 => (ErrorKind::Protocol, Happened::No),
            408 | 502..=504 => (ErrorKind::Transient, Happened::Unknown),
            400..=499 if named(&EXISTS_EXCEPTIONS) => (ErrorKind::AlreadyExists, Happened::No),
            400..=499 => (ErrorKind::InvalidInput, Happened::No),
            // Not implemented: nothing is there that could have done it.
            501 => (ErrorKind::Server, Happened::No),
            _ => (ErrorKind::Server, Happened::Unknown),
        }
    };
    let mut message = text;
    if refusal.status == 401 && claims(refusal.headers).is_some() {
        message.push_str(CHALLENGE_TEXT);
    }
    if all.contains(ROLE_TEXT) {
        message.push_str(ROLE_ADVICE);
    } else if kind == ErrorKind::Forbidden && (said.is_envelope || said.text.is_empty()) {
        message.push_str(FORBIDDEN_ADVICE);
    }
    let location = refusal.headers.get(LOCATION).filter(|_| (300..=399).contains(&refusal.status));
    let location = location.map(|location| String::from_utf8_lossy(location.as_bytes()).into_owned());
    if let Some(location) = &location {
        message = format!("redirected to {location}, which is not followed");
    }
    // The others do not ask for the same request again, or say that it was done (303).
    let location = location.filter(|_| matches!(refusal.status, 302 | 307 | 308));
    RemoteError {
        kind,
        happened,
        status: Some(refusal.status),
        message: one_line(&message, MESSAGE_CHARS_MAX),
        exception: said.exception.map(|name| one_line(&name, 120)),
        request_id: header(refusal.headers, "request-id").map(|id| one_line(id, 64)),
        retry_after: retry_after(refusal.headers, now),
        claims: claims(refusal.headers),
        location,
        attempts: 0,
        throttled: 0,
    }
}

/// Whether a page link is no longer good: the listing starts again, it is never cut short.
pub(super) fn is_expired_link(error: &RemoteError) -> bool {
    error.status == Some(400) && error.message.to_ascii_lowercase().contains(PAGINATION_TEXT)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|value| !value.is_empty())
}

fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// The `claims` of a continuous-access-evaluation challenge: base64 JSON in one of the `WWW-Authenticate`, in either
/// alphabet and with or without its padding.
fn claims(headers: &HeaderMap) -> Option<String> {
    headers.get_all(WWW_AUTHENTICATE).iter().find_map(|challenge| {
        let (_, rest) = challenge.to_str().ok()?.split_once("claims=\"")?;
        let (encoded, _) = rest.split_once('"')?;
        let standard = encoded.trim_end_matches('=').replace('-', "+").replace('_', "/");
        let decoded = base64::engine::general_purpose::STANDARD_NO_PAD.decode(standard).ok()?;
        String::from_utf8(decoded).ok()
    })
}

/// What a body says, however it says it.
#[derive(Default)]
struct Said {
    text: String,
    /// The exception's name without its namespace.
    exception: Option<String>,
    /// Every place that may name an exception, together.
    exceptions: String,
    is_envelope: bool,
}

fn read_body(body: &[u8]) -> Said {
    let visible: Vec<u8> = body.iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&visible).trim().to_owned();
    if let Ok(Value::Object(envelope)) = serde_json::from_str(&text)
        && let Some(error) = envelope.get("error")
    {
        return read_envelope(error);
    }
    if let Some(text) = page::said(&text) {
        return Said { text, ..Said::default() };
    }
    Said { exceptions: text.clone(), text, ..Said::default() }
}

/// Precedence as the reference recommends: details, internal exception, message.
fn read_envelope(error: &Value) -> Said {
    let detail =
        error.pointer("/details/0/message").and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let internal = error
        .pointer("/innererror/internalexception/message")
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty() && !text.contains("DirectInvokeCmdletExecutionException"));
    let internal_type = error.pointer("/innererror/internalexception/type").and_then(Value::as_str);
    let message = error.get("message").and_then(Value::as_str);
    let code = error.get("code").and_then(Value::as_str);
    let mut exception = None;
    let text = if let Some(detail) = detail {
        let (name, text) = read_detail(detail);
        exception = name;
        text
    } else if let Some(internal) = internal {
        exception = internal_type.map(short_name);
        internal.to_owned()
    } else {
        message.or(code).unwrap_or_default().to_owned()
    };
    let exceptions = [detail, internal, internal_type].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Said { text, exception, exceptions, is_envelope: true }
}

/// `<id or empty>|<.NET exception type>|<text>`, or a serialized exception in JSON, or plain text.
fn read_detail(detail: &str) -> (Option<String>, String) {
    if let Ok(Value::Object(serialized)) = serde_json::from_str::<Value>(detail) {
        let text_at = |name: &str| serialized.get(name).and_then(Value::as_str);
        let text = text_at("Message").unwrap_or(detail).to_owned();
        return (text_at("ClassName").map(short_name), text);
    }
    let mut parts = detail.splitn(3, '|');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(""), Some(text)) => (None, text.to_owned()),
        (Some(_), Some(exception), Some(text)) => (Some(short_name(exception)), text.to_owned()),
        _ => (None, detail.to_owned()),
    }
}

fn short_name(exception: &str) -> String {
    exception.rsplit('.').next().unwrap_or(exception).to_owned()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn refused(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> RemoteError {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        classify(&Refusal { status, headers: &map, body }, "2026-11-22T02:00:00Z".parse().unwrap())
    }

    fn envelope(code: &str, detail: &str) -> Vec<u8> {
        json!({"error": {"code": code, "message": "Error executing cmdlet",
            "details": [{"code": "Context", "target": "", "message": detail}]}})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn a_missing_object_is_told_with_the_services_own_words() {
        let body = envelope(
            "NotFound",
            "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't \
             be performed because object 'x' couldn't be found.",
        );
        let error = refused(404, &[("request-id", "r-1")], &body);
        assert_eq!((error.kind, error.happened), (ErrorKind::NotFound, Happened::No));
        insta::assert_snapshot!(error.to_string(), @"not_found (HTTP 404): ManagementObjectNotFoundException: The operation couldn't be performed because object 'x' couldn't be found. [request-id r-1]");
    }

    #[test]
    fn a_404_that_is_not_the_services_is_not_a_missing_object() {
        let error = refused(404, &[], b"<html><head><title>Not Found</title></head></html>");
        assert_eq!(error.kind, ErrorKind::Protocol);
        assert!(
            error.message.contains("HTML page") && error.message.contains("Not Found"),
            "{}",
            error.message
        );
    }

    #[test]
    fn a_proxys_page_without_a_title_is_known_by_its_heading() {
        let page = b"<html><body><h1>503 Service Unavailable</h1>\nNo server is available.\n</body></html>";
        let error = refused(503, &[], page);
        assert_eq!(error.message, "an HTML page came instead of an answer: 503 Service Unavailable");
    }

    #[test]
    fn nul_bytes_fall_back_to_the_diagnostics_header() {
        let error = refused(403, &[("x-ms-diagnostics", "2000001;reason=\"no role\"")], &[0, 0, 0, 0]);
        assert_eq!(error.kind, ErrorKind::Forbidden);
        assert!(error.message.contains("no role"), "{}", error.message);
        let bare = refused(403, &[], b"").message;
        assert!(bare.starts_with("the answer has no text -> the directory role"), "{bare}");
        let proxy = refused(403, &[], b"<html><title>Blocked</title></html>").message;
        assert!(!proxy.contains("directory role"), "{proxy}");
    }

    #[test]
    fn throttling_keeps_decimals_and_knows_its_texts_under_any_status() {
        let error = refused(429, &[("retry-after", "1.5")], b"Too many requests");
        assert_eq!(
            (error.kind, error.retry_after),
            (ErrorKind::Throttled, Some(Duration::from_millis(1500)))
        );
        let dated = refused(429, &[("retry-after", "Sun, 22 Nov 2026 02:00:07 GMT")], b"");
        assert_eq!(dated.retry_after, Some(Duration::from_secs(7)));
        let tenant = refused(400, &[], b"Exceeded the maximum number of concurrent requests per tenant");
        assert_eq!(tenant.kind, ErrorKind::Throttled);
        let sixth = refused(403, &[], b"exceeded the maximum number of connections allowed : 5");
        assert_eq!((sixth.kind, sixth.happened), (ErrorKind::SessionLimit, Happened::No));
    }

    #[test]
    fn hiccups_of_the_directory_are_transient_and_leave_a_write_in_doubt() {
        let body = envelope(
            "InternalServerError",
            "Ex1|Microsoft.Exchange.Data.Directory.ADTransientException|again",
        );
        let error = refused(500, &[], &body);
        assert_eq!((error.kind, error.happened), (ErrorKind::Transient, Happened::Unknown));
        assert_eq!(refused(500, &[], b"").kind, ErrorKind::Server);
        assert_eq!(refused(502, &[], b"<html>").kind, ErrorKind::Transient);
    }

    #[test]
    fn a_bad_enumeration_value_is_found_in_the_internal_exception() {
        let body = json!({"error": {"code": "BadRequest", "message": "Error executing cmdlet", "details": [],
            "innererror": {"internalexception": {"message": "valid values are A, B",
                "type": "System.Management.Automation.ParameterTransformationException"}}}});
        let error = refused(400, &[], body.to_string().as_bytes());
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::InvalidInput, "valid values are A, B"));
        assert_eq!(error.exception.as_deref(), Some("ParameterTransformationException"));
    }

    #[test]
    fn an_application_without_a_role_is_told_what_it_lacks() {
        let text = "||The role assigned to application a-1 isn't supported in this scenario.";
        let error = refused(403, &[], &envelope("Forbidden", text));
        insta::assert_snapshot!(error.to_string(), @"forbidden (HTTP 403): The role assigned to application a-1 isn't supported in this scenario. -> give the application's service principal, or the person who signs in, a directory role, Exchange Administrator say");
    }

    #[test]
    fn a_serialized_exception_in_the_detail_is_read() {
        let inner =
            json!({"ClassName": "Microsoft.X.MemberAlreadyExistsException", "Message": "already there"});
        let error = refused(400, &[], &envelope("BadRequest", &inner.to_string()));
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::AlreadyExists, "already there"));
    }

    #[test]
    fn a_claims_challenge_is_decoded_in_whichever_header_and_form_it_comes() {
        // Its base64 has both characters by which the alphabets differ, and padding.
        let asked = r#"{"access_token":{"acrs":{"value":"??>>~~"}}}"#;
        let standard = base64::engine::general_purpose::STANDARD.encode(asked);
        let url = base64::engine::general_purpose::URL_SAFE.encode(asked);
        assert!(standard.contains(['+', '/']) && standard.ends_with('=') && standard != url);
        let bare = |encoded: &str| encoded.trim_end_matches('=').to_owned();
        for encoded in [&standard, &bare(&standard), &url, &bare(&url)] {
            let challenge = format!("Bearer realm=\"\", error=\"insufficient_claims\", claims=\"{encoded}\"");
            let mut headers = HeaderMap::new();
            for other in ["Basic realm=\"x\"", "PoP", &challenge] {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(other).unwrap());
            }
            let refusal = Refusal { status: 401, headers: &headers, body: b"" };
            let error = classify(&refusal, Timestamp::UNIX_EPOCH);
            assert_eq!(
                (error.kind, error.claims.as_deref()),
                (ErrorKind::Unauthorized, Some(asked)),
                "{encoded}"
            );
        }
    }

    #[test]
    fn text_of_the_service_cannot_forge_a_line() {
        let error = refused(400, &[], &envelope("BadRequest", "bad\r\n2026 ERROR run=\u{1b}[31mforged"));
        assert!(!error.to_string().contains(['\n', '\r', '\u{1b}']), "{error}");
    }
}
