//! The discovery document. Source: protocol reference, 1.1 (tenant to cloud).

use serde_json::{Value, json};

use super::super::state::State;
use super::Named;

/// The name of the cloud that an emulator is; it cannot exist (RFC 6761).
pub(super) const CLOUD: &str = "exorun-emulator.invalid";

pub(super) fn document(state: &State, named: Named, name: &str) -> Value {
    let login = &state.login;
    let id = state.tenant.id.to_string();
    let region = (named == Named::Tenant).then(|| state.options.cloud.names());
    // Where the path names no tenant, the document has a placeholder for it, as Entra's has.
    let issuer = if named == Named::Tenant { id.as_str() } else { "{tenantid}" };
    let at = if named == Named::Tenant { id.as_str() } else { name };
    json!({
        "token_endpoint": format!("{login}/{at}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": format!("{login}/{at}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "offline_access"],
        "issuer": format!("{login}/{issuer}/v2.0"),
        "request_uri_parameter_supported": false,
        "authorization_endpoint": format!("{login}/{at}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{login}/{at}/oauth2/v2.0/devicecode"),
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver"
        ],
        "tenant_region_scope": region.map(|cloud| cloud.region_scope),
        "tenant_region_sub_scope": region.and_then(|cloud| cloud.region_sub_scope),
        "cloud_instance_name": CLOUD,
    })
}
