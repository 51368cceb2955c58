//! An API server's refusal in words, with the mend.

use super::api::ApiError;
use crate::rules::duration::show;
use crate::slots::SlotError;

/// What the role of the service account needs, once for all messages.
const ROLE: &str = "a Role with create, get, list, update and delete on leases of coordination.k8s.io";

/// Longer texts of a server are cut: they end up in one line of a log.
const TEXT_CHARS_MAX: usize = 300;

/// What was asked for, as a role names it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verb {
    List,
    Get,
    Create,
    Update,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Verb::List => "list",
            Verb::Get => "get",
            Verb::Create => "create",
            Verb::Update => "update",
        }
    }
}

/// What it means that `verb` was answered with `error` in `namespace`.
pub(super) fn failure(namespace: &str, verb: Verb, error: &ApiError) -> SlotError {
    let place = place(namespace);
    let verb = verb.word();
    let reason = match error {
        ApiError::Unavailable(text) => {
            let reason = format!("no answer to {verb}: {}", one_line(text));
            return SlotError::Unavailable { place, reason };
        }
        ApiError::Throttled { retry_after } => {
            let when = retry_after.map_or_else(String::new, |after| format!(", again in {}", show(after)));
            let reason = format!("the API server answers {verb} with 429, too many requests{when}");
            return SlotError::Unavailable { place, reason };
        }
        ApiError::Conflict | ApiError::AlreadyExists => {
            let reason = format!("others write the same Lease all the time ({verb})");
            return SlotError::Unavailable { place, reason };
        }
        ApiError::Forbidden(text) => format!(
            "{verb} is forbidden ({}); give the service account {ROLE} in namespace {namespace}",
            one_line(text)
        ),
        ApiError::Unauthorized => format!(
            "{verb} is answered with 401: the token has expired or the API server does not know it; \
             see that the service account's token is mounted, or renew the kubeconfig's"
        ),
        ApiError::NotFound(text) => format!(
            "{verb} is answered with 404 ({}); see that namespace {namespace} exists and the address is an API server's",
            one_line(text)
        ),
        ApiError::Invalid(text) => format!(
            "{verb} is refused as invalid ({}); see whether an admission policy changes or forbids Leases",
            one_line(text)
        ),
        ApiError::NoTime => format!(
            "the answer to {verb} has no Date header, which slots are timed by; see what stands between here and the API server"
        ),
    };
    SlotError::Store { place, reason }
}

/// A Lease of a format that this version does not know.
pub(super) fn newer(namespace: &str, lease: &str, format: u32) -> SlotError {
    let reason = format!(
        "format {format} of {lease} was written by a newer exorun: use one version for an account, or another namespace"
    );
    SlotError::Store { place: place(namespace), reason }
}

/// A Lease that nobody finds, whoever labels it.
pub(super) fn unlabelled(namespace: &str, lease: &str) -> SlotError {
    let reason = format!(
        "the labels of {lease} are taken away as soon as they are written, and Leases are found by them; \
         see which admission policy changes the labels of Leases"
    );
    SlotError::Store { place: place(namespace), reason }
}

pub(super) fn place(namespace: &str) -> String {
    format!("Leases in namespace {namespace}")
}

/// A server's text without line breaks and other controls, and not endless.
pub(super) fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(TEXT_CHARS_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn words(error: &ApiError) -> (bool, String) {
        let error = failure("jobs", Verb::Update, error);
        (matches!(error, SlotError::Unavailable { .. }), error.to_string())
    }

    #[test]
    fn each_refusal_says_what_to_do_and_whether_it_may_pass() {
        for (error, passes, needle) in [
            (ApiError::Unauthorized, false, "the service account's token is mounted"),
            (ApiError::Forbidden("no".into()), false, "on leases of coordination.k8s.io in namespace jobs"),
            (
                ApiError::NotFound("namespaces \"jobs\" not found".into()),
                false,
                "see that namespace jobs exists",
            ),
            (ApiError::Invalid("spec.x".into()), false, "(spec.x)"),
            (ApiError::Throttled { retry_after: Some(Duration::from_secs(7)) }, true, "again in 7s"),
            (ApiError::Unavailable("500: etcd".into()), true, "no answer to update: 500: etcd"),
            (ApiError::NoTime, false, "no Date header"),
        ] {
            let (unavailable, text) = words(&error);
            assert_eq!(unavailable, passes, "{text}");
            assert!(
                text.starts_with("slot store Leases in namespace jobs: ") && text.contains(needle),
                "{text}"
            );
        }
    }

    #[test]
    fn a_servers_text_is_one_line_that_ends() {
        assert_eq!(one_line("a\r\n\tb\u{1b}[31m c\u{85}"), "a b [31m c");
        let long = one_line(&"ä".repeat(1000));
        assert_eq!(long.chars().count(), TEXT_CHARS_MAX + 1);
    }
}
