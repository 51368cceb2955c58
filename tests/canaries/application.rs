//! Secrets of applications.

use exorun::emulator::{Options, stand_in};
use serde_json::json;

use crate::canary::Canary;
use crate::program::CLIENT_SECRET;
use crate::responder::serve;
use crate::scene::{Ends, Scene};

const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";

/// The emulator's own secret, or one that it refuses: an answer that quotes what was sent would show it.
fn secret(ends: Ends) -> Canary {
    match ends {
        Ends::Well => Canary::of("the client secret", CLIENT_SECRET),
        Ends::Badly => Canary::new("a wrong client secret"),
    }
}

pub(crate) async fn client_secret_in_the_environment(ends: Ends) -> Option<Scene> {
    let mut scene = Scene::new(ends, Options::default()).await;
    scene.by(&format!(
        "{{method: client_secret, client_id: {CLIENT_ID}, credential: {{env: CANARY_SECRET}}}}"
    ));
    scene.variable("CANARY_SECRET", secret(ends));
    Some(scene)
}

pub(crate) async fn client_secret_in_a_file(ends: Ends) -> Option<Scene> {
    let mut scene = Scene::new(ends, Options::default()).await;
    scene.by(&format!("{{method: client_secret, client_id: {CLIENT_ID}, credential: {{file: secret}}}}"));
    // Right at sign-in, so that the faults of the service are met too.
    scene.file("secret", Canary::of("the client secret", CLIENT_SECRET));
    Some(scene)
}

/// A ready token; to end badly, one whose end is cut off.
pub(crate) async fn access_token(ends: Ends) -> Option<Scene> {
    let mut scene = Scene::new(ends, Options::default()).await;
    let scope = "https://outlook.office365.com/.default";
    let token = scene.tenant.emulator.access_token(scope, CLIENT_ID, None).unwrap();
    let token = if ends == Ends::Well { token } else { token[..token.len() - 9].to_owned() };
    // What a token begins with is looked for in every scene; its signature is its own.
    scene.canaries.push(Canary::of("the signature of a ready token", token.rsplit('.').next().unwrap()));
    scene.canaries.push(Canary::of("the claims of a ready token", token.split('.').nth(1).unwrap()));
    scene.planted_file("token", &token);
    scene.by("{method: access_token, credential: {file: token}}");
    Some(scene)
}

/// The token of another issuer, by which a workload signs in; to end badly, one whose end is cut off.
pub(crate) async fn federated_token(ends: Ends) -> Option<Scene> {
    let federated = vec![stand_in::federated_credential()];
    let mut scene = Scene::new(ends, Options { federated, ..Options::default() }).await;
    let token = scene.tenant.emulator.federated_token();
    let token = if ends == Ends::Well { token } else { token[..token.len() - 9].to_owned() };
    scene.canaries.push(Canary::of("the signature of a federated token", token.rsplit('.').next().unwrap()));
    scene.canaries.push(Canary::of("the claims of a federated token", token.split('.').nth(1).unwrap()));
    scene.planted_file("federated", &token);
    scene.by(&format!("{{method: workload_identity, client_id: {CLIENT_ID}, token_file: federated}}"));
    Some(scene)
}

/// What a workflow of GitHub gets its token with; to end badly, whoever is asked quotes it.
pub(crate) async fn request_token_of_a_workflow(ends: Ends) -> Option<Scene> {
    let federated = vec![stand_in::federated_credential()];
    let mut scene = Scene::new(ends, Options { federated, ..Options::default() }).await;
    let request_token = Canary::plain("the request token of a workflow");
    let token = scene.tenant.emulator.federated_token();
    scene.canaries.push(Canary::of("the signature of a federated token", token.rsplit('.').next().unwrap()));
    let answer = match ends {
        Ends::Well => (200, json!({"count": 1, "value": token}).to_string()),
        Ends::Badly => (403, json!({"message": format!("{} may not", request_token.text)}).to_string()),
    };
    let (url, _) = serve(vec![answer]).await;
    scene.variables.push(("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{url}/token?api-version=2.0")));
    scene.variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", request_token);
    scene.by(&format!("{{method: workload_identity, client_id: {CLIENT_ID}}}"));
    Some(scene)
}

/// By which App Service knows its own workloads; to end badly, a wrong one.
pub(crate) async fn header_of_a_machine(ends: Ends) -> Option<Scene> {
    let mut scene = Scene::new(ends, Options::default()).await;
    let header = match ends {
        Ends::Well => Canary::of("the header of a machine", &scene.tenant.emulator.identity_header()),
        Ends::Badly => Canary::plain("a wrong header of a machine"),
    };
    let endpoint = format!("{}/msi/token", scene.tenant.emulator.identity_endpoint());
    scene.variables.push(("IDENTITY_ENDPOINT", endpoint));
    scene.variable("IDENTITY_HEADER", header);
    scene.by("{method: managed_identity}");
    Some(scene)
}
