//! Sessions, counted over real transports.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// Sends one request with a connection id of its own by a client, so a transport, of its own.
async fn visit(bench: &Bench, id: &str) -> (Client, Response) {
    let client = client(&bench.emulator);
    let request = client
        .post(bench.url())
        .bearer_auth(&bench.token)
        .header("connection-id", id)
        .json(&json!({"CmdletInput": {"CmdletName": "Get-OrganizationConfig", "Parameters": {}}}));
    let response = request.send().await.unwrap();
    (client, response)
}

async fn until(bench: &Bench, what: &str, reached: impl Fn(SessionCounters) -> bool) -> SessionCounters {
    for _ in 0..200 {
        let counters = bench.emulator.counters().sessions;
        if reached(counters) {
            return counters;
        }
        Options::default().clocks.sleep(Duration::from_millis(10)).await;
    }
    panic!("never {what}: {:?}", bench.emulator.counters().sessions);
}

#[tokio::test]
async fn the_sixth_is_refused_until_one_says_goodbye() {
    let bench = start(Options::default()).await;
    let mut held = Vec::new();
    for n in 0..5 {
        let (client, response) = visit(&bench, &format!("s{n}")).await;
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap();
        held.push(client);
    }
    let (_, sixth) = visit(&bench, "s5").await;
    assert_eq!(sixth.status(), 429);
    assert_eq!(sixth.headers()["content-type"], "text/plain; charset=utf-8");
    assert!(!sixth.headers().contains_key("retry-after"));
    let text = sixth.text().await.unwrap();
    assert!(text.contains("exceeded the maximum number of connections allowed : 5 "), "{text}");
    held.pop();
    until(&bench, "closed", |counters| counters.closed == 1).await;
    let (_kept, again) = visit(&bench, "s5").await;
    assert_eq!(again.status(), 200);
    again.bytes().await.unwrap();
    drop((_kept, held));
    let counters = until(&bench, "all closed", |counters| counters.live == 0).await;
    assert_eq!((counters.opened, counters.closed, counters.unclean), (6, 6, 0));
    assert_eq!((counters.refused, counters.peak, counters.peak_of_one_account), (1, 5, 5));
}

#[tokio::test]
async fn an_unclean_end_holds_its_place_until_it_is_idle() {
    let options = Options { session_idle: Duration::from_millis(400), ..Options::default() };
    let bench = start(options).await;
    drop(transport(&bench).await.into_inner());
    let counters = until(&bench, "unclean", |counters| counters.unclean == 1).await;
    assert_eq!((counters.live, counters.closed), (1, 0));
    let counters = until(&bench, "idle", |counters| counters.live == 0).await;
    assert_eq!((counters.closed, counters.unclean), (1, 1));
}

type Tls = tokio_rustls::client::TlsStream<tokio::net::TcpStream>;

/// A bare TLS connection to Exchange Online that has made one request.
async fn transport(bench: &Bench) -> Tls {
    let mut roots = rustls::RootCertStore::empty();
    let pem = <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(
        bench.emulator.ca_pem().as_bytes(),
    );
    roots.add(pem.unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = bench.emulator.exchange_endpoint().replace("https://", "");
    let tcp = tokio::net::TcpStream::connect(&address).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
    let mut tls = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
    let body = r#"{"CmdletInput":{"CmdletName":"Get-TransportConfig","Parameters":{}}}"#;
    let request = format!(
        "POST /adminapi/beta/contoso.onmicrosoft.com/InvokeCommand HTTP/1.1\r\nhost: {address}\r\n\
         authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        bench.token,
        body.len()
    );
    tls.write_all(request.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    tls.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    tls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_the_goodbye_is_never_one_too_many() {
    let bench = start(Options { session_limit: 1, ..Options::default() }).await;
    for _ in 0..100 {
        let mut tls = transport(&bench).await;
        tls.shutdown().await.unwrap();
        let mut rest = Vec::new();
        tls.read_to_end(&mut rest).await.unwrap();
    }
    let counters = bench.emulator.counters().sessions;
    assert_eq!((counters.opened, counters.closed, counters.refused), (100, 100, 0));
}

#[tokio::test]
async fn a_cut_by_a_fault_is_counted_apart() {
    let bench = faulty(&["reset:nth=1"]).await;
    let sent = bench.request(&bench.url(), "Get-OrganizationConfig", &json!({})).send().await;
    assert!(sent.is_err());
    let counters = until(&bench, "cut", |counters| counters.closed == 1).await;
    assert_eq!((counters.cut, counters.unclean, counters.live), (1, 0, 0));
    let state = bench.control("state").await;
    assert_eq!(state["sessions"]["cut"], 1);
    assert_eq!(state["by_cmdlet"][0], json!({"what": "Get-OrganizationConfig", "status": 0, "count": 1}));
}
