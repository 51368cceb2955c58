//! A machine's managed identity: the instance metadata service, and what App Service has instead.
//!
//! Source: protocol reference, 2.9 and 9 (Managed identity). The answers are those of the first version of the token
//! endpoint: all numbers are strings.

use hyper::Response;
use hyper::http::request::Parts;
use serde_json::json;
use uuid::Uuid;

use super::entra::{self, no_resource};
use super::faults::At;
use super::options::MANAGED_IDENTITY_CLIENT_ID;
use super::random::guid;
use super::respond::{self, Body};
use super::service::{Ended, Visit};
use super::state::State;
use super::tokens::{Rights, Subject};
use super::{errors, form};

const INSTANCE_METADATA: &str = "/metadata/identity/oauth2/token";
const APP_SERVICE: &str = "/msi/token";

const JSON: &str = "application/json; charset=utf-8";
const WHAT: &str = "managed-identity";

/// For the GUID of the identity's service principal.
const IDENTITY: u64 = 62;

/// Which service is asked; they differ in the header they demand, the version and the names of identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    InstanceMetadata,
    AppService,
}

impl Host {
    fn of(path: &str) -> Option<Host> {
        // MSAL for JavaScript puts a slash at the end.
        match path.trim_end_matches('/') {
            INSTANCE_METADATA => Some(Host::InstanceMetadata),
            APP_SERVICE => Some(Host::AppService),
            _ => None,
        }
    }

    fn version(self) -> &'static str {
        match self {
            Host::InstanceMetadata => "2018-02-01",
            Host::AppService => "2019-08-01",
        }
    }

    /// Names of parameters that choose an identity: by application, by object, by resource. MSAL asks App Service by
    /// `object_id` too.
    fn choosers(self) -> [&'static [&'static str]; 3] {
        match self {
            Host::InstanceMetadata => [&["client_id"], &["object_id"], &["msi_res_id"]],
            Host::AppService => [&["client_id"], &["principal_id", "object_id"], &["mi_res_id"]],
        }
    }
}

/// Why there is no token.
struct No {
    status: u16,
    error: &'static str,
    text: String,
}

fn no(status: u16, error: &'static str, text: impl Into<String>) -> No {
    No { status, error, text: text.into() }
}

/// Whether a request of the sign-in port is meant for the managed identity.
pub(super) fn serves(path: &str) -> bool {
    Host::of(path).is_some()
}

pub(super) async fn handle(visit: &Visit, parts: &Parts, number: u64) -> Ended {
    let state = &visit.state;
    let Some(host) = Host::of(parts.uri.path()).filter(|_| parts.method == "GET") else {
        return Ended::answer("(other)", errors::plain(404, "Not found."));
    };
    state.records().note(number, WHAT, None);
    if let Some(ended) = entra::fault(visit, At::Token, WHAT, number).await {
        return ended;
    }
    let response = token(state, host, parts).unwrap_or_else(|no| refused(host, &no));
    Ended::answer(WHAT, response)
}

fn token(state: &State, host: Host, parts: &Parts) -> Result<Response<Body>, No> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let demanded = match host {
        Host::InstanceMetadata => header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        Host::AppService => header("x-identity-header") == Some(state.signins().identity_header.as_str()),
    };
    if !demanded {
        return Err(match host {
            Host::InstanceMetadata => no(400, "invalid_request", "Required metadata header not specified"),
            Host::AppService => no(403, "unauthorized_client", "The X-IDENTITY-HEADER is not this service's"),
        });
    }
    let query = form::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let field = |name: &str| {
        query
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
            .filter(|text| !text.is_empty())
    };
    if field("api-version") != Some(host.version()) {
        let text = format!("The api-version is not {}", host.version());
        return Err(no(400, "invalid_request", text));
    }
    let Some(resource) = field("resource") else {
        return Err(no(400, "invalid_request", "Required audience parameter not specified"));
    };
    let subject = subject(state);
    let own = [subject.client_id.clone(), subject.oid.to_string(), resource_id(state)];
    for (names, own) in host.choosers().into_iter().zip(own) {
        let asked = names.iter().find_map(|name| field(name));
        if asked.is_some_and(|asked| !asked.eq_ignore_ascii_case(&own)) {
            return Err(no(400, "invalid_request", "Identity not found"));
        }
    }
    let Some(audience) = state.tokens.audience(&format!("{}/.default", resource.trim_end_matches('/')))
    else {
        return Err(no(400, "invalid_resource", no_resource(state, resource).text().to_owned()));
    };
    let (now, life) =
        (state.wall(), i64::try_from(state.options.token_life.as_secs()).unwrap_or(i64::MAX / 4));
    let json = json!({
        "access_token": state.tokens.issue(&subject, &audience, now, life),
        "client_id": subject.client_id,
        "expires_in": life.to_string(),
        "expires_on": (now + life).to_string(),
        "not_before": now.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    });
    Ok(respond::full(200, JSON, json.to_string()))
}

fn subject(state: &State) -> Subject {
    let names = &state.options.identity_names;
    let oid = names.object_id.as_deref().and_then(|id| Uuid::parse_str(id).ok());
    Subject {
        client_id: names.client_id.as_deref().unwrap_or(MANAGED_IDENTITY_CLIENT_ID).to_owned(),
        oid: oid.unwrap_or_else(|| guid(state.tenant.seed, 0, IDENTITY)),
        upn: None,
        rights: Rights::Full,
    }
}

/// The machine that has the identity.
fn resource_id(state: &State) -> String {
    if let Some(own) = &state.options.identity_names.resource_id {
        return own.clone();
    }
    format!(
        "/subscriptions/{}/resourceGroups/emulator/providers/Microsoft.ManagedIdentity/userAssignedIdentities/emulator",
        state.tenant.id
    )
}

fn refused(host: Host, no: &No) -> Response<Body> {
    let mut json = json!({"error": no.error, "error_description": no.text});
    if host == Host::AppService {
        json["statusCode"] = json!(no.status);
        json["message"] = json!(no.text);
        json["correlationId"] = json!(Uuid::new_v4());
    }
    respond::full(no.status, JSON, json.to_string())
}
