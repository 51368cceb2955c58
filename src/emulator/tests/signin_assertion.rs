//! Client assertions by certificates that `openssl` makes, and federated tokens.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use ring::rsa::KeyPair;
use ring::{digest, rand, signature};

use super::components::has;
use super::signin::{SCOPE, claims, control};
use super::*;

/// A self-signed certificate and its key.
struct Identity {
    pem: String,
    der: Vec<u8>,
    public_pem: String,
    key: KeyPair,
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

fn identity(days: i32) -> Identity {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    openssl(
        at,
        &format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=test -days {days}"
        ),
    );
    openssl(at, "x509 -in cert.pem -outform DER -out cert.der");
    openssl(at, "pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der");
    openssl(at, "rsa -in key.pem -pubout -out public.pem");
    Identity {
        pem: std::fs::read_to_string(at.join("cert.pem")).unwrap(),
        der: std::fs::read(at.join("cert.der")).unwrap(),
        public_pem: std::fs::read_to_string(at.join("public.pem")).unwrap(),
        key: KeyPair::from_pkcs8(&std::fs::read(at.join("key.der")).unwrap()).unwrap(),
    }
}

impl Identity {
    fn sha1(&self) -> Vec<u8> {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der).as_ref().to_vec()
    }

    fn sha256(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, &self.der).as_ref().to_vec()
    }

    /// A JWT as RFC 7515 has it; `alg` decides how it is signed.
    fn jwt(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let padding: &'static dyn signature::RsaEncoding =
            if header["alg"] == "PS256" { &signature::RSA_PSS_SHA256 } else { &signature::RSA_PKCS1_SHA256 };
        let mut bytes = vec![0; self.key.public().modulus_len()];
        self.key.sign(padding, &rand::SystemRandom::new(), signed.as_bytes(), &mut bytes).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

fn now() -> i64 {
    Options::default().clocks.wall().as_second()
}

fn good(emulator: &Emulator) -> Value {
    json!({
        "aud": format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/token", emulator.login_endpoint()),
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "jti": Uuid::new_v4(),
        "nbf": now(),
        "exp": now() + 300,
    })
}

async fn present(emulator: &Emulator, assertion: &str) -> Value {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
        ("scope", SCOPE),
    ];
    let answer = sign_in(emulator, &client(emulator), &form).await;
    let status = answer.status().as_u16();
    let answer: Value = answer.json().await.unwrap();
    assert!(
        answer["access_token"].is_string() || (status, &answer["error"]) == (401, &json!("invalid_client")),
        "{answer}"
    );
    answer
}

async fn code(emulator: &Emulator, assertion: &str) -> u64 {
    present(emulator, assertion).await["error_codes"][0].as_u64().unwrap_or_default()
}

