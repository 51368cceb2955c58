//! A new token for a refresh token.

use serde_json::Value;

use super::super::device::Refresh;
use super::super::state::State;
use super::{Form, Refusal, audience, client, granted, needed, refusal};

pub(super) fn token(state: &State, form: &Form) -> Result<Value, Refusal> {
    let client_id = client(state, form)?;
    let token = needed(form, "refresh_token")?;
    let audience = audience(state, form)?;
    let subject = state.devices().refresh(token, &client_id).ok_or_else(|| {
        refusal(400, "invalid_grant", 70_000, "The provided refresh token is not valid for this application.")
    })?;
    Ok(granted(state, &subject, &audience, Refresh::Issue))
}
