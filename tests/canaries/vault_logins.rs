//! What opens Vault, by each way to log in that has something of its own to hide.

use exorun::emulator::Options;
use serde_json::json;

use crate::canary::Canary;
use crate::issuer::Issuer;
use crate::openbao::OpenBao;
use crate::scene::{Ends, Scene};
use crate::vault::furnished;

/// Of another issuer; to end badly, for another audience.
pub(crate) async fn jwt(ends: Ends) -> Option<Scene> {
    let bao = OpenBao::start("a_jwt_for_vault").await?;
    let mut scene = Scene::new(ends, Options::default()).await;
    furnished(&mut scene, &bao).await;
    let issuer = Issuer::new();
    bao.auth("jwt").await;
    bao.write("auth/jwt/config", json!({"jwt_validation_pubkeys": [issuer.public_key]})).await;
    let role = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": "reader"
    });
    bao.write("auth/jwt/role/runner", role).await;
    let audience = if ends == Ends::Well { "vault" } else { "somebody-else" };
    let token = issuer.token(json!({"sub": "runner-1", "aud": audience}));
    let mut parts = token.split('.').skip(1);
    scene.canaries.push(Canary::of("the claims of a JWT for Vault", parts.next().unwrap()));
    scene.canaries.push(Canary::of("the signature of a JWT for Vault", parts.next().unwrap()));
    let file = scene.planted_file("vault-jwt", &token);
    scene.variables.push(("EXORUN_VAULT_AUTH", "jwt".to_owned()));
    scene.variables.push(("EXORUN_VAULT_ROLE", "runner".to_owned()));
    scene.variables.push(("EXORUN_VAULT_JWT_FILE", file.display().to_string()));
    scene.vault = Some(bao);
    Some(scene)
}

/// To end badly, the role is another.
pub(crate) async fn client_key(ends: Ends) -> Option<Scene> {
    let bao = OpenBao::start_tls("a_client_key_for_vault").await?;
    let mut scene = Scene::new(ends, Options::default()).await;
    furnished(&mut scene, &bao).await;
    bao.mount("pki", "pki", json!({})).await;
    let root = json!({"common_name": "an authority of a test", "ttl": "24h"});
    let authority = bao.write("pki/root/generate/internal", root).await;
    let role = json!({"allow_any_name": true, "enforce_hostnames": false, "client_flag": true});
    bao.write("pki/roles/runner", role).await;
    bao.auth("cert").await;
    let role = json!({"certificate": authority["data"]["certificate"], "token_policies": "reader"});
    bao.write("auth/cert/certs/runner", role).await;
    let issued = bao.write("pki/issue/runner", json!({"common_name": "exorun", "ttl": "1h"})).await;
    let text = |name: &str| format!("{}\n", issued["data"][name].as_str().unwrap());
    let certificate = scene.planted_file("vault-client.pem", &text("certificate"));
    let key = scene.file("vault-client.key", Canary::key("the client key for Vault", &text("private_key")));
    let role = if ends == Ends::Well { "runner" } else { "other" };
    scene.variables.push(("EXORUN_VAULT_AUTH", "cert".to_owned()));
    scene.variables.push(("EXORUN_VAULT_ROLE", role.to_owned()));
    scene.variables.push(("EXORUN_VAULT_CERTIFICATE_FILE", certificate.display().to_string()));
    scene.variables.push(("EXORUN_VAULT_KEY_FILE", key.display().to_string()));
    scene.vault = Some(bao);
    Some(scene)
}

/// What a secret id travels in; to end badly, somebody has opened it.
pub(crate) async fn wrapping_token(ends: Ends) -> Option<Scene> {
    let bao = OpenBao::start("a_wrapping_token_of_vault").await?;
    let mut scene = Scene::new(ends, Options::default()).await;
    furnished(&mut scene, &bao).await;
    let (role_id, _) = bao.approle("exorun", json!({"token_policies": ["reader"]})).await;
    let token = bao.wrapped("auth/approle/role/exorun/secret-id", json!({})).await;
    if ends == Ends::Badly {
        bao.write("sys/wrapping/unwrap", json!({"token": token})).await;
    }
    let file = scene.file("wrapped-secret-id", Canary::of("a wrapping token", &token));
    scene.variables.push(("EXORUN_VAULT_AUTH", "approle".to_owned()));
    scene.variables.push(("EXORUN_VAULT_ROLE_ID_FILE", role_id.display().to_string()));
    scene.variables.push(("EXORUN_VAULT_SECRET_ID_FILE", file.display().to_string()));
    scene.variables.push(("EXORUN_VAULT_SECRET_ID_WRAPPED", "true".to_owned()));
    scene.vault = Some(bao);
    Some(scene)
}
