//! Secrets in Vault, and those that open Vault; a real OpenBao holds them.

use exorun::emulator::Options;
use serde_json::json;

use crate::canary::Canary;
use crate::openbao::OpenBao;
use crate::program::CLIENT_SECRET;
use crate::scene::{Ends, Scene};

const READER: &str = "path \"secret/data/exo/*\" { capabilities = [\"read\"] }";

/// A client secret and a parameter's secret in Vault; how to log in is still open.
async fn scene(ends: Ends, test: &str) -> Option<Scene> {
    let bao = OpenBao::start(test).await?;
    let mut scene = Scene::new(ends, Options::default()).await;
    furnished(&mut scene, &bao).await;
    scene.vault = Some(bao);
    Some(scene)
}

/// Puts them there, and has the job use them; the policy `reader` may read them.
pub(crate) async fn furnished(scene: &mut Scene, bao: &OpenBao) {
    let secret = Canary::of("the client secret", CLIENT_SECRET);
    let password = Canary::new("a new password");
    bao.policy("reader", READER).await;
    bao.write("secret/data/exo/contoso", json!({"data": {"client_secret": secret.text}})).await;
    bao.write("secret/data/exo/people", json!({"data": {"anna": password.text}})).await;
    scene.canaries.extend([secret, password]);
    scene.by(
        "{method: client_secret, client_id: 11111111-2222-3333-4444-555555555555, credential: {vault: {path: exo/contoso}}}",
    );
    scene.steps.push_str(
        "  - name: password
    cmdlet: Set-Mailbox
    parameters:
      Identity: ${{ steps.some.first.ExternalDirectoryObjectId }}
      Password: ${{ secret(\"secret/exo/people#anna\") }}
",
    );
    scene.variables.extend(bao.environment());
}

pub(crate) async fn token(ends: Ends) -> Option<Scene> {
    let mut scene = scene(ends, "a_token_of_vault").await?;
    let bao = scene.vault.as_ref()?;
    let token = match ends {
        Ends::Well => Canary::of("the token of Vault", &bao.token(&["reader"]).await),
        // It may read nothing: what Vault says of that is told.
        Ends::Badly => Canary::of("a token of Vault without rights", &bao.token(&["default"]).await),
    };
    let file = scene.file("vault-token", token);
    scene.variables.push(("EXORUN_VAULT_AUTH", "token".to_owned()));
    scene.variables.push(("EXORUN_VAULT_TOKEN_FILE", file.display().to_string()));
    Some(scene)
}

pub(crate) async fn secret_id(ends: Ends) -> Option<Scene> {
    let mut scene = scene(ends, "a_secret_id_of_vault").await?;
    let bao = scene.vault.as_ref()?;
    let (role_id, secret_id) = bao.approle("exorun", json!({"token_policies": ["reader"]})).await;
    let secret_id = match ends {
        Ends::Well => Canary::of("the secret id", &std::fs::read_to_string(secret_id).unwrap()),
        Ends::Badly => Canary::new("a wrong secret id"),
    };
    let file = scene.file("secret-id", secret_id);
    scene.variables.push(("EXORUN_VAULT_AUTH", "approle".to_owned()));
    scene.variables.push(("EXORUN_VAULT_ROLE_ID_FILE", role_id.display().to_string()));
    scene.variables.push(("EXORUN_VAULT_SECRET_ID_FILE", file.display().to_string()));
    Some(scene)
}

/// The login works, and the service fails: all that Vault gave is in hand by then.
pub(crate) async fn token_of_a_login(ends: Ends) -> Option<Scene> {
    let mut scene = scene(ends, "a_token_of_a_login_to_vault").await?;
    let bao = scene.vault.as_ref()?;
    let (role_id, secret_id) = bao.approle("exorun", json!({"token_policies": ["reader"]})).await;
    scene.canaries.push(Canary::of("the secret id", &std::fs::read_to_string(&secret_id).unwrap()));
    scene.variables.push(("EXORUN_VAULT_AUTH", "approle".to_owned()));
    scene.variables.push(("EXORUN_VAULT_ROLE_ID_FILE", role_id.display().to_string()));
    scene.variables.push(("EXORUN_VAULT_SECRET_ID_FILE", secret_id.display().to_string()));
    Some(scene)
}

/// The job says only where; the secret's fields say what it is.
pub(crate) async fn declared(ends: Ends) -> Option<Scene> {
    let mut scene = token(ends).await?;
    let client_id = "11111111-2222-3333-4444-555555555555";
    let fields = json!({"data": {"client_secret": CLIENT_SECRET, "client_id": client_id}});
    scene.vault.as_ref()?.write("secret/data/exo/contoso", fields).await;
    scene.by("{method: vault, path: exo/contoso}");
    Some(scene)
}
