//! What a Pushgateway wants to see. This one refuses, and quotes what it was shown.

use exorun::emulator::Options;

use crate::canary::Canary;
use crate::scene::{Ends, Scene};
use crate::scripted_service::{ScriptedService, Seen};

fn quoting(seen: &Seen, _: usize) -> (u16, String) {
    let shown = seen.headers.iter().find(|(name, _)| name == "authorization");
    (400, shown.map_or("nothing was shown".to_owned(), |(_, value)| format!("no way with {value} here")))
}

async fn scene(ends: Ends) -> Scene {
    let mut scene = Scene::new(ends, Options::default()).await;
    let gateway = ScriptedService::start(quoting).await;
    let authorities = format!("{}\n{}", scene.tenant.emulator.ca_pem(), gateway.ca_pem);
    std::fs::write(scene.tenant.path("ca.pem"), authorities).unwrap();
    scene.variables.push(("EXORUN_PUSHGATEWAY_URL", gateway.endpoint.clone()));
    scene.variables.push(("EXORUN_PUSH_EMULATED", "true".to_owned()));
    scene.by(
        "{method: client_secret, client_id: 11111111-2222-3333-4444-555555555555, credential: {env: EXORUN_CLIENT_SECRET}}",
    );
    // It was shown, and what it says of it is told without it.
    scene.says = Some("*** here");
    scene.gateway = Some(gateway);
    scene
}

pub(crate) async fn token(ends: Ends) -> Option<Scene> {
    let mut scene = scene(ends).await;
    let file = scene.file("push-token", Canary::plain("the token of a Pushgateway"));
    scene.variables.push(("EXORUN_PUSHGATEWAY_TOKEN_FILE", file.display().to_string()));
    Some(scene)
}

pub(crate) async fn password(ends: Ends) -> Option<Scene> {
    let mut scene = scene(ends).await;
    let password = Canary::plain("the password of a Pushgateway");
    let file = scene.planted_file("push-password", &format!("anna:{}\n", password.text));
    scene.canaries.push(password);
    scene.variables.push(("EXORUN_PUSHGATEWAY_BASIC_AUTH_FILE", file.display().to_string()));
    Some(scene)
}
