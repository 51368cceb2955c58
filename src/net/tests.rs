//! How transports end, seen from the accept loop, over real sockets.

use std::sync::Mutex;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::client::TlsStream;

use super::*;

/// `/slow` never answers, `/cut` cuts the transport, everything else says hello.
struct Hello {
    ends: mpsc::UnboundedSender<(u64, End)>,
    seen: Mutex<Vec<Protocol>>,
}

type Answer = std::pin::Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send>>;

struct Service(Connection);

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        let connection = self.0.clone();
        Box::pin(async move {
            match request.uri().path() {
                "/panic" => panic!("on purpose"),
                "/slow" => std::future::pending::<()>().await,
                "/cut" => {
                    connection.cut();
                    std::future::pending::<()>().await;
                }
                _ => {}
            }
            Ok(Response::new(Full::new(Bytes::from_static(b"hello"))))
        })
    }
}

impl Accept for Hello {
    type Body = Full<Bytes>;
    type Service = Service;

    fn accept(&self, connection: Connection) -> Service {
        self.seen.lock().unwrap().push(connection.protocol);
        Service(connection)
    }

    fn ended(&self, connection: &Connection, end: End) {
        let _ = self.ends.send((connection.id, end));
    }
}

struct Bench {
    server: Server,
    hello: Arc<Hello>,
    ends: mpsc::UnboundedReceiver<(u64, End)>,
    client: Option<Arc<rustls::ClientConfig>>,
}

