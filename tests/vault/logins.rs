//! Each way to log in, and its refusal beside it.

use std::time::Duration;

use exorun::secrets::vault::Login;
use exorun::secrets::{SecretErrorKind, SecretSource};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::canned::Canned;
use super::client::{Client, assert_told, client, parts, reference, with_token};
use super::issuer::Issuer;
use super::openbao::OpenBao;

const WRONG: SecretErrorKind = SecretErrorKind::Wrong;

/// A secret, and the policy `reader` that may read it.
async fn furnish(bao: &OpenBao) {
    bao.write("secret/data/app", json!({"data": {"client_secret": "canary-client-secret"}})).await;
    bao.policy("reader", r#"path "secret/data/app" { capabilities = ["read"] }"#).await;
}

/// It reads, and leaves no token behind.
async fn assert_reads(bao: &OpenBao, client: &Client, kind: &str) {
    let text = client.secrets.text(&reference("secret", "app"), "client_secret").await;
    assert_eq!(text.unwrap().expose_secret(), "canary-client-secret");
    assert_eq!(bao.logins(kind).await.len(), 1);
    client.vault.close(Duration::from_secs(20)).await;
    assert_eq!(bao.logins(kind).await, Vec::<Value>::new(), "the token is revoked");
}

#[tokio::test]
async fn by_approle_whose_secret_id_is_read_anew() {
    let Some(bao) = OpenBao::start("vault: by_approle").await else { return };
    furnish(&bao).await;
    let role = json!({"token_policies": "reader", "secret_id_num_uses": 1});
    let (role_id_file, secret_id_file) = bao.approle("app", role).await;
    let login = |wrapped| Login::AppRole {
        role_id_file: role_id_file.clone(),
        secret_id_file: secret_id_file.clone(),
        wrapped,
    };
    let one = client(parts(&bao, login(false)));
    assert_reads(&bao, &one, "approle").await;
    // It was good for one login.
    let two = client(parts(&bao, login(false)));
    let used_up = two.secrets.read(&reference("secret", "app")).await.err().unwrap();
    assert_told(
        &used_up,
        WRONG,
        &["cannot log in to Vault by approle at auth/approle", "HTTP 400", "used up"],
    );
    let answer = bao.write("auth/approle/role/app/secret-id", json!({})).await;
    std::fs::write(&secret_id_file, format!("{}\r\n", answer["data"]["secret_id"].as_str().unwrap()))
        .unwrap();
    assert_reads(&bao, &two, "approle").await;
    let mut elsewhere = parts(&bao, login(false));
    elsewhere.auth_mount = "robots".to_owned();
    let elsewhere = client(elsewhere).secrets.read(&reference("secret", "app")).await.err().unwrap();
    assert_told(&elsewhere, WRONG, &["auth/robots", "`vault_auth_mount`"]);
    std::fs::write(&secret_id_file, "\n").unwrap();
    let empty =
        client(parts(&bao, login(false))).secrets.read(&reference("secret", "app")).await.err().unwrap();
    assert_told(&empty, WRONG, &["the secret id, file ", "is empty"]);
}

#[tokio::test]
async fn by_a_token_of_another_issuer() {
    let Some(bao) = OpenBao::start("vault: by_jwt").await else { return };
    furnish(&bao).await;
    let issuer = Issuer::new();
    bao.auth("jwt").await;
    bao.write("auth/jwt/config", json!({"jwt_validation_pubkeys": [issuer.public_key]})).await;
    let role = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": "reader"
    });
    bao.write("auth/jwt/role/runner", role).await;
    let file = bao.file(&issuer.token(json!({"sub": "runner-1", "aud": "somebody else"})));
    let login = Login::Jwt { role: Some("runner".to_owned()), jwt_file: file.clone() };
    let client = client(parts(&bao, login));
    let refused = client.secrets.read(&reference("secret", "app")).await.err().unwrap();
    assert_told(&refused, WRONG, &["by jwt at auth/jwt", "audience", "check `vault_role`"]);
    std::fs::write(&file, issuer.token(json!({"sub": "runner-1", "aud": "vault"}))).unwrap();
    assert_reads(&bao, &client, "jwt").await;
}

