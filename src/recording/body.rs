//! Bodies as they are recorded: JSON with its values replaced; of everything else only what it was.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::GzDecoder;
use hyper::HeaderMap;
use serde_json::{Map, Value, json};

use super::scrub::{REMOVED, Scrubber};
use super::{BODY_BYTES_MAX, Peer};

/// Claims of an access token that a replay needs for its own one.
const CLAIMS: [&str; 5] = ["tid", "oid", "appid", "upn", "unique_name"];
/// Hosts of Microsoft's clouds, which say nothing of a tenant. Source: protocol reference, 1.1 and 1.2.
const CLOUDS: [&str; 5] = [
    "outlook.office365.com",
    "outlook.office365.us",
    "outlook-dod.office365.us",
    "partner.outlook.cn",
    "ps.compliance.protection.outlook.com",
];
/// Names of Microsoft's clouds in a discovery document.
const INSTANCES: [&str; 3] = ["microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn"];
const SCOPE_WORDS: [&str; 4] = ["openid", "profile", "email", "offline_access"];
/// Fields of the sign-in service's forms. Source: protocol reference, 2.2.
const FIELDS: [&str; 16] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "scope",
    "username",
    "password",
    "code",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "device_code",
    "resource",
    "claims",
    "client_info",
];
const GRANTS: [&str; 6] = [
    "client_credentials",
    "password",
    "refresh_token",
    "authorization_code",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
];

/// The body of a request.
pub(super) fn request(scrubber: &mut Scrubber, peer: Peer, body: &[u8]) -> Value {
    match peer {
        Peer::Login if body.is_empty() => json!({"empty": null}),
        Peer::Login => json!({"form": form(scrubber, body)}),
        Peer::Exchange => recorded(scrubber, body),
    }
}

/// The body of an answer, packed or not.
pub(super) fn answer(scrubber: &mut Scrubber, peer: Peer, headers: &HeaderMap, body: &[u8]) -> Value {
    let is_gzip = headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip");
    let mut unpacked = Vec::new();
    let body = if is_gzip {
        // What was cut off is unpacked as far as it goes; what is no gzip is taken as it came.
        let _end = GzDecoder::new(body).take(BODY_BYTES_MAX as u64).read_to_end(&mut unpacked);
        if unpacked.is_empty() { body } else { unpacked.as_slice() }
    } else {
        body
    };
    match (peer, serde_json::from_slice(body)) {
        (Peer::Login, Ok(Value::Object(members))) => json!({"json": signin(scrubber, members)}),
        _ => recorded(scrubber, body),
    }
}

fn recorded(scrubber: &mut Scrubber, body: &[u8]) -> Value {
    if body.is_empty() {
        return json!({"empty": null});
    }
    if body.iter().all(|byte| *byte == 0) {
        return json!({"nul": body.len()});
    }
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return json!({"json": scrubber.json("", value)});
    }
    match (body.trim_ascii_start().first(), std::str::from_utf8(body)) {
        // The values of half an object cannot be told from its names.
        (Some(b'{' | b'['), _) => json!({"cut_json": body.len()}),
        (Some(b'<'), _) => json!({"html": body.len()}),
        (_, Ok(text)) => json!({"text": scrubber.sentence(text)}),
        (_, Err(_)) => json!({"bytes": body.len()}),
    }
}

fn form(scrubber: &mut Scrubber, body: &[u8]) -> Map<String, Value> {
    let pairs = String::from_utf8_lossy(body).into_owned();
    let mut out = Map::new();
    for pair in pairs.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = plain(value);
        let value = match name {
            "grant_type" if GRANTS.contains(&decoded.as_str()) => decoded,
            "client_assertion_type" if GRANTS.contains(&decoded.as_str()) => decoded,
            "scope" => scope(&decoded),
            "client_id" => scrubber.value("", &decoded),
            _ => REMOVED.to_owned(),
        };
        let name = if FIELDS.contains(&name) { name } else { REMOVED };
        out.insert(name.to_owned(), value.into());
    }
    out
}

