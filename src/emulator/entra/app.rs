//! Tokens for applications: the grant `client_credentials`, and how an application proves what it is.
//!
//! Source: protocol reference, 2.2 (fields), 2.7 (certificate), 2.8 (secret), 2.12 (numbers).

use serde_json::Value;
use uuid::Uuid;

use super::super::options::{CLIENT_ID_WITHOUT_APP_ROLE, CLIENT_ID_WITHOUT_DIRECTORY_ROLE};
use super::super::random::{guid, mix};
use super::super::state::State;
use super::super::tokens::{Rights, Subject};
use super::wish::{self, Wish};
use super::{Form, Named, Refusal, assertion, client, field, granted, needed, not_on_common, refusal};

const SERVICE_PRINCIPAL: u64 = 60;

/// The module's own application, which has no credential. Source: protocol reference, 2.1.
const PUBLIC_CLIENT: &str = "fb78d390-0c51-40cd-8e17-fdbfab77341b";

pub(super) fn token(state: &State, named: Named, form: &Form) -> Result<Value, Refusal> {
    if named == Named::Common {
        return Err(not_on_common());
    }
    let client_id = client(state, form)?;
    if !credential_if_given(state, form, &client_id)? {
        let text =
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return Err(refusal(401, "invalid_client", 7_000_218, text));
    }
    let wish = Wish::bare(&wish::audience(state, form)?);
    Ok(granted(state, &principal(state, &client_id), &wish, form))
}

/// The service principal of an application.
fn principal(state: &State, client_id: &str) -> Subject {
    let rights = match client_id {
        CLIENT_ID_WITHOUT_DIRECTORY_ROLE => Rights::NoDirectoryRole,
        CLIENT_ID_WITHOUT_APP_ROLE => Rights::NoAppRole,
        _ => Rights::Full,
    };
    let id = Uuid::parse_str(client_id).expect("it was checked");
    let oid = guid(
        state.tenant.seed,
        mix(1, id.as_u128() as u64, (id.as_u128() >> 64) as u64) >> 8,
        SERVICE_PRINCIPAL,
    );
    Subject { client_id: client_id.to_owned(), oid, upn: None, rights }
}

/// Checks a secret or an assertion; false if there is neither, as from a public client.
pub(super) fn credential_if_given(state: &State, form: &Form, client_id: &str) -> Result<bool, Refusal> {
    let (proof, secret) = (field(form, "client_assertion"), field(form, "client_secret"));
    if client_id == PUBLIC_CLIENT && (proof.is_some() || secret.is_some()) {
        let text = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.";
        return Err(refusal(401, "invalid_client", 700_025, text));
    }
    if let Some(proof) = proof {
        if needed(form, "client_assertion_type")? != assertion::TYPE {
            let text = "The type of the client assertion is not jwt-bearer.";
            return Err(refusal(400, "invalid_request", 9_002_313, text));
        }
        assertion::verify(state, client_id, proof)?;
        return Ok(true);
    }
    match secret {
        None => Ok(false),
        Some(secret) if secret == state.secret => Ok(true),
        Some(_) => {
            let text = format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
                 value, not the client secret ID, for a secret added to app '{client_id}'."
            );
            Err(refusal(401, "invalid_client", 7_000_215, text))
        }
    }
}
