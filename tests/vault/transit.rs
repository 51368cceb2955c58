//! Signatures by keys that stay in OpenBao, judged by OpenSSL and by python's `cryptography`.

use std::path::Path;
use std::process::Command;

use exorun::secrets::{SecretErrorKind, SecretSource};
use exorun::spec::job::{Signature, TransitRef};
use serde_json::json;

use super::client::{assert_told, with_token};
use super::components;
use super::openbao::OpenBao;

const MESSAGE: &[u8] = b"eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJtZSJ9";

fn key(name: &str, version: Option<u64>) -> TransitRef {
    TransitRef { mount: "transit".to_owned(), key: name.to_owned(), version }
}

/// Whether OpenSSL finds the signature good.
fn openssl(folder: &Path, public_key: &str, signature: &[u8], options: &[&str]) -> bool {
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let mut command = Command::new("openssl");
    command.args(["dgst", "-sha256", "-verify"]).arg(file("public.pem", public_key.as_bytes()));
    command.arg("-signature").arg(file("signature", signature)).args(options).arg(file("message", MESSAGE));
    command.output().unwrap().status.success()
}

/// The same by python's `cryptography`, where it is installed.
fn python(folder: &Path, padding: &str) -> Option<bool> {
    let python = std::env::var("EXORUN_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let run = |script: &str| Command::new(&python).arg("-c").arg(script).current_dir(folder).output();
    if !run("import cryptography").ok()?.status.success() {
        return None;
    }
    let script = format!(
        "from cryptography.hazmat.primitives import hashes, serialization\n\
         from cryptography.hazmat.primitives.asymmetric import padding\n\
         key = serialization.load_pem_public_key(open('public.pem', 'rb').read())\n\
         key.verify(open('signature', 'rb').read(), open('message', 'rb').read(), {padding}, hashes.SHA256())\n"
    );
    Some(run(&script).unwrap().status.success())
}

#[tokio::test]
async fn signatures_are_those_that_entra_wants() {
    let test = "vault: signatures_are_those_that_entra_wants";
    let Some(bao) = OpenBao::start(test).await else { return };
    if !components::has("openssl", test) {
        return;
    }
    bao.mount("transit", "transit", json!({})).await;
    bao.write("transit/keys/app", json!({"type": "rsa-2048"})).await;
    bao.write("transit/keys/app/rotate", json!({})).await;
    bao.policy("signer", r#"path "transit/sign/app" { capabilities = ["update"] }"#).await;
    let client = with_token(&bao, &bao.token_file(&["signer"]).await);
    let keys = bao.read("transit/keys/app").await;
    let folder = bao.folder.path();
    const PSS: [&str; 4] = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"];
    for (version, public) in [(None, "2"), (Some(1), "1")] {
        let public = keys["keys"][public]["public_key"].as_str().unwrap();
        let pss = client.secrets.sign(&key("app", version), MESSAGE, Signature::Ps256).await.unwrap();
        assert!(openssl(folder, public, &pss, &PSS), "a salt as long as the hash");
        let by_python = python(folder, "padding.PSS(padding.MGF1(hashes.SHA256()), 32)");
        assert!(by_python.unwrap_or(true));
        assert!(!openssl(folder, public, &pss, &[]), "and not the older way");
        let pkcs1 = client.secrets.sign(&key("app", version), MESSAGE, Signature::Rs256).await.unwrap();
        assert!(openssl(folder, public, &pkcs1, &[]));
        assert!(python(folder, "padding.PKCS1v15()").unwrap_or(true));
        assert_ne!(pss, pkcs1);
    }
}

#[tokio::test]
async fn a_key_that_does_not_fit_is_told() {
    let Some(bao) = OpenBao::start("vault: a_key_that_does_not_fit").await else { return };
    bao.mount("transit", "transit", json!({})).await;
    bao.write("transit/keys/edwards", json!({"type": "ed25519"})).await;
    bao.write("transit/keys/other", json!({"type": "rsa-2048"})).await;
    bao.policy(
        "signer",
        r#"path "transit/sign/edwards" { capabilities = ["update"] }
           path "transit/keys/edwards" { capabilities = ["read"] }
           path "transit/sign/nothing" { capabilities = ["update"] }"#,
    )
    .await;
    let client = with_token(&bao, &bao.token_file(&["signer"]).await);
    let error = async |key: &TransitRef| {
        client.secrets.sign(key, MESSAGE, Signature::Ps256).await.expect_err("it does not fit")
    };
    let wrong = SecretErrorKind::Wrong;
    let edwards = error(&key("edwards", None)).await;
    assert_told(&edwards, wrong, &["vault:transit/keys/edwards", "of type `ed25519`; Entra wants RSA"]);
    let other = error(&key("other", None)).await;
    assert_told(&other, wrong, &[r#"path "transit/sign/other" { capabilities = ["update"] }"#]);
    let nothing = error(&key("nothing", None)).await;
    assert_told(&nothing, SecretErrorKind::Absent, &["there is no such key", "type=rsa-2048"]);
    let root = with_token(&bao, &bao.file(super::openbao::ROOT_TOKEN));
    let mount = TransitRef { mount: "keys".to_owned(), key: "app".to_owned(), version: None };
    let nowhere = root.secrets.sign(&mount, MESSAGE, Signature::Ps256).await.unwrap_err();
    assert_told(&nowhere, wrong, &["nothing is mounted at `keys`"]);
    let version = root.secrets.sign(&key("other", Some(9)), MESSAGE, Signature::Ps256).await.unwrap_err();
    assert_told(&version, wrong, &["version"]);
}
