//! The life of a token: one login at a time, renewal, replacement, revocation.

use std::time::{Duration, Instant};

use exorun::secrets::SecretSource;
use exorun::secrets::vault::{Login, VaultParts};
use serde_json::{Value, json};

use super::canned::Canned;
use super::client::{Client, client, parts, reference, with_token};
use super::openbao::{OpenBao, ROOT_TOKEN};
use super::stalling::Stalling;

/// Nothing here takes longer; what does hangs.
const HANG: Duration = Duration::from_secs(120);

/// A client whose role has these settings.
async fn by_approle(bao: &OpenBao, role: Value) -> Client {
    by_approle_at(bao, role, &bao.address).await
}

/// The same, that finds OpenBao at this address.
async fn by_approle_at(bao: &OpenBao, mut role: Value, address: &str) -> Client {
    bao.write("secret/data/app", json!({"data": {"a": "canary"}})).await;
    bao.policy("reader", r#"path "secret/data/app" { capabilities = ["read"] }"#).await;
    role["token_policies"] = json!("reader");
    let (role_id_file, secret_id_file) = bao.approle("app", role).await;
    let login = Login::AppRole { role_id_file, secret_id_file, wrapped: false };
    client(VaultParts { address: address.to_owned(), ..parts(bao, login) })
}

fn counted(client: &Client, family: &str) -> u64 {
    let series = format!(r#"exorun_vault_{family}_total{{outcome="ok",emulated="true"}} "#);
    client.metrics.encode().lines().find_map(|line| line.strip_prefix(&series)?.parse().ok()).unwrap_or(0)
}

/// Waits until so many logins or renewals are counted, and reads all the while: no read may fail.
async fn reads_until(client: &Client, family: &str, count: u64) {
    let end = Instant::now() + HANG;
    while counted(client, family) < count {
        assert!(Instant::now() < end, "waited in vain for {count} {family}: {}", client.metrics.encode());
        client.secrets.read(&reference("secret", "app")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    client.secrets.read(&reference("secret", "app")).await.unwrap();
}

#[tokio::test]
async fn many_askers_cause_one_login() {
    let Some(bao) = OpenBao::start("vault: many_askers_cause_one_login").await else { return };
    let client = by_approle(&bao, json!({})).await;
    let place = reference("secret", "app");
    let reads = futures_util::future::join_all((0..20).map(|_| client.secrets.read(&place))).await;
    assert!(reads.iter().all(Result::is_ok));
    assert_eq!(counted(&client, "logins"), 1);
    assert_eq!(bao.logins("approle").await.len(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_and_at_its_maximum_replaced() {
    let Some(bao) = OpenBao::start("vault: a_token_is_renewed").await else { return };
    let client = by_approle(&bao, json!({"token_ttl": "5s", "token_max_ttl": "8s"})).await;
    client.secrets.read(&reference("secret", "app")).await.unwrap();
    let first = bao.logins("approle").await[0]["accessor"].clone();
    // Renewed by itself, while nobody asks for anything.
    let end = Instant::now() + HANG;
    while counted(&client, "renewals") < 1 {
        assert!(Instant::now() < end, "it is not renewed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(counted(&client, "logins"), 1);
    assert_eq!(bao.logins("approle").await[0]["accessor"], first, "the same token");
    reads_until(&client, "logins", 2).await;
    client.vault.close(Duration::from_secs(20)).await;
    assert_eq!(bao.logins("approle").await, Vec::<Value>::new(), "the old one and the new one are gone");
    assert!(
        client.metrics.encode().contains("exorun_vault_token_expiry_timestamp_seconds{emulated=\"true\"} 0")
    );
}

#[tokio::test]
async fn what_cannot_be_renewed_is_replaced_in_time() {
    let Some(bao) = OpenBao::start("vault: what_cannot_be_renewed").await else { return };
    // Batch tokens can neither be renewed nor revoked.
    let client = by_approle(&bao, json!({"token_type": "batch", "token_ttl": "3s"})).await;
    reads_until(&client, "logins", 3).await;
    assert_eq!(counted(&client, "renewals"), 0);
    client.vault.close(Duration::from_secs(20)).await;
    let counted_use = by_approle(&bao, json!({"token_num_uses": 3, "token_type": "service"})).await;
    // A token that is used up is replaced once it is refused.
    reads_until(&counted_use, "logins", 3).await;
}

/// Waits until a request is stuck, and reads then: nobody waits for it who has a good token. The end does not either.
async fn nobody_waits(stalling: &Stalling, client: &Client) {
    let end = Instant::now() + HANG;
    while stalling.stuck() == 0 {
        assert!(Instant::now() < end, "nothing was to be done about the token");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..5 {
        let place = reference("secret", "app");
        let read = tokio::time::timeout(Duration::from_secs(2), client.secrets.read(&place)).await;
        read.expect("a read waits for it").unwrap();
    }
    assert_eq!(stalling.stuck(), 1);
    let began = Instant::now();
    client.vault.close(Duration::from_secs(1)).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_login_that_hangs_keeps_nobody_waiting_whose_token_is_good() {
    let Some(bao) = OpenBao::start("vault: a_login_that_hangs").await else { return };
    let stalling = Stalling::start(&bao.address, "/v1/auth/approle/login").await;
    // At ten seconds it is to be replaced.
    let role = json!({"token_type": "batch", "token_ttl": "15s"});
    let client = by_approle_at(&bao, role, &stalling.address).await;
    client.secrets.read(&reference("secret", "app")).await.unwrap();
    stalling.begin();
    nobody_waits(&stalling, &client).await;
}

#[tokio::test]
async fn a_renewal_that_hangs_keeps_nobody_waiting_and_the_token_is_revoked() {
    let Some(bao) = OpenBao::start("vault: a_renewal_that_hangs").await else { return };
    let stalling = Stalling::start(&bao.address, "/v1/auth/token/renew-self").await;
    let client = by_approle_at(&bao, json!({"token_ttl": "15s"}), &stalling.address).await;
    client.secrets.read(&reference("secret", "app")).await.unwrap();
    stalling.begin();
    assert_eq!(bao.logins("approle").await.len(), 1);
    nobody_waits(&stalling, &client).await;
    assert_eq!(bao.logins("approle").await, Vec::<Value>::new(), "it is revoked in time all the same");
}

#[tokio::test]
async fn a_token_that_somebody_revoked_is_replaced_once() {
    let Some(bao) = OpenBao::start("vault: a_token_that_somebody_revoked").await else { return };
    let client = by_approle(&bao, json!({})).await;
    for logins in 1..=2 {
        client.secrets.read(&reference("secret", "app")).await.unwrap();
        assert_eq!(counted(&client, "logins"), logins);
        let alive = bao.logins("approle").await;
        assert_eq!(alive.len(), 1);
        bao.write("auth/token/revoke-accessor", json!({"accessor": alive[0]["accessor"]})).await;
    }
    // What the policies forbid is no reason to log in again.
    client.secrets.read(&reference("secret", "app")).await.unwrap();
    assert!(client.secrets.read(&reference("secret", "other")).await.is_err());
    assert_eq!(counted(&client, "logins"), 3);
}

#[tokio::test]
async fn what_a_given_token_leased_is_given_back() {
    let Some(bao) = OpenBao::start("vault: what_a_given_token_leased").await else { return };
    // Users of a message broker that live as long as their lease; all that OpenBao asks of it is one answer.
    let broker = Canned::start(|_| ("application/json", "{}".to_owned())).await;
    bao.mount("rabbitmq", "rabbitmq", json!({})).await;
    let connection = json!({
        "connection_uri": broker.address, "username": "a", "password": "b", "verify_connection": false
    });
    bao.write("rabbitmq/config/connection", connection).await;
    bao.write("rabbitmq/roles/app", json!({"tags": "management"})).await;
    let client = with_token(&bao, &bao.file(ROOT_TOKEN));
    let leased = client.vault_read("rabbitmq", "creds/app").await.unwrap();
    assert!(leased.get("username").is_some() && leased.get("password").is_some(), "engines are read by path");
    let deleted =
        || broker.requests().iter().filter(|request| request.starts_with("DELETE /api/users/")).count();
    assert_eq!(deleted(), 0);
    client.vault.close(Duration::from_secs(20)).await;
    let end = Instant::now() + HANG;
    while deleted() == 0 {
        assert!(Instant::now() < end, "the lease is not revoked: {:?}", broker.requests());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
