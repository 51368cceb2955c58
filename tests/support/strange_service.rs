//! A tiny TLS service by hand, which answers what no honest service would.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What every request gets.
pub(crate) struct Answers {
    first: Vec<u8>,
    /// Sent after it, over and over until the client has enough.
    forever: Option<Vec<u8>>,
}

impl Answers {
    /// A good page, perhaps with a link to a next one.
    pub(crate) fn page(value: Value, next: Option<&str>) -> Answers {
        let mut body = json!({"value": value});
        if let Some(next) = next {
            body["@odata.nextLink"] = next.into();
        }
        let body = body.to_string();
        Answers::once(format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// These bytes.
    pub(crate) fn once(bytes: impl Into<Vec<u8>>) -> Answers {
        Answers { first: bytes.into(), forever: None }
    }

    /// These bytes, and then `again` without an end.
    pub(crate) fn endless(first: impl Into<Vec<u8>>, again: impl Into<Vec<u8>>) -> Answers {
        Answers { first: first.into(), forever: Some(again.into()) }
    }

    /// A redirect.
    pub(crate) fn redirect(status: u16, location: &str) -> Answers {
        Answers::once(format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"))
    }
}

/// The running service.
pub(crate) struct StrangeService {
    port: u16,
    ca_pem: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl StrangeService {
    pub(crate) async fn start(answers: Answers) -> StrangeService {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(ca, ca_key);
        // The services' own names too, for clients that are led here by a detour.
        let names = [
            "127.0.0.1",
            "*.outlook.office365.com",
            "outlook.office365.com",
            "*.ps.compliance.protection.outlook.com",
            "ps.compliance.protection.outlook.com",
        ];
        let certificate =
            CertificateParams::new(names.map(str::to_owned)).unwrap().signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (counted, seen) = (connections.clone(), requests.clone());
        let answer = Arc::new(answers);
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (acceptor, seen, answer) = (acceptor.clone(), seen.clone(), answer.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(tcp).await else { return };
                    let mut head = Vec::new();
                    let mut chunk = [0; 4096];
                    // A request is here when its head and the length that it names are.
                    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
                        head.extend_from_slice(&chunk[..read]);
                        let text = String::from_utf8_lossy(&head).into_owned();
                        let Some((fields, body)) = text.split_once("\r\n\r\n") else { continue };
                        let length = fields.lines().find_map(|line| {
                            let (name, value) = line.split_once(": ")?;
                            name.eq_ignore_ascii_case("content-length")
                                .then(|| value.parse::<usize>().ok())?
                        });
                        if body.len() >= length.unwrap_or(0) {
                            seen.lock().unwrap().push(text);
                            head.clear();
                            let mut sent = stream.write_all(&answer.first).await;
                            while let (Some(again), Ok(())) = (&answer.forever, &sent) {
                                sent = stream.write_all(again).await;
                            }
                        }
                    }
                    let _gone = stream.shutdown().await;
                });
            }
        });
        StrangeService { port, ca_pem, connections, requests, task }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Every request that came, as text.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for StrangeService {
    fn drop(&mut self) {
        self.task.abort();
    }
}
