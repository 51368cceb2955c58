//! Entra: discovery, one file a grant, and what they share. Source: protocol reference, 2 and 9 (Login).

mod app;
mod assertion;
mod certificate;
mod code;
mod codes;
mod device_code;
mod discovery;
mod federation;
mod id_token;
mod pages;
mod password;
mod person;
mod realm;
mod refresh;
mod signins;
mod wish;

use hyper::Response;
use hyper::http::request::Parts;
use serde_json::{Value, json};
use uuid::Uuid;

use super::challenge;
use super::errors;
use super::faults::{At, Kind};
use super::form;
use super::respond::{self, Body};
use super::service::{Ended, Visit};
use super::state::State;
use super::tokens::Subject;

use code::By;
pub(super) use codes::of_person;
pub(super) use federation::AUDIENCE as FEDERATION_AUDIENCE;
pub(super) use refresh::stand_in as kept_sign_in;
pub(super) use signins::Signins;
pub(super) use wish::{Wish, no_resource};

const JSON: &str = "application/json; charset=utf-8";

/// An answer of the token endpoint: OAuth's JSON. Source: protocol reference, 2.2.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    error: &'static str,
    code: u32,
    text: String,
    suberror: Option<&'static str>,
    /// JSON in a string, to be replayed in an interactive request.
    claims: Option<String>,
}

fn refusal(status: u16, error: &'static str, code: u32, text: impl Into<String>) -> Refusal {
    Refusal { status, error, code, text: text.into(), suberror: None, claims: None }
}

/// Source: protocol reference, 2.4 and 2.12.
fn not_on_common() -> Refusal {
    let text = "The grant type is not supported over the /common or /consumers endpoints. Please use the \
                /organizations or tenant-specific endpoint.";
    refusal(400, "invalid_request", 9_001_023, text)
}

impl Refusal {
    /// As a page shows it: with its number.
    fn numbered(&self) -> String {
        format!("AADSTS{}: {}", self.code, self.text)
    }

    /// Without its number.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The number, the text, and on lines of their own what support asks for.
    fn description(&self, state: &State) -> String {
        self.described(&Uuid::new_v4(), &Uuid::new_v4(), &time(state))
    }

    fn described(&self, trace: &Uuid, correlation: &Uuid, time: &str) -> String {
        let Refusal { code, text, .. } = self;
        format!(
            "AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {time}"
        )
    }

    /// The `error` that a redirect carries: a person cannot be told of a grant.
    fn on_redirect(&self) -> &'static str {
        match (self.error, self.suberror) {
            ("invalid_grant", Some("basic_action")) => "interaction_required",
            ("invalid_grant", Some("consent_required")) => "consent_required",
            ("invalid_grant", _) => "access_denied",
            (error, _) => error,
        }
    }
}

fn time(state: &State) -> String {
    state.options.clocks.wall().strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Which tenant a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Tenant,
    Organizations,
    Common,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Discovery,
    Keys,
    Token,
    DeviceCode,
    Authorize,
    Login,
    DeviceLogin,
    Realm,
}

impl Endpoint {
    fn of(method: &str, path: &[&str]) -> Option<Endpoint> {
        let lower: Vec<String> = path.iter().skip(1).map(|part| part.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        Some(match (method, lower.as_slice()) {
            ("GET", ["v2.0", ".well-known", "openid-configuration"]) => Endpoint::Discovery,
            ("GET", ["discovery", "v2.0", "keys"]) => Endpoint::Keys,
            ("POST", ["oauth2", "v2.0", "token"]) => Endpoint::Token,
            ("POST", ["oauth2", "v2.0", "devicecode"]) => Endpoint::DeviceCode,
            ("GET", ["oauth2", "v2.0", "authorize"]) => Endpoint::Authorize,
            ("POST", [pages::LOGIN]) => Endpoint::Login,
            ("GET" | "POST", []) if path == [pages::DEVICE] => Endpoint::DeviceLogin,
            ("GET", ["userrealm"] | ["userrealm", _]) => Endpoint::Realm,
            _ => return None,
        })
    }

    /// For counters and records.
    fn what(self) -> &'static str {
        match self {
            Endpoint::Discovery => "openid-configuration",
            Endpoint::Keys => "keys",
            Endpoint::Token => "token",
            Endpoint::DeviceCode => "devicecode",
            Endpoint::Authorize => "authorize",
            Endpoint::Login => "login",
            Endpoint::DeviceLogin => "devicelogin",
            Endpoint::Realm => "userrealm",
        }
    }

