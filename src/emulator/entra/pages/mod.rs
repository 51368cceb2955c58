//! Pages for people: name, password, verification code, device code. As Entra's, in words and order; without a script.
//!
//! A caller that accepts HTML gets them from the authorize address; one that does not is the person of its
//! `login_hint`. Source: protocol reference, 2.3, 2.5 and 2.6.

mod flow;
mod html;
mod look;

use hyper::Response;
use hyper::http::request::Parts;
use uuid::Uuid;

use super::super::account::Trouble;
use super::super::device::Answer;
use super::super::respond::Body;
use super::super::state::State;
use super::person::{Person, stopped};
use super::{By, Form, Refusal, code, field};
pub(super) use flow::{Flows, Purpose, Step};
pub(in crate::emulator) use html::escaped;
pub(super) use look::stopped_page;
use look::{Again, device_page, notice, page_of, shown};

/// Where forms of the sign-in go; the path has the tenant before it.
pub(super) const LOGIN: &str = "login";
/// Where a person types a device code.
pub(super) const DEVICE: &str = "devicelogin";

/// Binds forms to the browser that they were given to.
const COOKIE: &str = "__Host-emulator-browser";

/// Whether a person's browser asks, rather than a program.
pub(super) fn is_browser(parts: &Parts) -> bool {
    let accept = parts.headers.get("accept").and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.trim().split(';').next() == Some("text/html"))
}

/// The value of this browser's cookie, if it has one of ours.
fn cookie(parts: &Parts) -> Option<String> {
    let values = parts.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == COOKIE)?;
    Uuid::parse_str(value).ok().map(|id| id.simple().to_string())
}

fn browser_of(parts: &Parts) -> String {
    cookie(parts).unwrap_or_else(|| Uuid::new_v4().simple().to_string())
}

/// `GET authorize` of a browser: the first page, or the answer where there is nothing to ask.
pub(super) fn authorize(
    state: &State,
    tenant: &str,
    query: &Form,
    parts: &Parts,
) -> Result<Response<Body>, Refusal> {
    if field(query, "prompt") == Some("none") {
        return code::authorize(state, query, By::Hint);
    }
    if let Some(answer) = code::refused_at_once(state, query)? {
        return Ok(answer);
    }
    let step = match field(query, "login_hint") {
        Some(upn) => Step::Password { upn: upn.to_owned() },
        None => Step::Name,
    };
    let browser = browser_of(parts);
    Ok(begin(state, tenant, Purpose::Authorize(query.to_vec()), step, &browser))
}

fn begin(state: &State, tenant: &str, purpose: Purpose, step: Step, browser: &str) -> Response<Body> {
    let now = state.now();
    let token = state.signins().flows.begin(purpose.clone(), step.clone(), browser, now);
    page_of(state, tenant, &token, browser, &purpose, &step, None)
}

/// Whether a form comes from a page of ours: a browser names the origin of every post.
fn from_elsewhere(state: &State, parts: &Parts) -> bool {
    parts.headers.get("origin").is_some_and(|origin| origin.to_str().ok() != Some(state.login.as_str()))
}

/// `POST /TENANT/login`: the answer to a page.
pub(super) fn login(state: &State, tenant: &str, form: &Form, parts: &Parts) -> Response<Body> {
    let own = cookie(parts).filter(|_| !from_elsewhere(state, parts));
    let token = field(form, "flowToken").unwrap_or_default().to_owned();
    let now = state.now();
    let flow = own.as_deref().and_then(|browser| state.signins().flows.take(&token, browser, now));
    let (Some(browser), Some(mut flow)) = (own, flow) else {
        let text = "This page is too old, or was opened in another browser. Start the sign-in again.";
        return notice("Sign in again", text, 400);
    };
    let next = match answered(state, &flow.step, &flow.purpose, form) {
        Next::Page(step) => {
            flow.step = step;
            None
        }
        Next::Again(why) if flow.may_try_again() => Some(why),
        Next::Again(_) => return stopped_page(&stopped(50_053)),
        Next::Stopped(refusal) => return stopped_page(&refusal),
        Next::Done(by) => return done(state, &flow.purpose, &by),
    };
    state.signins().flows.put(&token, flow.clone(), now);
    page_of(state, tenant, &token, &browser, &flow.purpose, &flow.step, next.as_deref())
}

