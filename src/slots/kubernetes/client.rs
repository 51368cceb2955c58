//! The requests over HTTP, without a retry of our own but one: after a 401, with everything read anew.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hyper::header::{ACCEPT, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use hyper::{Method, StatusCode};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::api::{Answer, ApiError, LeaseApi};
use super::origin::Origin;
use super::way::{Lasts, Way};
use crate::rules::causes::chain;
use crate::rules::withheld::without;
use crate::slots::SlotError;

/// More than a thousand accounts' Leases take.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

const A_MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// Leases of one namespace of an API server.
pub struct KubeApi {
    origin: Origin,
    namespace: String,
    held: Mutex<Held>,
}

/// The way that is gone now.
#[derive(Default)]
struct Held {
    way: Option<Way>,
    /// The server's time at the first answer on it.
    since: Option<Timestamp>,
    /// It is to be made anew, but still good where that fails.
    is_old: bool,
}

/// A way to the API server: of the kubeconfig if one is named, else of the pod's service account. The namespace is the
/// one given, else the kubeconfig's or the pod's. `KUBECONFIG` and `~/.kube/config` are not looked at.
///
/// Reads files and connects to nothing.
///
/// # Errors
/// [`SlotError::Store`] if there is no such way, with the mend.
pub async fn connect(kubeconfig: Option<&Path>, namespace: Option<String>) -> Result<KubeApi, SlotError> {
    let origin = kubeconfig.map_or(Origin::Pod, |path| Origin::File(path.to_owned()));
    let (way, its_namespace) = origin.way().await?;
    let held = Mutex::new(Held { way: Some(way), ..Held::default() });
    Ok(KubeApi { origin, namespace: namespace.unwrap_or(its_namespace), held })
}

/// The part of a `Status` that says what is wrong.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    reason: String,
    message: String,
    details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    retry_after_seconds: Option<u64>,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Lease>,
}

impl KubeApi {
    /// The namespace of the Leases.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    fn path(&self, name: &str) -> String {
        let all = format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", self.namespace);
        if name.is_empty() { all } else { format!("{all}/{name}") }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way there; made anew if there is none, or if it is old and that works.
    async fn way(&self) -> Result<Way, SlotError> {
        let current = {
            let held = self.held();
            match &held.way {
                Some(way) if !held.is_old => return Ok(way.clone()),
                other => other.clone(),
            }
        };
        match (self.origin.way().await, current) {
            (Ok((way, _)), _) => {
                *self.held() = Held { way: Some(way.clone()), ..Held::default() };
                Ok(way)
            }
            (Err(_), Some(old)) => Ok(old),
            (Err(error), None) => Err(error),
        }
    }

    /// Asks once; after a 401, or without a token, once more with everything read anew: a token that has rotated.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Answer<T>, ApiError> {
        let way = self.way().await.map_err(|_| ApiError::Unauthorized)?;
        let answered = match ask_once(&way, &method, path, body.clone()).await {
            Err(ApiError::Unauthorized) => {
                *self.held() = Held::default();
                let way = self.way().await.map_err(|_| ApiError::Unauthorized)?;
                ask_once(&way, &method, path, body).await
            }
            answered => answered,
        };
        let mut held = self.held();
        let lasts = held.way.as_ref().map_or(Lasts::AMinute, |way| way.lasts);
        match &answered {
            Ok(Answer { server_time, .. }) => {
                let since = *held.since.get_or_insert(*server_time);
                held.is_old = match lasts {
                    Lasts::AMinute => *server_time >= since + A_MINUTE,
                    Lasts::Until(end) => *server_time >= end,
                    Lasts::UntilRefused => false,
                };
            }
            // It may be the authority that has changed.
            Err(ApiError::Unavailable(_)) => held.is_old |= matches!(lasts, Lasts::AMinute),
            Err(_) => {}
        }
        drop(held);
        answered
    }
}

