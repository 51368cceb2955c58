//! Tokens for applications: the grant `client_credentials`.

use serde_json::Value;
use uuid::Uuid;

use super::super::device::Refresh;
use super::super::options::{CLIENT_ID_WITHOUT_APP_ROLE, CLIENT_ID_WITHOUT_DIRECTORY_ROLE};
use super::super::random::{guid, mix};
use super::super::state::State;
use super::super::tokens::{Rights, Subject};
use super::{Form, Named, Refusal, audience, client, field, granted, refusal};

const SERVICE_PRINCIPAL: u64 = 60;

pub(super) fn token(state: &State, named: Named, form: &Form) -> Result<Value, Refusal> {
    if named == Named::Common {
        let text = "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.";
        return Err(refusal(400, "invalid_request", 9_001_023, text));
    }
    let client_id = client(state, form)?;
    if field(form, "client_assertion").is_some() {
        let text =
            "Client assertions are not verified by this emulator; it knows client secrets and device codes.";
        return Err(refusal(401, "invalid_client", 700_027, text));
    }
    let Some(secret) = field(form, "client_secret") else {
        let text =
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return Err(refusal(401, "invalid_client", 7_000_218, text));
    };
    if secret != state.secret {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
             not the client secret ID, for a secret added to app '{client_id}'."
        );
        return Err(refusal(401, "invalid_client", 7_000_215, text));
    }
    let audience = audience(state, form)?;
    let rights = match client_id.as_str() {
        CLIENT_ID_WITHOUT_DIRECTORY_ROLE => Rights::NoDirectoryRole,
        CLIENT_ID_WITHOUT_APP_ROLE => Rights::NoAppRole,
        _ => Rights::Full,
    };
    let id = Uuid::parse_str(&client_id).expect("it was checked");
    let oid = guid(
        state.tenant.seed,
        mix(1, id.as_u128() as u64, (id.as_u128() >> 64) as u64) >> 8,
        SERVICE_PRINCIPAL,
    );
    Ok(granted(state, &Subject { client_id, oid, upn: None, rights }, &audience, Refresh::Omit))
}
