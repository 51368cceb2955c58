//! Refresh tokens: a new one for each use. Source: protocol reference, 2.11.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::super::options::Reuse;
use super::super::state::State;
use super::super::tokens::Subject;
use super::person::Person;
use super::wish::Wish;
use super::{Form, Refusal, app, client, granted, needed, refusal};

/// Refresh tokens kept; the oldest go first.
const KEPT_MAX: usize = 10_000;

#[derive(Clone, Debug)]
struct Issued {
    subject: Subject,
    wish: Wish,
    /// When it was issued or last used, in milliseconds since boot.
    active: u64,
    used: bool,
}

/// The refresh tokens there are. Pure: `now` is an argument, in milliseconds since boot.
#[derive(Debug, Default)]
pub(super) struct RefreshTokens(HashMap<String, Issued>);

/// What a refresh token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Good(Subject, Wish),
    /// Not used for too long.
    Inactive,
    /// Never issued, issued to another application, or used where each may be used once.
    Unknown,
}

impl RefreshTokens {
    pub(super) fn issue(&mut self, subject: &Subject, wish: &Wish, now: u64) -> String {
        if self.0.len() >= KEPT_MAX {
            let oldest =
                self.0.iter().min_by_key(|(_, issued)| issued.active).map(|(token, _)| token.clone());
            oldest.and_then(|token| self.0.remove(&token));
        }
        let token = format!("1.emulator.{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let issued = Issued { subject: subject.clone(), wish: wish.clone(), active: now, used: false };
        self.0.insert(token.clone(), issued);
        token
    }

    fn take(&mut self, token: &str, client_id: &str, now: u64, life: Duration, reuse: Reuse) -> Found {
        let Some(issued) = self.0.get_mut(token).filter(|issued| issued.subject.client_id == client_id)
        else {
            return Found::Unknown;
        };
        if u128::from(now.saturating_sub(issued.active)) >= life.as_millis() {
            return Found::Inactive;
        }
        if issued.used && reuse == Reuse::Refuse {
            return Found::Unknown;
        }
        (issued.used, issued.active) = (true, now);
        Found::Good(issued.subject.clone(), issued.wish.clone())
    }
}

/// A refresh token as a person's sign-in leaves it, without one. `None`: the tenant does not know the audience of `scope`
/// or the person.
pub(in crate::emulator) fn stand_in(
    state: &State,
    scope: &str,
    client_id: &str,
    upn: Option<&str>,
) -> Option<String> {
    let wish =
        Wish { offline: true, openid: true, profile: true, ..Wish::bare(&state.tokens.audience(scope)?) };
    let person = match upn {
        Some(upn) => Person::find(state, upn).ok()?,
        None => Person::administrator(state),
    };
    let now = state.now();
    Some(state.signins().refresh_tokens.issue(&person.subject(client_id), &wish, now))
}

pub(super) fn token(state: &State, form: &Form) -> Result<Value, Refusal> {
    let client_id = client(state, form)?;
    app::credential_if_given(state, form, &client_id)?;
    let token = needed(form, "refresh_token")?;
    let options = &state.options;
    let found = state.signins().refresh_tokens.take(
        token,
        &client_id,
        state.now(),
        options.refresh_life,
        options.refresh_reuse,
    );
    let (subject, wish) = match found {
        Found::Good(subject, wish) => (subject, wish),
        Found::Inactive => {
            let text = "The refresh token has expired due to inactivity.";
            return Err(refusal(400, "invalid_grant", 700_082, text));
        }
        Found::Unknown => {
            let text = "The provided refresh token is not valid for this application.";
            return Err(refusal(400, "invalid_grant", 70_000, text));
        }
    };
    if let Some(upn) = &subject.upn {
        Person::find(state, upn)?.admit(state)?;
    }
    // A nonce belongs to the sign-in that it came with.
    let wish = Wish { offline: true, nonce: None, ..wish.again(state, form)? };
    Ok(granted(state, &subject, &wish, form))
}

#[cfg(test)]
mod tests {
    use super::super::super::tokens::Rights;
    use super::*;

    #[test]
    fn a_used_refresh_token_stays_good_unless_reuse_is_refused() {
        let subject = Subject { client_id: "app".into(), oid: Uuid::nil(), upn: None, rights: Rights::Full };
        let wish = Wish::bare("https://outlook.office365.com");
        let life = Duration::from_secs(10);
        let mut tokens = RefreshTokens::default();
        let token = tokens.issue(&subject, &wish, 0);
        let good = Found::Good(subject, wish);
        assert_eq!(tokens.take(&token, "other", 0, life, Reuse::Accept), Found::Unknown);
        assert_eq!(tokens.take(&token, "app", 9_999, life, Reuse::Accept), good);
        assert_eq!(
            tokens.take(&token, "app", 19_998, life, Reuse::Accept),
            good,
            "each use counts as activity"
        );
        assert_eq!(tokens.take(&token, "app", 19_999, life, Reuse::Refuse), Found::Unknown);
        assert_eq!(tokens.take(&token, "app", 29_998, life, Reuse::Accept), Found::Inactive);
    }
}