/// The claims with one changed.
fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[tokio::test]
async fn an_assertion_is_taken_in_every_form_that_libraries_send() {
    if !has("openssl", "an_assertion_is_taken_in_every_form_that_libraries_send") {
        return;
    }
    let identity = identity(2);
    let emulator =
        Emulator::start(Options { certificates: vec![identity.pem.clone()], ..Options::default() })
            .await
            .unwrap();
    let x5c = json!([STANDARD.encode(&identity.der)]);
    let in_lines = identity.pem.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().join("\n");
    for header in [
        json!({"alg": "RS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(identity.sha1())}),
        json!({"alg": "RS256", "typ": "JWT", "x5t": URL_SAFE.encode(identity.sha1())}),
        json!({"alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(identity.sha256())}),
        json!({"alg": "PS256", "x5t#S256": STANDARD.encode(identity.sha256()), "x5c": x5c}),
        json!({"alg": "PS256", "x5t#S256": URL_SAFE.encode(identity.sha256()), "x5c": [in_lines]}),
    ] {
        let answer = present(&emulator, &identity.jwt(&header, &good(&emulator))).await;
        assert_eq!(claims(&answer["access_token"])["appid"], CLIENT_ID, "{header}: {answer}");
        assert_eq!(answer["refresh_token"], Value::Null);
    }
    let header = json!({"alg": "RS256", "x5t": URL_SAFE_NO_PAD.encode(identity.sha1())});
    let fraction = with(good(&emulator), "exp", json!(now() as f64 + 300.25));
    assert_eq!(code(&emulator, &identity.jwt(&header, &fraction)).await, 0, "a time may have a fraction");
}

#[tokio::test]
async fn an_assertion_with_a_wrong_part_gets_the_number_of_that_part() {
    if !has("openssl", "an_assertion_with_a_wrong_part_gets_the_number_of_that_part") {
        return;
    }
    let (own, foreign) = (identity(2), identity(2));
    let emulator =
        Emulator::start(Options { certificates: vec![own.pem.clone()], ..Options::default() }).await.unwrap();
    let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(own.sha256())});
    let claims = || good(&emulator);
    let login = emulator.login_endpoint();
    let cases = [
        (
            "unknown certificate",
            700_027,
            foreign.jwt(
                &with(header.clone(), "x5t#S256", json!(URL_SAFE_NO_PAD.encode(foreign.sha256()))),
                &claims(),
            ),
        ),
        ("another key", 700_027, foreign.jwt(&header, &claims())),
        (
            "another leaf in x5c",
            700_027,
            own.jwt(&with(header.clone(), "x5c", json!([STANDARD.encode(&foreign.der)])), &claims()),
        ),
        ("alg none", 700_027, own.jwt(&with(header.clone(), "alg", json!("none")), &claims())),
        ("alg HS256", 700_027, own.jwt(&with(header.clone(), "alg", json!("HS256")), &claims())),
        ("no thumbprint", 700_027, own.jwt(&json!({"alg": "PS256"}), &claims())),
        ("iss", 700_021, own.jwt(&header, &with(claims(), "iss", json!(Uuid::nil())))),
        ("sub", 700_021, own.jwt(&header, &with(claims(), "sub", json!(Uuid::nil())))),
        (
            "aud elsewhere",
            700_023,
            own.jwt(&header, &with(claims(), "aud", json!("https://login.example/x/oauth2/v2.0/token"))),
        ),
        (
            "aud of another tenant",
            700_023,
            own.jwt(
                &header,
                &with(claims(), "aud", json!(format!("{login}/nobody.example/oauth2/v2.0/token"))),
            ),
        ),
        ("expired", 700_024, own.jwt(&header, &with(claims(), "exp", json!(now() - 301)))),
        ("no exp", 700_024, own.jwt(&header, &with(claims(), "exp", Value::Null))),
        ("not yet", 700_024, own.jwt(&header, &with(claims(), "nbf", json!(now() + 400)))),
        ("no jti", 50_012, own.jwt(&header, &with(claims(), "jti", Value::Null))),
        ("malformed", 50_027, "a.b.c".to_owned()),
    ];
    for (what, expected, assertion) in cases {
        assert_eq!(code(&emulator, &assertion).await, expected, "{what}");
    }
    let clocks_apart = with(with(claims(), "nbf", json!(now() + 290)), "exp", json!(now() + 600));
    assert_eq!(code(&emulator, &own.jwt(&header, &clocks_apart)).await, 0, "five minutes are forgiven");
}

#[tokio::test]
async fn an_assertion_is_good_once_unless_reuse_is_accepted() {
    if !has("openssl", "an_assertion_is_good_once_unless_reuse_is_accepted") {
        return;
    }
    let identity = identity(2);
    for (reuse, expected) in [(Reuse::Refuse, 50_012), (Reuse::Accept, 0)] {
        let emulator = Emulator::start(Options {
            certificates: vec![identity.pem.clone()],
            assertion_reuse: reuse,
            ..Options::default()
        })
        .await
        .unwrap();
        let header = json!({"alg": "RS256", "x5t": URL_SAFE_NO_PAD.encode(identity.sha1())});
        let assertion = identity.jwt(&header, &good(&emulator));
        assert_eq!(code(&emulator, &assertion).await, 0);
        assert_eq!(code(&emulator, &assertion).await, expected);
        assert!(!emulator.requests().to_string().contains(&assertion), "a secret is in the record");
    }
}

#[tokio::test]
async fn certificates_are_registered_while_it_runs_and_small_keys_are_not() {
    if !has("openssl", "certificates_are_registered_while_it_runs_and_small_keys_are_not") {
        return;
    }
    let identity = identity(2);
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let header = json!({"alg": "RS256", "x5t": URL_SAFE_NO_PAD.encode(identity.sha1())});
    assert_eq!(code(&emulator, &identity.jwt(&header, &good(&emulator))).await, 700_027);
    assert_eq!(control(&emulator, "certificates", &identity.pem).await, 200);
    assert_eq!(code(&emulator, &identity.jwt(&header, &good(&emulator))).await, 0);
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    openssl(at, "req -x509 -newkey rsa:1024 -nodes -keyout key.pem -out small.pem -subj /CN=small -days 2");
    openssl(
        at,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out ec.pem -subj /CN=ec -days 2",
    );
    for bad in ["small.pem", "ec.pem", "key.pem"] {
        let pem = std::fs::read_to_string(at.join(bad)).unwrap();
        assert_eq!(control(&emulator, "certificates", &pem).await, 400, "{bad}");
        let options = Options { certificates: vec![pem], ..Options::default() };
        assert_eq!(Emulator::start(options).await.err().unwrap().kind(), io::ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn a_certificate_that_is_over_signs_nothing() {
    if !has("openssl", "a_certificate_that_is_over_signs_nothing") {
        return;
    }
    let identity = identity(1);
    // Two days later the certificate is over; only the wall clock of the emulator is moved.
    let later = Options::default().clocks.wall() + Duration::from_secs(2 * 86_400);
    let clocks = crate::clocks::Clocks::simulated(Duration::from_secs(86_400), later, 1.0);
    let options = Options { certificates: vec![identity.pem.clone()], clocks, ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let header = json!({"alg": "RS256", "x5t": URL_SAFE_NO_PAD.encode(identity.sha1())});
    let claims =
        with(with(good(&emulator), "nbf", json!(later.as_second())), "exp", json!(later.as_second() + 60));
    let answer = present(&emulator, &identity.jwt(&header, &claims)).await;
    assert_eq!(answer["error_codes"], json!([700_027]));
    assert!(answer["error_description"].as_str().unwrap().contains("expired"), "{answer}");
}

#[tokio::test]
async fn a_federated_token_is_matched_by_issuer_audience_and_subject() {
    if !has("openssl", "a_federated_token_is_matched_by_issuer_audience_and_subject") {
        return;
    }
    const ISSUER: &str = "https://oidc.cluster.example/";
    const SUBJECT: &str = "system:serviceaccount:jobs:exorun";
    let (cluster, other) = (identity(2), identity(2));
    let header = json!({"alg": "RS256", "kid": "k1", "x5t": "not-of-ours"});
    let claims = json!({
        "iss": ISSUER, "sub": SUBJECT, "aud": ["api://AzureADTokenExchange"], "exp": now() + 3600, "nbf": now(),
    });
    let plain = Emulator::start(Options::default()).await.unwrap();
    assert_eq!(code(&plain, &cluster.jwt(&header, &claims)).await, 70_021);
    let components = signature::RsaPublicKeyComponents::<Vec<u8>>::from(cluster.key.public());
    let encode = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
    let jwks = json!({"keys": [{"kty": "RSA", "kid": "k1", "n": encode(&components.n), "e": encode(&components.e)}]});
    for keys in [jwks.to_string(), cluster.public_pem.clone(), cluster.pem.clone()] {
        let credential = FederatedCredential { issuer: ISSUER.to_owned(), subject: SUBJECT.to_owned(), keys };
        let options = Options { federated: vec![credential], ..Options::default() };
        let emulator = Emulator::start(options).await.unwrap();
        for round in 1..=2 {
            assert_eq!(code(&emulator, &cluster.jwt(&header, &claims)).await, 0, "round {round}");
        }
        for (what, expected, assertion) in [
            (
                "issuer",
                700_211,
                cluster.jwt(&header, &with(claims.clone(), "iss", json!("https://other.example/"))),
            ),
            ("audience", 700_212, cluster.jwt(&header, &with(claims.clone(), "aud", json!("api://other")))),
            (
                "subject",
                700_213,
                cluster.jwt(&header, &with(claims.clone(), "sub", json!("system:serviceaccount:a:b"))),
            ),
            ("key", 700_027, other.jwt(&header, &claims)),
            ("time", 700_024, cluster.jwt(&header, &with(claims.clone(), "exp", json!(now() - 301)))),
        ] {
            assert_eq!(code(&emulator, &assertion).await, expected, "{what}");
        }
    }
}
