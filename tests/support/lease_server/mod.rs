//! A stand-in for the part of a Kubernetes API server that keeps Leases: real HTTP over TLS on loopback, what a real one
//! was seen to do, faults on demand, and a list of what was asked.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

mod discovery;
mod objects;
mod patch;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use exorun::clocks::Clocks;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use objects::{Objects, Reply, status};

pub(crate) const NAMESPACE: &str = "jobs";

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This status instead of doing what was asked.
    Refused(u16),
    /// 429 with this Retry-After.
    Throttled(u64),
    /// No answer, and nothing done.
    Silent,
    /// Done, and the connection cut.
    CutAfter,
    /// Not done, and the connection cut.
    CutBefore,
    /// Done after this time.
    Slow(Duration),
    /// Done and answered, without a Date.
    NoDate,
}

/// A request that was answered, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) verb: &'static str,
    /// The Lease's name; empty for a list.
    pub(crate) name: String,
    /// Zero where there was no answer.
    pub(crate) status: u16,
}

struct Planned {
    verb: &'static str,
    /// A part of the Lease's name.
    name: String,
    times: u32,
    fault: Fault,
}

struct State {
    objects: Objects,
    tokens: BTreeSet<String>,
    /// How often it was asked with a token that is not good.
    refused: u32,
    verbs: BTreeSet<&'static str>,
    planned: Vec<Planned>,
    asked: Vec<Asked>,
    clocks: Clocks,
    ahead: SignedDuration,
}

/// The running server. Its clock is `clocks`' wall clock, and may be set off from it.
pub(crate) struct LeaseServer {
    pub(crate) endpoint: String,
    pub(crate) ca_pem: String,
    state: Arc<Mutex<State>>,
    task: tokio::task::JoinHandle<()>,
    connections: Arc<Mutex<Vec<tokio::task::AbortHandle>>>,
}

