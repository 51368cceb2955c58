//! Claims challenges (continuous access evaluation): what Exchange asks for, and the tokens that were asked for with it.
//!
//! Source: protocol reference, 2.11.

use serde_json::{Value, json};

use super::state::State;
use super::tokens::{ANSWERED, Identity};

/// What a challenge asks for: a token newer than an event, or, of a user, a sign-in in a context.
pub(super) fn claims(state: &State, of_user: bool) -> Value {
    if of_user {
        return json!({"access_token": {"acrs": {"essential": true, "value": "c1"}}});
    }
    json!({"access_token": {"nbf": {"essential": true, "value": state.revoked.to_string()}}})
}

/// Whether the token was asked for with all of these claims. What is asked of a user, no application can answer.
pub(super) fn is_met(identity: &Identity, challenge: &Value, of_user: bool) -> bool {
    let answered: Value =
        identity.answered.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let mut asked = challenge["access_token"].as_object().into_iter().flatten();
    (!of_user || identity.upn.is_some())
        && asked.all(|(name, claim)| answered[name]["value"] == claim["value"])
}

/// The token endpoint's answer, whose access token remembers the claims that it was asked for with.
pub(super) fn answered(state: &State, form: &[(String, String)], mut answer: Value) -> Value {
    let claims = form.iter().find(|(name, _)| name == "claims").map(|(_, value)| value.as_str());
    let Some(claims) = claims.and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return answer;
    };
    let wanted = &claims["access_token"];
    let declared =
        wanted["xms_cc"]["values"].as_array().is_some_and(|all| all.iter().any(|own| own == "cp1"));
    let mut more = vec![(ANSWERED, json!(wanted.to_string()))];
    if declared {
        more.push(("xms_cc", json!(["cp1"])));
    }
    let token = answer["access_token"].as_str().and_then(|token| state.tokens.extended(token, &more));
    if let Some(token) = token {
        answer["access_token"] = json!(token);
    }
    answer
}
