//! Vault, for what the job keeps there: it can be reached, is not sealed, lets us in, and has the secret. Values are
//! looked at here and shown nowhere.

use super::credential::{Kept, kept, unread};
use super::{Account, Finding, Parts};
use crate::secrets::{SecretError, SecretErrorKind};
use crate::spec::job::{CredentialRef, Method};

pub(super) async fn look<A: Account>(parts: &Parts<A>) -> Finding {
    let method = &parts.target.auth.method;
    let places: Vec<Kept> = kept(method).into_iter().filter(|kept| is_in_vault(&kept.place)).collect();
    let mut seen = Vec::new();
    for Kept { place, .. } in &places {
        match parts.secrets.read(place).await {
            Ok(_) => seen.push(place.to_string()),
            Err(error) => return unread(&error, mend(&error)),
        }
    }
    match (method, seen.is_empty()) {
        (Method::Transit { key, .. }, true) => Finding::information(format!(
            "the key stays in Vault ({key}): the sign-in shows whether it signs"
        )),
        (_, true) => Finding::information("the job's sign-in keeps nothing in Vault"),
        (_, false) => Finding::ok(format!("Vault lets us in, and {} is there", seen.join(" and "))),
    }
}

/// Whether Vault holds it.
pub(super) fn is_in_vault(place: &CredentialRef) -> bool {
    matches!(place, CredentialRef::Vault(_))
}

/// What to do where the message names nothing.
fn mend(error: &SecretError) -> &'static str {
    let says = |word: &str| error.reason.contains(word);
    if says("sealed") {
        "unseal it (`vault operator unseal`), or ask who runs it"
    } else if error.kind == SecretErrorKind::Unavailable {
        "see whether Vault runs, and look at `vault_address` and the way there"
    } else if says("forbids") {
        "add that line to the policy of the role that logs in, or name another path"
    } else {
        "mend the place that `credential` names, and the settings `vault_…`; docs/vault.md has them"
    }
}
