//! The REST client against the emulator and against services that misbehave: real TCP, TLS and HTTP of both versions.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real peers")]

mod batches;
mod redirects;
mod strange;
#[path = "../support/strange_service.rs"]
mod strange_service;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use exorun::catalog::CmdletName;
use exorun::clocks::Clocks;
use exorun::emulator::{CLIENT_ID, Emulator, Fault, Options};
use exorun::exchange::anchor::{Caller, anchor};
use exorun::exchange::client::{Access, NextPage, RestRemote, ServiceConfig};
use exorun::exchange::errors::{ErrorKind, Happened};
use exorun::exchange::redirect::Family;
use exorun::exchange::transport::{Connector, Origin};
use exorun::exchange::{
    Closed, CmdletRequest, Connection, ConnectionId, Fence, Intent, ItemSink, Remote, trust,
};
use exorun::recording::Recorder;
use exorun::rules::retry::{Repeated, RetryPolicy};
use exorun::rules::time::BootTime;
use secrecy::SecretString;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

const SECRET: &str = "canary-of-the-exchange-tests";

#[derive(Clone, Copy, Debug)]
enum Http {
    Two,
    One,
}

const BOTH: [Http; 2] = [Http::Two, Http::One];

/// What a call brought.
#[derive(Default)]
struct Items {
    items: Vec<Value>,
    restarts: u32,
}

impl ItemSink for Items {
    fn item(&mut self, item: &RawValue) -> Result<(), String> {
        self.items.push(serde_json::from_str(item.get()).unwrap());
        Ok(())
    }

    fn restart(&mut self) -> Result<(), String> {
        self.items.clear();
        self.restarts += 1;
        Ok(())
    }
}

/// The client's side: a tracker tells whether everything it started is over.
struct Client {
    remote: RestRemote,
    tracker: TaskTracker,
}

impl Client {
    fn new(
        endpoint: &str,
        ca_pem: &str,
        tenant_id: &str,
        http: Http,
        change: impl FnOnce(&mut ServiceConfig),
    ) -> Client {
        let mut ca = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut ca, ca_pem.as_bytes()).unwrap();
        let mut tls = rustls::ClientConfig::clone(&*trust::client_config(Some(ca.path())).unwrap());
        if matches!(http, Http::One) {
            tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        let clocks = Clocks::system();
        let tracker = TaskTracker::new();
        let mut config = ServiceConfig {
            origin: Origin::parse(endpoint).unwrap(),
            family: Family::of([]),
            tenant_id: tenant_id.to_owned(),
            organization: tenant_id.to_owned(),
            anchor: Some(anchor(Caller::Application, tenant_id)),
            api_version: "beta".to_owned(),
            next_page: NextPage::Post,
            page_size: 1000,
            access: Access::ReadWrite,
            retry: RetryPolicy {
                attempts_max: 3,
                delay_first: Duration::from_millis(20),
                delay_max: Duration::from_millis(100),
                total_max: Duration::from_secs(20),
                on: Repeated::ALL,
            },
            recorder: Recorder::off(),
            connector: Connector::new(
                Arc::new(tls),
                tracker.clone(),
                clocks.clone(),
                Duration::from_secs(5),
                Duration::from_secs(1),
            ),
            clocks,
        };
        change(&mut config);
        Client { remote: RestRemote::new(config), tracker }
    }

    async fn open(&self) -> (Box<dyn Connection>, ConnectionId) {
        let id = ConnectionId(Uuid::new_v4());
        (self.remote.open(id, never()).await.unwrap(), id)
    }

    /// Nothing that the client started goes on.
    async fn assert_over(&self) {
        self.tracker.close();
        tokio::time::timeout(Duration::from_secs(5), self.tracker.wait()).await.expect("a transport goes on");
    }
}

async fn emulator(mailboxes: u64, faults: &[&str]) -> Emulator {
    let faults = faults.iter().map(|spec| spec.parse::<Fault>().unwrap()).collect();
    let client_secret = Some(SECRET.to_owned());
    Emulator::start(Options { mailboxes, faults, client_secret, ..Options::default() }).await.unwrap()
}

fn client_of(emulator: &Emulator, http: Http, change: impl FnOnce(&mut ServiceConfig)) -> Client {
    let tenant_id = emulator.tenant_id().to_string();
    Client::new(&emulator.exchange_endpoint(), emulator.ca_pem(), &tenant_id, http, change)
}

