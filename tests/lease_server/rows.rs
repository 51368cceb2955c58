//! What an API server does with Leases, a row a test. Each one makes Leases of its own and removes them.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::asking::Server;

fn version(lease: &Value) -> &str {
    lease["metadata"]["resourceVersion"].as_str().unwrap()
}

pub(crate) async fn a_lease_that_exists_is_not_made_again(server: Server) {
    let (name, ..) = server.updated().await;
    let answer = server.create(&name, json!({})).await;
    answer.assert(409, "AlreadyExists");
    assert!(answer.message().contains(&format!("\"{name}\" already exists")), "{}", answer.message());
    server.delete(&name, None).await;
}

pub(crate) async fn an_update_of_the_version_that_was_read_is_accepted(server: Server) {
    let (name, first, last) = server.updated().await;
    assert_ne!(version(&first), version(&last));
    assert_eq!(first["metadata"]["uid"], last["metadata"]["uid"]);
    assert_eq!(server.get(&name).await.body, last);
    server.delete(&name, None).await;
}

pub(crate) async fn an_update_of_an_older_version_is_a_conflict(server: Server) {
    let (name, mut first, last) = server.updated().await;
    first["spec"]["holderIdentity"] = json!("late");
    server.update(&name, &first).await.assert(409, "Conflict");
    assert_eq!(server.get(&name).await.body, last, "and nothing has changed");
    server.delete(&name, None).await;
}

pub(crate) async fn an_update_without_a_version_is_invalid(server: Server) {
    let (name, _, mut last) = server.updated().await;
    last["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    let answer = server.update(&name, &last).await;
    answer.assert(422, "Invalid");
    assert!(answer.message().contains("must be specified for an update"), "{}", answer.message());
    server.delete(&name, None).await;
}

pub(crate) async fn a_merge_patch_of_an_older_version_is_a_conflict(server: Server) {
    let (name, first, last) = server.updated().await;
    let patch = |lease: &Value| json!({"metadata": {"resourceVersion": version(lease)}, "spec": {"holderIdentity": "c"}});
    let kind = "application/merge-patch+json";
    server.patch(&name, kind, patch(&first)).await.assert(409, "Conflict");
    let answer = server.patch(&name, kind, patch(&last)).await;
    assert_eq!((answer.status, &answer.body["spec"]["holderIdentity"]), (200, &json!("c")));
    server.delete(&name, None).await;
}

pub(crate) async fn a_json_patch_whose_test_fails_is_invalid(server: Server) {
    let (name, first, last) = server.updated().await;
    let patch = |lease: &Value| {
        json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": version(lease)},
            {"op": "replace", "path": "/spec/holderIdentity", "value": "c"},
        ])
    };
    let kind = "application/json-patch+json";
    server.patch(&name, kind, patch(&first)).await.assert(422, "Invalid");
    let answer = server.patch(&name, kind, patch(&last)).await;
    assert_eq!((answer.status, &answer.body["spec"]["holderIdentity"]), (200, &json!("c")));
    server.delete(&name, None).await;
}

pub(crate) async fn a_lease_of_no_seconds_is_invalid(server: Server) {
    let (name, _, mut last) = server.updated().await;
    last["spec"]["leaseDurationSeconds"] = json!(0);
    let answer = server.update(&name, &last).await;
    answer.assert(422, "Invalid");
    assert!(answer.message().contains("must be greater than 0"), "{}", answer.message());
    server.delete(&name, None).await;
}

pub(crate) async fn times_have_exactly_six_decimals(server: Server) {
    let (name, _, last) = server.updated().await;
    for field in ["acquireTime", "renewTime"] {
        for bad in ["2026-03-02T09:00:00Z", "2026-03-02T09:00:00.123Z", "2026-03-02T09:00:00.123456789Z"] {
            let mut lease = last.clone();
            lease["spec"][field] = json!(bad);
            let answer = server.update(&name, &lease).await;
            assert_eq!(answer.status, 422, "{field}: {bad}: {}", answer.message());
        }
    }
    let mut lease = last;
    lease["spec"]["renewTime"] = json!("2026-03-02T09:00:00.000000Z");
    assert_eq!(server.update(&name, &lease).await.status, 200);
    server.delete(&name, None).await;
}

