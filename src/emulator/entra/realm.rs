//! User realm discovery: whether a person's password is Entra's or another service's.
//!
//! Source: protocol reference, 2.5.

use serde_json::{Value, json};

use super::super::account::Trouble;
use super::super::state::State;
use super::super::tokens::ISSUER_HOST;
use super::discovery::CLOUD;
use super::{Form, Refusal, field, needed, refusal};

enum Realm {
    Managed,
    Federated,
    Unknown,
}

fn realm(state: &State, upn: &str) -> (Realm, String) {
    let domain = upn.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
    let ours = state.tenant.accepted_domains().iter().any(|own| own.eq_ignore_ascii_case(&domain));
    let ours = ours || state.signins().has_domain(&domain);
    let realm = match state.signins().trouble(upn) {
        _ if !ours => Realm::Unknown,
        Some(Trouble::Federated) => Realm::Federated,
        _ => Realm::Managed,
    };
    (realm, domain)
}

/// `GET /common/UserRealm/{upn}?api-version=1.0`, and 2.1 with the name in `user`.
pub(super) fn answer(state: &State, upn: Option<&str>, query: &Form) -> Result<Value, Refusal> {
    match (needed(query, "api-version")?, upn) {
        ("1.0", Some(upn)) => Ok(version_1(state, upn)),
        ("2.1", None) => Ok(version_2(state, needed(query, "user")?)),
        ("2.1", Some(upn)) => Ok(version_2(state, field(query, "user").unwrap_or(upn))),
        _ => Err(refusal(400, "invalid_request", 9_002_313, "The request is malformed or invalid.")),
    }
}

fn version_1(state: &State, upn: &str) -> Value {
    let (realm, domain) = realm(state, upn);
    let mut json = json!({
        "ver": "1.0",
        "account_type": match realm {
            Realm::Managed => "Managed",
            Realm::Federated => "Federated",
            Realm::Unknown => "Unknown",
        },
        "cloud_instance_name": CLOUD,
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    });
    if !matches!(realm, Realm::Unknown) {
        json["domain_name"] = json!(domain);
    }
    if matches!(realm, Realm::Federated) {
        json["federation_protocol"] = json!("WSTrust");
        json["federation_metadata_url"] = json!(format!("https://{ISSUER_HOST}/adfs/services/trust/mex"));
        json["federation_active_auth_url"] =
            json!(format!("https://{ISSUER_HOST}/adfs/services/trust/2005/usernamemixed"));
    }
    json
}

fn version_2(state: &State, upn: &str) -> Value {
    let (realm, domain) = realm(state, upn);
    let mut json = json!({
        "Login": upn,
        "NameSpaceType": match realm {
            Realm::Managed => "Managed",
            Realm::Federated => "Federated",
            Realm::Unknown => "Unknown",
        },
        "DomainName": domain,
        "FederationBrandName": state.tenant.initial_domain,
        "CloudInstanceName": CLOUD,
    });
    if matches!(realm, Realm::Federated) {
        json["AuthURL"] =
            json!(format!("https://{ISSUER_HOST}/adfs/ls/?username={}", super::form::encode(upn)));
    }
    json
}
