//! ID tokens, and the key that others check them with. Unlike the access token's, this key is public: an ID token is
//! for the application, which may verify it by `jwks_uri`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::state::State;
use super::super::tokens::Subject;
use super::wish::Wish;

const KEY_ID: &str = "exorun-emulator-id";

/// The key of this run.
pub(super) struct IdKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl IdKey {
    pub(super) fn new() -> Result<IdKey, String> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|error| error.to_string())?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random)
            .map_err(|error| error.to_string())?;
        Ok(IdKey { pair, random })
    }

    /// The document behind `jwks_uri`.
    pub(super) fn published(&self) -> Value {
        // An uncompressed point: one byte that says so, then both coordinates.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let encode = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
        json!({"keys": [{
            "kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": KEY_ID,
            "x": encode(x), "y": encode(y),
        }]})
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({"typ": "JWT", "alg": "ES256", "kid": KEY_ID});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = self
            .pair
            .sign(&self.random, signed.as_bytes())
            .expect("the key is whole and random numbers come");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The ID token of a person.
pub(super) fn issue(state: &State, subject: &Subject, wish: &Wish, life: i64) -> String {
    let now = state.wall();
    let mut claims = json!({
        "aud": subject.client_id,
        "iss": format!("{}/{}/v2.0", state.login, state.tenant.id),
        "iat": now,
        "nbf": now,
        "exp": now + life,
        "sub": subject.oid,
        "tid": state.tenant.id,
        "uti": URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes()),
        "ver": "2.0",
    });
    if let (true, Some(upn)) = (wish.profile, &subject.upn) {
        claims["oid"] = json!(subject.oid);
        claims["preferred_username"] = json!(upn);
        claims["name"] = json!(upn.split('@').next());
    }
    if let Some(nonce) = &wish.nonce {
        claims["nonce"] = json!(nonce);
    }
    state.signins().id_key.sign(&claims)
}

/// The field `client_info`: who signed in, for a client's cache.
pub(super) fn client_info(state: &State, subject: &Subject) -> String {
    URL_SAFE_NO_PAD.encode(json!({"uid": subject.oid, "utid": state.tenant.id}).to_string())
}
