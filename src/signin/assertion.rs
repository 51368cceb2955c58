//! Client assertions: a JWT by which an application proves that it has a key. Source: protocol reference, 2.7.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use super::certificate::Certificate;
use crate::spec::job::Signature;

/// How long an assertion is good, in seconds: the most that the reference allows, for clocks that are a little off.
const LIFE_SECONDS: i64 = 10 * 60;

/// What an assertion says.
pub(super) struct Statement<'a> {
    /// The application.
    pub(super) client_id: &'a str,
    /// The token endpoint of the tenant.
    pub(super) audience: &'a str,
    /// The key's certificate, then its issuers.
    pub(super) chain: &'a [Certificate],
    /// How it is going to be signed.
    pub(super) signature: Signature,
    /// Never used before.
    pub(super) id: Uuid,
    /// When it is made.
    pub(super) now: Timestamp,
}

impl Statement<'_> {
    /// What is to be signed.
    pub(super) fn unsigned(&self) -> String {
        let leaf = self.chain.first();
        let chain: Vec<String> = self.chain.iter().map(Certificate::base64).collect();
        let header = match self.signature {
            Signature::Ps256 => {
                json!({"alg": "PS256", "typ": "JWT", "x5t#S256": leaf.map(Certificate::sha256), "x5c": chain})
            }
            Signature::Rs256 => {
                json!({"alg": "RS256", "typ": "JWT", "x5t": leaf.map(Certificate::sha1), "x5c": chain})
            }
        };
        let now = self.now.as_second();
        let claims = json!({
            "aud": self.audience,
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": self.id,
            "iat": now,
            "nbf": now,
            "exp": now + LIFE_SECONDS,
        });
        format!("{}.{}", encoded(&header), encoded(&claims))
    }
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// The whole assertion.
pub(super) fn signed(unsigned: &str, signature: &[u8]) -> SecretString {
    SecretString::from(format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
