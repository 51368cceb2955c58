//! The form and the catalog as a JSON Schema (draft 2020-12): what editors complete from, and what other tools check.
//!
//! It is written from the same tables that the checker uses. It is stricter in spelling (Microsoft's own, which the
//! checker finds whatever its case) and knows less: what hangs together over several places is the checker's.

mod catalog;
mod values;

use serde_json::{Map, Value, json};

use super::form::{
    AUTH, BLACKOUT, BYTES, CONNECTIONS, CREDENTIAL, Form, INPUT, JOB, Key, METHODS, MethodForm, Names,
    Needed, OUTPUT, Object, PERMITTED_JOBS, RUN_POLICY, SCHEDULE, STEP, objects,
};
use values::{NAME_OF_PROPERTY, expression};

/// The schema of a document of either kind.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    for object in objects() {
        definitions.insert(object.name.to_owned(), definition(object));
    }
    catalog::definitions(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "exorun",
        "description": format!("Jobs and connections of exorun {}.", env!("CARGO_PKG_VERSION")),
        "if": {"properties": {"kind": {"const": "Connections"}}, "required": ["kind"]},
        "then": {"$ref": reference(&CONNECTIONS)},
        "else": {"$ref": reference(&JOB)},
        "$defs": definitions,
    })
}

fn reference(object: &Object) -> String {
    format!("#/$defs/{}", object.name)
}

/// An object of the form, and what its keys have to do with each other.
fn definition(object: &'static Object) -> Value {
    let mut definition = plain(object);
    let more = match object.name {
        name if name == JOB.name => json!({
            "allOf": [
                {
                    "if": {"required": ["connection"]},
                    "then": {"properties": {"tenant": false, "environment": false, "auth": false}},
                    "else": {"required": ["tenant", "auth"]},
                },
                {
                    "if": {
                        "properties": {
                            "auth": {"properties": {"method": {"enum": APPLICATIONS}}, "required": ["method"]},
                        },
                        "required": ["auth"],
                    },
                    "then": {"properties": {"delegated_organization": false}},
                },
                {
                    "if": {"properties": {"unknown": {"const": "allow"}}, "required": ["unknown"]},
                    "else": {"properties": {"steps": {"items": {"$ref": "#/$defs/Catalog"}}}},
                },
            ],
        }),
        name if name == STEP.name => json!({
            "if": {"required": ["ensure"]},
            "then": {
                "required": ["properties"],
                "properties": {"cmdlet": false, "parameters": false, "select": false, "output": false},
            },
            "else": {"required": ["cmdlet"], "properties": {"identity": false, "properties": false}},
            "dependentRequired": {"parallel": ["for_each"]},
        }),
        name if name == INPUT.name => json!({
            "allOf": [
                input("string", json!({"type": ["string", "number", "boolean"]})),
                input("integer", json!({"type": "integer"})),
                input("boolean", json!({"type": "boolean"})),
                input("list", json!({"type": "array", "items": {"type": ["string", "number", "boolean"]}})),
            ],
        }),
        name if name == AUTH.name => {
            json!({"allOf": METHODS.iter().map(method).collect::<Vec<_>>()})
        }
        name if name == SCHEDULE.name => json!({"oneOf": [
            {"required": ["cron", "time_zone"], "properties": {"every": false}},
            {"required": ["every"], "properties": {"cron": false, "time_zone": false, "dst": false}},
        ]}),
        name if name == RUN_POLICY.name => json!({
            "if": {"properties": {"missed": {"const": "all"}}, "required": ["missed"]},
            "then": {"required": ["overlap"], "properties": {"overlap": {"enum": ["queue", "allow"]}}},
            "else": {"properties": {"missed_max": false}},
        }),
        name if name == BLACKOUT.name => json!({
            "if": {"properties": {"from": {"type": "string", "pattern": values::DATE_AND_TIME}}},
            "then": {"properties": {"until": {"pattern": values::DATE_AND_TIME}, "days": false}},
            "else": {"properties": {"until": {"pattern": values::TIME_OF_DAY}}},
        }),
        name if name == PERMITTED_JOBS.name => json!({"minProperties": 1}),
        name if name == CREDENTIAL.name || name == BYTES.name => {
            json!({"minProperties": 1, "maxProperties": 1})
        }
        name if name == OUTPUT.name => json!({
            "allOf": [
                {
                    "if": {"properties": {"path": {"not": {"pattern": values::NAMED_OUTPUT}}}},
                    "then": {"required": ["format"]},
                },
                {
                    "if": {"anyOf": [
                        {"properties": {"format": {"const": "csv"}}, "required": ["format"]},
                        {"properties": {"format": false, "path": {"pattern": values::NAMED_CSV}}},
                    ]},
                    "else": {"properties": {"bom": false, "raw": false}},
                },
            ],
        }),
        _ => json!({}),
    };
    if let (Value::Object(definition), Value::Object(more)) = (&mut definition, more) {
        definition.extend(more);
    }
    definition
}

/// Methods by which no person signs in.
const APPLICATIONS: [&str; 5] =
    ["certificate", "client_secret", "transit", "workload_identity", "managed_identity"];