/// A token, asked for with a client that is none of ours.
async fn token(emulator: &Emulator) -> SecretString {
    let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    let url = format!("{}/{}/oauth2/v2.0/token", emulator.login_endpoint(), emulator.tenant_domain());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_secret", SECRET),
        ("scope", "https://outlook.office365.com/.default"),
    ];
    let answer: Value = http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
    SecretString::from(answer["access_token"].as_str().unwrap().to_owned())
}

fn request(cmdlet: &str, parameters: Value) -> CmdletRequest {
    let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
    let cmdlet = CmdletName::known(cmdlet).unwrap();
    let names = parameters.keys().map(String::as_str);
    let is_read = cmdlet.cmdlet().unwrap().is_read_with(names);
    CmdletRequest {
        cmdlet,
        parameters,
        secrets: Vec::new(),
        select: Vec::new(),
        intent: if is_read { Intent::Read } else { Intent::Write },
        client_request_id: Uuid::new_v4(),
        repeats: None,
        timeout: Duration::from_secs(10),
        stop: CancellationToken::new(),
    }
}

fn everything() -> CmdletRequest {
    let select = vec!["Guid".to_owned(), "PrimarySmtpAddress".to_owned()];
    CmdletRequest { select, ..request("Get-Mailbox", json!({"ResultSize": "Unlimited"})) }
}

fn recorded(emulator: &Emulator) -> Vec<Value> {
    let all = emulator.requests();
    all.as_array().unwrap().iter().filter(|request| request["service"] == "exchange").cloned().collect()
}