impl LeaseServer {
    pub(crate) async fn start(clocks: Clocks) -> LeaseServer {
        let (acceptor, ca_pem) = tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("https://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            objects: Objects::default(),
            tokens: ["first-token".to_owned()].into(),
            refused: 0,
            verbs: ["list", "get", "create", "update", "delete"].into(),
            planned: Vec::new(),
            asked: Vec::new(),
            clocks,
            ahead: SignedDuration::ZERO,
        }));
        let (shared, connections) = (Arc::clone(&state), Arc::<Mutex<Vec<_>>>::default());
        let all = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                // As Go's servers do: else the first answer waits for the client to acknowledge the session tickets.
                tcp.set_nodelay(true).unwrap();
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&shared));
                let connection = tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(tcp).await else { return };
                    let service =
                        hyper::service::service_fn(move |request| answer(Arc::clone(&state), request));
                    let served = hyper::server::conn::http1::Builder::new()
                        .serve_connection(hyper_util::rt::TokioIo::new(stream), service);
                    drop(served.await);
                });
                all.lock().unwrap().push(connection.abort_handle());
            }
        });
        LeaseServer { endpoint, ca_pem, state, task, connections }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A kubeconfig for it, with this token.
    pub(crate) fn kubeconfig(&self, token: &str) -> String {
        use base64::Engine;
        let ca = base64::engine::general_purpose::STANDARD.encode(&self.ca_pem);
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: stand-in\n\
             clusters: [{{name: c, cluster: {{server: '{}', certificate-authority-data: {ca}}}}}]\n\
             users: [{{name: u, user: {{token: {token}}}}}]\n\
             contexts: [{{name: stand-in, context: {{cluster: c, user: u, namespace: {NAMESPACE}}}}}]\n",
            self.endpoint
        )
    }

    /// The next `times` requests of `verb` (any, if empty) for Leases with `name` in theirs have this fault.
    pub(crate) fn fail(&self, verb: &'static str, name: &str, times: u32, fault: Fault) {
        self.state().planned.push(Planned { verb, name: name.to_owned(), times, fault });
    }

    pub(crate) fn heal(&self) {
        self.state().planned.clear();
    }

    /// From now on these tokens are good, and no other.
    pub(crate) fn accept(&self, tokens: &[&str]) {
        self.state().tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
    }

    /// How many requests had a token that was not good.
    pub(crate) fn refused(&self) -> u32 {
        self.state().refused
    }

    /// Takes a verb from everybody.
    pub(crate) fn forbid(&self, verb: &str) {
        self.state().verbs.remove(verb);
    }

    pub(crate) fn allow(&self, verb: &'static str) {
        self.state().verbs.insert(verb);
    }

    /// Sets its clock off from the one it was started with.
    pub(crate) fn set_off(&self, by: SignedDuration) {
        self.state().ahead = by;
    }

    /// What was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }

    /// The Lease whose name ends so.
    pub(crate) fn lease(&self, ending: &str) -> Value {
        let state = self.state();
        let mut leases = state.objects.leases.iter();
        leases.find(|(name, _)| name.ends_with(ending)).map_or(Value::Null, |(_, lease)| lease.clone())
    }

    /// The Leases, sorted by name.
    pub(crate) fn leases(&self) -> Vec<Value> {
        self.state().objects.leases.values().cloned().collect()
    }

    /// Edits the Lease whose name ends so, as somebody with kubectl would.
    pub(crate) fn edit(&self, ending: &str, edit: impl FnOnce(&mut Value)) {
        let mut lease = self.lease(ending);
        let name = lease["metadata"]["name"].as_str().expect("there is one").to_owned();
        edit(&mut lease);
        let body = serde_json::to_vec(&lease).unwrap();
        let (status, body) = self.state().objects.replace(&name, &body, true, "2026-03-02T09:00:00Z");
        assert_eq!(status, 200, "{body}");
    }

    /// Makes one more Lease.
    pub(crate) fn put_beside(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let mut lease = serde_json::json!({
            "kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "metadata": {"name": name}, "spec": {},
        });
        edit(&mut lease);
        let body = serde_json::to_vec(&lease).unwrap();
        assert_eq!(self.state().objects.create(&body, true, "2026-03-02T09:00:00Z").0, 201);
    }

    /// Listens no more, and cuts what is connected.
    pub(crate) fn stop(&self) {
        self.task.abort();
        for connection in self.connections.lock().unwrap().drain(..) {
            connection.abort();
        }
    }

    /// Deletes the Lease whose name ends so.
    pub(crate) fn delete(&self, ending: &str) {
        let name = self.lease(ending)["metadata"]["name"].as_str().expect("there is one").to_owned();
        assert_eq!(self.state().objects.delete(&name, b"").0, 200);
    }
}

impl Drop for LeaseServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A certificate for loopback, and the CA that vouches for it.
fn tls() -> (TlsAcceptor, String) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    (TlsAcceptor::from(Arc::new(tls)), ca_pem)
}

/// A cut connection.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut")
    }
}

impl std::error::Error for Cut {}

async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let Some((path, name)) = place(parts.uri.path()) else {
        let (status, body) = discovery::answer(parts.uri.path());
        let body = Full::new(Bytes::from(serde_json::to_vec(&body).unwrap()));
        let response = Response::builder().status(status).header("content-type", "application/json");
        return Ok(response.body(body).unwrap());
    };
    let verb = verb(&parts.method, &name);
    // A new Lease's name stands in its body.
    let named = serde_json::from_slice::<Value>(&body).ok().filter(|_| verb == "create");
    let name = named.and_then(|lease| Some(lease["metadata"]["name"].as_str()?.to_owned())).unwrap_or(name);
    let fault = state.lock().unwrap().fault(verb, &name);
    let is_done = |fault: &Option<Fault>| {
        matches!(fault, None | Some(Fault::CutAfter | Fault::Slow(_) | Fault::NoDate))
    };
    if let Some(Fault::Slow(time)) = fault {
        Clocks::system().sleep(time).await;
    }
    let (status, body) = match &fault {
        fault if is_done(fault) => {
            let token = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
            let query = parts.uri.query().unwrap_or_default().to_owned();
            let kind = parts.headers.get("content-type").and_then(|value| value.to_str().ok());
            state.lock().unwrap().act(token, verb, &path, &name, &query, kind.unwrap_or_default(), &body)
        }
        Some(Fault::Refused(code)) => refused(*code),
        Some(Fault::Throttled(_)) => {
            status(429, "TooManyRequests", "the server has received too many requests")
        }
        _ => (0, Value::Null),
    };
    let is_silent = matches!(fault, Some(Fault::Silent | Fault::CutAfter | Fault::CutBefore));
    let logged = if is_silent { 0 } else { status };
    let now = {
        let mut state = state.lock().unwrap();
        state.asked.push(Asked { verb, name, status: logged });
        state.now()
    };
    match fault {
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::CutAfter | Fault::CutBefore) => return Err(Cut),
        _ => {}
    }
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    if let Some(Fault::Throttled(seconds)) = fault {
        response = response.header("retry-after", seconds);
    }
    response = match fault {
        // hyper adds a Date of its own where there is none.
        Some(Fault::NoDate) => response.header("date", "soon"),
        _ => response.header("date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
    };
    Ok(response.body(Full::new(Bytes::from(serde_json::to_vec(&body).unwrap()))).unwrap())
}

