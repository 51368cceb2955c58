//! User realm discovery: whether a user's password is Entra's or another service's. No credential leaves for it.
//! Source: protocol reference, 2.5.

use oauth2::http::{Method, Request, header};
use oauth2::url::Url;
use serde_json::Value;

use super::endpoint::LoginEndpoint;
use super::{SigninError, SigninErrorKind};
use crate::observe::escape::one_line;

const TEXT_CHARS_MAX: usize = 300;

/// Who keeps a user's password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Realm {
    /// Entra.
    Managed,
    /// Another service, by a protocol such as `WSTrust`.
    Federated {
        /// The host that signs the domain's users in, if the answer names one. Escaped.
        sts: Option<Sts>,
    },
    /// No domain of this cloud, or an answer that says nothing.
    Unknown,
}

/// Where a federated domain signs its users in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sts {
    /// The host's name.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl LoginEndpoint {
    /// Asks who keeps the password of `upn`.
    ///
    /// # Errors
    /// No answer came, as with tokens. An answer that cannot be understood is [`Realm::Unknown`]: it proves nothing.
    pub async fn realm(&self, upn: &str) -> Result<Realm, SigninError> {
        let bad = |why: String| SigninError::new(SigninErrorKind::BadInput, format!("login endpoint: {why}"));
        let mut url = Url::parse(&self.base).map_err(|error| bad(error.to_string()))?;
        url.path_segments_mut()
            .map_err(|()| bad("it is no base of addresses".to_owned()))?
            .pop_if_empty()
            .extend(["common", "UserRealm", upn]);
        url.set_query(Some("api-version=1.0"));
        let request = Request::builder()
            .method(Method::GET)
            .uri(url.as_str())
            .header(header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|error| bad(error.to_string()))?;
        let place = format!("{}/common/UserRealm", self.base.trim_end_matches('/'));
        let answer = self.exchange(request).await.map_err(|why| why.at(&place))?;
        Ok(read(&serde_json::from_slice(answer.body()).unwrap_or(Value::Null)))
    }
}

fn read(body: &Value) -> Realm {
    match body["account_type"].as_str() {
        Some("Managed") => Realm::Managed,
        Some("Federated") => {
            let members = ["federation_active_auth_url", "federation_metadata_url"];
            Realm::Federated { sts: members.iter().find_map(|member| sts(body[member].as_str()?)) }
        }
        _ => Realm::Unknown,
    }
}

fn sts(url: &str) -> Option<Sts> {
    let url = Url::parse(url).ok()?;
    let host = one_line(url.host_str()?, TEXT_CHARS_MAX);
    Some(Sts { host, port: url.port_or_known_default()? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_host_of_a_federated_domain_is_found_and_nonsense_proves_nothing() {
        let federated = json!({
            "account_type": "Federated", "federation_protocol": "WSTrust",
            "federation_metadata_url": "https://sts.contoso.com/adfs/services/trust/mex",
        });
        let sts = Sts { host: "sts.contoso.com".to_owned(), port: 443 };
        assert_eq!(read(&federated), Realm::Federated { sts: Some(sts) });
        assert_eq!(read(&json!({"account_type": "Federated"})), Realm::Federated { sts: None });
        assert_eq!(read(&json!({"account_type": "Managed"})), Realm::Managed);
        for nothing in [json!({"account_type": "Unknown"}), json!([]), Value::Null] {
            assert_eq!(read(&nothing), Realm::Unknown);
        }
    }
}
