//! Response wrapping: an answer that was put away in Vault, and a token that gets it once.

use rustify::enums::RequestMethod;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use vaultrs::api::sys::requests::WrappingLookupRequest;

use super::door::{Answer, Request};
use super::login::Entrance;
use super::trouble::{Failed, Trouble};
use crate::observe::escape::one_line;

/// Longest quote of the path that an answer came from.
const PATH_CHARS_MAX: usize = 200;

/// Gets what `token` wraps, if it came from where it should: a token that somebody else has made wraps what he likes.
///
/// `from` says in words where it should have come from.
///
/// # Errors
/// A token that does not open any more may have been opened by a thief; the message says so.
pub(super) async fn open(
    entrance: &Entrance,
    token: &SecretString,
    expected: impl Fn(&str) -> bool,
    from: &str,
) -> Result<Answer, Failed> {
    let address = &entrance.parts.address;
    let door = entrance.door(None, None)?;
    let look =
        WrappingLookupRequest::builder().token(token.expose_secret()).build().expect("it has one field");
    let found = entrance.patience.ask("look at the wrapping token", || door.ask(&look)).await;
    let found = found.map_err(|trouble| gone(trouble, address))?.data.unwrap_or_default();
    let path = found.get("creation_path").and_then(Value::as_str).unwrap_or_default();
    if !expected(path) {
        return Err(Failed::wrong(format!(
            "the wrapping token wraps an answer of `{}`, not of `{from}`: it may have been exchanged by somebody; have a new one \
             issued",
            one_line(path, PATH_CHARS_MAX)
        )));
    }
    let door = door.with(token)?;
    let request =
        Request { method: RequestMethod::POST, path: "sys/wrapping/unwrap".into(), body: Some(json!({})) };
    // Once: if the answer is lost on the way, the token is used up all the same.
    door.ask(&request).await.map_err(|trouble| gone(trouble, address))
}

fn gone(trouble: Trouble, address: &str) -> Failed {
    match trouble {
        Trouble::Refused(refusal) if matches!(refusal.status, 400 | 403 | 404) => Failed::wrong(format!(
            "the wrapping token does not open any more ({}): it has expired, or it was unwrapped already. If nobody of yours \
             did that, the secret in it is stolen: revoke it, and have a new one issued and wrapped",
            refusal.said()
        )),
        other => other.told("unwrap", address),
    }
}
