//! One way into Vault: an HTTP client with an address, a namespace and a token.
//!
//! vaultrs' middleware and requests are used, and not its functions: these log an expected 404 as an error with Vault's
//! text, and drop what is needed here (the status of an error with its data, versions, leases).

use std::borrow::Cow;
use std::time::Duration;

use rustify::endpoint::Endpoint;
use rustify::enums::{RequestMethod, RequestType, ResponseType};
use rustify::errors::ClientError;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;
use vaultrs::api::EndpointMiddleware;
use zeroize::{Zeroize, Zeroizing};

use super::bounded::Bounded;
use super::trouble::{Failed, Trouble};

/// A way in. Its token is wiped when dropped.
pub(super) struct Door {
    http: Bounded,
    middle: EndpointMiddleware,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.middle.token.zeroize();
    }
}

/// What Vault answers with, as far as it is needed.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) data: Option<Value>,
    pub(super) auth: Option<Granted>,
    pub(super) lease_id: String,
    pub(super) wrap_info: Option<Wrapped>,
}

/// A token that was granted.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub(super) client_token: SecretString,
    #[serde(default)]
    pub(super) accessor: String,
    /// Seconds; zero of a token that does not end.
    #[serde(default)]
    pub(super) lease_duration: u64,
    #[serde(default)]
    pub(super) renewable: bool,
    #[serde(default)]
    pub(super) token_type: String,
}

/// What an answer is wrapped in.
#[derive(Deserialize)]
pub(super) struct Wrapped {
    pub(super) token: SecretString,
}

impl Door {
    /// With `token`, or without one.
    pub(super) fn new(
        http: reqwest::Client,
        address: &str,
        namespace: Option<&str>,
        token: Option<&SecretString>,
    ) -> Result<Door, Failed> {
        let token = token.map(ExposeSecret::expose_secret).unwrap_or_default();
        // The middleware would panic on what cannot stand in a header.
        if token.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(Failed::wrong("the token of Vault holds characters that no token has"));
        }
        let middle = EndpointMiddleware {
            token: token.to_owned(),
            version: "v1".to_owned(),
            wrap: None,
            namespace: namespace.map(str::to_owned),
        };
        Ok(Door { http: Bounded { base: address.to_owned(), http }, middle })
    }

    /// The same way with a token.
    pub(super) fn with(&self, token: &SecretString) -> Result<Door, Failed> {
        Door::new(self.http.http.clone(), &self.http.base, self.middle.namespace.as_deref(), Some(token))
    }

    /// Asks once.
    pub(super) async fn ask<E: Endpoint>(&self, endpoint: &E) -> Result<Answer, Trouble> {
        self.through(&self.middle, endpoint).await
    }

    /// Asks once for an answer that is wrapped for `ttl`.
    pub(super) async fn ask_wrapped<E: Endpoint>(
        &self,
        endpoint: &E,
        ttl: Duration,
    ) -> Result<Answer, Trouble> {
        let mut middle =
            EndpointMiddleware { wrap: Some(format!("{}s", ttl.as_secs().max(1))), ..self.middle.clone() };
        let answer = self.through(&middle, endpoint).await;
        middle.token.zeroize();
        answer
    }

    async fn through<E: Endpoint>(
        &self,
        middle: &EndpointMiddleware,
        endpoint: &E,
    ) -> Result<Answer, Trouble> {
        // The libraries' own lines hold addresses and Vault's texts, unescaped by us; ours say what matters.
        let asking = async { Again(endpoint).with_middleware(middle).exec(&self.http).await };
        let answer = asking.with_subscriber(Dispatch::none()).await;
        let answer = answer.map_err(|error| Trouble::of(error).without(&sent(middle, endpoint)))?;
        let status = answer.response.status().as_u16();
        let body = Zeroizing::new(answer.response.into_body());
        if body.is_empty() {
            return Ok(Answer::default());
        }
        serde_json::from_slice(&body).map_err(|_| Trouble::NotVault { status })
    }
}

/// Members of a request's body that are secrets, or open one; below `data` everything is.
const SECRETS: [&str; 4] = ["jwt", "secret_id", "role_id", "token"];

/// The secrets that a request has sent.
fn sent<E: Endpoint>(middle: &EndpointMiddleware, endpoint: &E) -> Vec<Zeroizing<String>> {
    let body = endpoint.body().ok().flatten().map(Zeroizing::new).unwrap_or_default();
    let body = serde_json::from_slice::<Map<String, Value>>(&body).unwrap_or_default();
    let mut all = vec![Zeroizing::new(middle.token.clone())];
    for (name, value) in body {
        match value {
            Value::String(text) if SECRETS.contains(&name.as_str()) => all.push(Zeroizing::new(text)),
            Value::Object(fields) if name == "data" => {
                let texts = fields.into_iter().filter_map(|(_, field)| match field {
                    Value::String(text) => Some(Zeroizing::new(text)),
                    _ => None,
                });
                all.extend(texts);
            }
            _ => {}
        }
    }
    all
}

/// A borrowed request: the library takes requests by value, and one is repeated.
struct Again<'a, E>(&'a E);

impl<E: Endpoint> Endpoint for Again<'_, E> {
    type Response = ();
    const REQUEST_BODY_TYPE: RequestType = E::REQUEST_BODY_TYPE;
    const RESPONSE_BODY_TYPE: ResponseType = E::RESPONSE_BODY_TYPE;

    fn path(&self) -> String {
        self.0.path()
    }

    fn method(&self) -> RequestMethod {
        self.0.method()
    }

    fn query(&self) -> Result<Option<String>, ClientError> {
        self.0.query()
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        self.0.body()
    }
}

/// A request that vaultrs does not have, or not as Vault wants it.
pub(super) struct Request {
    pub(super) method: RequestMethod,
    pub(super) path: Cow<'static, str>,
    pub(super) body: Option<Value>,
}

impl Request {
    pub(super) fn get(path: impl Into<Cow<'static, str>>) -> Request {
        Request { method: RequestMethod::GET, path: path.into(), body: None }
    }

    pub(super) fn post(path: impl Into<Cow<'static, str>>, body: Option<Value>) -> Request {
        Request { method: RequestMethod::POST, path: path.into(), body }
    }
}

impl Endpoint for Request {
    type Response = ();
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        self.path.to_string()
    }

    fn method(&self) -> RequestMethod {
        self.method.clone()
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(self.body.as_ref().map(|body| body.to_string().into_bytes()))
    }
}
