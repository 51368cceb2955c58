//! Client assertions: a JWT signed by the application's certificate. Source: protocol reference, 2.7.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::super::options::Reuse;
use super::super::state::State;
use super::{Refusal, federation, printable, refusal, tenant};

/// The type that `client_assertion_type` has to name.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far the clocks of the two sides may be apart, in seconds. Source: protocol reference, 8 (Clock).
const SKEW: i64 = 300;

/// Assertions seen are kept until they expire, and no more than this; those that expire first go first.
const SEEN_MAX: usize = 10_000;

/// The parts of a JWT, not verified.
pub(super) struct Jwt<'a> {
    pub(super) header: Value,
    pub(super) claims: Value,
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
}

impl Jwt<'_> {
    pub(super) fn parse(text: &str) -> Option<Jwt<'_>> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let json =
            |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).ok().filter(Value::is_object);
        Some(Jwt { header: json(header)?, claims: json(claims)?, signed, signature: decoded(signature)? })
    }

    pub(super) fn claim(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    /// A time in Unix seconds. It may have a fraction (RFC 7519, NumericDate), and MSAL for Python sends one.
    fn time(&self, name: &str) -> Option<i64> {
        let seconds = &self.claims[name];
        seconds.as_i64().or_else(|| seconds.as_f64().map(|seconds| seconds as i64))
    }
}