#[tokio::test]
async fn by_the_service_account_of_a_pod() {
    let Some(bao) = OpenBao::start("vault: by_kubernetes").await else { return };
    furnish(&bao).await;
    // The API server that reviews tokens.
    let reviewer = Canned::start(|request| {
        let good = request.starts_with("POST /apis/authentication.k8s.io/v1/tokenreviews ")
            && request.contains("Bearer reviewer");
        let status = json!({
            "authenticated": good,
            "audiences": ["vault"],
            "user": {"username": "system:serviceaccount:jobs:exorun", "uid": "u-1", "groups": []},
        });
        ("application/json", json!({"kind": "TokenReview", "status": status}).to_string())
    })
    .await;
    bao.auth("kubernetes").await;
    let authority = rcgen::generate_simple_self_signed(vec!["kubernetes".to_owned()]).unwrap();
    let config = json!({
        "kubernetes_ca_cert": authority.cert.pem(),
        "kubernetes_host": reviewer.address, "token_reviewer_jwt": "reviewer", "disable_local_ca_jwt": true
    });
    bao.write("auth/kubernetes/config", config).await;
    for (role, account) in [("exorun", "exorun"), ("other", "somebody-else")] {
        let role_of = json!({
            "bound_service_account_names": account, "bound_service_account_namespaces": "jobs",
            "token_policies": "reader"
        });
        bao.write(&format!("auth/kubernetes/role/{role}"), role_of).await;
    }
    let account = json!({"namespace": "jobs", "serviceaccount": {"name": "exorun", "uid": "u-1"}});
    let claims =
        json!({"sub": "system:serviceaccount:jobs:exorun", "aud": ["vault"], "kubernetes.io": account});
    let jwt_file = bao.file(&Issuer::new().token(claims));
    let login = |role: &str| Login::Kubernetes { role: role.to_owned(), jwt_file: jwt_file.clone() };
    let refused = client(parts(&bao, login("other"))).secrets.read(&reference("secret", "app")).await;
    assert_told(
        &refused.err().unwrap(),
        WRONG,
        &["by kubernetes at auth/kubernetes", "bound service accounts"],
    );
    assert_reads(&bao, &client(parts(&bao, login("exorun"))), "kubernetes").await;
    assert!(!reviewer.requests().is_empty(), "the stand-in was asked");
}

#[tokio::test]
async fn by_a_client_certificate_of_the_pki_engine() {
    let Some(bao) = OpenBao::start_tls("vault: by_certificate").await else { return };
    furnish(&bao).await;
    bao.mount("pki", "pki", json!({})).await;
    let root = json!({"common_name": "an authority of a test", "ttl": "24h"});
    let authority = bao.write("pki/root/generate/internal", root).await;
    bao.write(
        "pki/roles/runner",
        json!({"allow_any_name": true, "enforce_hostnames": false, "client_flag": true}),
    )
    .await;
    bao.auth("cert").await;
    let role = json!({"certificate": authority["data"]["certificate"], "token_policies": "reader"});
    bao.write("auth/cert/certs/runner", role).await;
    let issue = async || {
        let issued = bao.write("pki/issue/runner", json!({"common_name": "exorun", "ttl": "1h"})).await;
        let text = |name: &str| format!("{}\n", issued["data"][name].as_str().unwrap());
        (text("certificate"), text("private_key"))
    };
    // Somebody else's certificate.
    let stranger = rcgen::generate_simple_self_signed(vec!["exorun".to_owned()]).unwrap();
    let certificate_file = bao.file(&stranger.cert.pem());
    let key_file = bao.file(&stranger.signing_key.serialize_pem());
    let login = |role: &str| Login::Cert {
        role: Some(role.to_owned()),
        certificate_file: certificate_file.clone(),
        key_file: key_file.clone(),
    };
    let by_it = client(parts(&bao, login("runner")));
    let refused = by_it.secrets.read(&reference("secret", "app")).await.err().unwrap();
    assert_told(&refused, WRONG, &["by cert at auth/cert", "check that the certificate is current"]);
    // The files are read anew, and certificate and key must be a pair.
    let (certificate, key) = issue().await;
    std::fs::write(&certificate_file, &certificate).unwrap();
    let torn = by_it.secrets.read(&reference("secret", "app")).await.err().unwrap();
    assert_told(&torn, WRONG, &["the client certificate, file ", "cannot be used with the certificate"]);
    std::fs::write(&key_file, &key).unwrap();
    assert_reads(&bao, &by_it, "cert").await;
    let other = client(parts(&bao, login("other"))).secrets.read(&reference("secret", "app")).await;
    assert_told(&other.err().unwrap(), WRONG, &["by cert at auth/cert"]);
}

