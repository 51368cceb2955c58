//! The authorization code flow with PKCE. A program is shown no page: the person is the request's `login_hint` then.
//!
//! Source: protocol reference, 2.6.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Response;
use ring::digest;
use serde_json::Value;
use uuid::Uuid;

use super::super::respond::{self, Body};
use super::super::state::State;
use super::pages::escaped;
use super::person::Person;
use super::wish::Wish;
use super::{Form, Refusal, app, client, field, form, granted, needed, printable, refusal};

/// Codes kept; the oldest go first.
const KEPT_MAX: usize = 10_000;

/// What a code may be redeemed with. RFC 7636 bounds both spellings to 43 to 128 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Challenge {
    None,
    Plain(String),
    S256(String),
}

impl Challenge {
    fn read(query: &Form) -> Result<Challenge, Refusal> {
        let Some(challenge) = field(query, "code_challenge").map(str::to_owned) else {
            return Ok(Challenge::None);
        };
        if !(43..=128).contains(&challenge.len()) {
            let text = "The size of the code_challenge parameter is not valid.";
            return Err(refusal(400, "invalid_request", 501_491, text));
        }
        match field(query, "code_challenge_method").unwrap_or("plain") {
            "plain" => Ok(Challenge::Plain(challenge)),
            "S256" => Ok(Challenge::S256(challenge)),
            _ => {
                let text = "The code_challenge_method is not supported.";
                Err(refusal(400, "invalid_request", 50_147, text))
            }
        }
    }

    fn met_by(&self, verifier: Option<&str>) -> bool {
        match (self, verifier) {
            (Challenge::None, _) => true,
            (_, None) => false,
            (Challenge::Plain(challenge), Some(verifier)) => challenge == verifier,
            (Challenge::S256(challenge), Some(verifier)) => {
                let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
                challenge.trim_end_matches('=') == URL_SAFE_NO_PAD.encode(hash)
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Issued {
    client_id: String,
    redirect: String,
    challenge: Challenge,
    wish: Wish,
    upn: String,
    /// Milliseconds since boot.
    at: u64,
    redeemed: bool,
}

/// The codes there are.
#[derive(Debug, Default)]
pub(super) struct AuthCodes(HashMap<String, Issued>);

impl AuthCodes {
    fn issue(&mut self, issued: Issued) -> String {
        if self.0.len() >= KEPT_MAX {
            let oldest = self.0.iter().min_by_key(|(_, issued)| issued.at).map(|(code, _)| code.clone());
            oldest.and_then(|code| self.0.remove(&code));
        }
        let code = format!("1.emulator-code.{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.0.insert(code.clone(), issued);
        code
    }
}

/// Whether an application's person may be sent there: `http://localhost` with any port, or what native applications
/// have. Source: protocol reference, 2.1 and 2.6.
fn registered(state: &State, redirect: &str) -> bool {
    let loopback = redirect.strip_prefix("http://localhost").is_some_and(|rest| {
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
    });
    loopback
        || redirect == "urn:ietf:wg:oauth:2.0:oob"
        || redirect == format!("{}/common/oauth2/nativeclient", state.login)
}

/// How the answer gets to the redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Query,
    Fragment,
    FormPost,
}

/// Who has signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By<'a> {
    /// Whom the request's `login_hint` names, or the administrator: no page was shown.
    Hint,
    /// This person, on the pages.
    Person(&'a str),
    /// Somebody who then said no.
    Nobody,
}

/// The answer to an authorize request that no person can make good: a mistake of the program's.
pub(super) fn refused_at_once(state: &State, query: &Form) -> Result<Option<Response<Body>>, Refusal> {
    let is_wrong =
        needed_code(query).and_then(|()| Challenge::read(query)).and_then(|_| Wish::read(state, query));
    match is_wrong {
        Err(_) => authorize(state, query, By::Nobody).map(Some),
        Ok(_) => {
            let client_id = client(state, query)?;
            redirect_of(state, query, &client_id).map(|_| None)
        }
    }
}

/// The answer of an authorize request. An `Err` is shown to the person: nobody may be sent to a redirect that is not known.
pub(super) fn authorize(state: &State, query: &Form, by: By<'_>) -> Result<Response<Body>, Refusal> {
    let client_id = client(state, query)?;
    let redirect = redirect_of(state, query, &client_id)?;
    let issued = || issue(state, query, &client_id, redirect, by);
    let (mode, answer) = match field(query, "response_mode").unwrap_or("query") {
        "query" => (Mode::Query, issued()),
        "fragment" => (Mode::Fragment, issued()),
        "form_post" => (Mode::FormPost, issued()),
        _ => {
            let text = "The 'response_mode' value is not supported.";
            (Mode::Query, Err(refusal(400, "unsupported_response_mode", 70_007, text)))
        }
    };
    let mut fields = match answer {
        Ok(code) => vec![("code", code)],
        Err(refused) => vec![
            ("error", refused.on_redirect().to_owned()),
            ("error_description", refused.description(state)),
            ("error_subcode", refused.suberror.unwrap_or_default().to_owned()),
        ],
    };
    fields.retain(|(_, value)| !value.is_empty());
    if let Some(value) = field(query, "state") {
        fields.push(("state", value.to_owned()));
    }
    Ok(sent(redirect, mode, &fields))
}

fn redirect_of<'a>(state: &State, query: &'a Form, client_id: &str) -> Result<&'a str, Refusal> {
    let redirect = needed(query, "redirect_uri")?;
    if registered(state, redirect) {
        return Ok(redirect);
    }
    let text = format!(
        "The redirect URI '{}' specified in the request does not match the redirect URIs configured for the \
         application '{client_id}'.",
        printable(redirect)
    );
    Err(refusal(400, "invalid_request", 50_011, text))
}

fn needed_code(query: &Form) -> Result<(), Refusal> {
    if needed(query, "response_type")? == "code" {
        return Ok(());
    }
    let text = "The 'response_type' is not supported by this emulator, which knows 'code'.";
    Err(refusal(400, "unsupported_response_type", 70_005, text))
}

fn issue(
    state: &State,
    query: &Form,
    client_id: &str,
    redirect: &str,
    by: By<'_>,
) -> Result<String, Refusal> {
    needed_code(query)?;
    let challenge = Challenge::read(query)?;
    let nonce = field(query, "nonce").map(str::to_owned);
    let wish = Wish { nonce, ..Wish::read(state, query)? };
    let person = match (by, field(query, "login_hint")) {
        (By::Person(upn), _) => Person::find(state, upn)?,
        (By::Nobody, _) => {
            let text = "User declined to consent to access the app.";
            return Err(refusal(400, "access_denied", 65_004, text));
        }
        (By::Hint, Some(upn)) => Person::find(state, upn)?,
        (By::Hint, None) => Person::administrator(state),
    };
    match by {
        By::Hint => person.admit_without_page(state)?,
        _ => person.admit(state)?,
    }
    let (client_id, redirect) = (client_id.to_owned(), redirect.to_owned());
    let at = state.now();
    let issued = Issued { client_id, redirect, challenge, wish, upn: person.upn, at, redeemed: false };
    Ok(state.signins().codes.issue(issued))
}

fn sent(redirect: &str, mode: Mode, fields: &[(&str, String)]) -> Response<Body> {
    if mode == Mode::FormPost {
        let inputs: Vec<String> = fields
            .iter()
            .map(|(name, value)| {
                format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value))
            })
            .collect();
        let page = format!(
            "<html><body onload=\"document.forms[0].submit()\"><form method=\"POST\" action=\"{}\">{}\
             <noscript><button>Continue</button></noscript></form></body></html>",
            escaped(redirect),
            inputs.concat()
        );
        return respond::full(200, "text/html; charset=utf-8", page);
    }
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", form::encode(value))).collect();
    let sign = if mode == Mode::Query { '?' } else { '#' };
    let mut response = respond::empty(302);
    respond::header(&mut response, "location", &format!("{redirect}{sign}{}", pairs.join("&")));
    response
}

