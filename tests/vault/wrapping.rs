//! Response wrapping: of the secret id, and of what is read.

use std::time::Duration;

use exorun::secrets::vault::Login;
use exorun::secrets::{SecretErrorKind, SecretSource};
use secrecy::ExposeSecret;
use serde_json::json;

use super::client::{assert_told, client, parts, place, reference, with_token};
use super::openbao::OpenBao;

const WRONG: SecretErrorKind = SecretErrorKind::Wrong;

#[tokio::test]
async fn a_wrapped_secret_id_is_opened_once_and_a_stolen_one_is_told() {
    let Some(bao) = OpenBao::start("vault: a_wrapped_secret_id").await else { return };
    bao.write("secret/data/app", json!({"data": {"a": "canary"}})).await;
    bao.policy("reader", r#"path "secret/data/app" { capabilities = ["read"] }"#).await;
    let role = json!({"token_policies": "reader", "token_ttl": "2s", "token_max_ttl": "2s"});
    let (role_id_file, _) = bao.approle("app", role).await;
    let secret_id_file = bao.file(&bao.wrapped("auth/approle/role/app/secret-id", json!({})).await);
    let login = Login::AppRole { role_id_file, secret_id_file: secret_id_file.clone(), wrapped: true };
    let first = client(parts(&bao, login.clone()));
    first.vault_read("secret", "app").await.unwrap();
    // Further logins use what was in it.
    bao.write("auth/token/revoke-accessor", json!({"accessor": bao.logins("approle").await[0]["accessor"]}))
        .await;
    first.vault_read("secret", "app").await.unwrap();
    assert!(first.metrics.encode().contains(r#"exorun_vault_logins_total{outcome="ok",emulated="true"} 2"#));
    first.vault.close(Duration::from_secs(20)).await;
    // A second process, or a thief before it, finds it opened.
    let second = client(parts(&bao, login.clone()));
    let opened = second.vault_read("secret", "app").await.err().unwrap();
    assert_told(&opened, WRONG, &["does not open any more", "unwrapped already", "stolen"]);
    // Nor is a token that wraps something else taken for one.
    std::fs::write(&secret_id_file, bao.wrapped("sys/wrapping/wrap", json!({"secret_id": "canary"})).await)
        .unwrap();
    let exchanged = second.vault_read("secret", "app").await.err().unwrap();
    assert_told(&exchanged, WRONG, &["wraps an answer of `sys/wrapping/wrap`", "exchanged by somebody"]);
    std::fs::write(&secret_id_file, bao.wrapped("auth/approle/role/app/secret-id", json!({})).await).unwrap();
    second.vault_read("secret", "app").await.unwrap();
    second.vault.close(Duration::from_secs(20)).await;
}

#[tokio::test]
async fn what_is_read_travels_wrapped_if_that_is_wished() {
    let Some(bao) = OpenBao::start("vault: what_is_read_travels_wrapped").await else { return };
    bao.mount("old", "kv", json!({"version": "1"})).await;
    bao.write("old/app", json!({"a": "canary-1"})).await;
    bao.write("secret/data/app", json!({"data": {"a": "canary-2"}})).await;
    bao.policy(
        "wrapper",
        r#"path "secret/data/*" { capabilities = ["read"] min_wrapping_ttl = "5s" }
           path "old/*" { capabilities = ["read"] }"#,
    )
    .await;
    let file = bao.token_file(&["wrapper"]).await;
    let bare = with_token(&bao, &file).vault_read("secret", "app").await.err().unwrap();
    assert_told(&bare, WRONG, &["permission denied"]);
    let mut parts = parts(&bao, Login::Token { file });
    parts.wrap_ttl = Some(Duration::from_secs(30));
    let client = client(parts);
    for (mount, value) in [("secret", "canary-2"), ("old", "canary-1")] {
        let text = client.secrets.text(&reference(mount, "app"), "a").await.unwrap();
        assert_eq!(text.expose_secret(), value);
    }
    assert_eq!(client.vault_read("secret", "app").await.unwrap().version, Some(1));
    let nothing = client.secrets.read(&exorun::spec::job::CredentialRef::Vault(place("secret", "no"))).await;
    assert_told(&nothing.err().unwrap(), SecretErrorKind::Absent, &["there is no secret at this path"]);
}
