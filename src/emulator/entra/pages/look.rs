//! How the pages look: which parts each of them has.

use hyper::Response;

use super::super::super::form;
use super::super::super::respond::{self, Body};
use super::super::super::state::State;
use super::super::{Refusal, field, printable};
use super::flow::{Purpose, Step};
use super::html::{Page, Part};
use super::{COOKIE, LOGIN};

/// Whether a person was on the page before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// This is the first look.
    No,
    /// What they typed was wrong.
    Yes,
}

/// Shows a page to a browser, which keeps its cookie or gets one.
pub(super) fn shown(browser: &str, page: &Page<'_>) -> Response<Body> {
    let mut response = page.answer();
    let cookie = format!("{COOKIE}={browser}; Path=/; Secure; HttpOnly; SameSite=Lax");
    respond::header(&mut response, "set-cookie", &cookie);
    response
}

/// Where a person types a device code.
pub(super) fn device_page(again: Again) -> Page<'static> {
    const FIELD: Part<'static> =
        Part::Field { name: "otc", label: "Code", kind: "text", value: "", autocomplete: "off" };
    const BUTTON: Part<'static> = Part::Button { name: "answer", value: "next", label: "Next" };
    const CLEAN: &[Part<'static>] =
        &[Part::Text("Enter the code displayed on your app or device."), FIELD, BUTTON];
    const AGAIN: &[Part<'static>] =
        &[Part::Wrong("That code didn't work. Check the code and try again."), FIELD, BUTTON];
    let parts = match again {
        Again::No => CLEAN,
        Again::Yes => AGAIN,
    };
    Page { title: "Enter code to allow access", action: Some("/devicelogin"), parts, status: 200 }
}

/// The page of a step.
pub(super) fn page_of(
    state: &State,
    tenant: &str,
    token: &str,
    browser: &str,
    purpose: &Purpose,
    step: &Step,
    wrong: Option<&str>,
) -> Response<Body> {
    let application = match purpose {
        Purpose::Authorize(query) => field(query, "client_id").unwrap_or_default(),
        Purpose::Device { client_id, .. } => client_id,
    };
    let application = format!("application {}", printable(application));
    let mut parts = vec![Part::Hidden { name: "flowToken", value: token }];
    parts.extend(wrong.map(Part::Wrong));
    let next = Part::Button { name: "answer", value: "next", label: "Next" };
    let at = format!("to {}, by the {application}", state.tenant.initial_domain);
    let (who, asked);
    let title = match step {
        Step::Name => {
            parts.extend([
                Part::Text(&at),
                Part::Field {
                    name: "loginfmt",
                    label: "Email",
                    kind: "email",
                    value: "",
                    autocomplete: "username",
                },
                next,
            ]);
            "Sign in"
        }
        Step::Password { upn } => {
            who = upn.as_str();
            let autocomplete = "current-password";
            parts.extend([
                Part::Text(who),
                Part::Field { name: "passwd", label: "Password", kind: "password", value: "", autocomplete },
                Part::Button { name: "answer", value: "next", label: "Sign in" },
            ]);
            "Enter password"
        }
        Step::Code { upn } => {
            who = upn.as_str();
            let autocomplete = "one-time-code";
            parts.extend([
                Part::Text(who),
                Part::Text("Enter the code displayed in the authenticator app."),
                Part::Field { name: "otc", label: "Code", kind: "text", value: "", autocomplete },
                Part::Button { name: "answer", value: "next", label: "Verify" },
            ]);
            "Enter code"
        }
        Step::Confirm { upn } => {
            who = upn.as_str();
            parts.push(Part::Text(who));
            match purpose {
                Purpose::Authorize(_) => {
                    asked = format!(
                        "The {application} gets a token for Exchange Online in your name. (The emulator forgets you all the same.)"
                    );
                    parts.extend([
                        Part::Text(&asked),
                        Part::Button { name: "answer", value: "yes", label: "Yes" },
                        Part::Button { name: "answer", value: "no", label: "No" },
                        Part::Button { name: "answer", value: "cancel", label: "Cancel" },
                    ]);
                    "Stay signed in?"
                }
                Purpose::Device { .. } => {
                    asked = format!(
                        "You're signing in to the {application} on another device. If this isn't an app you're trying to sign in to, cancel: \
                         do not continue if you were sent this code by someone else."
                    );
                    parts.extend([
                        Part::Text(&asked),
                        Part::Button { name: "answer", value: "continue", label: "Continue" },
                        Part::Button { name: "answer", value: "cancel", label: "Cancel" },
                    ]);
                    "Are you trying to sign in?"
                }
            }
        }
    };
    let action = format!("/{}/{LOGIN}", form::encode(tenant));
    shown(browser, &Page { title, action: Some(&action), parts: &parts, status: 200 })
}

/// A page that only says something.
pub(super) fn notice(title: &str, text: &str, status: u16) -> Response<Body> {
    Page { title, action: None, parts: &[Part::Text(text)], status }.answer()
}

/// What stops a person, or a request that nobody can be sent back from.
pub(in crate::emulator::entra) fn stopped_page(refusal: &Refusal) -> Response<Body> {
    let text = refusal.numbered();
    Page {
        title: "Sorry, but we're having trouble signing you in",
        action: None,
        parts: &[Part::Wrong(&text)],
        status: 400,
    }
    .answer()
}
