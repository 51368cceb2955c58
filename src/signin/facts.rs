//! What an access token says about itself, and whether it can be the one that is needed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::endpoint::Expected;
use super::{SigninError, SigninErrorKind, TokenFacts};
use crate::observe::escape::one_line;
use crate::rules::rights::{Bearer, Worth, is_taken, worth};

/// A token of a person has half a dozen.
const RIGHTS_SHOWN_MAX: usize = 8;

/// Reads the claims of a token. They are decoded, not verified: only the service can verify them.
///
/// # Errors
/// If the token is no JWT or lacks `tid` or an identity; the message holds nothing of the token.
pub(super) fn read(token: &SecretString) -> Result<TokenFacts, SigninError> {
    let claims = claims(token.expose_secret()).ok_or_else(|| {
        SigninError::new(
            SigninErrorKind::Refused,
            "the sign-in service gave a token that is not a readable JWT",
        )
    })?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let words = |name: &str| text(name).map(|scp| scp.split(' ').map(str::to_owned).collect::<Vec<_>>());
    let roles = claims.get("roles").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut rights: Vec<String> = roles.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    rights.extend(words("scp").unwrap_or_default());
    let person = text("upn").or_else(|| text("unique_name")).or_else(|| text("preferred_username"));
    let application = text("appid").or_else(|| text("azp"));
    let missing = |what: &str| {
        SigninError::new(SigninErrorKind::Refused, format!("the sign-in service gave a token without {what}"))
    };
    Ok(TokenFacts {
        tenant_id: text("tid").ok_or_else(|| missing("`tid`"))?,
        object_id: text("oid").or_else(|| application.clone()).ok_or_else(|| missing("`oid` and `appid`"))?,
        delegated: person.is_some(),
        actor: person.or(application).ok_or_else(|| missing("`upn` and `appid`"))?,
        audience: text("aud").unwrap_or_default(),
        rights,
        issuer: text("iss").unwrap_or_default(),
    })
}

/// Refuses early a token that every call would be refused with. Source: protocol reference, 2.1 ("scope trap").
///
/// # Errors
/// In words that name the mend.
pub(super) fn check(
    facts: &TokenFacts,
    scope: &str,
    tenant: &str,
    expected: &Expected,
) -> Result<(), SigninError> {
    let refused = |message: String| Err(SigninError::new(SigninErrorKind::Unfit, message));
    let resource = scope.trim_end_matches("/.default").trim_end_matches('/');
    if facts.audience.trim_end_matches('/') != resource {
        return refused(format!("the token is for `{}`, not for `{resource}`", facts.audience));
    }
    let named = looks_like_guid(tenant).then_some(tenant);
    for tenant_id in expected.tenant_id.as_deref().into_iter().chain(named) {
        if !facts.tenant_id.eq_ignore_ascii_case(tenant_id) {
            let token_of = one_line(&facts.tenant_id, 64);
            return refused(match named {
                Some(_) => format!("the token is for tenant {token_of}, the job is for {tenant}"),
                None => format!(
                    "the token is for tenant {token_of}, the job is for {tenant}, which is {tenant_id}"
                ),
            });
        }
    }
    if let Some(name) = &expected.user_principal_name
        && !name.eq_ignore_ascii_case(&facts.actor)
    {
        let actor = one_line(&facts.actor, 120);
        return refused(format!("{actor} signed in, the job expects {name}: sign in as the right user"));
    }
    let worth = facts.worth();
    if is_taken(worth, expected.rights) {
        return Ok(());
    }
    let (seen, mend) = (facts.shown_rights(), facts.mend_of_rights());
    refused(match worth {
        Worth::Nothing => format!("the token has {seen}: {mend}"),
        Worth::OtherApi => format!(
            "the token has {seen}, which are for version 2.0 of the Admin API, and cmdlets are refused with them: {mend}"
        ),
        Worth::Unknown | Worth::Known => format!(
            "the token has {seen}, and none of them is known to let it call cmdlets: {mend} (if the service takes one of them, \
             set `expected_rights` to `any`)"
        ),
    })
}

impl TokenFacts {
    /// What its rights are worth.
    pub fn worth(&self) -> Worth {
        worth(if self.delegated { Bearer::Person } else { Bearer::Application }, &self.rights)
    }

    /// Its rights by name, for people.
    pub fn shown_rights(&self) -> String {
        let kind = if self.delegated { "scope" } else { "role" };
        if self.rights.is_empty() {
            return format!("no {kind}");
        }
        let names = self.rights.iter().take(RIGHTS_SHOWN_MAX).map(|name| one_line(name, 80));
        let more = if self.rights.len() > RIGHTS_SHOWN_MAX { ", …" } else { "" };
        format!("{kind}s {}{more}", names.collect::<Vec<_>>().join(", "))
    }

    /// What to do where none of its rights will do.
    pub fn mend_of_rights(&self) -> &'static str {
        match self.delegated {
            true => {
                "consent to `Exchange.Manage` for this client, or use the module's own client id (leave out `client_id`)"
            }
            false => {
                "grant the application `Exchange.ManageAsApp` (Office 365 Exchange Online, application permission) with admin \
                 consent"
            }
        }
    }
}

