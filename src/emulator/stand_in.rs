//! What a run beside the emulator has instead of an organization's credentials: a key and an issuer that are public.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;
use uuid::Uuid;

use super::entra::FEDERATION_AUDIENCE;
use super::options::FederatedCredential;
use super::random::{guid, mix};
use super::state::State;
use super::tokens::{Rights, Subject};

/// A certificate that any emulator may be told to know.
pub const TEST_CERTIFICATE: &str = include_str!("test_application.crt");

/// Its private key, which is public test data.
pub const TEST_KEY: &str = include_str!("test_application.key");

const ISSUER: &str = "https://issuer.exorun-emulator.invalid";
const SUBJECT: &str = "emulated-workload";
const LIFE_SECONDS: i64 = 60 * 60;
/// For the GUID of a token's user.
const USER: u64 = 63;

/// The issuer of the token in `federated_token`, as a credential of the applications.
pub fn federated_credential() -> FederatedCredential {
    FederatedCredential {
        issuer: ISSUER.to_owned(),
        subject: SUBJECT.to_owned(),
        keys: TEST_CERTIFICATE.to_owned(),
    }
}

/// A token of that issuer, as a kubelet would write one.
pub(super) fn federated_token(state: &State) -> String {
    let now = state.wall();
    let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"iss": ISSUER, "sub": SUBJECT, "aud": FEDERATION_AUDIENCE, "iat": now, "nbf": now, "exp": now + LIFE_SECONDS});
    let signed =
        format!("{}.{}", encode(&json!({"alg": "RS256", "typ": "JWT", "kid": "test"})), encode(&claims));
    let der = PrivatePkcs8KeyDer::from_pem_slice(TEST_KEY.as_bytes()).expect("the test key is PEM");
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("the test key is RSA");
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .expect("the key is whole and random numbers come");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// An access token without a sign-in: an application's, or a person's by name. `None`: the tenant does not know the
/// audience.
pub(super) fn access_token(state: &State, scope: &str, client_id: &str, upn: Option<&str>) -> Option<String> {
    let audience = state.tokens.audience(scope)?;
    let id = Uuid::parse_str(client_id).map_or(0, |id| id.as_u128() as u64);
    let subject = Subject {
        client_id: client_id.to_owned(),
        oid: guid(state.tenant.seed, mix(1, id, 0) >> 8, USER),
        upn: upn.map(str::to_owned),
        rights: Rights::Full,
    };
    let life = i64::try_from(state.options.token_life.as_secs()).unwrap_or(i64::MAX / 4);
    Some(state.tokens.issue(&subject, &audience, state.wall(), life))
}