/// A server's and a client's TLS that trust each other.
fn tls() -> (Arc<rustls::ServerConfig>, Arc<rustls::ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

async fn start(secure: bool, change: impl FnOnce(&mut Options)) -> Bench {
    let mut options = Options::new(Clocks::system());
    options.linger = Duration::from_millis(500);
    options.grace = Duration::from_millis(200);
    let mut client = None;
    if secure {
        let (server, own) = tls();
        options.tls = Some(server);
        client = Some(own);
    }
    change(&mut options);
    let (sender, ends) = mpsc::unbounded_channel();
    let hello = Arc::new(Hello { ends: sender, seen: Mutex::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::start(listener, hello.clone(), options).unwrap();
    Bench { server, hello, ends, client }
}

impl Bench {
    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.server.address()).await.unwrap()
    }

    async fn tls(&self, alpn: &[u8]) -> TlsStream<TcpStream> {
        let mut config = (**self.client.as_ref().unwrap()).clone();
        config.alpn_protocols = vec![alpn.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await).await.unwrap()
    }

    async fn end(&mut self) -> (u64, End) {
        let clocks = Clocks::system();
        clocks.timeout(Duration::from_secs(10), self.ends.recv()).await.expect("an end in time").unwrap()
    }
}

async fn get(stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin), path: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        let mut piece = [0; 512];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(length) => answer.extend_from_slice(&piece[..length]),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn close_notify_is_clean_and_a_bare_end_is_not() {
    let mut bench = start(true, |_| {}).await;
    let mut stream = bench.tls(b"http/1.1").await;
    assert!(get(&mut stream, "/").await.ends_with("hello"));
    stream.shutdown().await.unwrap();
    assert_eq!(bench.end().await, (1, End::Clean));

    let mut stream = bench.tls(b"http/1.1").await;
    get(&mut stream, "/").await;
    let (mut tcp, _) = stream.into_inner();
    tcp.shutdown().await.unwrap();
    assert_eq!(bench.end().await, (2, End::Unclean), "FIN");

    let mut stream = bench.tls(b"http/1.1").await;
    get(&mut stream, "/").await;
    stream.get_ref().0.set_zero_linger().unwrap();
    drop(stream);
    assert_eq!(bench.end().await, (3, End::Unclean), "RST");

    let mut stream = bench.tls(b"http/1.1").await;
    stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let (tcp, _) = stream.into_inner();
    drop(tcp);
    assert_eq!(bench.end().await, (4, End::Unclean), "in the midst of a request");
}

#[tokio::test]
async fn http2_ends_like_http1() {
    let mut bench = start(true, |_| {}).await;
    let stream = bench.tls(b"h2").await;
    let (mut send, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let ask = async {
        let answer =
            send.send_request(Request::get("https://localhost/").body(Empty::<Bytes>::new()).unwrap()).await;
        let body = answer.unwrap().into_body().collect().await.unwrap().to_bytes();
        drop(send);
        body
    };
    let (body, _) = tokio::join!(ask, connection);
    assert_eq!(&body[..], b"hello");
    assert_eq!(bench.end().await, (1, End::Clean));
    assert_eq!(*bench.hello.seen.lock().unwrap(), [Protocol::Http2]);

    let stream = bench.tls(b"h2").await;
    drop(stream.into_inner());
    assert_eq!(bench.end().await, (2, End::Unclean));
}

#[tokio::test]
async fn a_cut_is_a_reset_and_not_the_peers_doing() {
    let mut bench = start(true, |_| {}).await;
    let mut stream = bench.tls(b"http/1.1").await;
    assert_eq!(get(&mut stream, "/cut").await, "");
    assert_eq!(bench.end().await, (1, End::Cut));
}

#[tokio::test]
async fn a_panic_in_a_service_ends_its_connection_only() {
    let mut bench = start(true, |_| {}).await;
    let mut stream = bench.tls(b"http/1.1").await;
    assert_eq!(get(&mut stream, "/panic").await, "");
    assert_eq!(bench.end().await, (1, End::Cut));
    let mut stream = bench.tls(b"http/1.1").await;
    assert!(get(&mut stream, "/").await.ends_with("hello"));
}

#[tokio::test]
async fn over_plain_tcp_a_fin_is_clean() {
    let mut bench = start(false, |_| {}).await;
    let mut stream = bench.tcp().await;
    assert!(get(&mut stream, "/").await.ends_with("hello"));
    stream.shutdown().await.unwrap();
    assert_eq!(bench.end().await, (1, End::Clean));
}

#[tokio::test]
async fn a_peer_that_sends_no_head_is_cut() {
    let mut bench = start(true, |options| options.header_timeout = Duration::from_millis(100)).await;
    let mut stream = bench.tls(b"http/1.1").await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost").await.unwrap();
    assert_eq!(bench.end().await, (1, End::Cut));
    // One that does not even begin TLS never becomes a connection, and is let go.
    let mut silent = bench.tcp().await;
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn no_more_connections_are_served_than_there_are_places() {
    let mut bench = start(false, |options| options.connections_max = 1).await;
    let mut first = bench.tcp().await;
    get(&mut first, "/").await;
    let mut second = bench.tcp().await;
    second.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let early = Clocks::system().timeout(Duration::from_millis(100), second.read_u8()).await;
    assert!(early.is_err(), "the second was served beside the first");
    drop(first);
    assert_eq!(bench.end().await, (1, End::Clean));
    assert_eq!(second.read_u8().await.unwrap(), b'H');
}

#[tokio::test]
async fn stopping_says_goodbye_and_cuts_what_does_not_finish() {
    let Bench { server, ends: mut receiver, client, hello } = start(true, |_| {}).await;
    let bench = Bench { server, hello, ends: mpsc::unbounded_channel().1, client };
    let mut idle = bench.tls(b"http/1.1").await;
    get(&mut idle, "/").await;
    let mut busy = bench.tls(b"http/1.1").await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    while bench.hello.seen.lock().unwrap().len() < 2 {
        Clocks::system().sleep(Duration::from_millis(5)).await;
    }
    let address = bench.server.address();
    let waits = async {
        let said = idle.read(&mut [0; 1]).await.unwrap();
        idle.shutdown().await.unwrap();
        said
    };
    let ((), said) = tokio::join!(bench.server.stop(), waits);
    assert_eq!(said, 0, "close_notify");
    let mut ends = Vec::new();
    while let Ok(end) = receiver.try_recv() {
        ends.push(end);
    }
    ends.sort_by_key(|(id, _)| *id);
    assert_eq!(ends, [(1, End::Clean), (2, End::Cut)]);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_plain_service_is_enough() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let each = Each(|_| {
        hyper::service::service_fn(|_: Request<Incoming>| async {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
        })
    });
    let server = Server::start(listener, Arc::new(each), Options::new(Clocks::system())).unwrap();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    assert!(get(&mut stream, "/").await.ends_with("hello"));
    drop(stream);
    server.stop().await;
}