    fn faults_at(self) -> Option<At> {
        match self {
            Endpoint::Token => Some(At::Token),
            Endpoint::DeviceCode => Some(At::DeviceCode),
            Endpoint::Discovery
            | Endpoint::Keys
            | Endpoint::Authorize
            | Endpoint::Login
            | Endpoint::DeviceLogin
            | Endpoint::Realm => None,
        }
    }
}

pub(super) async fn handle(visit: &Visit, parts: &Parts, body: &[u8], number: u64) -> Ended {
    let state = &visit.state;
    let path: Vec<&str> = parts.uri.path().trim_matches('/').split('/').collect();
    let Some(endpoint) = Endpoint::of(parts.method.as_str(), &path) else {
        return Ended::answer("(other)", errors::plain(404, "Not found."));
    };
    let what = endpoint.what();
    state.records().note(number, what, None);
    if let Some(at) = endpoint.faults_at()
        && let Some(ended) = fault(visit, at, what, number).await
    {
        return ended;
    }
    let query = form::parse(parts.uri.query().unwrap_or_default().as_bytes());
    // No tenant stands in its path.
    if endpoint == Endpoint::DeviceLogin {
        let mut response = match parts.method.as_str() {
            "POST" => pages::device_code(state, &form::parse(body), parts),
            _ => pages::device(parts),
        };
        respond::header(&mut response, "cache-control", "no-store, no-cache");
        return Ended::answer(what, response);
    }
    let is_browser = pages::is_browser(parts);
    let answer = tenant(state, path[0]).and_then(|named| match endpoint {
        Endpoint::Discovery => Ok(json_answer(&discovery::document(state, named, path[0]))),
        Endpoint::Keys => Ok(json_answer(&state.signins().id_key.published())),
        Endpoint::Token => {
            let form = form::parse(body);
            token(state, named, &form).map(|answer| json_answer(&challenge::answered(state, &form, answer)))
        }
        Endpoint::DeviceCode => device_code::issue(state, &form::parse(body)).map(|json| json_answer(&json)),
        Endpoint::Authorize if is_browser => pages::authorize(state, path[0], &query, parts),
        Endpoint::Authorize => code::authorize(state, &query, By::Hint),
        Endpoint::Login => Ok(pages::login(state, path[0], &form::parse(body), parts)),
        Endpoint::DeviceLogin => unreachable!("it was answered above"),
        Endpoint::Realm => {
            // In a path a plus is only a plus.
            let upn = path.get(2).map(|upn| form::decode(upn.replace('+', "%2B").as_bytes()));
            realm::answer(state, upn.as_deref(), &query).map(|json| json_answer(&json))
        }
    });
    let mut response = answer.unwrap_or_else(|refusal| match endpoint {
        Endpoint::Authorize if is_browser => pages::stopped_page(&refusal),
        _ => refused(state, &refusal),
    });
    respond::header(&mut response, "cache-control", "no-store, no-cache");
    respond::header(&mut response, "x-ms-request-id", &Uuid::new_v4().to_string());
    Ended::answer(what, response)
}

/// The discovery document of the emulator's tenant, whatever name it was asked by.
pub(super) fn discovery_of_tenant(state: &State) -> Response<Body> {
    json_answer(&discovery::document(state, Named::Tenant, ""))
}

fn json_answer(json: &Value) -> Response<Body> {
    respond::full(200, JSON, json.to_string())
}

/// The faults that make sense here; `Some` ends the request.
pub(super) async fn fault(visit: &Visit, at: At, what: &str, number: u64) -> Option<Ended> {
    let drawn = visit.state.faults().draw(at, what);
    for kind in drawn {
        visit.state.records().note_fault(number, format!("{kind:?}"));
        match kind {
            Kind::Slow(time) => visit.state.options.clocks.sleep(time).await,
            Kind::Status { status, retry_after } => {
                let text = "The service is temporarily unavailable (emulated).";
                let refusal = refusal(
                    status,
                    "temporarily_unavailable",
                    if status == 429 { 90055 } else { 90033 },
                    text,
                );
                let mut response = refused(&visit.state, &refusal);
                if let Some(seconds) = retry_after {
                    respond::header(&mut response, "retry-after", &seconds.to_string());
                }
                return Some(Ended::answer(what, response));
            }
            Kind::HtmlBadGateway => return Some(Ended::answer(what, super::api::html502())),
            Kind::Reset | Kind::ResetAfterCommit => return Some(Ended::cut(what)),
            _ => {}
        }
    }
    None
}

