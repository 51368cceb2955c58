//! User name and password (ROPC). Source: protocol reference, 2.4.

use serde_json::Value;

use super::super::account::Trouble;
use super::super::state::State;
use super::person::{Person, stopped};
use super::wish::Wish;
use super::{Form, Named, Refusal, app, client, granted, needed, not_on_common};

/// Told before the password is looked at.
const BEFORE_THE_PASSWORD: [u32; 4] = [50_034, 50_053, 50_056, 50_057];

pub(super) fn token(state: &State, named: Named, form: &Form) -> Result<Value, Refusal> {
    if named == Named::Common {
        return Err(not_on_common());
    }
    let client_id = client(state, form)?;
    app::credential_if_given(state, form, &client_id)?;
    let wish = Wish::read(state, form)?;
    let (username, password) = (needed(form, "username")?, needed(form, "password")?);
    let person = Person::find(state, username)?;
    if state.signins().trouble(&person.upn) == Some(Trouble::Federated) {
        // Entra has no password of a federated person unless it is synchronised.
        return Err(stopped(50_056));
    }
    let admitted = person.admit(state);
    let told_first = matches!(&admitted, Err(refusal) if BEFORE_THE_PASSWORD.contains(&refusal.code));
    if !told_first && password != state.signins().password {
        return Err(stopped(50_126));
    }
    admitted?;
    if state.signins().trouble(&person.upn) == Some(Trouble::SecondFactor) {
        return Err(stopped(50_076));
    }
    Ok(granted(state, &person.subject(&client_id), &wish, form))
}
