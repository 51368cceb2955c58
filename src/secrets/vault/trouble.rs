//! What goes wrong with Vault, in our words: never the library's, whose errors keep answers.

use std::fmt::Display;

use rustify::errors::ClientError;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::observe::escape::one_line;
use crate::rules::retry::Failure;
use crate::rules::withheld::without;
use crate::secrets::{SecretError, SecretErrorKind};

/// Longest quote of what Vault said.
const SAID_CHARS_MAX: usize = 300;

/// rustls' word for it; the error itself is wrapped by several crates, each in a way of its own.
const UNTRUSTED_TEXT: &str = "invalid peer certificate";

/// Vault's words for a token that it knows and whose policies do not allow something: an item of a list. Of one that it
/// does not know it says the same words without a list, or with `invalid token` as a second item.
const POLICIES_TEXT: &str = "* permission denied";

/// Why a request to Vault came to nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Vault answered with an error.
    Refused(Refusal),
    /// What answered is not Vault.
    NotVault {
        /// Its status.
        status: u16,
    },
    /// No answer.
    Silent {
        /// Why, in one line.
        why: String,
        /// Whether the request may have arrived.
        sent: bool,
    },
    /// Nobody vouches for its certificate.
    Untrusted(String),
    /// It is told already: there is no token to ask with, or a wrapped answer does not open.
    Known(Failed),
}

/// An error of Vault.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// Its texts.
    pub(super) errors: Vec<String>,
    /// A deleted version's metadata come with status 404.
    pub(super) data: Option<Value>,
    /// Whether an earlier try of the same request may have been done.
    pub(super) after_doubt: bool,
}

/// Something that came to nothing, for a place that the caller knows.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) reason: String,
    pub(super) kind: SecretErrorKind,
}

impl Failed {
    pub(super) fn wrong(reason: impl Into<String>) -> Failed {
        Failed { reason: reason.into(), kind: SecretErrorKind::Wrong }
    }

    pub(super) fn absent(reason: impl Into<String>) -> Failed {
        Failed { reason: reason.into(), kind: SecretErrorKind::Absent }
    }

    pub(super) fn at(self, place: impl Display) -> SecretError {
        SecretError { place: place.to_string(), reason: self.reason, kind: self.kind }
    }
}

impl Refusal {
    /// Whether one of its texts holds `words`.
    pub(super) fn says(&self, words: &str) -> bool {
        self.errors.iter().any(|error| error.contains(words))
    }

    /// Whether Vault does not know the token. It says 403 also of a token that may not do something, and then that it has
    /// looked at the policies; whatever else it says is taken as about the token.
    pub(super) fn is_of_the_token(&self) -> bool {
        self.status == 403 && (self.says("invalid token") || !self.says(POLICIES_TEXT))
    }

    /// What it said, with its status.
    pub(super) fn said(&self) -> String {
        let texts: Vec<&str> =
            self.errors.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        match texts.is_empty() {
            true => format!("HTTP {}", self.status),
            false => format!("HTTP {}: {}", self.status, one_line(&texts.join("; "), SAID_CHARS_MAX)),
        }
    }

    /// Whether it passes by itself, and what there is to do about it.
    fn passing(&self) -> Option<&'static str> {
        match self.status {
            503 if self.says("sealed") => Some("Vault is sealed: somebody has to unseal it"),
            307 | 308 => Some(
                "this node of Vault is a standby and sends us elsewhere: name the active node, or an address that leads to it, \
                 with `vault_address`",
            ),
            429 => Some("Vault asks for patience (its rate limit quota)"),
            412 | 472 | 473 => Some("this node of Vault is not up to date yet, or a standby"),
            500 if self.says("standby") || self.says("active cluster node not found") => {
                Some("this node of Vault is a standby and finds no active node")
            }
            // A version of a transit key that is not there (any more) is answered so, too.
            500 if self.says("requested version") => None,
            500..=599 => Some("Vault cannot answer now"),
            _ => None,
        }
    }
}