/// Percent signs and pluses of a form undone.
fn plain(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                let digits = std::str::from_utf8(&digits).unwrap_or("00");
                u8::from_str_radix(digits, 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn scope(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let host = word.strip_prefix("https://").and_then(|rest| rest.split('/').next());
        let harmless = SCOPE_WORDS.contains(&word) || host.is_some_and(|host| CLOUDS.contains(&host));
        if harmless { word } else { "(scope)" }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// An answer of the sign-in service: what is not named here is removed.
fn signin(scrubber: &mut Scrubber, members: Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, value) in members {
        let word = |text: &str| text.len() <= 60 && text.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
        let recorded = match (name.as_str(), value) {
            ("access_token", Value::String(token)) => {
                json!({"removed": true, "claims": claims(scrubber, &token)})
            }
            ("expires_in" | "ext_expires_in" | "expires_on" | "interval" | "error_codes", value)
                if is_plain(&value) =>
            {
                value
            }
            (
                "token_type" | "error" | "suberror" | "tenant_region_scope" | "tenant_region_sub_scope",
                Value::String(text),
            ) if word(&text) => text.into(),
            ("scope", Value::String(text)) => scope(&text).into(),
            ("cloud_instance_name", Value::String(text)) if INSTANCES.contains(&text.as_str()) => text.into(),
            ("error_description" | "message", Value::String(text)) => scrubber.sentence(&text).into(),
            ("timestamp", Value::String(text)) => scrubber.value("", &text).into(),
            ("trace_id" | "correlation_id", Value::String(text)) => scrubber.value("", &text).into(),
            ("issuer" | "token_endpoint" | "device_authorization_endpoint", Value::String(text)) => {
                scrubber.url(&text).into()
            }
            (_, Value::Null) => Value::Null,
            _ => Value::from(REMOVED),
        };
        let known = name.len() <= 60 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        out.insert(if known { name } else { REMOVED.to_owned() }, recorded);
    }
    out
}

/// Numbers, also as text, and lists of them.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::String(text) => text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit()),
        Value::Array(items) => items.iter().all(Value::is_number),
        _ => false,
    }
}

fn claims(scrubber: &mut Scrubber, token: &str) -> Map<String, Value> {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).unwrap_or_default();
    let Ok(Value::Object(all)) = serde_json::from_slice(&bytes) else { return Map::new() };
    let mut out = Map::new();
    for (name, value) in all {
        if let (true, Value::String(text)) = (CLAIMS.contains(&name.as_str()), value) {
            let recorded = scrubber.value("", &text);
            out.insert(name, recorded.into());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::scrub::Identities;
    use super::*;

    fn said(peer: Peer, body: &[u8]) -> Value {
        answer(&mut Scrubber::new(Identities::Replaced), peer, &HeaderMap::new(), body)
    }

    #[test]
    fn what_is_not_json_is_only_described() {
        assert_eq!(said(Peer::Exchange, b""), json!({"empty": null}));
        assert_eq!(said(Peer::Exchange, &[0; 64]), json!({"nul": 64}));
        assert_eq!(said(Peer::Exchange, br#"{"value":[{"Name":"Ann"#), json!({"cut_json": 22}));
        assert_eq!(said(Peer::Exchange, b"<html>Anna</html>"), json!({"html": 17}));
        assert_eq!(
            said(Peer::Exchange, b"Too many requests from Anna"),
            json!({"text": "Too many requests."})
        );
        assert_eq!(said(Peer::Exchange, b"Anna"), json!({"text": "Text 0001"}));
    }

    #[test]
    fn of_a_discovery_document_the_tenants_stand_in_and_its_cloud_are_left() {
        let body = json!({"issuer": "https://login.microsoftonline.com/3b0cf5d5-0d9e-4d4e-9d5e-000000000001/v2.0",
            "tenant_region_scope": "EU", "tenant_region_sub_scope": Value::Null,
            "cloud_instance_name": "microsoftonline.com", "msgraph_host": "graph.contoso.example"});
        assert_eq!(
            said(Peer::Login, body.to_string().as_bytes()),
            json!({"json": {"issuer": "https://service.invalid/00000000-0000-4000-8000-000000000001/v2.0",
                "tenant_region_scope": "EU", "tenant_region_sub_scope": null,
                "cloud_instance_name": "microsoftonline.com", "msgraph_host": "(removed)"}})
        );
    }

    #[test]
    fn of_a_token_only_the_claims_of_its_account_are_left() {
        let payload = URL_SAFE_NO_PAD.encode(
            json!({"tid": "3b0cf5d5-0d9e-4d4e-9d5e-000000000001", "upn": "anna@contoso.com", "ipaddr": "1.2.3.4"})
                .to_string(),
        );
        let body = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": format!("eyJ.{payload}.x"),
            "refresh_token": "CANARY", "something_new": "CANARY"});
        assert_eq!(
            said(Peer::Login, body.to_string().as_bytes()),
            json!({"json": {"token_type": "Bearer", "expires_in": 3599,
                "access_token": {"removed": true,
                    "claims": {"tid": "00000000-0000-4000-8000-000000000001", "upn": "user0001@domain0001.example.invalid"}},
                "refresh_token": "(removed)", "something_new": "(removed)"}})
        );
        let mut scrubber = Scrubber::new(Identities::Kept);
        let form = request(
            &mut scrubber,
            Peer::Login,
            b"grant_type=client_credentials&client_secret=CANARY&scope=https%3A%2F%2Foutlook.office365.com%2F.default+openid",
        );
        assert_eq!(
            form,
            json!({"form": {"grant_type": "client_credentials", "client_secret": "(removed)",
                "scope": "https://outlook.office365.com/.default openid"}})
        );
    }
}