/// `exp` of a token, if it is a JWT that has one.
pub(super) fn ends_at(token: &SecretString) -> Option<jiff::Timestamp> {
    let claims = claims(token.expose_secret())?;
    jiff::Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
}

fn claims(token: &str) -> Option<serde_json::Map<String, Value>> {
    let payload = token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

pub(super) fn looks_like_guid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::rights::Expected as Expecting;

    fn facts(claims: &Value) -> Result<TokenFacts, SigninError> {
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        read(&SecretString::from(format!("e30.{payload}.c2ln")))
    }

    const SCOPE: &str = "https://outlook.office365.com/.default";
    const TENANT: &str = "3b0cf5d5-0d9e-4d4e-9d5e-000000000001";

    fn application() -> Value {
        json!({"tid": TENANT, "oid": "o-1", "appid": "a-1", "aud": "https://outlook.office365.com",
            "roles": ["Exchange.ManageAsApp"], "iss": "https://sts.windows.net/x/"})
    }

    #[test]
    fn an_application_and_a_person_are_told_apart() {
        let app = facts(&application()).unwrap();
        assert_eq!((app.actor.as_str(), app.object_id.as_str(), app.delegated), ("a-1", "o-1", false));
        let mut claims = application();
        claims["upn"] = json!("admin@contoso.example");
        claims["scp"] = json!("AdminApi.AccessAsUser.All Other");
        let person = facts(&claims).unwrap();
        assert_eq!((person.actor.as_str(), person.delegated), ("admin@contoso.example", true));
        assert_eq!(person.rights, ["Exchange.ManageAsApp", "AdminApi.AccessAsUser.All", "Other"]);
    }

    #[test]
    fn without_oid_the_application_id_is_the_account() {
        let mut claims = application();
        claims.as_object_mut().unwrap().remove("oid");
        assert_eq!(facts(&claims).unwrap().object_id, "a-1");
    }

    #[test]
    fn a_token_for_something_else_is_refused_before_any_call() {
        let good = facts(&application()).unwrap();
        assert!(check(&good, SCOPE, TENANT, &Expected::default()).is_ok());
        assert!(check(&good, SCOPE, "contoso.onmicrosoft.com", &Expected::default()).is_ok());
        let refused = |change: fn(&mut TokenFacts), tenant: &str| {
            let mut facts = good.clone();
            change(&mut facts);
            check(&facts, SCOPE, tenant, &Expected::default()).unwrap_err().to_string()
        };
        assert!(
            refused(|facts| facts.audience = "https://graph.microsoft.com".into(), TENANT).contains("graph")
        );
        assert!(refused(|facts| facts.rights.clear(), TENANT).contains("Exchange.ManageAsApp"));
        assert!(refused(|_| (), "3b0cf5d5-0d9e-4d4e-9d5e-000000000002").contains("tenant"));
    }

    #[test]
    fn a_token_without_a_right_that_is_known_is_refused_by_the_names_it_has() {
        let check = |delegated: bool, rights: &[&str], rights_expected: Expecting| {
            let rights = rights.iter().map(|name| (*name).to_owned()).collect();
            let facts = TokenFacts { delegated, rights, ..facts(&application()).unwrap() };
            let expected = Expected { rights: rights_expected, ..Expected::default() };
            check(&facts, SCOPE, TENANT, &expected)
        };
        for (delegated, rights, words) in [
            (
                false,
                &["full_access_as_app", "Mail.Read"][..],
                "the token has roles full_access_as_app, Mail.Read, and none",
            ),
            (false, &["Exchange.ManageAsAppV2"], "version 2.0 of the Admin API"),
            (true, &["EWS.AccessAsUser.All"], "scopes EWS.AccessAsUser.All, and none of them is known"),
            (true, &["Exchange.ManageAsApp"], "consent to `Exchange.Manage`"),
        ] {
            let error = check(delegated, rights, Expecting::Known).unwrap_err();
            assert_eq!(error.kind, SigninErrorKind::Unfit);
            assert!(error.message.contains(words), "{error}");
            assert!(check(delegated, rights, Expecting::Any).is_ok(), "{words}");
        }
        assert!(check(false, &[], Expecting::Any).is_err());
        let many = ["\u{1b}[31mred"; 20];
        let error = check(true, &many, Expecting::Known).unwrap_err().message;
        assert!(
            !error.contains('\u{1b}') && error.matches("red").count() == 8 && error.contains(", …"),
            "{error}"
        );
    }

    #[test]
    fn a_token_of_another_tenant_than_the_domain_means_is_refused() {
        let facts = facts(&application()).unwrap();
        let check = |tenant_id: &str| {
            let expected = Expected { tenant_id: Some(tenant_id.to_owned()), ..Expected::default() };
            check(&facts, SCOPE, "contoso.onmicrosoft.com", &expected)
        };
        assert!(check(&TENANT.to_uppercase()).is_ok());
        let error = check("3b0cf5d5-0d9e-4d4e-9d5e-000000000002").unwrap_err();
        assert_eq!(error.kind, SigninErrorKind::Unfit);
        assert!(error.message.contains("contoso.onmicrosoft.com, which is 3b0cf5d5"), "{error}");
    }

    #[test]
    fn what_is_no_token_is_not_quoted() {
        let error = read(&SecretString::from("canary-secret-text")).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