/// Base64url or base64, padded or not: libraries differ in it, and the service takes all of them.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let text: String = text
        .trim_end_matches('=')
        .chars()
        .map(|character| match character {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The `jti` of assertions that were taken, by application.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<(String, String), i64>);

impl Seen {
    /// Remembers an assertion until `expires` (Unix seconds); false if it was there already.
    fn is_new(&mut self, client_id: &str, jti: &str, expires: i64, now: i64) -> bool {
        if self.0.len() >= SEEN_MAX {
            self.0.retain(|_, expires| *expires > now);
        }
        if self.0.len() >= SEEN_MAX {
            let first = self.0.iter().min_by_key(|(_, expires)| **expires).map(|(key, _)| key.clone());
            first.and_then(|key| self.0.remove(&key));
        }
        self.0.insert((client_id.to_owned(), jti.to_owned()), expires).is_none()
    }
}

fn no(code: u32, text: impl Into<String>) -> Refusal {
    refusal(401, "invalid_client", code, text)
}

/// Whether the assertion proves that the sender is `client_id`.
pub(super) fn verify(state: &State, client_id: &str, assertion: &str) -> Result<(), Refusal> {
    let jwt = Jwt::parse(assertion).ok_or_else(|| no(50_027, "The JWT token is invalid or malformed."))?;
    let thumbprint = ["x5t#S256", "x5t"].into_iter().find_map(|name| jwt.header[name].as_str());
    if is_of_another_issuer(state, client_id, &jwt, thumbprint) {
        // Sent again as long as it lives: a kubelet writes one an hour. Source: protocol reference, 2.10.
        federation::verify(state, &jwt)?;
        return in_time(state, &jwt);
    }
    let Some(thumbprint) = thumbprint else {
        return Err(no(700_027, "The assertion names no certificate: its header lacks x5t and x5t#S256."));
    };
    by_certificate(state, client_id, &jwt, thumbprint)?;
    in_time(state, &jwt)?;
    if state.options.assertion_reuse == Reuse::Accept {
        return Ok(());
    }
    let jti = jwt.claim("jti");
    let expires = jwt.time("exp").unwrap_or_default() + SKEW;
    if jti.is_empty() || !state.signins().seen.is_new(client_id, jti, expires, state.wall()) {
        let text = "Authentication failed: the client assertion has no jti, or one that was used before.";
        return Err(no(50_012, text));
    }
    Ok(())
}

/// Whether nothing says that the application itself signed it. Issuers may name certificates of their own in `x5t`.
fn is_of_another_issuer(state: &State, client_id: &str, jwt: &Jwt<'_>, thumbprint: Option<&str>) -> bool {
    let ours = ["iss", "sub"].iter().any(|name| jwt.claim(name).eq_ignore_ascii_case(client_id));
    let wanted = thumbprint.and_then(decoded);
    let signins = state.signins();
    !ours && !wanted.is_some_and(|wanted| signins.certificates.iter().any(|own| own.has(&wanted)))
}

fn by_certificate(state: &State, client_id: &str, jwt: &Jwt<'_>, thumbprint: &str) -> Result<(), Refusal> {
    let now = state.wall();
    let known = decoded(thumbprint)
        .and_then(|wanted| state.signins().certificates.iter().find(|own| own.has(&wanted)).cloned());
    let Some(certificate) = known else {
        return Err(no(
            700_027,
            format!(
                "The certificate with identifier used to sign the client assertion is not registered on application. \
                 [Reason - The key was not found., Thumbprint of key used by client: '{}']",
                printable(thumbprint)
            ),
        ));
    };
    let alg = jwt.header["alg"].as_str().unwrap_or_default();
    if !certificate.key.verifies(alg, jwt.signed.as_bytes(), &jwt.signature) {
        return Err(no(
            700_027,
            "Client assertion failed signature validation. [Reason - The key was found but the signature is not its, \
             or the algorithm is neither RS256 nor PS256.]",
        ));
    }
    if !leaf_is(&jwt.header, |der| certificate.is_of(der)) {
        return Err(no(700_027, "The certificate in x5c is not the one that x5t names."));
    }
    if !certificate.is_valid_at(now) {
        return Err(no(
            700_027,
            "Client assertion failed signature validation. [Reason - The key used is expired.]",
        ));
    }
    if ["iss", "sub"].iter().any(|name| !jwt.claim(name).eq_ignore_ascii_case(client_id)) {
        return Err(no(
            700_021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        ));
    }
    let named = jwt
        .claim("aud")
        .strip_prefix(state.login.as_str())
        .and_then(|path| path.strip_prefix('/')?.strip_suffix("/oauth2/v2.0/token"));
    if named.is_none_or(|named| tenant(state, named).is_err()) {
        return Err(no(700_023, "Client assertion audience claim does not match Realm issuer."));
    }
    Ok(())
}

/// Whether `x5c` is left out, or begins with a certificate that `is_it`. Libraries leave the line ends of PEM in it.
fn leaf_is(header: &Value, is_it: impl Fn(&[u8]) -> bool) -> bool {
    match &header["x5c"] {
        Value::Null => true,
        chain => {
            let leaf = chain[0].as_str().unwrap_or_default();
            let leaf: String = leaf.chars().filter(|character| !character.is_ascii_whitespace()).collect();
            STANDARD.decode(leaf).is_ok_and(|der| is_it(&der))
        }
    }
}

fn in_time(state: &State, jwt: &Jwt<'_>) -> Result<(), Refusal> {
    let now = state.wall();
    let ended = jwt.time("exp").is_none_or(|exp| exp + SKEW <= now);
    let early = jwt.time("nbf").is_some_and(|nbf| nbf - SKEW > now);
    if ended || early {
        return Err(no(
            700_024,
            "Client assertion is not within its valid time range. Current time, nbf and exp of the assertion differ.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_in_every_spelling() {
        for text in ["-_-_AQ", "-_-_AQ==", "+/+/AQ", "+/+/AQ=="] {
            assert_eq!(decoded(text), Some(vec![0xfb, 0xff, 0xbf, 1]), "{text}");
        }
        assert_eq!(decoded("a b"), None);
    }

    #[test]
    fn an_assertion_is_remembered_until_it_expires_or_the_memory_is_full() {
        let mut seen = Seen::default();
        assert!(seen.is_new("app", "first", 10, 0));
        assert!(!seen.is_new("app", "first", 10, 0) && seen.is_new("other", "first", 10, 0));
        for n in 0..i64::try_from(SEEN_MAX).unwrap() {
            seen.is_new("app", &n.to_string(), 1000 + n, 1);
        }
        assert_eq!(seen.0.len(), SEEN_MAX);
        assert!(seen.is_new("app", "first", 2000, 1), "it made place");
        assert!(!seen.is_new("app", &(SEEN_MAX - 1).to_string(), 0, 1));
    }

    #[test]
    fn junk_is_no_jwt() {
        for junk in ["", "a", "a.b", "a.b.c", "W10.W10.AA", "e30.e30", "e30..AA"] {
            assert!(Jwt::parse(junk).is_none(), "{junk}");
        }
        assert!(Jwt::parse("e30.e30.AA").is_some());
    }
}
