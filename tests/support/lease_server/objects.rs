//! What an API server does with Leases, without HTTP: one namespace of objects, their versions, and the refusals that
//! were seen on a real one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::patch;

/// A status and a body.
pub(crate) type Reply = (u16, Value);

const GROUP: &str = "coordination.k8s.io";

/// Fields of a Lease that exist; everything else is unknown.
const METADATA: [&str; 12] = [
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "labels",
    "annotations",
    "managedFields",
    "ownerReferences",
    "finalizers",
];
const SPEC: [&str; 7] = [
    "holderIdentity",
    "leaseDurationSeconds",
    "acquireTime",
    "renewTime",
    "leaseTransitions",
    "strategy",
    "preferredHolder",
];

/// The Leases of one namespace.
#[derive(Default)]
pub(crate) struct Objects {
    pub(crate) leases: BTreeMap<String, Value>,
    version: u64,
}

impl Objects {
    pub(crate) fn list(&self, selector: &str) -> Reply {
        let wanted: Vec<(&str, &str)> = selector.split(',').filter_map(|one| one.split_once('=')).collect();
        let is_wanted = |lease: &&Value| {
            wanted.iter().all(|(key, value)| lease["metadata"]["labels"][*key].as_str() == Some(*value))
        };
        let items: Vec<&Value> = self.leases.values().filter(is_wanted).collect();
        let metadata = json!({"resourceVersion": self.version.to_string()});
        (
            200,
            json!({"kind": "LeaseList", "apiVersion": "coordination.k8s.io/v1", "metadata": metadata, "items": items}),
        )
    }

    pub(crate) fn get(&self, name: &str) -> Reply {
        self.leases.get(name).map_or_else(|| missing(name), |lease| (200, lease.clone()))
    }

    pub(crate) fn create(&mut self, body: &[u8], is_strict: bool, created: &str) -> Reply {
        let mut lease = match decode(body, is_strict) {
            Ok(lease) => lease,
            Err(refusal) => return refusal,
        };
        let name = text(&lease["metadata"]["name"]);
        if name.is_empty() {
            return invalid("", "metadata.name: Required value: name or generateName is required");
        }
        if self.leases.contains_key(&name) {
            let words = format!("leases.{GROUP} \"{name}\" already exists");
            return status(409, "AlreadyExists", &words);
        }
        if let Some(refusal) = problem(&name, &lease) {
            return refusal;
        }
        let metadata = lease["metadata"].as_object_mut().expect("it has a name");
        metadata.insert("uid".into(), Uuid::new_v4().to_string().into());
        metadata.insert("creationTimestamp".into(), created.into());
        metadata.insert("managedFields".into(), json!([{"manager": "somebody", "operation": "Update"}]));
        (201, self.store(&name, lease))
    }

    pub(crate) fn replace(&mut self, name: &str, body: &[u8], is_strict: bool, created: &str) -> Reply {
        let mut lease = match decode(body, is_strict) {
            Ok(lease) => lease,
            Err(refusal) => return refusal,
        };
        if text(&lease["metadata"]["name"]) != name {
            return status(400, "BadRequest", "the name of the object does not match the name on the URL");
        }
        let uid = text(&lease["metadata"]["uid"]);
        let Some(before) = self.leases.get(name) else {
            // Leases may be made by an update. Only the uid of what was read keeps a deleted one from coming back.
            return match uid.is_empty() {
                true => self.create(body, is_strict, created),
                false => conflict(
                    name,
                    &format!("Precondition failed: UID in precondition: {uid}, UID in object meta: "),
                ),
            };
        };
        if text(&lease["metadata"]["resourceVersion"]).is_empty() {
            return invalid(
                name,
                "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update",
            );
        }
        if let Some(refusal) = stale(name, before, &lease) {
            return refusal;
        }
        if let Some(refusal) = problem(name, &lease) {
            return refusal;
        }
        for key in ["uid", "creationTimestamp", "managedFields"] {
            lease["metadata"][key] = before["metadata"][key].clone();
        }
        (200, self.store(name, lease))
    }

    pub(crate) fn patch(&mut self, name: &str, kind: &str, body: &[u8]) -> Reply {
        let Some(before) = self.leases.get(name) else { return missing(name) };
        let (mut lease, patch) = (before.clone(), serde_json::from_slice::<Value>(body).unwrap_or_default());
        match kind {
            "application/merge-patch+json" => patch::merge(&mut lease, &patch),
            "application/json-patch+json" => {
                if let Err(words) = patch::apply(&mut lease, &patch) {
                    return status(
                        422,
                        "Invalid",
                        &format!("the server rejected our request due to an error in our request: {words}"),
                    );
                }
            }
            _ => {
                return status(
                    415,
                    "UnsupportedMediaType",
                    "the body of the request was in an unknown format",
                );
            }
        }
        if let Some(refusal) = stale(name, before, &lease).or_else(|| problem(name, &lease)) {
            return refusal;
        }
        (200, self.store(name, lease))
    }

