//! The fake service: counts sessions as the real one is thought to, and notes every broken promise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use exorun::catalog::CmdletName;
use exorun::clocks::Clocks;
use exorun::exchange::errors::{ErrorKind, Happened, RemoteError};
use exorun::exchange::{
    CallSummary, Closed, CmdletRequest, Connection, ConnectionId, Fence, Intent, ItemSink, Member, Remote,
};
use exorun::rules::time::BootTime;
use secrecy::{ExposeSecret, SecretString};

use super::Process;

/// What is asked of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Open,
    Call { token: String, write: bool },
    Close,
}

/// What the service does about it.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Does it, after a while.
    Take(Duration),
    /// Fails it, after a while.
    Fail(Duration, ErrorKind, Happened),
    /// Never answers. A call may be worked on up to its limit.
    Hang,
    /// The client's own code panics.
    Panic,
}

/// What the service's side may look at to see whether promises are kept: the slots' records as they are.
pub(crate) trait Records: Send + Sync {
    /// When the lease of the session with that connection id ends, if it has one.
    fn lease_ends(&self, connection_id: &str) -> Option<BootTime>;

    /// How much of a lease must be left when a write begins.
    fn left_for_a_write(&self) -> Duration;
}

type Script = Box<dyn FnMut(Op) -> Act + Send>;

struct State {
    script: Script,
    /// Sessions without a clean end, and when the service last had anything to do for them.
    live: HashMap<ConnectionId, BootTime>,
    peak: usize,
    opened: u32,
    calls: u32,
    broken: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct FakeService {
    state: Arc<Mutex<State>>,
    limit: usize,
    idle: Duration,
    clocks: Clocks,
    records: Arc<dyn Records>,
    process: Process,
}

impl FakeService {
    /// A service that allows `limit` sessions and forgets one after `idle`. It looks into `records` to see whether calls
    /// are made under a lease.
    pub(crate) fn new(
        limit: u32,
        idle: Duration,
        clocks: Clocks,
        records: impl Records + 'static,
    ) -> FakeService {
        let script: Script = Box::new(|_| Act::Take(Duration::from_millis(10)));
        let state = State { script, live: HashMap::new(), peak: 0, opened: 0, calls: 0, broken: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let (limit, records) = (limit as usize, Arc::new(records));
        FakeService { state, limit, idle, clocks, records, process: Process::new() }
    }

    /// The service as `process` reaches it.
    pub(crate) fn of(&self, process: &Process) -> FakeService {
        FakeService { process: process.clone(), ..self.clone() }
    }

    pub(crate) fn script(&self, script: impl FnMut(Op) -> Act + Send + 'static) {
        self.state.lock().unwrap().script = Box::new(script);
    }

    /// Sessions that the service counts now.
    pub(crate) fn live(&self) -> usize {
        let now = self.clocks.boot();
        let mut state = self.state.lock().unwrap();
        state.live.retain(|_, last| now < *last + self.idle);
        state.live.len()
    }

    pub(crate) fn peak(&self) -> usize {
        self.state.lock().unwrap().peak
    }

    pub(crate) fn opened(&self) -> u32 {
        self.state.lock().unwrap().opened
    }

    pub(crate) fn calls(&self) -> u32 {
        self.state.lock().unwrap().calls
    }

    /// Promises that were not kept.
    pub(crate) fn broken(&self) -> Vec<String> {
        self.state.lock().unwrap().broken.clone()
    }

    fn act(&self, op: Op) -> Act {
        (self.state.lock().unwrap().script)(op)
    }

    fn count(&self, id: ConnectionId) {
        self.live();
        let now = self.clocks.boot();
        let mut state = self.state.lock().unwrap();
        state.live.insert(id, now);
        state.opened += 1;
        self.compare(&mut state, now);
    }

    fn compare(&self, state: &mut State, now: BootTime) {
        state.peak = state.peak.max(state.live.len());
        if state.live.len() > self.limit {
            let text = format!("{} sessions at {}", state.live.len(), now.as_millis());
            state.broken.push(text);
        }
    }

    fn check_lease(&self, id: ConnectionId, when: &str) {
        let now = self.clocks.boot();
        let ends = self.records.lease_ends(&id.to_string());
        if self.process.alive() && ends.is_none_or(|ends| ends < now) {
            let text = format!("{when} without a lease at {}", now.as_millis());
            self.state.lock().unwrap().broken.push(text);
        }
    }

    fn check_half(&self, id: ConnectionId) {
        let now = self.clocks.boot();
        let left = self.records.lease_ends(&id.to_string()).map(|ends| ends.since(now)).unwrap_or_default();
        if self.process.alive() && left < self.records.left_for_a_write() {
            let text = format!("a write began with {left:?} of its lease at {}", now.as_millis());
            self.state.lock().unwrap().broken.push(text);
        }
    }
}

#[async_trait]
impl Remote for FakeService {
    async fn open(&self, id: ConnectionId, _fence: Fence) -> Result<Box<dyn Connection>, RemoteError> {
        let act = self.act(Op::Open);
        self.process
            .live(async {
                match act {
                    Act::Take(time) => {
                        self.clocks.sleep(time).await;
                        self.count(id);
                        Ok(Box::new(FakeConnection { service: self.clone(), id }) as Box<dyn Connection>)
                    }
                    Act::Fail(time, kind, happened) => {
                        if happened == Happened::Unknown {
                            self.count(id);
                        }
                        self.clocks.sleep(time).await;
                        Err(RemoteError::new(kind, happened, "told to fail"))
                    }
                    Act::Hang => {
                        self.count(id);
                        std::future::pending().await
                    }
                    Act::Panic => quiet_panic(),
                }
            })
            .await
    }
}

struct FakeConnection {
    service: FakeService,
    id: ConnectionId,
}

/// A call on the client's side: it must have ended before its lease does, unless the process was stopped meanwhile.
struct InHand<'a> {
    connection: &'a FakeConnection,
    stops: u32,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        let FakeConnection { service, id } = self.connection;
        if service.process.stops() == self.stops {
            service.check_lease(*id, "a call went on");
        }
    }
}

