//! What a refusal of the sign-in service means: whether it is asked again, and what a person reads.
//!
//! Source: protocol reference, 2.2 (the body) and 2.12 (codes and client policy).

use std::time::Duration;

use oauth2::HttpResponse;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{SigninError, SigninErrorKind, advice};
use crate::observe::escape::one_line;
use crate::rules::retry::Failure;

/// The member that the code stands in, mostly.
const DESCRIPTION: &str = "error_description";

const MESSAGE_CHARS_MAX: usize = 400;

/// Errors of OAuth 2.0 by which nobody was refused: the service could not answer (RFC 6749, 4.1.2.1).
const PASSING_ERRORS: [&str; 2] = ["server_error", "temporarily_unavailable"];

/// The members of an error's body that are looked at.
#[derive(Deserialize)]
pub(super) struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Refusal {
    pub(super) fn new(error: &str, description: &str) -> Refusal {
        Refusal { error: error.to_owned(), error_description: description.to_owned() }
    }

    /// An OAuth error in a body, if it is one.
    pub(super) fn read(body: &[u8]) -> Option<Refusal> {
        serde_json::from_slice(body).ok()
    }

    /// `answer`, whose description begins with the code if the service says it in `error_codes` alone: the oauth2 crate
    /// keeps the description and drops that member.
    pub(super) fn spelled_out(answer: HttpResponse) -> HttpResponse {
        if answer.status().is_success() {
            return answer;
        }
        let Some(described) = described(answer.body()) else { return answer };
        answer.map(|_| described)
    }

    fn code(&self) -> Option<u32> {
        advice::code_in(&self.error_description)
    }

    /// What it means for a further try, where the status alone says "your fault"; `long` is the wait for a service
    /// that calls this client a loop.
    pub(super) fn failure(&self, long: Duration) -> Failure {
        match self.code() {
            Some(code) if advice::is_throttling(code) => Failure::Throttled { retry_after: Some(long) },
            _ if PASSING_ERRORS.contains(&self.error.as_str()) => Failure::Transient,
            _ => Failure::Permanent,
        }
    }

    /// In words: what the service said, what to do about it, and what its support asks for.
    pub(super) fn into_error(self) -> SigninError {
        let Refusal { error, error_description: description } = &self;
        let first_line = description.lines().next().unwrap_or_default();
        let said = if first_line.is_empty() { error } else { first_line };
        let code = self.code();
        let kind = if code.is_some_and(advice::is_throttling) {
            SigninErrorKind::Throttled
        } else if PASSING_ERRORS.contains(&error.as_str()) {
            SigninErrorKind::Unavailable
        } else {
            SigninErrorKind::Refused
        };
        let did = if kind == SigninErrorKind::Refused { "refused" } else { "cannot answer" };
        let mut message = format!("the sign-in service {did} ({}): ", one_line(error, 64));
        message.push_str(&one_line(said, MESSAGE_CHARS_MAX));
        if let Some(advice) = code.and_then(advice::advice) {
            message.push_str(&format!(" -> {advice}"));
        }
        let ids = [("correlation id", "Correlation ID:"), ("trace id", "Trace ID:")]
            .into_iter()
            .filter_map(|(name, label)| Some(format!("{name} {}", id_in(description, label)?)));
        let ids: Vec<String> = ids.collect();
        if !ids.is_empty() {
            message.push_str(&format!(" ({})", ids.join(", ")));
        }
        SigninError { code, ..SigninError::new(kind, message) }
    }
}

/// The body with the code in its description, if it is an OAuth error that has it elsewhere.
fn described(body: &[u8]) -> Option<Vec<u8>> {
    let mut said: Map<String, Value> = serde_json::from_slice(body).ok()?;
    said.get("error")?.as_str()?;
    let description = said.get(DESCRIPTION).and_then(Value::as_str).unwrap_or_default();
    if advice::code_in(description).is_some() {
        return None;
    }
    let code = said.get("error_codes")?.get(0)?.as_u64()?;
    let described = format!("AADSTS{code}: {description}");
    said.insert(DESCRIPTION.to_owned(), Value::from(described.trim_end_matches([':', ' '])));
    serde_json::to_vec(&said).ok()
}

