//! Private keys, and what locks them.

use std::path::Path;

use exorun::emulator::Options;

use crate::canary::Canary;
use crate::components;
use crate::openssl::{openssl, pair, text};
use crate::scene::{Ends, Scene};

const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";

/// A tenant that knows the certificate of `own` in the folder.
async fn scene(ends: Ends, test: &str) -> Option<(Scene, tempfile::TempDir)> {
    if !components::has("openssl", test) {
        return None;
    }
    let made = tempfile::tempdir().unwrap();
    pair(made.path(), "own");
    let certificates = vec![text(made.path(), "own.crt")];
    Some((Scene::new(ends, Options { certificates, ..Options::default() }).await, made))
}

/// Key and certificate in one text.
fn both(folder: &Path, name: &str) -> String {
    format!("{}{}", text(folder, &format!("{name}.key")), text(folder, &format!("{name}.crt")))
}

pub(crate) async fn key_in_a_file(ends: Ends) -> Option<Scene> {
    let (mut scene, made) = scene(ends, "a_private_key_in_a_file").await?;
    let key = Canary::key("the private key", &text(made.path(), "own.key"));
    scene.planted_file("own.pem", &both(made.path(), "own"));
    scene.canaries.push(key);
    scene.by(&format!("{{method: certificate, client_id: {CLIENT_ID}, credential: {{file: own.pem}}}}"));
    Some(scene)
}

/// To end badly, one that the tenant does not know: the refusal names its thumbprint.
pub(crate) async fn key_in_the_environment(ends: Ends) -> Option<Scene> {
    let (mut scene, made) = scene(ends, "a_private_key_in_the_environment").await?;
    pair(made.path(), "other");
    let name = if ends == Ends::Well { "own" } else { "other" };
    scene.canaries.push(Canary::key("the private key", &text(made.path(), &format!("{name}.key"))));
    scene.variables.push(("CANARY_KEY", both(made.path(), name)));
    scene.by(&format!("{{method: certificate, client_id: {CLIENT_ID}, credential: {{env: CANARY_KEY}}}}"));
    Some(scene)
}

/// To end badly, a wrong one.
pub(crate) async fn pfx_password(ends: Ends) -> Option<Scene> {
    let (mut scene, made) = scene(ends, "the_password_of_a_pfx_file").await?;
    let right = Canary::plain("the password of the PFX file");
    let made = made.path();
    openssl(
        made,
        &format!("pkcs12 -export -inkey own.key -in own.crt -passout pass:{} -out own.pfx", right.text),
    );
    std::fs::copy(made.join("own.pfx"), scene.tenant.path("own.pfx")).unwrap();
    scene.canaries.push(Canary::key("the private key", &text(made, "own.key")));
    let password = if ends == Ends::Well { right } else { Canary::new("a wrong password of the PFX file") };
    scene.variable("PFX_PASSWORD", password);
    scene.by(&format!(
        "{{method: certificate, client_id: {CLIENT_ID}, credential: {{file: own.pfx}}, certificate_password: {{env: PFX_PASSWORD}}}}"
    ));
    Some(scene)
}