/// Opened and closed as often, none live, none unclean: seen by the service, a moment after the client.
async fn assert_closed(emulator: &Emulator, opened: u64) {
    for _ in 0..200 {
        if emulator.counters().sessions.live == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let sessions = emulator.counters().sessions;
    let seen = (sessions.opened, sessions.closed, sessions.live, sessions.unclean);
    assert_eq!(seen, (opened, opened, 0, 0), "{sessions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_over_pages_is_one_call_on_one_transport() {
    for http in BOTH {
        let emulator = emulator(23, &[]).await;
        let client = client_of(&emulator, http, |config| config.page_size = 5);
        let token = token(&emulator).await;
        let (mut connection, id) = client.open().await;
        let (asked, mut items) = (everything(), Items::default());
        let summary = connection.call(&token, &asked, &mut items).await.unwrap();
        assert_eq!((summary.items, summary.requests, summary.retries), (23, 5, 0), "{http:?}");
        let guids: BTreeSet<&str> = items.items.iter().map(|item| item["Guid"].as_str().unwrap()).collect();
        assert_eq!((guids.len(), items.restarts), (23, 0), "every mailbox once");

        let pages = recorded(&emulator);
        assert_eq!(pages.len(), 5);
        let tenant_id = emulator.tenant_id().to_string();
        let path = format!("/adminapi/beta/{tenant_id}/InvokeCommand?$select=Guid,PrimarySmtpAddress");
        assert_eq!(pages[0]["target"], path);
        for (number, page) in pages.iter().enumerate() {
            let header = |name: &str| page["headers"][name].as_str().unwrap_or_default();
            let protocol = if matches!(http, Http::Two) { "HTTP/2.0" } else { "HTTP/1.1" };
            assert_eq!((&page["protocol"], &page["method"]), (&protocol.into(), &"POST".into()));
            assert_eq!(
                header("x-anchormailbox"),
                format!("APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant_id}")
            );
            assert_eq!(header("prefer"), "odata.maxpagesize=5");
            assert_eq!(header("client-request-id"), asked.client_request_id.to_string());
            assert_eq!(header("connection-id"), id.to_string());
            assert_eq!(header("content-type"), "application/json; charset=utf-8");
            assert_eq!((header("x-responseformat"), header("accept-encoding")), ("json", "gzip"));
            assert!(header("user-agent").starts_with("exorun/"), "{page}");
            assert!(header("authorization").starts_with("Bearer "), "{page}");
            assert_eq!(page["body"], pages[0]["body"], "a link is followed with the same body");
            assert_eq!(page["connection"], pages[0]["connection"], "on the same transport");
            // The first answer's cookie keeps the listing on its server.
            assert_eq!(number == 0, header("cookie").is_empty(), "{page}");
            assert!(number == 0 || page["headers"]["cookie"] == pages[1]["headers"]["cookie"], "{page}");
        }
        assert_eq!(
            pages[0]["body"],
            json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"ResultSize": "Unlimited"}}})
        );
        assert_eq!(connection.close().await, Closed::Cleanly);
        assert_closed(&emulator, 1).await;
        client.assert_over().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_size_is_not_exceeded_and_asks_for_small_pages() {
    let emulator = emulator(23, &[]).await;
    let client = client_of(&emulator, Http::Two, |config| config.page_size = 5);
    let token = token(&emulator).await;
    let (mut connection, _) = client.open().await;
    let mut items = Items::default();
    let asked = request("Get-Mailbox", json!({"ResultSize": "7"}));
    assert_eq!(connection.call(&token, &asked, &mut items).await.unwrap().items, 7);
    let prefers: Vec<Value> =
        recorded(&emulator).iter().map(|page| page["headers"]["prefer"].clone()).collect();
    assert_eq!(prefers, ["odata.maxpagesize=5", "odata.maxpagesize=2"]);
    let set = request(
        "Set-Mailbox",
        json!({"Identity": items.items[0]["Guid"], "CustomAttribute1": "x", "Confirm": false}),
    );
    connection.call(&token, &set, &mut Items::default()).await.unwrap();
    let write = recorded(&emulator).pop().unwrap();
    assert_eq!(write["headers"]["prefer"], Value::Null, "a write has no pages: {write}");
    assert!(write["headers"]["x-anchormailbox"].is_string(), "a write needs its anchor: {write}");
    assert_eq!(connection.close().await, Closed::Cleanly);
    assert_closed(&emulator, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_call_leaves_no_session() {
    for http in BOTH {
        let emulator = emulator(3, &[]).await;
        let client = client_of(&emulator, http, |_| ());
        let (connection, _) = client.open().await;
        assert_eq!(connection.close().await, Closed::NothingOpened);
        client.assert_over().await;
        assert_closed(&emulator, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_dropped_in_flight_is_not_heard_again_and_everything_closes() {
    for http in BOTH {
        let emulator = emulator(9, &["slow:ms=1500:cmdlet=Get-TransportConfig"]).await;
        let client = client_of(&emulator, http, |_| ());
        let token = token(&emulator).await;
        let (mut connection, id) = client.open().await;
        let slow = request("Get-TransportConfig", json!({}));
        let mut items = Items::default();
        let dropped =
            tokio::time::timeout(Duration::from_millis(300), connection.call(&token, &slow, &mut items));
        assert!(dropped.await.is_err(), "{http:?}: it was dropped in flight");
        let mut items = Items::default();
        let summary = connection.call(&token, &everything(), &mut items).await.unwrap();
        assert_eq!(summary.items, 9, "{http:?}");
        assert!(
            items.items.iter().all(|item| item["PrimarySmtpAddress"].is_string()),
            "no answer of the dropped call"
        );
        let requests = recorded(&emulator);
        let [first, second] = &requests[..] else { panic!("{requests:?}") };
        assert_ne!(first["connection"], second["connection"], "{http:?}: on a transport of its own");
        assert!(requests.iter().all(|request| request["headers"]["connection-id"] == id.to_string()));
        connection.close().await;
        client.assert_over().await;
        for _ in 0..400 {
            if emulator.counters().sessions.live == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let sessions = emulator.counters().sessions;
        assert_eq!((sessions.live, sessions.unclean), (0, 0), "{http:?}: {sessions:?}");
        assert_eq!(sessions.opened, sessions.closed, "{http:?}: {sessions:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_transport_is_replaced_for_a_read_and_reported_for_a_write() {
    for http in BOTH {
        let emulator =
            emulator(9, &["reset:cmdlet=Get-Mailbox:nth=1", "reset:cmdlet=Set-Mailbox:nth=1"]).await;
        let client = client_of(&emulator, http, |_| ());
        let token = token(&emulator).await;
        let (mut connection, _) = client.open().await;
        let mut items = Items::default();
        let summary = connection.call(&token, &everything(), &mut items).await.unwrap();
        assert_eq!((summary.items, summary.requests, summary.retries), (9, 2, 1), "{http:?}");
        let set =
            request("Set-Mailbox", json!({"Identity": items.items[0]["Guid"], "CustomAttribute1": "x"}));
        let error = connection.call(&token, &set, &mut Items::default()).await.unwrap_err();
        assert_eq!(
            (error.kind, error.happened, error.attempts),
            (ErrorKind::Network, Happened::Unknown, 1),
            "{http:?}"
        );
        connection.call(&token, &set, &mut Items::default()).await.unwrap();
        assert_eq!(connection.close().await, Closed::Cleanly);
        client.assert_over().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_takes_too_long_is_given_up() {
    for http in BOTH {
        let emulator = emulator(9, &["slow:ms=3000:cmdlet=Get-Mailbox:nth=1"]).await;
        let client = client_of(&emulator, http, |_| ());
        let token = token(&emulator).await;
        let (mut connection, _) = client.open().await;
        let asked = CmdletRequest { timeout: Duration::from_millis(400), ..everything() };
        let summary = connection.call(&token, &asked, &mut Items::default()).await.unwrap();
        assert_eq!((summary.items, summary.requests), (9, 2), "{http:?}");
        connection.close().await;
        client.assert_over().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_client_lets_no_byte_of_a_write_leave() {
    let emulator = emulator(3, &[]).await;
    let client = client_of(&emulator, Http::Two, |config| config.access = Access::ReadOnly);
    let token = SecretString::from("not sent");
    let (mut connection, _) = client.open().await;
    for (cmdlet, intent) in
        [("Set-Mailbox", Intent::Write), ("Set-Mailbox", Intent::Read), ("New-Mailbox", Intent::Read)]
    {
        // Whatever the caller says of its intent, the catalog decides.
        let asked = CmdletRequest { intent, ..request(cmdlet, json!({"Identity": "x"})) };
        let error = connection.call(&token, &asked, &mut Items::default()).await.unwrap_err();
        assert_eq!((error.kind, error.happened), (ErrorKind::Refused, Happened::No));
    }
    assert_eq!(connection.close().await, Closed::NothingOpened);
    assert_eq!(recorded(&emulator), [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_told_to_stop_begins_no_further_page_and_no_further_try() {
    let emulator = emulator(23, &["503:cmdlet=Get-TransportConfig"]).await;
    let client = client_of(&emulator, Http::Two, |config| config.page_size = 5);
    let token = token(&emulator).await;
    let (mut connection, _) = client.open().await;
    let asked = everything();
    asked.stop.cancel();
    let error = connection.call(&token, &asked, &mut Items::default()).await.unwrap_err();
    assert_eq!((error.kind, error.attempts), (ErrorKind::Interrupted, 1), "{error}");
    let asked = request("Get-TransportConfig", json!({}));
    asked.stop.cancel();
    let error = connection.call(&token, &asked, &mut Items::default()).await.unwrap_err();
    assert_eq!((error.kind, error.attempts), (ErrorKind::Interrupted, 1), "{error}");
    assert!(error.message.contains("503"), "what it waited for is told: {error}");
    assert_eq!(connection.close().await, Closed::Cleanly);
    assert_closed(&emulator, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn past_the_end_of_the_lease_nothing_connects_and_nothing_is_sent() {
    for http in [Http::One, Http::Two] {
        let emulator = emulator(3, &[]).await;
        let client = client_of(&emulator, http, |_| ());
        let clocks = Clocks::system();
        let fence = Fence::until(clocks.boot() + Duration::from_secs(60), clocks.clone());
        let id = ConnectionId(Uuid::new_v4());
        let mut connection = client.remote.open(id, fence.clone()).await.unwrap();
        let token = token(&emulator).await;
        fence.move_to(clocks.boot());
        let error = connection.call(&token, &everything(), &mut Items::default()).await.unwrap_err();
        assert!(error.message.contains("lease has ended"), "{error}");
        assert_eq!(recorded(&emulator), Vec::<Value>::new());
        connection.close().await;
        let error = client.remote.open(ConnectionId(Uuid::new_v4()), fence).await.err().unwrap();
        assert_eq!(error.happened, Happened::No);
        assert!(error.message.contains("lease has ended"), "{error}");
        client.assert_over().await;
    }
}

/// A lease that does not end.
fn never() -> Fence {
    Fence::until(BootTime::from_millis(u64::MAX), Clocks::system())
}
