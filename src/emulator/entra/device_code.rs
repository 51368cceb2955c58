//! The device code flow: the code, and the polls for its token. Source: protocol reference, 2.3.

use serde_json::{Value, json};

use super::super::device::Polled;
use super::super::state::State;
use super::person::Person;
use super::wish::Wish;
use super::{Form, Refusal, app, client, granted, needed, refusal};

pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// How MSAL for JavaScript calls the same grant.
pub(super) const GRANT_IN_SHORT: &str = "device_code";

pub(super) fn issue(state: &State, form: &Form) -> Result<Value, Refusal> {
    let client_id = client(state, form)?;
    let wish = Wish::read(state, form)?;
    let options = &state.options;
    let issued = state.devices().issue(&client_id, wish, state.now(), options.device_life);
    let uri = format!("{}/devicelogin", state.login);
    Ok(json!({
        "user_code": issued.user_code,
        "device_code": issued.device_code,
        "verification_uri": uri,
        "expires_in": options.device_life.as_secs(),
        "interval": options.device_interval.as_millis().div_ceil(1000) as u64,
        "message": format!(
            "To sign in, use a web browser to open the page {uri} and enter the code {} to authenticate.",
            issued.user_code
        ),
    }))
}

pub(super) fn token(state: &State, form: &Form) -> Result<Value, Refusal> {
    let client_id = client(state, form)?;
    app::credential_if_given(state, form, &client_id)?;
    let code = needed(form, "device_code")?;
    let options = &state.options;
    let polled =
        state.devices().poll(code, &client_id, state.now(), options.device_interval, options.device_approval);
    match polled {
        Polled::Approved(wish, upn) => {
            let person = match upn.or_else(|| options.device_user.clone()) {
                Some(upn) => Person::find(state, &upn)?,
                None => Person::administrator(state),
            };
            person.admit(state)?;
            Ok(granted(state, &person.subject(&client_id), &wish, form))
        }
        Polled::Pending => Err(refusal(
            400,
            "authorization_pending",
            70_016,
            "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
        )),
        Polled::SlowDown => {
            Err(refusal(400, "slow_down", 70_016, "OAuth 2.0 device flow error. Poll less often."))
        }
        Polled::Declined => {
            Err(refusal(400, "authorization_declined", 65_004, "User declined to consent to access the app."))
        }
        Polled::Expired => Err(refusal(
            400,
            "expired_token",
            70_019,
            "The verification code has expired. Have the user retry the sign-in.",
        )),
        Polled::Unknown => Err(refusal(
            400,
            "bad_verification_code",
            70_018,
            "Invalid verification code due to user typing in wrong user code for device code flow.",
        )),
    }
}