/// The GUID after `label`: nothing else of these lines is passed on.
fn id_in(description: &str, label: &str) -> Option<uuid::Uuid> {
    let (_, rest) = description.split_once(label)?;
    uuid::Uuid::try_parse(rest.split_whitespace().next()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    const SAID: &str = "AADSTS700027: The certificate is not registered.\r\nTrace ID: 0b1f0f1e-0000-0000-0000-000000000001\r\n\
                        Correlation ID: 0b1f0f1e-0000-0000-0000-000000000002\r\nTimestamp: 2026-11-22 02:00:00Z";

    #[test]
    fn a_refusal_names_code_mend_and_ids() {
        let error = Refusal::new("invalid_client", SAID).into_error();
        assert_eq!((error.kind, error.code), (SigninErrorKind::Refused, Some(700_027)));
        assert!(error.message.contains("AADSTS700027: The certificate is not registered. -> "), "{error}");
        let ids = "(correlation id 0b1f0f1e-0000-0000-0000-000000000002, trace id 0b1f0f1e-0000-0000-0000-000000000001)";
        assert!(error.message.ends_with(ids), "{error}");
        let bare = Refusal::new("invalid_client", "").into_error().message;
        assert_eq!(bare, "the sign-in service refused (invalid_client): invalid_client");
        let strange = Refusal::new("x", "no\r\nTrace ID: <script>").into_error().message;
        assert!(!strange.contains("script"), "{strange}");
    }

    #[test]
    fn a_code_that_stands_in_error_codes_alone_is_found() {
        let spelled = |body: Value| {
            let answer = oauth2::http::Response::builder().status(400).body(body.to_string().into_bytes());
            let answer = Refusal::spelled_out(answer.unwrap());
            Refusal::read(answer.body()).map(Refusal::into_error)
        };
        let of = |description: Value| {
            spelled(
                json!({"error": "invalid_grant", "error_description": description, "error_codes": [50126, 1]}),
            )
        };
        let error = of(json!("The password is wrong.")).unwrap();
        assert_eq!(error.code, Some(50_126));
        assert!(error.message.contains("AADSTS50126: The password is wrong. -> wrong user name"), "{error}");
        assert_eq!(of(json!("")).unwrap().code, Some(50_126));
        assert_eq!(
            of(json!("AADSTS53003: Blocked.")).unwrap().code,
            Some(53_003),
            "the sentence comes first"
        );
        let bare = spelled(json!({"error": "invalid_grant", "error_codes": [700082]})).unwrap();
        assert!(bare.message.contains("(invalid_grant): AADSTS700082 -> the kept sign-in"), "{bare}");
        for none in [json!({"error": "invalid_grant"}), json!({"error": "invalid_grant", "error_codes": []})]
        {
            assert_eq!(spelled(none).unwrap().code, None);
        }
        assert!(spelled(json!({"error_codes": [50126]})).is_none(), "no OAuth error");
    }

    #[test]
    fn only_what_passes_by_itself_is_tried_again() {
        let failure = |error: &str, description: &str| Refusal::new(error, description).failure(LONG);
        let throttled = Failure::Throttled { retry_after: Some(LONG) };
        assert_eq!(failure("invalid_grant", "AADSTS50196: loop"), throttled);
        assert_eq!(failure("temporarily_unavailable", "AADSTS90055: throttled"), throttled);
        assert_eq!(failure("temporarily_unavailable", ""), Failure::Transient);
        assert_eq!(failure("server_error", ""), Failure::Transient);
        for (error, code) in
            [("invalid_client", 7_000_215), ("invalid_grant", 50_126), ("invalid_grant", 53_003)]
        {
            assert_eq!(failure(error, &format!("AADSTS{code}: no")), Failure::Permanent, "{code}");
        }
        assert!(Refusal::read(b"<html>").is_none() && Refusal::read(br#"{"code":1}"#).is_none());
    }
}
