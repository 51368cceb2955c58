//! OpenBao cannot answer, or is not who answers.

use std::time::Duration;

use exorun::exchange::trust;
use exorun::secrets::vault::Login;
use exorun::secrets::{SecretErrorKind, SecretSource};
use serde_json::json;

use super::canned::Canned;
use super::client::{assert_told, client, parts, reference, with_token};
use super::openbao::{OpenBao, ROOT_TOKEN};

const UNAVAILABLE: SecretErrorKind = SecretErrorKind::Unavailable;

#[tokio::test]
async fn a_sealed_one_is_waited_for_as_long_as_the_policy_says() {
    let Some(bao) = OpenBao::start("vault: a_sealed_one").await else { return };
    bao.write("secret/data/app", json!({"data": {"a": "canary"}})).await;
    let file = bao.file(ROOT_TOKEN);
    let client_before = with_token(&bao, &file);
    client_before.vault_read("secret", "app").await.unwrap();
    bao.seal().await;
    let sealed = client_before.vault_read("secret", "app").await.err().unwrap();
    assert_told(&sealed, UNAVAILABLE, &["Vault is sealed: somebody has to unseal it", &bao.address]);
    let login = with_token(&bao, &file).vault_read("secret", "app").await.err().unwrap();
    assert_told(&login, UNAVAILABLE, &["unseal it"]);
    // One that is patient gets its secret when somebody has unsealed it.
    let mut patient = parts(&bao, Login::Token { file });
    patient.retry.attempts_max = 200;
    patient.retry.total_max = Duration::from_secs(60);
    let patient = client(patient);
    let place = reference("secret", "app");
    let (read, ()) = tokio::join!(patient.secrets.read(&place), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        bao.unseal().await;
    });
    read.unwrap();
}

#[tokio::test]
async fn a_dead_one_is_told_with_its_address() {
    let Some(mut bao) = OpenBao::start("vault: a_dead_one").await else { return };
    bao.write("secret/data/app", json!({"data": {"a": "canary"}})).await;
    bao.policy("reader", r#"path "secret/data/app" { capabilities = ["read"] }"#).await;
    let (role_id_file, secret_id_file) = bao.approle("app", json!({"token_policies": "reader"})).await;
    let client = client(parts(&bao, Login::AppRole { role_id_file, secret_id_file, wrapped: false }));
    client.vault_read("secret", "app").await.unwrap();
    bao.kill().await;
    let dead = client.vault_read("secret", "app").await.err().unwrap();
    assert_told(
        &dead,
        UNAVAILABLE,
        &["credential vault:secret/app", "no answer from Vault at", &bao.address],
    );
    // It cannot revoke its token, and does not hang over it.
    client.vault.close(Duration::from_secs(20)).await;
}

#[tokio::test]
async fn whoever_is_not_vouched_for_gets_no_token() {
    let Some(bao) = OpenBao::start_tls("vault: whoever_is_not_vouched_for").await else { return };
    bao.write("secret/data/app", json!({"data": {"a": "canary"}})).await;
    let file = bao.file(ROOT_TOKEN);
    with_token(&bao, &file).vault_read("secret", "app").await.unwrap();
    let mut stranger = parts(&bao, Login::Token { file: file.clone() });
    stranger.tls = trust::client_config(None).unwrap();
    let untrusted = client(stranger).vault_read("secret", "app").await.err().unwrap();
    assert_told(
        &untrusted,
        SecretErrorKind::Wrong,
        &["nobody vouches for the certificate", "`vault_ca_file`"],
    );
    let mut plain = parts(&bao, Login::Token { file });
    plain.address = bao.address.replace("https", "http");
    let plain = client(plain).vault_read("secret", "app").await.err().unwrap();
    assert_told(&plain, SecretErrorKind::Wrong, &["is not Vault", "scheme"]);
}

#[tokio::test]
async fn who_answers_with_a_page_is_not_vault() {
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let page = Canned::start(|_| ("text/html", "<html>canary</html>".to_owned())).await;
    let Some(bao) = OpenBao::start("vault: who_answers_with_a_page").await else { return };
    let mut elsewhere = parts(&bao, Login::Token { file: bao.file(ROOT_TOKEN) });
    elsewhere.address = page.address.clone();
    let error = client(elsewhere).vault_read("secret", "app").await.err().unwrap();
    assert_told(&error, SecretErrorKind::Wrong, &["is not Vault; is `vault_address` right", &page.address]);
}
