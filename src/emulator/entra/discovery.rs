//! The discovery document.

use serde_json::{Value, json};

use super::super::state::State;

pub(super) fn document(state: &State, named: &str) -> Value {
    let (login, id) = (&state.login, state.tenant.id);
    json!({
        "token_endpoint": format!("{login}/{named}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "jwks_uri": format!("{login}/{named}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("{login}/{id}/v2.0"),
        "request_uri_parameter_supported": false,
        "authorization_endpoint": format!("{login}/{named}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{login}/{named}/oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "tenant_region_scope": "AS",
        "cloud_instance_name": "exorun-emulator.invalid",
    })
}