    pub(crate) fn delete(&mut self, name: &str, body: &[u8]) -> Reply {
        let Some(lease) = self.leases.get(name) else { return missing(name) };
        let options: Value = serde_json::from_slice(body).unwrap_or_default();
        for key in ["resourceVersion", "uid"] {
            let wanted = &options["preconditions"][key];
            if !wanted.is_null() && *wanted != lease["metadata"][key] {
                let found = &lease["metadata"][key];
                return conflict(
                    name,
                    &format!(
                        "the {key} in the precondition ({wanted}) does not match the {key} in record ({found})"
                    ),
                );
            }
        }
        self.leases.remove(name);
        self.version += 1;
        (200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
    }

    fn store(&mut self, name: &str, mut lease: Value) -> Value {
        self.version += 1;
        lease["kind"] = "Lease".into();
        lease["apiVersion"] = "coordination.k8s.io/v1".into();
        lease["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.leases.insert(name.to_owned(), lease.clone());
        lease
    }
}

/// A `Status` that says why not.
pub(crate) fn status(code: u16, reason: &str, message: &str) -> Reply {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    (code, body)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn missing(name: &str) -> Reply {
    status(404, "NotFound", &format!("leases.{GROUP} \"{name}\" not found"))
}

fn conflict(name: &str, why: &str) -> Reply {
    status(409, "Conflict", &format!("Operation cannot be fulfilled on leases.{GROUP} \"{name}\": {why}"))
}

fn invalid(name: &str, why: &str) -> Reply {
    status(422, "Invalid", &format!("Lease.{GROUP} \"{name}\" is invalid: {why}"))
}

/// The refusal of a write that names another object or version than `before`.
fn stale(name: &str, before: &Value, wanted: &Value) -> Option<Reply> {
    let differs = |key: &str| {
        let wanted = &wanted["metadata"][key];
        !wanted.is_null() && *wanted != before["metadata"][key]
    };
    (differs("resourceVersion") || differs("uid")).then(|| {
        conflict(
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    })
}

fn decode(body: &[u8], is_strict: bool) -> Result<Value, Reply> {
    let bad = |why: &str| status(400, "BadRequest", why);
    let mut lease: Value = serde_json::from_slice(body)
        .map_err(|_| bad("the object provided is unrecognized: couldn't get version/kind"))?;
    if lease["kind"] != "Lease" || lease["apiVersion"] != "coordination.k8s.io/v1" {
        return Err(bad("the object provided is unrecognized (must be of type Lease)"));
    }
    let mut unknown = Vec::new();
    for (part, known) in [("metadata", &METADATA[..]), ("spec", &SPEC[..])] {
        let Some(fields) = lease[part].as_object_mut() else { continue };
        unknown.extend(
            fields.keys().filter(|key| !known.contains(&key.as_str())).map(|key| format!("{part}.{key}")),
        );
        fields.retain(|key, value| known.contains(&key.as_str()) && !value.is_null());
    }
    match unknown.first() {
        Some(field) if is_strict => Err(bad(&format!("strict decoding error: unknown field \"{field}\""))),
        _ => Ok(lease),
    }
}

/// What validation says of a Lease.
fn problem(name: &str, lease: &Value) -> Option<Reply> {
    let empty = Map::new();
    let spec = lease["spec"].as_object().unwrap_or(&empty);
    for (key, least, words) in [
        ("leaseDurationSeconds", 1, "must be greater than 0"),
        ("leaseTransitions", 0, "must be greater than or equal to 0"),
    ] {
        if let Some(value) = spec.get(key)
            && value.as_i64().is_none_or(|number| number < least)
        {
            return Some(invalid(name, &format!("spec.{key}: Invalid value: {value}: {words}")));
        }
    }
    for key in ["acquireTime", "renewTime"] {
        if let Some(value) = spec.get(key)
            && !has_six_decimals(value.as_str().unwrap_or_default())
        {
            let words = format!("spec.{key}: parsing time {value} as \"2006-01-02T15:04:05.000000Z07:00\"");
            return Some(invalid(name, &words));
        }
    }
    None
}

fn has_six_decimals(text: &str) -> bool {
    let decimals =
        text.strip_suffix('Z').and_then(|text| text.rsplit_once('.')).map(|(_, decimals)| decimals);
    decimals.is_some_and(|decimals| decimals.len() == 6) && text.parse::<jiff::Timestamp>().is_ok()
}
