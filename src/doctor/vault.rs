//! Vault, for what the job keeps there: it can be reached, is not sealed, lets us in, and has the secrets. Values are
//! looked at here and shown nowhere.

use super::needs::{self, By};
use super::{Account, Finding, Parts};
use crate::secrets::{SecretError, SecretErrorKind};
use crate::spec::job::Method;

pub(super) async fn look<A: Account>(parts: &Parts<A>) -> Finding {
    let auth = &parts.target.auth;
    let (mut seen, mut nobody) = (Vec::new(), None);
    for need in needs::of(&parts.job, auth).into_iter().filter(|need| need.is_in_vault()) {
        let place = need.place.to_string();
        match (need.look(&*parts.secrets).await, &need.by) {
            (Ok(()), _) if seen.contains(&place) => {}
            (Ok(()), _) => seen.push(place),
            (Err(error), By::KeptSignin) if error.kind == SecretErrorKind::Absent => nobody = Some(place),
            (Err(error), by) => return need.unread(&error, mend(&error, by)),
        }
    }
    let verb = if seen.len() == 1 { "is" } else { "are" };
    let seen = (!seen.is_empty()).then(|| format!(", and {} {verb} there", seen.join(" and ")));
    match (nobody, seen, &auth.method) {
        (Some(place), seen, _) => Finding::information(format!(
            "Vault lets us in{}; nobody has signed in yet: `exorun login JOB` keeps the sign-in at {place}",
            seen.unwrap_or_default()
        )),
        (None, Some(seen), _) => Finding::ok(format!("Vault lets us in{seen}")),
        (None, None, Method::Transit { key, .. }) => Finding::information(format!(
            "the key stays in Vault ({key}): the sign-in shows whether it signs"
        )),
        (None, None, _) => Finding::information("the job keeps nothing in Vault"),
    }
}

/// What to do where the message names nothing.
fn mend(error: &SecretError, by: &By) -> &'static str {
    let says = |word: &str| error.reason.contains(word);
    if says("sealed") {
        "unseal it (`vault operator unseal`), or ask who runs it"
    } else if error.kind == SecretErrorKind::Unavailable {
        "see whether Vault runs, and look at `vault_address` and the way there"
    } else if says("forbids") {
        "add that line to the policy of the role that logs in, or name another path"
    } else if let By::Step { .. } = by {
        "mend the place that the step names, or the secret; docs/vault.md has the messages"
    } else {
        "mend the place that `credential` names, and the settings `vault_…`; docs/vault.md has them"
    }
}
