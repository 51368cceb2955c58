//! What an application asked for: the resource, and what comes with its token.

use super::super::state::State;
use super::{Form, Refusal, field, needed, printable, refusal};

/// A scope, read. Source: protocol reference, 2.2 (which part of the answer each word brings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::emulator) struct Wish {
    pub(super) audience: String,
    /// `offline_access`: a refresh token.
    pub(super) offline: bool,
    /// `openid`: an ID token.
    pub(super) openid: bool,
    /// `profile`: names in the ID token.
    pub(super) profile: bool,
    /// Of the authorize request; it comes back in the ID token.
    pub(super) nonce: Option<String>,
}

impl Wish {
    /// Nothing but an access token.
    pub(in crate::emulator) fn bare(audience: &str) -> Wish {
        let audience = audience.to_owned();
        Wish { audience, offline: false, openid: false, profile: false, nonce: None }
    }

    /// The field `scope`.
    pub(super) fn read(state: &State, form: &Form) -> Result<Wish, Refusal> {
        let scope = needed(form, "scope")?;
        let has = |word: &str| scope.split_whitespace().any(|part| part == word);
        Ok(Wish {
            audience: audience(state, form)?,
            offline: has("offline_access"),
            openid: has("openid"),
            profile: has("profile"),
            nonce: None,
        })
    }

    /// A later request may name another resource of the same client, or none for the one it has.
    pub(super) fn again(&self, state: &State, form: &Form) -> Result<Wish, Refusal> {
        if field(form, "scope").is_none() {
            return Ok(self.clone());
        }
        Ok(Wish { nonce: self.nonce.clone(), ..Wish::read(state, form)? })
    }

    /// The field `scope` of the answer.
    pub(super) fn granted(&self) -> String {
        let audience = &self.audience;
        let mut scope = format!("{audience}/AdminApi.AccessAsUser.All {audience}/.default");
        for (asked, word) in
            [(self.openid, "openid"), (self.profile, "profile"), (self.offline, "offline_access")]
        {
            if asked {
                scope = format!("{scope} {word}");
            }
        }
        scope
    }
}

/// The resource of the scope that ends in `/.default`.
pub(super) fn audience(state: &State, form: &Form) -> Result<String, Refusal> {
    let scope = needed(form, "scope")?;
    if !scope.split_whitespace().any(|part| part.ends_with("/.default")) {
        let text = format!(
            "The provided request must include a scope that ends in /.default; '{}' does not.",
            printable(scope)
        );
        return Err(refusal(400, "invalid_scope", 70_011, text));
    }
    state.tokens.audience(scope).ok_or_else(|| no_resource(state, scope))
}

pub(in crate::emulator) fn no_resource(state: &State, resource: &str) -> Refusal {
    let text = format!(
        "The resource principal named {} was not found in the tenant named {}.",
        printable(resource),
        state.tenant.initial_domain
    );
    refusal(400, "invalid_resource", 500_011, text)
}