/// The grant `authorization_code`.
pub(super) fn token(state: &State, form: &Form) -> Result<Value, Refusal> {
    let client_id = client(state, form)?;
    app::credential_if_given(state, form, &client_id)?;
    let (code, redirect) = (needed(form, "code")?, needed(form, "redirect_uri")?);
    let no = |code: u32, text: &str| Err(refusal(400, "invalid_grant", code, text));
    let issued = state.signins().codes.0.get(code).filter(|issued| issued.client_id == client_id).cloned();
    let Some(issued) = issued else {
        return no(70_000, "The provided authorization code is not valid for this application.");
    };
    let life = state.options.code_life.as_millis();
    if u128::from(state.now().saturating_sub(issued.at)) >= life {
        return no(70_008, "The provided authorization code or refresh token has expired due to inactivity.");
    }
    if issued.redirect != redirect {
        return no(50_011, "The redirect_uri is not the one that the code was asked for with.");
    }
    if !issued.challenge.met_by(field(form, "code_verifier")) {
        return no(
            501_481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        );
    }
    let person = Person::find(state, &issued.upn)?;
    person.admit(state)?;
    let wish = issued.wish.again(state, form)?;
    let first = {
        let mut signins = state.signins();
        let kept = signins.codes.0.get_mut(code);
        kept.is_some_and(|kept| !std::mem::replace(&mut kept.redeemed, true))
    };
    if !first {
        return no(
            54_005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing \
             refresh token.",
        );
    }
    Ok(granted(state, &person.subject(&client_id), &wish, form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_meets_its_challenge_only() {
        // Verifier and challenge of RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let s256 = Challenge::S256("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned());
        assert!(s256.met_by(Some(verifier)));
        let plain = Challenge::Plain(verifier.to_owned());
        assert!(plain.met_by(Some(verifier)) && Challenge::None.met_by(None));
        for challenge in [s256, plain] {
            assert!(!challenge.met_by(Some("x")) && !challenge.met_by(None));
        }
    }
}