/// Where an answer leads.
enum Next {
    Page(Step),
    /// The same page, with what is wrong.
    Again(String),
    Stopped(Refusal),
    Done(Done),
}

enum Done {
    Person(String),
    Declined,
}

fn answered(state: &State, step: &Step, purpose: &Purpose, form: &Form) -> Next {
    match step {
        Step::Name => name(state, form),
        Step::Password { upn } => password(state, upn, form),
        Step::Code { upn } => {
            let right = field(form, "otc").map(str::trim) == Some(state.signins().verification_code.as_str());
            if right {
                Next::Page(Step::Confirm { upn: upn.clone() })
            } else {
                Next::Again("AADSTS500121: That code didn't work. Check the code and try again.".to_owned())
            }
        }
        Step::Confirm { upn } => match (purpose, field(form, "answer")) {
            (_, Some("cancel")) => Next::Done(Done::Declined),
            _ => Next::Done(Done::Person(upn.clone())),
        },
    }
}

fn name(state: &State, form: &Form) -> Next {
    let Some(upn) = field(form, "loginfmt").map(str::trim) else {
        return Next::Again("Enter a valid email address.".to_owned());
    };
    match Person::find(state, upn) {
        Ok(person) if state.signins().trouble(&person.upn) == Some(Trouble::Federated) => {
            Next::Stopped(elsewhere())
        }
        Ok(person) => Next::Page(Step::Password { upn: person.upn }),
        Err(refusal) => Next::Again(refusal.numbered()),
    }
}

/// Entra sends such a person on to their own organization's page, which the emulator has not.
fn elsewhere() -> Refusal {
    let text = "This account signs in at its organization's own page, which this emulator does not have.";
    super::refusal(400, "invalid_grant", 50_056, text)
}

fn password(state: &State, upn: &str, form: &Form) -> Next {
    let person = match Person::find(state, upn) {
        Ok(person) => person,
        Err(refusal) => return Next::Again(refusal.numbered()),
    };
    let trouble = state.signins().trouble(&person.upn);
    if trouble == Some(Trouble::Federated) {
        return Next::Stopped(elsewhere());
    }
    if field(form, "passwd") != Some(state.signins().password.as_str()) {
        return Next::Again(stopped(50_126).numbered());
    }
    match person.admit(state) {
        Err(refusal) => Next::Stopped(refusal),
        Ok(()) if trouble == Some(Trouble::SecondFactor) => Next::Page(Step::Code { upn: person.upn }),
        Ok(()) => Next::Page(Step::Confirm { upn: person.upn }),
    }
}

fn done(state: &State, purpose: &Purpose, done: &Done) -> Response<Body> {
    match purpose {
        Purpose::Authorize(query) => {
            let by = match done {
                Done::Person(upn) => By::Person(upn),
                Done::Declined => By::Nobody,
            };
            code::authorize(state, query, by).unwrap_or_else(|refusal| stopped_page(&refusal))
        }
        Purpose::Device { user_code, .. } => {
            let (answer, title, text) = match done {
                Done::Person(upn) => {
                    let text = "You have signed in on your device. You may now close this window.";
                    (Answer::Approved(Some(upn.clone())), "Signed in", text)
                }
                Done::Declined => (
                    Answer::Declined,
                    "Not signed in",
                    "You have cancelled the sign-in. You may now close this window.",
                ),
            };
            if state.devices().answer(user_code, answer) {
                notice(title, text, 200)
            } else {
                notice("Code expired", "That code has expired. Start again on your device.", 400)
            }
        }
    }
}

/// `GET /devicelogin`.
pub(super) fn device(parts: &Parts) -> Response<Body> {
    shown(&browser_of(parts), &device_page(Again::No))
}

/// `POST /devicelogin`: the code.
pub(super) fn device_code(state: &State, form: &Form, parts: &Parts) -> Response<Body> {
    let typed = field(form, "otc").map(str::trim).unwrap_or_default();
    let Some(browser) = cookie(parts).filter(|_| !from_elsewhere(state, parts)) else {
        return device(parts);
    };
    let asked = state.devices().asked_by(typed, state.now());
    let Some(client_id) = asked else {
        return shown(&browser, &device_page(Again::Yes));
    };
    begin(state, "common", Purpose::Device { user_code: typed.to_owned(), client_id }, Step::Name, &browser)
}
