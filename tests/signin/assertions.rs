//! Client assertions, judged by OpenSSL: what Entra's own libraries would say of them.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use exorun::clocks::Clocks;
use exorun::observe::metrics::{Metrics, Peer};
use exorun::recording::Recorder;
use exorun::rules::retry::{Repeated, RetryPolicy};
use exorun::secrets::Secrets;
use exorun::signin::application::{Made, Proof};
use exorun::signin::certificate::{CertificateProof, Expiry};
use exorun::signin::endpoint::{Expected, LoginEndpoint};
use exorun::spec::job::{CredentialRef, Signature};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::openssl::{openssl, pair};
use super::{CLIENT_ID, components};

pub(crate) fn endpoint() -> LoginEndpoint {
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    LoginEndpoint {
        base: "https://login.microsoftonline.com".to_owned(),
        tenant: "contoso.onmicrosoft.com".to_owned(),
        scope: "https://outlook.office365.com/.default".to_owned(),
        expected: Expected::default(),
        http: reqwest::Client::builder().no_proxy().tls_certs_only(Vec::new()).build().unwrap(),
        retry: RetryPolicy {
            attempts_max: 1,
            delay_first: Duration::ZERO,
            delay_max: Duration::ZERO,
            total_max: Duration::ZERO,
            on: Repeated::ALL,
        },
        proxy: None,
        recorder: Recorder::off(),
        clocks: Clocks::system(),
    }
}

/// What makes assertions by `own.key` and `own.crt`.
pub(crate) fn proof(folder: &Path, signature: Signature) -> CertificateProof {
    let file = |name: &str| CredentialRef::File(folder.join(name));
    CertificateProof {
        credential: file("own.key"),
        certificate: Some(file("own.crt")),
        password: None,
        signature,
        secrets: Arc::new(Secrets { vault: None }),
        expiry: Expiry::new(Metrics::new(Peer::Emulator), "contoso.onmicrosoft.com".to_owned()),
    }
}

async fn assertion(folder: &Path, signature: Signature) -> String {
    match proof(folder, signature).made(&endpoint(), CLIENT_ID).await.unwrap() {
        Made::Assertion(assertion) => assertion.expose_secret().to_owned(),
        Made::Secret(_) => panic!("a certificate gave a secret"),
    }
}

fn json(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Whether OpenSSL finds the signature over the first two parts good, by this padding.
fn is_good(folder: &Path, assertion: &str, options: &[&str]) -> bool {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    std::fs::write(folder.join("signed"), signed).unwrap();
    std::fs::write(folder.join("signature"), URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let mut command = Command::new("openssl");
    command.args(["dgst", "-sha256", "-verify", "own.pub", "-signature", "signature"]).args(options);
    command.arg("signed").current_dir(folder).output().unwrap().status.success()
}

#[tokio::test]
async fn openssl_finds_assertions_as_entra_wants_them() {
    if !components::has("openssl", "openssl_finds_assertions_as_entra_wants_them") {
        return;
    }
    const PSS: [&str; 4] = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"];
    let made = tempfile::tempdir().unwrap();
    let folder = made.path();
    pair(folder, "own");
    std::fs::write(folder.join("own.pub"), openssl(folder, "x509 -in own.crt -pubkey -noout").stdout)
        .unwrap();
    openssl(folder, "x509 -in own.crt -outform DER -out own.der");
    let der = std::fs::read(folder.join("own.der")).unwrap();
    let fingerprint = |digest: &str| {
        let output = openssl(folder, &format!("dgst -{digest} -binary own.der"));
        Value::from(URL_SAFE_NO_PAD.encode(output.stdout))
    };

    let modern = assertion(folder, Signature::Ps256).await;
    let older = assertion(folder, Signature::Rs256).await;
    assert!(is_good(folder, &modern, &PSS) && !is_good(folder, &modern, &[]));
    assert!(is_good(folder, &older, &[]) && !is_good(folder, &older, &PSS));
    let header = json(modern.split('.').next().unwrap());
    assert_eq!((&header["alg"], &header["typ"]), (&Value::from("PS256"), &Value::from("JWT")));
    assert_eq!((&header["x5t#S256"], header.get("x5t")), (&fingerprint("sha256"), None));
    assert_eq!(header["x5c"][0], Value::from(STANDARD.encode(&der)));
    let header = json(older.split('.').next().unwrap());
    assert_eq!((&header["alg"], &header["x5t"]), (&Value::from("RS256"), &fingerprint("sha1")));

    let claims = json(modern.split('.').nth(1).unwrap());
    assert_eq!(claims["aud"], "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token");
    assert_eq!((&claims["iss"], &claims["sub"]), (&Value::from(CLIENT_ID), &Value::from(CLIENT_ID)));
    let life = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
    assert!((300..=600).contains(&life), "{life}");
    let next = json(assertion(folder, Signature::Ps256).await.split('.').nth(1).unwrap());
    assert_ne!(claims["jti"], next["jti"], "an assertion is good for one request");
}
