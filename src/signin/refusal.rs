//! What a refusal of the sign-in service means: whether it is asked again, and what a person reads.
//!
//! Source: protocol reference, 2.2 (the body) and 2.12 (codes and client policy).

use std::time::Duration;

use serde::Deserialize;

use super::{SigninError, SigninErrorKind, advice};
use crate::observe::escape::one_line;
use crate::rules::retry::Failure;

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

/// The GUID after `label`: nothing else of these lines is passed on.
fn id_in(description: &str, label: &str) -> Option<uuid::Uuid> {
    let (_, rest) = description.split_once(label)?;
    uuid::Uuid::try_parse(rest.split_whitespace().next()?).ok()
}

#[cfg(test)]
mod tests {
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