async fn ask_once<T: DeserializeOwned>(
    way: &Way,
    method: &Method,
    path: &str,
    body: Option<Vec<u8>>,
) -> Result<Answer<T>, ApiError> {
    let request = way.client.request(method.clone(), format!("{}{path}", way.server));
    let request = request.headers(way.headers.clone()).header(ACCEPT, "application/json");
    let request = match body {
        Some(body) => request.header(CONTENT_TYPE, "application/json").body(body),
        None => request,
    };
    let mut response = request.send().await.map_err(|error| ApiError::Unavailable(words(error)))?;
    let mut body = Vec::new();
    let broke_off = |why: String| ApiError::Unavailable(format!("the answer broke off ({why})"));
    while let Some(chunk) = response.chunk().await.map_err(|error| broke_off(words(error)))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(broke_off(format!("it has more than {ANSWER_BYTES_MAX} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    if !response.status().is_success() {
        return Err(refusal(response.status(), response.headers(), &body, way.secret()));
    }
    let server_time = server_time(response.headers()).ok_or(ApiError::NoTime)?;
    let value = serde_json::from_slice(&body)
        .map_err(|_| ApiError::Unavailable("the answer is not what was asked for".to_owned()))?;
    Ok(Answer { value, server_time })
}

/// What has gone wrong on the way, and what is behind it; the address is said elsewhere.
fn words(error: reqwest::Error) -> String {
    chain(&error.without_url())
}

fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(headers.get(DATE)?.to_str().ok()?).ok()
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8], secret: Option<&str>) -> ApiError {
    let Status { reason, message, details } = serde_json::from_slice(body).unwrap_or_default();
    // A proxy may quote the request.
    let message = without(&message, secret);
    let text = if message.is_empty() { status.to_string() } else { message };
    match status.as_u16() {
        401 => ApiError::Unauthorized,
        403 => ApiError::Forbidden(text),
        404 => ApiError::NotFound(text),
        409 if reason == "AlreadyExists" => ApiError::AlreadyExists,
        409 => ApiError::Conflict,
        429 => {
            let header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let seconds = header.or(details.and_then(|details| details.retry_after_seconds));
            ApiError::Throttled { retry_after: seconds.map(Duration::from_secs) }
        }
        400..=499 => ApiError::Invalid(text),
        status => ApiError::Unavailable(format!("{status}: {text}")),
    }
}

#[async_trait]
impl LeaseApi for KubeApi {
    async fn list(&self, selector: &str) -> Result<Answer<Vec<Lease>>, ApiError> {
        let selector = selector.replace('=', "%3D").replace(',', "%2C").replace('/', "%2F");
        let path = format!("{}?labelSelector={selector}", self.path(""));
        let Answer { value: List { items }, server_time } = self.ask(Method::GET, &path, None).await?;
        Ok(Answer { value: items, server_time })
    }

    async fn get(&self, name: &str) -> Result<Answer<Lease>, ApiError> {
        self.ask(Method::GET, &self.path(name), None).await
    }

    async fn create(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError> {
        let path = format!("{}?fieldValidation=Strict", self.path(""));
        self.ask(Method::POST, &path, Some(json(lease)?)).await
    }

    async fn replace(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError> {
        let name = lease.metadata.name.as_deref().unwrap_or_default();
        let path = format!("{}?fieldValidation=Strict", self.path(name));
        self.ask(Method::PUT, &path, Some(json(lease)?)).await
    }

    async fn delete(&self, name: &str, resource_version: &str) -> Result<Answer<()>, ApiError> {
        let options = serde_json::json!({
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": { "resourceVersion": resource_version },
        });
        let body = serde_json::to_vec(&options).map_err(|error| ApiError::Invalid(error.to_string()))?;
        let Answer { value: serde::de::IgnoredAny, server_time } =
            self.ask(Method::DELETE, &self.path(name), Some(body)).await?;
        Ok(Answer { value: (), server_time })
    }
}

fn json(lease: &Lease) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(lease).map_err(|error| ApiError::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use hyper::header::HeaderMap;

    use super::{ApiError, refusal};

    #[test]
    fn a_refusal_that_quotes_the_token_is_told_without_it() {
        let body =
            br#"{"kind": "Status", "reason": "Forbidden", "message": "not with Bearer canary-token here"}"#;
        let refused = refusal(StatusCode::FORBIDDEN, &HeaderMap::new(), body, Some("canary-token"));
        assert_eq!(refused, ApiError::Forbidden("not with Bearer *** here".to_owned()));
    }
}
