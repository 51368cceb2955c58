//! From a call to the requests it became.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use exorun::catalog::CmdletName;
use exorun::clocks::Clocks;
use exorun::exchange::anchor::{Caller, anchor};
use exorun::exchange::asked::asked;
use exorun::exchange::client::{Access, NextPage, RestRemote, ServiceConfig};
use exorun::exchange::errors::RemoteError;
use exorun::exchange::redirect::Family;
use exorun::exchange::transport::{Connector, Origin};
use exorun::exchange::{
    CmdletRequest, Connection, ConnectionId, Fence, ItemSink, Member, Remote, SecretParameter, trust,
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

use super::nothing;
use super::scripted_service::{ScriptedService, Seen};

pub(crate) const TENANT_ID: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const DOMAIN: &str = "contoso.onmicrosoft.com";
const TOKEN: &str = "a-token-that-opens-nothing";
/// Headers that are the same in every request; the first snapshot shows them.
const CONSTANT: [&str; 10] = [
    "accept",
    "accept-encoding",
    "authorization",
    "client-request-id",
    "connection-id",
    "content-type",
    "host",
    "user-agent",
    "x-clientapplication",
    "x-responseformat",
];

/// One call, and the session it is made on.
pub(crate) struct Asking {
    pub(crate) cmdlet: &'static str,
    parameters: Value,
    select: Vec<String>,
    secrets: Vec<SecretParameter>,
    anchor: Option<String>,
}

/// What the service says.
pub(crate) enum Answers {
    Nothing,
    /// One after the other, with their statuses; then empty pages.
    InTurn(Vec<(u16, String)>),
}

/// What became of a call.
pub(crate) struct Sent {
    pub(crate) seen: Vec<Seen>,
    /// How many entries reached the caller.
    pub(crate) items: Result<usize, RemoteError>,
}

/// Counts what a caller would keep.
#[derive(Default)]
struct Count(usize);

impl ItemSink for Count {
    fn item(&mut self, _: &RawValue) -> Result<(), String> {
        self.0 += 1;
        Ok(())
    }

    fn restart(&mut self) -> Result<(), String> {
        self.0 = 0;
        Ok(())
    }
}

impl Asking {
    pub(crate) fn new(cmdlet: &'static str, parameters: Value) -> Asking {
        let anchor = Some(anchor(Caller::Application, TENANT_ID));
        Asking { cmdlet, parameters, select: Vec::new(), secrets: Vec::new(), anchor }
    }

    pub(crate) fn select(self, names: &[&str]) -> Asking {
        Asking { select: names.iter().map(|name| (*name).to_owned()).collect(), ..self }
    }

    pub(crate) fn secret(mut self, secret: SecretParameter) -> Asking {
        self.secrets.push(secret);
        self
    }

    pub(crate) fn anchored(self, anchor: Option<String>) -> Asking {
        Asking { anchor, ..self }
    }

    fn request(&self) -> CmdletRequest {
        let Value::Object(parameters) = &self.parameters else { panic!("parameters are a map") };
        let cmdlet =
            CmdletName::known(self.cmdlet).or_else(|| CmdletName::uncatalogued(self.cmdlet)).unwrap();
        let asked = asked(&cmdlet, parameters.clone().into_iter().collect(), self.select.clone());
        CmdletRequest {
            cmdlet: asked.cmdlet,
            parameters: asked.parameters,
            secrets: self.secrets.clone(),
            select: asked.select,
            intent: asked.intent,
            client_request_id: Uuid::from_u128(0xc11e),
            repeats: None,
            timeout: Duration::from_secs(20),
            stop: CancellationToken::new(),
        }
    }

    /// Makes the call on a session of its own.
    pub(crate) async fn sent(&self, answers: Answers) -> Sent {
        let service = ScriptedService::start(move |_, number| match &answers {
            Answers::InTurn(answers) if number < answers.len() => answers[number].clone(),
            _ => (200, nothing()),
        })
        .await;
        let items = self.call(&service, 1).await.pop().unwrap();
        Sent { seen: service.seen(), items }
    }

    /// A session with the service.
    async fn open(&self, service: &ScriptedService) -> Box<dyn Connection> {
        let mut ca = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut ca, service.ca_pem.as_bytes()).unwrap();
        let mut tls = rustls::ClientConfig::clone(&*trust::client_config(Some(ca.path())).unwrap());
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (clocks, tracker) = (Clocks::system(), TaskTracker::new());
        let second = Duration::from_secs(1);
        let remote = RestRemote::new(ServiceConfig {
            family: Family::of([]),
            next_page: NextPage::Post,
            recorder: Recorder::off(),
            origin: Origin::parse(&service.endpoint).unwrap(),
            tenant_id: TENANT_ID.to_owned(),
            organization: DOMAIN.to_owned(),
            anchor: self.anchor.clone(),
            api_version: "beta".to_owned(),
            page_size: 1000,
            access: Access::ReadWrite,
            retry: RetryPolicy {
                attempts_max: 3,
                delay_first: Duration::from_millis(10),
                delay_max: Duration::from_millis(20),
                total_max: 20 * second,
                on: Repeated::ALL,
            },
            connector: Connector::new(Arc::new(tls), tracker, clocks.clone(), 5 * second, second),
            clocks,
        });
        let never = Fence::until(BootTime::from_millis(u64::MAX), Clocks::system());
        remote.open(ConnectionId(Uuid::from_u128(0xc0)), never).await.unwrap()
    }

    /// Makes the call several times on one session.
    pub(crate) async fn call(
        &self,
        service: &ScriptedService,
        times: usize,
    ) -> Vec<Result<usize, RemoteError>> {
        let token = SecretString::from(TOKEN);
        let mut connection = self.open(service).await;
        let mut outcomes = Vec::new();
        for _ in 0..times {
            let mut count = Count::default();
            let outcome = connection.call(&token, &self.request(), &mut count).await;
            outcomes.push(outcome.map(|summary| {
                assert_eq!(summary.items, count.0 as u64);
                count.0
            }));
        }
        connection.close().await;
        outcomes
    }
}

