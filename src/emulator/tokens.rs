//! Access tokens. They look like the service's (a v1.0 JWT), but are signed by HMAC with a key of this run, and
//! their issuer says `exorun-emulator.invalid`: nobody can take one for real.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Value, json};
use uuid::Uuid;

/// A name that cannot exist (RFC 6761).
pub(super) const ISSUER_HOST: &str = "sts.exorun-emulator.invalid";

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) client_id: String,
    /// Object id of the service principal or the user.
    pub(super) oid: Uuid,
    /// The user's name; an application has none.
    pub(super) upn: Option<String>,
    pub(super) rights: Rights,
}

/// What Exchange lets a subject do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    Full,
    /// The app role, but no directory role: 403.
    NoDirectoryRole,
    /// Not even the app role: 401.
    NoAppRole,
}

/// A checked token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// `tid/oid`
    pub(super) account: String,
    pub(super) client_id: String,
    pub(super) rights: Rights,
}

/// Why a token is refused; the text goes into `WWW-Authenticate`.
pub(super) type Refusal = &'static str;

pub(super) struct Tokens {
    key: hmac::Key,
    tenant: Uuid,
    audiences: Vec<String>,
}

impl Tokens {
    pub(super) fn new(key: &[u8], tenant: Uuid, audiences: Vec<String>) -> Tokens {
        Tokens { key: hmac::Key::new(hmac::HMAC_SHA256, key), tenant, audiences }
    }

    /// The audience of a scope such as `https://outlook.office365.com/.default`, if the tenant knows that resource.
    pub(super) fn audience(&self, scope: &str) -> Option<String> {
        let resource = scope.split_whitespace().find_map(|part| part.strip_suffix("/.default"))?;
        self.audiences.iter().find(|known| known.as_str() == resource.trim_end_matches('/')).cloned()
    }

    /// Signs a token; times are Unix seconds.
    pub(super) fn issue(&self, subject: &Subject, audience: &str, now: i64, life: i64) -> String {
        let mut claims = json!({
            "aud": audience,
            "iss": format!("https://{ISSUER_HOST}/{}/", self.tenant),
            "iat": now,
            "nbf": now,
            "exp": now + life,
            "appid": subject.client_id,
            "appidacr": if subject.upn.is_some() { "0" } else { "1" },
            "idtyp": if subject.upn.is_some() { "user" } else { "app" },
            "oid": subject.oid,
            "sub": subject.oid,
            "tid": self.tenant,
            "uti": URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes()),
            "ver": "1.0",
        });
        match &subject.upn {
            Some(upn) => {
                claims["upn"] = json!(upn);
                claims["unique_name"] = json!(upn);
                claims["scp"] = json!(
                    "AdminApi.AccessAsUser.All FfoPowerShell.AccessAsUser.All RemotePowerShell.AccessAsUser.All"
                );
            }
            None if subject.rights != Rights::NoAppRole => claims["roles"] = json!(["Exchange.ManageAsApp"]),
            None => {}
        }
        if subject.rights == Rights::Full {
            claims["wids"] = json!(["29232cdf-9323-42fd-ade2-1d097af3e4de"]);
        }
        let header = json!({"typ": "JWT", "alg": "HS256", "kid": "exorun-emulator"});
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// Checks a bearer token.
    pub(super) fn check(&self, token: &str, now: i64) -> Result<Identity, Refusal> {
        let (signed, signature) = token.rsplit_once('.').ok_or("The token is not a JWT.")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "The signature is not base64url.")?;
        hmac::verify(&self.key, signed.as_bytes(), &signature).map_err(|_| "The signature is invalid.")?;
        let (_, claims) = signed.split_once('.').ok_or("The token is not a JWT.")?;
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| "The claims are not base64url.")?;
        let claims: Value = serde_json::from_slice(&claims).map_err(|_| "The claims are not JSON.")?;
        let text = |name: &str| claims[name].as_str().unwrap_or_default();
        if !self.audiences.iter().any(|known| known == text("aud")) {
            return Err("The audience claim value is invalid.");
        }
        if claims["exp"].as_i64().unwrap_or(0) <= now {
            return Err("The token has expired.");
        }
        let has_scope = !text("scp").is_empty() || claims["roles"].is_array();
        let rights = match (has_scope, claims["wids"].is_array()) {
            (false, _) => Rights::NoAppRole,
            (true, false) => Rights::NoDirectoryRole,
            (true, true) => Rights::Full,
        };
        Ok(Identity {
            account: format!("{}/{}", text("tid"), text("oid")),
            client_id: text("appid").to_owned(),
            rights,
        })
    }
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_own_fresh_token_for_exchange_is_good() {
        let audience = "https://outlook.office365.com".to_owned();
        let tokens = Tokens::new(b"key", Uuid::nil(), vec![audience.clone()]);
        let subject = Subject { client_id: "app".into(), oid: Uuid::nil(), upn: None, rights: Rights::Full };
        let token = tokens.issue(&subject, &audience, 1000, 60);
        assert_eq!(tokens.check(&token, 1059).unwrap().rights, Rights::Full);
        assert_eq!(tokens.check(&token, 1060), Err("The token has expired."));
        let foreign = Tokens::new(b"other", Uuid::nil(), vec![audience.clone()]);
        assert_eq!(foreign.check(&token, 1000), Err("The signature is invalid."));
        let elsewhere = tokens.issue(&subject, "https://graph.example", 1000, 60);
        assert_eq!(tokens.check(&elsewhere, 1000), Err("The audience claim value is invalid."));
        for junk in ["", "a.b", "a.b.c", "...", "\u{1F600}.x.y"] {
            assert!(tokens.check(junk, 1000).is_err(), "{junk}");
        }
        assert_eq!(tokens.audience("offline_access https://outlook.office365.com/.default"), Some(audience));
        assert_eq!(tokens.audience("https://127.0.0.1:8443/.default"), None);
    }
}
