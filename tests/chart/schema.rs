//! `values.schema.json` knows the settings that there are, and every value.

use serde_json::{Map, Value, json};

use crate::helm::helms;
use crate::{is_up_to_date, objects, read};

/// Settings that follow from other values, with the value that they follow from.
const ELSEWHERE: [(&str, &str); 25] = [
    ("connections_file", "it follows from `connections` or `connectionsConfigMap`"),
    ("output_dir", "it is the folder of `output`"),
    ("lease_namespace", "it follows from `leases.namespace`"),
    ("kubeconfig", "pods use their service account"),
    ("state_dir", "the image has it"),
    ("history", "it follows from `history`"),
    ("admin_address", "it is 0.0.0.0:9464 in mode scheduler"),
    ("admin_token_file", "it follows from `admin.tokenSecret`"),
    ("admin_tls_certificate", "it follows from `admin.tlsSecret`"),
    ("admin_tls_key", "it follows from `admin.tlsSecret`"),
    ("pushgateway_url", "it follows from `metrics.pushgateway.url`"),
    ("pushgateway_token_file", "it follows from `metrics.pushgateway.tokenSecret`"),
    ("pushgateway_basic_auth_file", "it follows from `metrics.pushgateway.basicAuthSecret`"),
    ("vault_address", "it follows from `vault.address`"),
    ("vault_auth", "it follows from `vault.auth`"),
    ("vault_auth_mount", "it follows from `vault.authMount`"),
    ("vault_role", "it follows from `vault.role`"),
    ("vault_namespace", "it follows from `vault.namespace`"),
    ("vault_role_id_file", "it follows from `vault.existingSecret`"),
    ("vault_secret_id_file", "it follows from `vault.existingSecret`"),
    ("vault_jwt_file", "it follows from `vault.auth`"),
    ("vault_token_file", "it follows from `vault.existingSecret`"),
    ("vault_certificate_file", "it follows from `vault.existingSecret`"),
    ("vault_key_file", "it follows from `vault.existingSecret`"),
    ("vault_ca_file", "it follows from `vault.caConfigMap`"),
];

/// The keys of docs/settings.md with what the page says of their values; a test holds that page to the program.
fn settings() -> Vec<(String, String)> {
    read("docs/settings.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| {
            let (key, rest) = row.split_once('`').unwrap();
            (key.to_owned(), rest.split(" | ").nth(1).unwrap().to_owned())
        })
        .collect()
}

fn form(key: &str, values: &str) -> Value {
    if let Some((_, why)) = ELSEWHERE.iter().find(|(elsewhere, _)| *elsewhere == key) {
        return json!({"const": format!("not here: {why}")});
    }
    if key == "emulated" {
        return json!({"const": "never here: only the pod of `helm test` runs against the emulator"});
    }
    if key == "proxy" {
        return json!({
            "type": ["string", "null"],
            "if": {"pattern": "://[^/]*@"},
            "then": {"const": "an address without user and password: put them into a Secret and name its file as proxy_credentials_file"},
        });
    }
    match values {
        "`true` or `false`" => json!({"type": ["boolean", "null"]}),
        whole if whole.starts_with("a whole number") => json!({"type": ["integer", "null"]}),
        _ => json!({"type": ["string", "null"]}),
    }
}

#[test]
fn the_schema_has_the_settings_that_there_are() {
    let settings = settings();
    assert!(settings.len() > 60, "{}", settings.len());
    for (key, _) in ELSEWHERE {
        assert!(settings.iter().any(|(known, _)| known == key), "{key} is no setting any more");
    }
    let properties: Map<String, Value> =
        settings.iter().map(|(key, values)| (key.clone(), form(key, values))).collect();
    let mut schema: Value = serde_json::from_str(&read("charts/exorun/values.schema.json")).unwrap();
    schema["$defs"]["settings"]["properties"] = Value::Object(properties);
    let text = serde_json::to_string_pretty(&schema).unwrap();
    is_up_to_date("charts/exorun/values.schema.json", &text);
}

/// Every map in the schema is closed, and has what values.yaml has.
#[test]
fn the_schema_has_every_value_and_no_open_map() {
    if helms("chart::the_schema_has_every_value_and_no_open_map").is_none() {
        return;
    }
    let schema: Value = serde_json::from_str(&read("charts/exorun/values.schema.json")).unwrap();
    let values = objects::of(&read("charts/exorun/values.yaml")).remove(0);
    let mut missing = Vec::new();
    compare(&values, &schema, "", &mut missing);
    assert!(missing.is_empty(), "{missing:?}");
}

/// Settings have a definition of their own, and maps of anything have no properties.
fn compare(values: &Value, schema: &Value, path: &str, missing: &mut Vec<String>) {
    let (Some(values), Some(properties)) = (values.as_object(), schema["properties"].as_object()) else {
        return;
    };
    if schema["additionalProperties"] != false {
        missing.push(format!("{path} is open"));
    }
    for (key, value) in values {
        match properties.get(key) {
            Some(below) => compare(value, below, &format!("{path}.{key}"), missing),
            None => missing.push(format!("{path}.{key}")),
        }
    }
    for (key, below) in properties {
        // A word that is known only to be refused.
        if below.get("const").is_none() && !values.contains_key(key) && key != "global" && path != ".settings"
        {
            let optional = path.starts_with(".jobsVolume.source") || path.ends_with("esources");
            if !optional {
                missing.push(format!("{path}.{key} is not in values.yaml"));
            }
        }
    }
}
