//! Claims challenges: what the service asked for, as it goes into the next token request. Source: protocol reference, 2.11.

use serde_json::{Map, Value, json};

use super::{SigninError, SigninErrorKind};
use crate::observe::escape::one_line;

/// The `claims` parameter: the challenge's own, and that we know what challenges are (`cp1`).
pub(super) fn parameter(challenge: &str) -> String {
    let mut claims: Map<String, Value> = serde_json::from_str(challenge).unwrap_or_default();
    let token = claims.entry("access_token").or_insert_with(|| json!({}));
    if let Some(token) = token.as_object_mut() {
        token.insert("xms_cc".to_owned(), json!({"values": ["cp1"]}));
    }
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
        let sent: Value = serde_json::from_str(&parameter(asked)).unwrap();
        assert_eq!(
            sent,
            json!({
                "access_token": {"nbf": {"essential": true, "value": "1700000000"}, "xms_cc": {"values": ["cp1"]}},
                "id_token": {"a": null},
            })
        );
        for strange in ["", "[]", "no JSON", r#"{"access_token":7}"#] {
            assert!(serde_json::from_str::<Value>(&parameter(strange)).is_ok(), "{strange}");
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