#[tokio::test]
async fn by_a_token_in_a_file_that_others_replace() {
    let Some(bao) = OpenBao::start("vault: by_token").await else { return };
    furnish(&bao).await;
    let file = bao.token_file(&["reader"]).await;
    let client = with_token(&bao, &file);
    client.vault_read("secret", "app").await.unwrap();
    let token = std::fs::read_to_string(&file).unwrap();
    bao.write("auth/token/revoke", json!({"token": token.trim()})).await;
    let words = [
        "Vault does not know the token of the file ",
        "; put a token that has not expired into the file of `vault_token_file`",
    ];
    let gone = client.vault_read("secret", "app").await.err().unwrap();
    assert_told(&gone, WRONG, &words);
    let never = with_token(&bao, &file);
    assert_told(&never.vault_read("secret", "app").await.err().unwrap(), WRONG, &words);
    let counted = never.metrics.encode();
    for (outcome, count) in [("refused", 1), ("ok", 0)] {
        let series = format!(r#"exorun_vault_logins_total{{outcome="{outcome}",emulated="true"}} {count}"#);
        let is_told = counted.lines().any(|line| line == series);
        assert!(
            is_told || count == 0 && !counted.contains(&series[..series.len() - 1]),
            "{series}: {counted}"
        );
    }
    let new = bao.token(&["reader"]).await;
    std::fs::write(&file, format!("{new}\n")).unwrap();
    client.vault_read("secret", "app").await.unwrap();
    client.vault.close(Duration::from_secs(20)).await;
    // One that may not even look at itself is none that is not known.
    let bare = json!({"policies": ["reader"], "no_default_policy": true, "ttl": "1h"});
    let bare = bao.write("auth/token/create", bare).await;
    std::fs::write(&file, bare["auth"]["client_token"].as_str().unwrap()).unwrap();
    let bare = with_token(&bao, &file);
    bare.vault_read("secret", "app").await.unwrap();
    let forbidden = bare.vault_read("secret", "other").await.err().unwrap();
    assert_told(&forbidden, WRONG, &["Vault forbids it", "permission denied"]);
    assert_eq!(
        bao.ask_as(&new, Method::GET, "secret/data/app", None).await.0,
        200,
        "it is not ours to revoke"
    );
    for (content, why) in
        [("", "is empty"), ("two words\n", "more than one word"), ("ä\n", "characters that no token has")]
    {
        std::fs::write(&file, content).unwrap();
        let error = with_token(&bao, &file).vault_read("secret", "app").await.err().unwrap();
        assert_told(&error, WRONG, &[why]);
    }
}

#[tokio::test]
async fn in_a_namespace_of_its_own() {
    let Some(mut bao) = OpenBao::start("vault: in_a_namespace").await else { return };
    bao.enter_namespace("team").await;
    bao.mount("secret", "kv", json!({"version": "2"})).await;
    furnish(&bao).await;
    let (role_id_file, secret_id_file) = bao.approle("app", json!({"token_policies": "reader"})).await;
    let login = Login::AppRole { role_id_file, secret_id_file, wrapped: false };
    let outside = client(parts(&bao, login.clone())).secrets.read(&reference("secret", "app")).await;
    assert_told(&outside.err().unwrap(), WRONG, &["`vault_namespace`"]);
    let mut inside = parts(&bao, login.clone());
    inside.namespace = Some("team".to_owned());
    let inside = client(inside);
    assert_reads(&bao, &inside, "approle").await;
    let mut elsewhere = parts(&bao, login);
    elsewhere.namespace = Some("nowhere".to_owned());
    let elsewhere = client(elsewhere).secrets.read(&reference("secret", "app")).await.err().unwrap();
    assert_told(&elsewhere, WRONG, &["in namespace nowhere", "check `vault_namespace`"]);
}