/// Makes the calls together; the requests that they became.
pub(crate) async fn together(calls: &[Asking]) -> Vec<Seen> {
    let service = ScriptedService::start(|seen, _| {
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        let members = body["requests"].as_array().unwrap();
        let answers: Vec<Value> = members
            .iter()
            .rev()
            .map(|member| json!({"id": member["id"], "status": 200, "headers": {}, "body": {"value": []}}))
            .collect();
        (200, json!({"responses": answers}).to_string())
    })
    .await;
    let mut connection = calls[0].open(&service).await;
    let requests: Vec<CmdletRequest> = calls.iter().map(Asking::request).collect();
    let mut counts: Vec<Count> = calls.iter().map(|_| Count::default()).collect();
    let mut members: Vec<Member<'_>> =
        requests.iter().zip(&mut counts).map(|(request, sink)| Member { request, sink }).collect();
    for result in connection.batch(&SecretString::from(TOKEN), &mut members).await {
        result.unwrap();
    }
    connection.close().await;
    service.seen()
}

/// The requests of each call under its name.
pub(crate) async fn snapshot(calls: Vec<(&'static str, Asking)>) -> String {
    let mut text = String::new();
    for (name, asking) in calls {
        let sent = asking.sent(Answers::Nothing).await;
        sent.items.unwrap_or_else(|error| panic!("{name}: {error}"));
        writeln!(text, "# {name}\n{}", told(&sent.seen)).unwrap();
    }
    text
}

/// Requests without what is the same in all of them.
pub(crate) fn told(seen: &[Seen]) -> String {
    let mut text = String::new();
    for one in seen {
        writeln!(text, "{} {}", one.method, one.target).unwrap();
        let mut headers: Vec<_> =
            one.headers.iter().filter(|(name, _)| !CONSTANT.contains(&name.as_str())).collect();
        headers.retain(|(name, _)| name != "content-length");
        headers.sort();
        for (name, value) in headers {
            writeln!(text, "{name}: {value}").unwrap();
        }
        writeln!(text, "{}\n", one.body).unwrap();
    }
    text
}

/// One request whole; only the port differs from run to run.
pub(crate) fn whole(seen: &Seen) -> String {
    let mut headers: Vec<String> =
        seen.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    headers.sort();
    let text = format!("{} {}\n{}\n\n{}", seen.method, seen.target, headers.join("\n"), seen.body);
    let port = text.split_once("127.0.0.1:").unwrap().1;
    let port = port[..port.find('\n').unwrap()].to_owned();
    text.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:{port}")
}
