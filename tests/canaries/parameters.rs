//! Secrets of a job's steps.

use exorun::emulator::Options;

use crate::canary::Canary;
use crate::program::CLIENT_SECRET;
use crate::scene::{Ends, Scene};

/// A `SecureString` from the environment and a `PSCredential` from a file: sent encrypted.
pub(crate) async fn secret_parameters(ends: Ends) -> Option<Scene> {
    let mut scene = Scene::new(ends, Options::default()).await;
    scene.by(
        "{method: client_secret, client_id: 11111111-2222-3333-4444-555555555555, credential: {env: EXORUN_CLIENT_SECRET}}",
    );
    scene.canaries.push(Canary::of("the client secret", CLIENT_SECRET));
    scene.variable("NEW_PASSWORD", Canary::new("a new password"));
    scene.file("old-password", Canary::new("an old password"));
    scene.steps.push_str(
        "  - name: password
    for_each: steps.some.items
    on_error: continue
    cmdlet: Set-Mailbox
    parameters:
      Identity: ${{ item.ExternalDirectoryObjectId }}
      Password: {env: NEW_PASSWORD}
  - name: old
    cmdlet: New-MigrationEndpoint
    parameters:
      Name: old
      IMAP: true
      Credentials:
        user_name: anna
        password: {file: old-password}
",
    );
    Some(scene)
}