fn tenant(state: &State, name: &str) -> Result<Named, Refusal> {
    let ours = Uuid::parse_str(name).is_ok_and(|id| id == state.tenant.id)
        || state.tenant.accepted_domains().iter().any(|domain| domain.eq_ignore_ascii_case(name));
    match name.to_ascii_lowercase().as_str() {
        _ if ours => Ok(Named::Tenant),
        "organizations" => Ok(Named::Organizations),
        "common" => Ok(Named::Common),
        other if !other.contains('.') && Uuid::parse_str(other).is_err() => Err(refusal(
            400,
            "invalid_request",
            900_023,
            format!(
                "Specified tenant identifier '{}' is neither a valid DNS name, nor a valid external domain.",
                printable(name)
            ),
        )),
        _ => Err(refusal(
            400,
            "invalid_tenant",
            90002,
            format!(
                "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
                printable(name)
            ),
        )),
    }
}

type Form = [(String, String)];

fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.iter()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

fn needed<'a>(form: &'a Form, name: &str) -> Result<&'a str, Refusal> {
    field(form, name).ok_or_else(|| {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        refusal(400, "invalid_request", 900_144, text)
    })
}

fn client(state: &State, form: &Form) -> Result<String, Refusal> {
    let id = needed(form, "client_id")?;
    Uuid::parse_str(id).map(|id| id.to_string()).map_err(|_| {
        let text = format!(
            "Application with identifier '{}' was not found in the directory '{}'.",
            printable(id),
            state.tenant.initial_domain
        );
        refusal(400, "unauthorized_client", 700_016, text)
    })
}

fn token(state: &State, named: Named, form: &Form) -> Result<Value, Refusal> {
    match needed(form, "grant_type")? {
        "client_credentials" => app::token(state, named, form),
        device_code::GRANT | device_code::GRANT_IN_SHORT => device_code::token(state, form),
        "authorization_code" => code::token(state, form),
        "password" => password::token(state, named, form),
        "refresh_token" => refresh::token(state, form),
        other => {
            let text = format!("The app requested an unsupported grant type '{}'.", printable(other));
            Err(refusal(400, "unsupported_grant_type", 70_003, text))
        }
    }
}

/// The answer to a good token request. Source: protocol reference, 2.2.
fn granted(state: &State, subject: &Subject, wish: &Wish, form: &Form) -> Value {
    let life = i64::try_from(state.options.token_life.as_secs()).unwrap_or(i64::MAX / 4);
    let mut json = json!({
        "token_type": "Bearer",
        "expires_in": life,
        "ext_expires_in": life,
        "access_token": state.tokens.issue(subject, &wish.audience, state.wall(), life),
    });
    if subject.upn.is_none() {
        return json;
    }
    json["scope"] = json!(wish.granted());
    if wish.offline {
        json["refresh_token"] = json!(state.signins().refresh_tokens.issue(subject, wish, state.now()));
    }
    if wish.openid {
        json["id_token"] = json!(id_token::issue(state, subject, wish, life));
    }
    if field(form, "client_info") == Some("1") {
        json["client_info"] = json!(id_token::client_info(state, subject));
    }
    json
}

pub(super) fn refused(state: &State, refusal: &Refusal) -> Response<Body> {
    let (trace, correlation, time) = (Uuid::new_v4(), Uuid::new_v4(), time(state));
    let mut json = json!({
        "error": refusal.error,
        "error_description": refusal.described(&trace, &correlation, &time),
        "error_codes": [refusal.code],
        "timestamp": time,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": format!("{}/error?code={}", state.login, refusal.code),
    });
    if let Some(suberror) = refusal.suberror {
        json["suberror"] = json!(suberror);
    }
    if let Some(claims) = &refusal.claims {
        json["claims"] = json!(claims);
    }
    respond::full(refusal.status, JSON, json.to_string())
}

/// Input that comes back in a message: short, and without control characters.
fn printable(text: &str) -> String {
    text.chars().take(200).filter(|c| !c.is_control()).collect()
}