#[async_trait]
impl Connection for FakeConnection {
    async fn batch(
        &mut self,
        token: &SecretString,
        members: &mut [Member<'_>],
    ) -> Vec<Result<CallSummary, RemoteError>> {
        let mut results = Vec::new();
        for member in members {
            results.push(self.call(token, member.request, member.sink).await);
        }
        results
    }

    async fn exported(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        names: &[CmdletName],
    ) -> Result<Vec<String>, RemoteError> {
        self.call(token, request, &mut super::Items::default()).await?;
        Ok(names.iter().map(|name| name.as_str().to_owned()).collect())
    }

    fn endpoint(&self) -> String {
        "https://fake.invalid".to_owned()
    }

    async fn call(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        sink: &mut dyn ItemSink,
    ) -> Result<CallSummary, RemoteError> {
        let service = &self.service;
        let write = request.intent == Intent::Write;
        let act = service.act(Op::Call { token: token.expose_secret().to_owned(), write });
        service.check_lease(self.id, "a call began");
        if write {
            service.check_half(self.id);
        }
        let _in_hand = InHand { connection: self, stops: service.process.stops() };
        let works_for = match &act {
            Act::Take(time) | Act::Fail(time, ..) => (*time).min(request.timeout),
            Act::Hang | Act::Panic => request.timeout,
        };
        {
            let now = service.clocks.boot();
            let mut state = service.state.lock().unwrap();
            state.calls += 1;
            state.live.retain(|_, last| now < *last + service.idle);
            state.live.insert(self.id, now + works_for);
            // One that the service had forgotten counts anew.
            service.compare(&mut state, now);
        }
        service
            .process
            .live(async {
                match act {
                    Act::Take(time) => {
                        service.clocks.sleep(time).await;
                        let item = serde_json::value::RawValue::from_string("{}".to_owned()).unwrap();
                        sink.item(&item)
                            .map_err(|text| RemoteError::new(ErrorKind::Refused, Happened::Unknown, text))?;
                        Ok(CallSummary { items: 1, requests: 1, ..CallSummary::default() })
                    }
                    Act::Fail(time, kind, happened) => {
                        service.clocks.sleep(time).await;
                        Err(RemoteError::new(kind, happened, "told to fail"))
                    }
                    Act::Hang => std::future::pending().await,
                    Act::Panic => quiet_panic(),
                }
            })
            .await
    }

    async fn close(self: Box<Self>) -> Closed {
        let service = &self.service;
        let act = service.act(Op::Close);
        service
            .process
            .live(async {
                match act {
                    Act::Take(time) => {
                        service.clocks.sleep(time).await;
                        service.state.lock().unwrap().live.remove(&self.id);
                        Closed::Cleanly
                    }
                    Act::Fail(time, ..) => {
                        service.clocks.sleep(time).await;
                        Closed::Unconfirmed
                    }
                    Act::Hang => std::future::pending().await,
                    Act::Panic => quiet_panic(),
                }
            })
            .await
    }
}

/// Unwinds without a word on the test's output.
pub(crate) fn quiet_panic() -> ! {
    std::panic::resume_unwind(Box::new("told to panic"))
}