impl Trouble {
    /// The library's error in our words.
    pub(super) fn of(error: ClientError) -> Trouble {
        match error {
            ClientError::ServerResponseError { code, content } => answered(code, content.as_deref()),
            ClientError::RequestError { source, .. } => {
                let sent = !source.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect);
                silent(source.chain(), sent)
            }
            ClientError::ResponseError { source } => silent(source.chain(), true),
            _ => Trouble::Silent { why: "the request cannot be made".to_owned(), sent: false },
        }
    }

    /// The same without `secrets` in what Vault said: it, or what stands before it, may quote the request.
    pub(super) fn without(mut self, secrets: &[Zeroizing<String>]) -> Trouble {
        if let Trouble::Refused(refusal) = &mut self {
            for error in &mut refusal.errors {
                *error = without(error, secrets.iter().map(|secret| secret.as_str()));
            }
        }
        self
    }

    /// What it means for the next try of a request that changes nothing.
    pub(super) fn failure(&self) -> Failure {
        match self {
            Trouble::Refused(refusal) if refusal.status == 429 => Failure::Throttled { retry_after: None },
            Trouble::Refused(refusal) if refusal.passing().is_some() => Failure::Transient,
            // A gateway's page about a Vault that does not answer.
            Trouble::NotVault { status: 502..=504 } | Trouble::Silent { .. } => Failure::Transient,
            Trouble::Refused(_) | Trouble::NotVault { .. } | Trouble::Untrusted(_) | Trouble::Known(_) => {
                Failure::Permanent
            }
        }
    }

    /// Whether the request may have been done all the same.
    pub(super) fn in_doubt(&self) -> bool {
        match self {
            Trouble::Refused(refusal) => refusal.status >= 500,
            Trouble::NotVault { .. } => true,
            Trouble::Silent { sent, .. } => *sent,
            Trouble::Untrusted(_) | Trouble::Known(_) => false,
        }
    }

    /// In a few words, for a log line.
    pub(super) fn short(&self) -> String {
        match self {
            Trouble::Refused(refusal) => refusal.said(),
            Trouble::NotVault { status } => format!("HTTP {status}, and no answer of Vault"),
            Trouble::Silent { why, .. } | Trouble::Untrusted(why) => why.clone(),
            Trouble::Known(failed) => failed.reason.clone(),
        }
    }

    /// In words, where nothing better is known of what was asked; `address` is Vault's.
    pub(super) fn told(self, doing: &str, address: &str) -> Failed {
        let unavailable = |reason| Failed { reason, kind: SecretErrorKind::Unavailable };
        match self {
            Trouble::Refused(refusal) => match refusal.passing() {
                Some(why) => unavailable(format!("cannot {doing}: {why} ({address}, {})", refusal.said())),
                None if refusal.says("namespace not found") => Failed::wrong(format!(
                    "cannot {doing}: there is no such namespace: check `vault_namespace`"
                )),
                None => Failed::wrong(format!("cannot {doing}: Vault refuses ({})", refusal.said())),
            },
            Trouble::NotVault { status } if matches!(status, 502..=504) => {
                unavailable(format!("cannot {doing}: what answers at {address} says HTTP {status}"))
            }
            Trouble::NotVault { status } => Failed::wrong(format!(
                "cannot {doing}: what answers at {address} (HTTP {status}) is not Vault; is `vault_address` right, and its \
                 scheme?"
            )),
            Trouble::Silent { why, .. } => {
                unavailable(format!("cannot {doing}: no answer from Vault at {address}: {why}"))
            }
            Trouble::Untrusted(why) => Failed::wrong(format!(
                "cannot {doing}: nobody vouches for the certificate of {address}: {why} (a private CA goes into the setting \
                 `vault_ca_file`)"
            )),
            Trouble::Known(failed) => failed,
        }
    }
}

fn answered(status: u16, content: Option<&str>) -> Trouble {
    let body: Option<Value> = content.and_then(|text| serde_json::from_str(text).ok());
    match body {
        Some(Value::Object(mut body)) => {
            let errors = body.get("errors").and_then(Value::as_array);
            let errors =
                errors.map(|errors| errors.iter().filter_map(Value::as_str).map(str::to_owned).collect());
            let data = body.remove("data").filter(|data| !data.is_null());
            Trouble::Refused(Refusal { status, errors: errors.unwrap_or_default(), data, after_doubt: false })
        }
        // A standby's redirect has no body of Vault's.
        _ if matches!(status, 307 | 308) => {
            Trouble::Refused(Refusal { status, errors: Vec::new(), data: None, after_doubt: false })
        }
        _ => Trouble::NotVault { status },
    }
}

/// The causes say what happened; the first texts name only layers.
fn silent<'a>(causes: impl Iterator<Item = &'a (dyn std::error::Error + 'static)>, sent: bool) -> Trouble {
    let mut text = String::new();
    for cause in causes {
        let cause = cause.to_string();
        // reqwest's own text names the address, which the message has already.
        let cause = cause.split_once(" for url (").map_or(cause.as_str(), |(start, _)| start).to_owned();
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    let why = one_line(&text, SAID_CHARS_MAX);
    if why.contains(UNTRUSTED_TEXT) { Trouble::Untrusted(why) } else { Trouble::Silent { why, sent } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, content: &str) -> Failed {
        answered(status, Some(content)).told("read it", "https://vault:8200")
    }

    #[test]
    fn a_token_that_may_not_is_told_from_one_that_is_not_known() {
        for (content, unknown) in [
            (r#"{"errors":["permission denied"]}"#, true),
            (r#"{"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}"#, true),
            (r#"{"errors":["bad token"]}"#, true),
            (r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#, false),
        ] {
            let Trouble::Refused(refusal) = answered(403, Some(content)) else { panic!("{content}") };
            assert_eq!(refusal.is_of_the_token(), unknown, "{content}");
        }
    }

    #[test]
    fn what_passes_by_itself_is_told_apart_from_what_does_not() {
        for (status, content, kind, words) in [
            (503, r#"{"errors":["Vault is sealed"]}"#, SecretErrorKind::Unavailable, "unseal"),
            (307, "", SecretErrorKind::Unavailable, "standby"),
            (
                500,
                r#"{"errors":["local node not active but active cluster node not found"]}"#,
                SecretErrorKind::Unavailable,
                "no active node",
            ),
            (
                400,
                r#"{"errors":["missing client token"]}"#,
                SecretErrorKind::Wrong,
                "HTTP 400: missing client token",
            ),
            (
                403,
                r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#,
                SecretErrorKind::Wrong,
                "permission denied",
            ),
            (200, "<html>", SecretErrorKind::Wrong, "is not Vault"),
            (502, "<html>", SecretErrorKind::Unavailable, "HTTP 502"),
        ] {
            let failed = told(status, content);
            assert_eq!(failed.kind, kind, "{failed:?}");
            assert!(failed.reason.contains(words), "{failed:?}");
            assert!(!failed.reason.contains('\n'), "{failed:?}");
            let retried = answered(status, Some(content)).failure() != Failure::Permanent;
            assert_eq!(retried, kind == SecretErrorKind::Unavailable, "{status}");
        }
    }
}