/// What a method needs, and what it does not take.
fn method(form: &MethodForm) -> Value {
    let takes = |key: &str| key == "method" || form.needed.contains(&key) || form.may.contains(&key);
    let foreign: Map<String, Value> =
        AUTH.names().filter(|key| !takes(key)).map(|key| (key.to_owned(), false.into())).collect();
    let mut then = json!({"required": form.needed, "properties": foreign});
    if form.name == "vault" {
        then["oneOf"] = json!([{"required": ["credential"]}, {"required": ["path"]}]);
    }
    json!({"if": {"properties": {"method": {"const": form.name}}, "required": ["method"]}, "then": then})
}

fn input(kind: &str, default: Value) -> Value {
    json!({
        "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
        "then": {"properties": {"default": default}},
    })
}

fn plain(object: &Object) -> Value {
    let mut properties = Map::new();
    for key in object.keys {
        properties.insert(key.name.to_owned(), property(key));
    }
    let needed = |key: &&Key| key.needed == Needed::Always;
    let required: Vec<&str> = object.keys.iter().filter(needed).map(|key| key.name).collect();
    json!({
        "type": "object",
        "description": object.doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(key: &Key) -> Value {
    let mut schema = Map::new();
    schema.insert("description".to_owned(), key.doc.into());
    if let Some(default) = key.default {
        let default = serde_json::from_str(default).unwrap_or_else(|_| Value::from(default));
        schema.insert("default".to_owned(), default);
    }
    if let Value::Object(form) = form(key.form) {
        schema.extend(form);
    }
    Value::Object(schema)
}

/// What a value of ours must be. Text without quotes may look like a number to other readers.
fn form(form: Form) -> Value {
    let dns_label = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
    let identifier = "^[a-z][a-z0-9_]{0,62}$";
    let guid = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$";
    match form {
        Form::Version => json!({"const": 1}),
        Form::Text | Form::Template => json!({"type": ["string", "number", "boolean"], "minLength": 1}),
        Form::DnsLabel => json!({"type": ["string", "number"], "pattern": dns_label}),
        Form::Identifier => json!({"type": "string", "pattern": identifier}),
        Form::Tenant => json!({"type": "string", "pattern": format!("\\.|{guid}")}),
        Form::Guid => json!({"type": "string", "pattern": guid}),
        Form::Word(words) => json!({"enum": words}),
        Form::WordOrName(words) => {
            json!({"anyOf": [{"enum": words}, {"type": "string", "pattern": dns_label}]})
        }
        Form::Boolean => json!({"type": "boolean"}),
        Form::Integer { from, to: i64::MAX } => json!({"type": "integer", "minimum": from}),
        Form::Integer { from, to } => json!({"type": "integer", "minimum": from, "maximum": to}),
        Form::Duration => json!({"type": "string", "pattern": "^([0-9]+(d|h|ms|m|s))+$"}),
        Form::Cron => {
            json!({"type": "string", "pattern": "^\\s*(@[A-Za-z]+|\\S+(\\s+\\S+){4})\\s*$"})
        }
        Form::Weekdays => json!({"type": ["string", "integer"], "minLength": 1}),
        Form::Moment => json!({"anyOf": [
            {"type": "string", "pattern": values::TIME_OF_DAY},
            {"type": "string", "pattern": values::DATE_AND_TIME},
        ]}),
        Form::TimeZone | Form::Noun => json!({"type": "string", "minLength": 1}),
        Form::Cmdlet => json!({"type": "string", "not": {"pattern": "^([Dd]is)?[Cc]onnect-"}}),
        Form::InputValue => json!({}),
        Form::Expression => {
            json!({"type": ["string", "boolean"], "not": {"pattern": "\\$\\{\\{"}, "minLength": 1})
        }
        Form::Parameters => json!({"type": "object"}),
        Form::Properties => json!({"type": "object", "minProperties": 1}),
        Form::Identity => json!({"anyOf": [expression(), {"type": ["string", "number"], "minLength": 1}]}),
        Form::PropertyNames => {
            json!({"type": "array", "items": {"type": "string", "pattern": NAME_OF_PROPERTY}, "uniqueItems": true})
        }
        Form::Words(words) => {
            json!({"type": "array", "items": {"enum": words}, "minItems": 1, "uniqueItems": true})
        }
        Form::Texts { max } => json!({
            "type": "array",
            "items": {"type": ["string", "number", "boolean"], "minLength": 1},
            "maxItems": max,
        }),
        Form::Kept => values::kept(),
        Form::TextsByName { max } => json!({
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean"]},
            "maxProperties": max,
        }),
        Form::One(object) => json!({"$ref": reference(object)}),
        Form::List { of, max } => json!({"type": "array", "items": {"$ref": reference(of)}, "maxItems": max}),
        Form::ByName { of, names, max } => {
            let pattern = match names {
                Names::Identifiers => identifier,
                Names::DnsLabels => dns_label,
            };
            json!({
                "type": "object",
                "propertyNames": {"pattern": pattern},
                "additionalProperties": {"$ref": reference(of)},
                "maxProperties": max,
            })
        }
    }
}
