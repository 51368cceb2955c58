//! What there is, for clients that ask before they begin, as kubectl does.

use serde_json::{Value, json};

use super::objects::{Reply, status};

pub(crate) fn answer(path: &str) -> Reply {
    let version = json!({"groupVersion": "coordination.k8s.io/v1", "version": "v1"});
    let group = json!({"name": "coordination.k8s.io", "versions": [version], "preferredVersion": version});
    match path.trim_end_matches('/') {
        "/version" => {
            (200, json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0", "platform": "linux/amd64"}))
        }
        "/api" => (200, json!({"kind": "APIVersions", "versions": ["v1"]})),
        "/api/v1" => (200, resources("v1", json!([]))),
        "/apis" => (200, json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]})),
        "/apis/coordination.k8s.io/v1" => {
            let verbs = ["create", "delete", "get", "list", "patch", "update"];
            let leases = json!({"name": "leases", "singularName": "lease", "namespaced": true, "kind": "Lease", "verbs": verbs});
            (200, resources("coordination.k8s.io/v1", json!([leases])))
        }
        _ => status(404, "NotFound", "the server could not find the requested resource"),
    }
}

fn resources(version: &str, resources: Value) -> Value {
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources})
}