/// Namespace and Lease of a path.
fn place(path: &str) -> Option<(String, String)> {
    let rest = path.strip_prefix("/apis/coordination.k8s.io/v1/namespaces/")?;
    let (namespace, rest) = rest.split_once('/')?;
    let name = rest.strip_prefix("leases")?;
    Some((namespace.to_owned(), name.trim_start_matches('/').to_owned()))
}

fn verb(method: &Method, name: &str) -> &'static str {
    match method.as_str() {
        "GET" if name.is_empty() => "list",
        "GET" => "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "other",
    }
}

fn refused(code: u16) -> Reply {
    let reason = match code {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        422 => "Invalid",
        500 => "InternalError",
        _ => "ServiceUnavailable",
    };
    status(code, reason, &format!("a fault\nof the stand-in: {reason}"))
}

impl State {
    fn now(&self) -> Timestamp {
        self.clocks.wall().saturating_add(self.ahead).unwrap()
    }

    fn fault(&mut self, verb: &str, name: &str) -> Option<Fault> {
        let meant = |planned: &&mut Planned| {
            planned.times > 0
                && (planned.verb.is_empty() || planned.verb == verb)
                && name.contains(&planned.name)
        };
        let planned = self.planned.iter_mut().find(meant)?;
        planned.times -= 1;
        Some(planned.fault.clone())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a request")]
    fn act(
        &mut self,
        authorization: Option<&str>,
        verb: &'static str,
        namespace: &str,
        name: &str,
        query: &str,
        kind: &str,
        body: &[u8],
    ) -> Reply {
        let who = match authorization.map(|text| text.strip_prefix("Bearer ").unwrap_or_default()) {
            Some(token) if self.tokens.contains(token) => "system:serviceaccount:jobs:exorun",
            Some(_) => {
                self.refused += 1;
                return status(401, "Unauthorized", "Unauthorized");
            }
            None => "system:anonymous",
        };
        if who == "system:anonymous" || !self.verbs.contains(verb) {
            let words = format!(
                "leases.coordination.k8s.io is forbidden: User \"{who}\" cannot {verb} resource \"leases\" in API group \"coordination.k8s.io\" in the namespace \"{namespace}\""
            );
            return status(403, "Forbidden", &words);
        }
        if namespace != NAMESPACE {
            return match verb {
                "list" => Objects::default().list(""),
                _ => status(404, "NotFound", &format!("namespaces \"{namespace}\" not found")),
            };
        }
        let is_strict = query.contains("fieldValidation=Strict");
        let selector =
            query.split('&').find_map(|one| one.strip_prefix("labelSelector=")).unwrap_or_default();
        let selector = selector.replace("%3D", "=").replace("%2C", ",").replace("%2F", "/");
        let now = self.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        match verb {
            "list" => self.objects.list(&selector),
            "get" => self.objects.get(name),
            "create" => self.objects.create(body, is_strict, &now),
            "update" => self.objects.replace(name, body, is_strict, &now),
            "patch" => self.objects.patch(name, kind, body),
            "delete" => self.objects.delete(name, body),
            _ => status(405, "MethodNotAllowed", "the server does not allow this method"),
        }
    }
}
