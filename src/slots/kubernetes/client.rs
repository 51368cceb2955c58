//! The requests over HTTP, by kube's client: its TLS, its way to a token, and no retry of its own.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt, Limited};
use hyper::header::{ACCEPT, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::api::{Answer, ApiError, LeaseApi};
use super::origin::{Origin, auth, words};
use crate::slots::SlotError;

/// More than a thousand accounts' Leases take.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Leases of one namespace of an API server.
pub struct KubeApi {
    origin: Origin,
    namespace: String,
    client: Mutex<Client>,
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
    let config = origin.config().await?;
    let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
    let client = Mutex::new(origin.client(config).await?);
    Ok(KubeApi { origin, namespace, client })
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

    /// Asks once; after a 401, or without a token, once more with everything read anew: a token that has rotated.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Answer<T>, ApiError> {
        match self.ask_once(&method, path, body.clone()).await {
            Err(ApiError::Unauthorized) => {}
            answered => return answered,
        }
        let config = self.origin.config().await;
        let anew = match config {
            Ok(config) => self.origin.client(config).await,
            Err(error) => Err(error),
        };
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) =
            anew.map_err(|_| ApiError::Unauthorized)?;
        self.ask_once(&method, path, body).await
    }

    async fn ask_once<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Answer<T>, ApiError> {
        let request = Request::builder().method(method).uri(path).header(ACCEPT, "application/json");
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(Body::from(body)),
            None => request.body(Body::empty()),
        };
        let request = request.map_err(|error| ApiError::Invalid(error.to_string()))?;
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let response = client.send(request).await.map_err(|error| match auth(&error) {
            Some(_) => ApiError::Unauthorized,
            None => ApiError::Unavailable(words(&error)),
        })?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| ApiError::Unavailable(format!("the answer broke off ({error})")))?;
        let body = body.to_bytes();
        if !parts.status.is_success() {
            return Err(refusal(parts.status, &parts.headers, &body));
        }
        let server_time = server_time(&parts.headers).ok_or(ApiError::NoTime)?;
        let value = serde_json::from_slice(&body)
            .map_err(|_| ApiError::Unavailable("the answer is not what was asked for".to_owned()))?;
        Ok(Answer { value, server_time })
    }
}

fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(headers.get(DATE)?.to_str().ok()?).ok()
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let Status { reason, message, details } = serde_json::from_slice(body).unwrap_or_default();
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
