//! Secrets of applications.

use exorun::emulator::Options;

use crate::canary::Canary;
use crate::program::CLIENT_SECRET;
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
