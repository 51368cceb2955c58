//! What an application asked for: the resource, and what comes with its token.

use super::super::state::State;
use super::{Form, Refusal, field, needed, printable, refusal};

/// A scope, read. Source: protocol reference, 2.2 (which part of the answer each word brings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::emulator) struct Wish {
    pub(super) audience: String,
    /// The scopes of that resource, as they were asked for.
    pub(super) scopes: Vec<String>,
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
        Wish { audience, scopes: Vec::new(), offline: false, openid: false, profile: false, nonce: None }
    }

    /// The field `scope`.
    pub(super) fn read(state: &State, form: &Form) -> Result<Wish, Refusal> {
        let scope = needed(form, "scope")?;
        let has = |word: &str| scope.split_whitespace().any(|part| part == word);
        let (audience, scopes) = delegated(state, scope)?;
        Ok(Wish {
            audience,
            scopes,
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
        let mut words = vec![format!("{audience}/AdminApi.AccessAsUser.All"), format!("{audience}/.default")];
        let asked = [(self.openid, "openid"), (self.profile, "profile"), (self.offline, "offline_access")];
        let asked = asked.into_iter().filter(|(asked, _)| *asked).map(|(_, word)| word.to_owned());
        for word in self.scopes.iter().cloned().chain(asked) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words.join(" ")
    }
}

/// The one resource whose scopes a person's application asks for, and those scopes: `.default`, or some by name, such
/// as `Exchange.Manage`. Source: protocol reference, 2.1.
fn delegated(state: &State, scope: &str) -> Result<(String, Vec<String>), Refusal> {
    let scopes: Vec<&str> = scope.split_whitespace().filter(|part| part.contains("://")).collect();
    let mut audience = None;
    for scope in &scopes {
        let resource = scope.rsplit_once('/').map_or(*scope, |(resource, _)| resource);
        let known = state
            .tokens
            .audience(&format!("{resource}/.default"))
            .ok_or_else(|| no_resource(state, scope))?;
        if audience.replace(known.clone()).is_some_and(|other| other != known) {
            let text = "The provided scopes are of more than one resource.";
            return Err(refusal(400, "invalid_scope", 70_011, text));
        }
    }
    let audience = audience.ok_or_else(|| {
        let text = format!("The provided value for the scope names no resource: '{}'.", printable(scope));
        refusal(400, "invalid_scope", 70_011, text)
    })?;
    Ok((audience, scopes.into_iter().map(str::to_owned).collect()))
}

/// The resource of an application's scope, which ends in `/.default`.
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
