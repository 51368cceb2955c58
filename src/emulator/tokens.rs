//! Access tokens. They look like the service's (a v1.0 JWT), but are signed by HMAC with a key of this run, and
//! their issuer says `exorun-emulator.invalid`: nobody can take one for real.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Value, json};
use uuid::Uuid;

use super::roles::{Role, RoleAssignment, RoleBook};

/// A name that cannot exist (RFC 6761).
pub(super) const ISSUER_HOST: &str = "sts.exorun-emulator.invalid";

/// The claim that holds what a client answered to a claims challenge; our own.
pub(super) const ANSWERED: &str = "exorun_challenge";

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
    /// The user's name; an application has none.
    pub(super) upn: Option<String>,
    pub(super) audience: String,
    pub(super) rights: Rights,
    /// The directory roles.
    pub(super) roles: Vec<Role>,
    /// Whether the client declared that it understands claims challenges (`cp1`).
    pub(super) declared: bool,
    /// What the client answered to a claims challenge.
    pub(super) answered: Option<String>,
}

/// Why a token is refused; the text goes into `WWW-Authenticate`.
pub(super) type Refusal = &'static str;

pub(super) struct Tokens {
    key: hmac::Key,
    tenant: Uuid,
    audiences: Vec<String>,
    pub(super) roles: RoleBook,
}

impl Tokens {
    pub(super) fn new(key: &[u8], tenant: Uuid, audiences: Vec<String>, roles: &[RoleAssignment]) -> Tokens {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Tokens { key, tenant, audiences, roles: RoleBook::new(roles) }
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
            let account = subject.upn.as_deref().unwrap_or(&subject.client_id);
            claims["wids"] = json!(self.roles.of(account).iter().map(|role| role.wid()).collect::<Vec<_>>());
        }
        self.sign(&claims)
    }

    /// The same token with some claims more; nothing if it is not one of ours.
    pub(super) fn extended(&self, token: &str, more: &[(&str, Value)]) -> Option<String> {
        let mut claims = self.claims(token).ok()?;
        for (name, value) in more {
            claims[*name] = value.clone();
        }
        Some(self.sign(&claims))
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({"typ": "JWT", "alg": "HS256", "kid": "exorun-emulator"});
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// What a token that was signed here says.
    fn claims(&self, token: &str) -> Result<Value, Refusal> {
        let (signed, signature) = token.rsplit_once('.').ok_or("The token is not a JWT.")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "The signature is not base64url.")?;
        hmac::verify(&self.key, signed.as_bytes(), &signature).map_err(|_| "The signature is invalid.")?;
        let (_, claims) = signed.split_once('.').ok_or("The token is not a JWT.")?;
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| "The claims are not base64url.")?;
        serde_json::from_slice(&claims).map_err(|_| "The claims are not JSON.")
    }

    /// Checks a bearer token. Which audience is good here, the door knows.
    pub(super) fn check(&self, token: &str, now: i64) -> Result<Identity, Refusal> {
        let claims = self.claims(token)?;
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
            upn: claims["upn"].as_str().map(str::to_owned),
            audience: text("aud").to_owned(),
            rights,
            roles: claims["wids"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .filter_map(Role::of_wid)
                .collect(),
            declared: claims["xms_cc"]
                .as_array()
                .is_some_and(|values| values.iter().any(|value| value == "cp1")),
            answered: claims[ANSWERED].as_str().map(str::to_owned),
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
        let tokens = Tokens::new(b"key", Uuid::nil(), vec![audience.clone()], &[]);
        let subject = Subject { client_id: "app".into(), oid: Uuid::nil(), upn: None, rights: Rights::Full };
        let token = tokens.issue(&subject, &audience, 1000, 60);
        assert_eq!(tokens.check(&token, 1059).unwrap().rights, Rights::Full);
        assert_eq!(tokens.check(&token, 1060), Err("The token has expired."));
        let foreign = Tokens::new(b"other", Uuid::nil(), vec![audience.clone()], &[]);
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
