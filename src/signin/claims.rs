//! Claims challenges: what the service asked for, as it goes into the next token request. Source: protocol reference, 2.11.

use serde_json::{Map, Value, json};

/// The `claims` parameter: the challenge's own, and that we know what challenges are (`cp1`).
pub(super) fn parameter(challenge: &str) -> String {
    let mut claims: Map<String, Value> = serde_json::from_str(challenge).unwrap_or_default();
    let token = claims.entry("access_token").or_insert_with(|| json!({}));
    if let Some(token) = token.as_object_mut() {
        token.insert("xms_cc".to_owned(), json!({"values": ["cp1"]}));
    }
    Value::Object(claims).to_string()
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
}