pub(crate) async fn a_delete_of_an_older_version_is_a_conflict(server: Server) {
    let (name, first, last) = server.updated().await;
    server.delete(&name, Some(version(&first))).await.assert(409, "Conflict");
    assert_eq!(server.get(&name).await.status, 200);
    assert_eq!(server.delete(&name, Some(version(&last))).await.status, 200);
    server.get(&name).await.assert(404, "NotFound");
}

pub(crate) async fn of_twenty_updates_of_one_version_one_is_accepted(server: Server) {
    let (name, _, last) = server.updated().await;
    let server = std::sync::Arc::new(server);
    let mut updates = JoinSet::new();
    for number in 0..20 {
        let (server, name, mut lease) = (server.clone(), name.clone(), last.clone());
        lease["spec"]["holderIdentity"] = json!(format!("holder-{number}"));
        updates.spawn(async move { server.update(&name, &lease).await.status });
    }
    let mut statuses = updates.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert_eq!(statuses[1..], [409; 19]);
    server.delete(&name, None).await;
}

pub(crate) async fn an_unknown_field_is_refused_if_that_was_asked_for(server: Server) {
    let (name, _, last) = server.updated().await;
    let other = format!("{name}-b");
    let spec = json!({"holderIdentity": "a", "holder": "b"});
    server.create_strictly(&other, spec.clone()).await.assert(400, "BadRequest");
    server.get(&other).await.assert(404, "NotFound");
    let answer = server.create(&other, spec).await;
    assert_eq!((answer.status, &answer.body["spec"]["holder"]), (201, &Value::Null));
    assert_eq!(server.create_strictly(&format!("{name}-c"), last["spec"].clone()).await.status, 201);
    for name in [&name, &other, &format!("{name}-c")] {
        server.delete(name, None).await;
    }
}

pub(crate) async fn whoever_has_no_token_is_forbidden(server: Server) {
    let answer = server.get_without_token("anything").await;
    answer.assert(403, "Forbidden");
    assert!(answer.message().contains("system:anonymous"), "{}", answer.message());
}

/// Leases may be made by an update: only the uid of what was read keeps a deleted one from coming back.
pub(crate) async fn an_update_of_a_deleted_lease_is_a_conflict(server: Server) {
    let (name, _, last) = server.updated().await;
    server.delete(&name, None).await;
    server.update(&name, &last).await.assert(409, "Conflict");
    server.get(&name).await.assert(404, "NotFound");
    let mut anew = Server::lease(&name, json!({}));
    anew["metadata"]["labels"] = json!({});
    assert_eq!(server.update(&name, &anew).await.status, 201);
    server.update(&name, &last).await.assert(409, "Conflict");
    server.delete(&name, None).await;
}

pub(crate) async fn a_list_has_what_its_labels_select(server: Server) {
    let (one, _, last) = server.updated().await;
    let (other, ..) = server.updated().await;
    let listed = server.list(&format!("rows%3D{one}")).await;
    let [only] = &listed.body["items"].as_array().unwrap()[..] else { panic!("{listed:?}") };
    assert_eq!((&only["metadata"], &only["spec"]), (&last["metadata"], &last["spec"]));
    let none = server.list(&format!("rows%3D{one},more%3Dyes")).await;
    assert_eq!(none.body["items"], json!([]));
    for name in [one, other] {
        server.delete(&name, None).await;
    }
}

pub(crate) async fn every_answer_says_when(server: Server) {
    let (name, ..) = server.updated().await;
    for answer in [server.get(&name).await, server.get("nobody").await, server.delete(&name, None).await] {
        let date = answer.date.unwrap();
        assert!(date.len() == "Mon, 02 Mar 2026 09:00:00 GMT".len() && date.ends_with(" GMT"), "{date}");
    }
}
