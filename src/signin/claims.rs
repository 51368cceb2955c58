//! The `claims` of token requests: that this client understands challenges, and what the service asked for in one.
//!
//! A service challenges only whom it knows to understand it, from the token; so each request says so. Source: protocol
//! reference, 2.11.

use serde_json::{Map, Value, json};

use super::{SigninError, SigninErrorKind};
use crate::observe::escape::one_line;

/// The name of the parameter.
pub(super) const NAME: &str = "claims";

/// Its value in each request for a token, and in those that lead to one: that we know what challenges are (`cp1`), and the
/// challenge's own claims if there was one.
pub(super) fn parameter(challenge: Option<&str>) -> String {
    let claims = challenge.and_then(|challenge| serde_json::from_str(challenge).ok());
    let mut claims: Map<String, Value> = claims.unwrap_or_default();
    let asked = claims.remove("access_token").and_then(|asked| match asked {
        Value::Object(asked) => Some(asked),
        _ => None,
    });
    let mut token = asked.unwrap_or_default();
    token.insert("xms_cc".to_owned(), json!({"values": ["cp1"]}));
    claims.insert("access_token".to_owned(), Value::Object(token));
    Value::Object(claims).to_string()
}

/// The first claim that only a person can satisfy, if the challenge asks for one. What a newer token satisfies (`nbf`,
/// after a revocation) an application can. Source: protocol reference, 2.11.
fn of_a_person(challenge: &str) -> Option<String> {
    let claims: Map<String, Value> = serde_json::from_str(challenge).ok()?;
    let asked = claims.get("access_token").and_then(Value::as_object).into_iter().flatten();
    let name = asked.map(|(name, _)| name).find(|name| !matches!(name.as_str(), "nbf" | "xms_cc"))?;
    Some(one_line(name, 40))
}

/// Whether a password can satisfy what the service asked for.
///
/// # Errors
/// If only a person who is there can.
pub(super) fn of_a_password(challenge: Option<&str>) -> Result<(), SigninError> {
    let Some(wanted) = challenge.and_then(of_a_person) else { return Ok(()) };
    let message = format!(
        "Conditional Access asks for a proof that a password cannot give (`{wanted}`): use `method: device`, or an application"
    );
    Err(SigninError::new(SigninErrorKind::Refused, message))
}

/// Whether an application can satisfy what the service asked for.
///
/// # Errors
/// If only a person can.
pub(super) fn of_an_application(challenge: Option<&str>) -> Result<(), SigninError> {
    let Some(wanted) = challenge.and_then(of_a_person) else { return Ok(()) };
    let message = format!(
        "the service asks for what only a person can prove (`{wanted}`): an application cannot; take it out of the Conditional \
         Access policy, or sign in by `method: device` or `browser`"
    );
    Err(SigninError::new(SigninErrorKind::Refused, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_stays_and_the_declaration_is_added() {
        let asked =
            r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}},"id_token":{"a":null}}"#;
        let sent: Value = serde_json::from_str(&parameter(Some(asked))).unwrap();
        assert_eq!(
            sent,
            json!({
                "access_token": {"nbf": {"essential": true, "value": "1700000000"}, "xms_cc": {"values": ["cp1"]}},
                "id_token": {"a": null},
            })
        );
        let declared = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
        for nothing in [None, Some(""), Some("[]"), Some("no JSON"), Some(r#"{"access_token":7}"#)] {
            assert_eq!(parameter(nothing), declared, "{nothing:?}");
        }
    }

    #[test]
    fn what_asks_for_a_person_is_told_from_what_asks_for_a_newer_token() {
        let of = |claims: Value| of_a_person(&json!({ "access_token": claims }).to_string());
        assert_eq!(
            of(json!({"nbf": {"essential": true, "value": "1"}, "xms_cc": {"values": ["cp1"]}})),
            None
        );
        assert_eq!(
            of(json!({"nbf": {}, "acrs": {"essential": true, "value": "c1"}})).as_deref(),
            Some("acrs")
        );
        assert_eq!(of_a_person("no JSON"), None);
    }
}
