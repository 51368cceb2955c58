//! What came in: a bounded ring of requests, secrets taken out, and counters.

use std::collections::{BTreeMap, VecDeque};

use hyper::HeaderMap;
use serde::Serialize;
use serde_json::{Value, json};

/// Of a body, this much is kept.
const BODY_BYTES_MAX: usize = 4096;

/// Names of cmdlets counted one by one; further ones are counted together, so that nobody can fill the memory.
const CMDLETS_MAX: usize = 256;

const REDACTED: &str = "(redacted)";

/// Form fields that are secret.
const SECRET_FIELDS: [&str; 10] = [
    "passwd",
    "otc",
    "flowToken",
    "client_secret",
    "password",
    "refresh_token",
    "device_code",
    "client_assertion",
    "code",
    "code_verifier",
];

/// Requests of one cmdlet (or token endpoint) that ended in one status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestCount {
    /// The cmdlet's name, or `token`, `devicecode`, `openid-configuration`, `(other)`.
    pub what: String,
    /// The HTTP status; 0 for requests without an answer.
    pub status: u16,
    /// How many there were.
    pub count: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Recorded {
    number: u64,
    service: &'static str,
    at: String,
    connection: u64,
    /// The number of the `$batch` that it came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<u64>,
    protocol: String,
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Value,
    what: String,
    account: Option<String>,
    /// `None` while it is in hand, and for ever if the transport went first.
    status: Option<u16>,
    faults: Vec<String>,
}

/// What is known of a request when it arrives.
pub(super) struct Arrival<'a> {
    pub(super) service: &'static str,
    pub(super) at: String,
    pub(super) connection: u64,
    pub(super) parts: &'a hyper::http::request::Parts,
    pub(super) body: &'a [u8],
    /// The number of the `$batch` that it came in.
    pub(super) batch: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Records {
    max: usize,
    ring: VecDeque<Recorded>,
    next: u64,
    counts: BTreeMap<(String, u16), u64>,
}

impl Records {
    pub(super) fn new(max: usize) -> Records {
        Records { max, ring: VecDeque::new(), next: 1, counts: BTreeMap::new() }
    }

    /// Keeps the request, and returns its number.
    pub(super) fn begin(&mut self, arrival: Arrival<'_>) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.max == 0 {
            return number;
        }
        if self.ring.len() == self.max {
            self.ring.pop_front();
        }
        self.ring.push_back(Recorded {
            number,
            service: arrival.service,
            at: arrival.at,
            connection: arrival.connection,
            batch: arrival.batch,
            protocol: format!("{:?}", arrival.parts.version),
            method: arrival.parts.method.to_string(),
            target: arrival.parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            headers: headers(&arrival.parts.headers),
            body: body(&arrival.parts.headers, arrival.body),
            what: String::new(),
            account: None,
            status: None,
            faults: Vec::new(),
        });
        number
    }

    /// Notes what the request is and for whom.
    pub(super) fn note(&mut self, number: u64, what: &str, account: Option<&str>) {
        if let Some(recorded) = self.find(number) {
            recorded.what = what.chars().take(100).collect();
            recorded.account = account.map(str::to_owned).or_else(|| recorded.account.take());
        }
    }

    pub(super) fn note_fault(&mut self, number: u64, fault: String) {
        if let Some(recorded) = self.find(number) {
            recorded.faults.push(fault);
        }
    }

    /// The request is over; `None`: it got no answer.
    pub(super) fn end(&mut self, number: u64, what: &str, status: Option<u16>) {
        if let Some(recorded) = self.find(number) {
            recorded.status = status;
        }
        let status = status.unwrap_or(0);
        let mut key = (what.to_owned(), status);
        if self.counts.len() >= CMDLETS_MAX && !self.counts.contains_key(&key) {
            key = ("(other)".to_owned(), status);
        }
        *self.counts.entry(key).or_default() += 1;
    }

    /// The request's transport went before its answer.
    pub(super) fn gone(&mut self, number: u64) {
        let what = self.find(number).map(|recorded| recorded.what.clone()).filter(|what| !what.is_empty());
        self.end(number, what.as_deref().unwrap_or("(gone)"), None);
    }

    /// The requests in the ring, the oldest first.
    pub(super) fn list(&self) -> Value {
        json!(self.ring)
    }

    pub(super) fn total(&self) -> u64 {
        self.next - 1
    }

    pub(super) fn counts(&self) -> Vec<RequestCount> {
        self.counts
            .iter()
            .map(|((what, status), count)| RequestCount {
                what: what.clone(),
                status: *status,
                count: *count,
            })
            .collect()
    }

    fn find(&mut self, number: u64) -> Option<&mut Recorded> {
        let oldest = self.ring.front()?.number;
        self.ring.get_mut(usize::try_from(number.checked_sub(oldest)?).ok()?)
    }
}

fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = match (name.as_str(), value.to_str()) {
            ("authorization", Ok(value)) => {
                format!("{} {REDACTED}", value.split(' ').next().unwrap_or_default())
            }
            ("authorization" | "proxy-authorization" | "x-identity-header", _) => REDACTED.to_owned(),
            (_, Ok(value)) => value.to_owned(),
            (_, Err(_)) => "(not text)".to_owned(),
        };
        kept.entry(name.to_string()).and_modify(|all| *all = format!("{all}, {value}")).or_insert(value);
    }
    kept
}

fn body(headers: &HeaderMap, body: &[u8]) -> Value {
    let form = headers
        .get(hyper::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    if form {
        let fields = super::form::parse(body);
        return fields
            .into_iter()
            .map(|(name, value)| {
                let secret = SECRET_FIELDS.contains(&name.as_str());
                (name, json!(if secret { REDACTED.to_owned() } else { value }))
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            redact(&mut value);
            if body.len() <= BODY_BYTES_MAX {
                value
            } else {
                json!(format!("({} bytes of JSON)", body.len()))
            }
        }
        Err(_) if body.is_empty() => Value::Null,
        Err(_) => json!(format!("({} bytes, not JSON)", body.len())),
    }
}

/// Hides passwords and the like wherever they are; serde_json bounds the depth.
fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.to_ascii_lowercase();
                if ["password", "secret", "credential", "oauthcode", "authorization"]
                    .iter()
                    .any(|word| name.contains(word))
                {
                    *member = json!(REDACTED);
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(records: &mut Records, content_type: &str, body: &[u8]) -> u64 {
        let request = hyper::Request::post("/x?y=1")
            .header("authorization", "Bearer CANARY")
            .header("content-type", content_type)
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        records.begin(Arrival {
            service: "exchange",
            at: String::new(),
            connection: 1,
            parts: &parts,
            body,
            batch: None,
        })
    }

    #[test]
    fn secrets_are_not_kept() {
        let mut records = Records::new(10);
        record(
            &mut records,
            "application/x-www-form-urlencoded",
            b"grant_type=x&client_secret=CANARY&code=CANARY",
        );
        record(&mut records, "application/json", br#"{"a":[{"NewPassword":"CANARY","Name":"kept"}]}"#);
        record(
            &mut records,
            "application/json",
            br#"{"requests":[{"id":"0","headers":{"Authorization":"Bearer CANARY"}}]}"#,
        );
        let text = records.list().to_string();
        assert!(!text.contains("CANARY"), "{text}");
        assert!(text.contains("kept") && text.contains("grant_type"), "{text}");
    }

    #[test]
    fn the_ring_is_bounded_and_late_ends_find_their_request() {
        let mut records = Records::new(3);
        let numbers: Vec<u64> = (0..5).map(|_| record(&mut records, "application/json", b"{}")).collect();
        records.end(numbers[0], "gone", Some(200));
        records.end(numbers[4], "Get-Mailbox", Some(404));
        let list = records.list();
        assert_eq!(list.as_array().unwrap().len(), 3);
        assert_eq!(list[2]["status"], 404);
        assert_eq!(list[0]["status"], Value::Null);
        assert_eq!((records.total(), records.counts().len()), (5, 2));
    }
}
