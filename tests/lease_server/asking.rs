//! Questions to an API server as they travel, and its answers as they come.

use http_body_util::BodyExt;
use hyper::{Method, Request};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};

/// An API server, somebody who may ask it, and somebody without a token.
pub(crate) struct Server {
    client: Client,
    anonymous: Client,
    namespace: String,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) date: Option<String>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// Status and reason of a refusal.
    pub(crate) fn assert(&self, status: u16, reason: &str) {
        assert_eq!((self.status, self.reason()), (status, reason), "{}", self.message());
    }
}

impl Server {
    pub(crate) async fn of(kubeconfig: &str, namespace: &str) -> Server {
        let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
        let mut nobody = config.clone();
        nobody.auth_info = Default::default();
        let (client, anonymous) = (Client::try_from(config).unwrap(), Client::try_from(nobody).unwrap());
        Server { client, anonymous, namespace: namespace.to_owned() }
    }

    async fn send(
        &self,
        client: &Client,
        method: Method,
        path: &str,
        kind: &str,
        body: Option<Value>,
    ) -> Answer {
        let all = format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", self.namespace);
        let body = body.map_or_else(Body::empty, |body| Body::from(serde_json::to_vec(&body).unwrap()));
        let request =
            Request::builder().method(method).uri(format!("{all}{path}")).header("content-type", kind);
        let response = client.send(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let date = parts.headers.get("date").map(|date| date.to_str().unwrap().to_owned());
        let body = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Answer { status: parts.status.as_u16(), date, body }
    }

    async fn json(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.send(&self.client, method, path, "application/json", body).await
    }

    /// A Lease to send.
    pub(crate) fn lease(name: &str, spec: Value) -> Value {
        let metadata = json!({"name": name, "labels": {"rows": name}});
        json!({"kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "metadata": metadata, "spec": spec})
    }

    pub(crate) async fn create(&self, name: &str, spec: Value) -> Answer {
        self.json(Method::POST, "?fieldValidation=Ignore", Some(Server::lease(name, spec))).await
    }

    pub(crate) async fn create_strictly(&self, name: &str, spec: Value) -> Answer {
        self.json(Method::POST, "?fieldValidation=Strict", Some(Server::lease(name, spec))).await
    }

    pub(crate) async fn get(&self, name: &str) -> Answer {
        self.json(Method::GET, &format!("/{name}"), None).await
    }

    pub(crate) async fn list(&self, selector: &str) -> Answer {
        self.json(Method::GET, &format!("?labelSelector={selector}"), None).await
    }

    pub(crate) async fn update(&self, name: &str, lease: &Value) -> Answer {
        self.json(Method::PUT, &format!("/{name}"), Some(lease.clone())).await
    }

    pub(crate) async fn patch(&self, name: &str, kind: &str, patch: Value) -> Answer {
        self.send(&self.client, Method::PATCH, &format!("/{name}"), kind, Some(patch)).await
    }

    pub(crate) async fn delete(&self, name: &str, version: Option<&str>) -> Answer {
        let preconditions = version.map(|version| json!({"resourceVersion": version}));
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions});
        self.json(Method::DELETE, &format!("/{name}"), Some(options)).await
    }

    pub(crate) async fn get_without_token(&self, name: &str) -> Answer {
        self.send(&self.anonymous, Method::GET, &format!("/{name}"), "application/json", None).await
    }

    /// A new Lease with one update behind it: its name, how it was first, and how it is.
    pub(crate) async fn updated(&self) -> (String, Value, Value) {
        let name = format!("row-{}", uuid::Uuid::new_v4());
        let first = self.create(&name, json!({"holderIdentity": "a", "leaseDurationSeconds": 60})).await;
        assert_eq!(first.status, 201, "{first:?}");
        let second = self.update(&name, &first.body).await;
        assert_eq!(second.status, 200, "{second:?}");
        let mut lease = second.body;
        // An update that changes nothing makes no version; one that does, does.
        lease["spec"]["holderIdentity"] = json!("b");
        let third = self.update(&name, &lease).await;
        assert_eq!(third.status, 200, "{third:?}");
        (name, first.body, third.body)
    }
}
