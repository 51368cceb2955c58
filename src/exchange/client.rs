//! The REST client behind [`Remote`]: pages, repeats, and a transport that is opened again when it broke.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tracing::warn;

use super::cookies::Cookies;
use super::errors::{ErrorKind, Happened, RemoteError};
use super::listing::check_result_size;
use super::page::{self, Asked, Headers, Page};
use super::public_key::PublicKey;
use super::redirect::Family;
use super::repeat::{given_up, jitter, meaning};
use super::routing::{self, Home, PROXY_EXCEPTION, Route};
use super::transport::{Connector, Origin, Transport};
use super::{
    CallSummary, Closed, CmdletRequest, Connection, ConnectionId, Fence, Intent, ItemSink, Member, Remote,
};
use crate::catalog::CmdletName;
use crate::clocks::Clocks;
use crate::recording::{Peer, Recorder};
use crate::rules::duration::show_about;
use crate::rules::retry::{Next, RetryPolicy};

/// The service gives at most this many items a page, and this many when no `ResultSize` is asked for.
/// Source: protocol reference, 3.9.
pub const PAGE_SIZE_MAX: u32 = 1000;

/// How long opening a session is tried for at most, pauses included.
const OPEN_TOTAL_MAX: Duration = Duration::from_secs(20);

/// What may be called at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only the catalog's reviewed list of reads: anything else is refused before a byte leaves.
    ReadOnly,
    /// Everything.
    ReadWrite,
}

/// How a listing's next page is asked for. Source: protocol reference, 3.9 (POST well supported, GET unverified).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextPage {
    /// The first request's body goes to the link again.
    Post,
    /// The link is asked for alone.
    Get,
}

/// Everything a session needs to know about its service.
#[derive(Clone)]
pub struct ServiceConfig {
    /// Where the service answers, or says where it does.
    pub origin: Origin,
    /// The hosts it may send us to.
    pub family: Family,
    /// The tenant whose objects are meant: the token's `tid`.
    pub tenant_id: String,
    /// The tenant as the job names it: its initial domain, for the anchors that take no id.
    pub organization: String,
    /// The `X-AnchorMailbox` value; none sends no hint. Source: protocol reference, 3.3.
    pub anchor: Option<String>,
    /// `beta`, or another version of the same surface.
    pub api_version: String,
    /// How a listing's next page is asked for.
    pub next_page: NextPage,
    /// Items a page; at most [`PAGE_SIZE_MAX`].
    pub page_size: u32,
    /// What may be called.
    pub access: Access,
    /// How failed requests are repeated.
    pub retry: RetryPolicy,
    /// Writes down what goes over them, or nothing.
    pub recorder: Recorder,
    /// Opens transports.
    pub connector: Connector,
    /// Time.
    pub clocks: Clocks,
}

/// The REST service.
pub struct RestRemote {
    config: Arc<ServiceConfig>,
    located: Located,
}

/// Where the service turned out to answer for the tenant; all sessions of a run share it.
#[derive(Clone, Default)]
pub(super) struct Located(Arc<Mutex<Option<Origin>>>);

impl Located {
    fn get(&self) -> Option<Origin> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is(&self, origin: &Origin) -> bool {
        self.get().as_ref() == Some(origin)
    }

    pub(super) fn set(&self, origin: &Origin) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(origin.clone());
    }
}

impl RestRemote {
    /// A service that is configured; nothing is connected yet.
    pub fn new(config: ServiceConfig) -> RestRemote {
        RestRemote { config: Arc::new(config), located: Located::default() }
    }
}

impl RestRemote {
    /// A transport, tried for again as a request would be, but not for long: the slot's lease is running.
    async fn connected(&self, origin: &Origin, fence: &Fence) -> Result<Transport, RemoteError> {
        let clocks = &self.config.clocks;
        let total_max = self.config.retry.total_max.min(OPEN_TOTAL_MAX);
        let policy = RetryPolicy { total_max, ..self.config.retry };
        let began = clocks.boot();
        let mut attempt = 1;
        loop {
            let error = match self.config.connector.connect(origin, fence).await {
                Ok(transport) => return Ok(transport),
                Err(error) => error,
            };
            // No request was sent, so it is the same for reads and writes.
            match policy.next(attempt, meaning(&error, Intent::Read), clocks.boot().since(began), jitter()) {
                Next::After(wait) => {
                    warn!(attempt, wait_ms = wait.as_millis() as u64, error = %error, "cannot connect, trying again in {}", show_about(wait));
                    clocks.sleep(wait).await;
                    attempt += 1;
                }
                Next::GiveUp(why) => return Err(given_up(error, why, attempt)),
            }
        }
    }
}

#[async_trait]
impl Remote for RestRemote {
    async fn open(&self, id: ConnectionId, fence: Fence) -> Result<Box<dyn Connection>, RemoteError> {
        let origin = self.located.get().unwrap_or_else(|| self.config.origin.clone());
        let transport = self.connected(&origin, &fence).await?;
        Ok(Box::new(RestConnection {
            config: Arc::clone(&self.config),
            id,
            fence,
            origin,
            located: self.located.clone(),
            is_located: false,
            takes_batches: true,
            transport: Some(transport),
            last_closed: Closed::NothingOpened,
            cookies: Cookies::default(),
            in_call: false,
            by_mailbox: false,
            public_key: None,
        }))
    }
}

pub(super) struct RestConnection {
    pub(super) config: Arc<ServiceConfig>,
    pub(super) id: ConnectionId,
    /// Past which no byte of it leaves.
    fence: Fence,
    /// Where it is connected to.
    pub(super) origin: Origin,
    pub(super) located: Located,
    /// Whether the global host was asked for the region.
    pub(super) is_located: bool,
    /// Whether several calls can go together; found out by trying.
    pub(super) takes_batches: bool,
    transport: Option<Transport>,
    /// How the transport before this one ended.
    last_closed: Closed,
    pub(super) cookies: Cookies,
    /// A call is in hand. Found so at the next call, that one was dropped, and its answer may still come.
    in_call: bool,
    /// The call in hand met an error of proxying between servers: it goes to its mailbox's own server from now on.
    by_mailbox: bool,
    /// What secrets are encrypted under, once it was needed.
    pub(super) public_key: Option<PublicKey>,
}

/// What is counted over the requests of one call.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) requests: u32,
    pub(super) retries: u32,
    pub(super) throttled: u32,
}

#[async_trait]
impl Connection for RestConnection {
    async fn call(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        sink: &mut dyn ItemSink,
    ) -> Result<CallSummary, RemoteError> {
        self.allowed(request)?;
        self.begin().await;
        let outcome = self.alone(token, &mut Member { request, sink }, Tally::default()).await;
        self.in_call = false;
        outcome
    }

    async fn batch(
        &mut self,
        token: &SecretString,
        members: &mut [Member<'_>],
    ) -> Vec<Result<CallSummary, RemoteError>> {
        if let Some(error) = members.iter().find_map(|member| self.allowed(member.request).err()) {
            return members.iter().map(|_| Err(error.clone())).collect();
        }
        self.begin().await;
        let outcomes = self.together(token, members).await;
        self.in_call = false;
        outcomes
    }

    async fn exported(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        names: &[CmdletName],
    ) -> Result<Vec<String>, RemoteError> {
        self.begin().await;
        let outcome = self.exported_of(token, request, names).await;
        self.in_call = false;
        outcome
    }

    fn endpoint(&self) -> String {
        self.origin.to_string()
    }

    async fn close(mut self: Box<Self>) -> Closed {
        self.end_transport().await;
        self.last_closed
    }
}

impl Tally {
    /// The error of a call with what the call took.
    pub(super) fn noted(&self, mut error: RemoteError) -> RemoteError {
        error.attempts = self.requests;
        error.throttled = self.throttled;
        error
    }
}

impl RestConnection {
    /// A call that was dropped in flight has taken its transport with it.
    async fn begin(&mut self) {
        if self.in_call {
            self.end_transport().await;
        }
        self.in_call = true;
    }

    pub(super) async fn alone(
        &mut self,
        token: &SecretString,
        member: &mut Member<'_>,
        mut tally: Tally,
    ) -> Result<CallSummary, RemoteError> {
        self.by_mailbox = false;
        let outcome = match self.locate(token, member.request, &mut tally).await {
            Ok(()) => self.with_secrets(token, member.request, member.sink, &mut tally).await,
            Err(error) => Err(error),
        };
        outcome.map_err(|error| tally.noted(error))
    }

    fn allowed(&self, request: &CmdletRequest) -> Result<(), RemoteError> {
        let names = request.parameters.keys().map(String::as_str);
        let is_read = request.cmdlet.cmdlet().is_some_and(|cmdlet| cmdlet.is_read_with(names));
        if self.config.access == Access::ReadOnly && !is_read {
            let why = format!("{} is not in the list of reads, and this run is read-only", request.cmdlet);
            return Err(RemoteError::new(ErrorKind::Refused, Happened::No, why));
        }
        routing::check(request)?;
        check_result_size(request)
    }

    pub(super) fn route(&self, request: &CmdletRequest) -> Route {
        let ServiceConfig { anchor, tenant_id, organization, .. } = &*self.config;
        routing::route(request, &Home { anchor: anchor.as_deref(), tenant_id, organization }, self.by_mailbox)
    }

    /// The transport, opened again if it is gone.
    pub(super) async fn transport(&mut self) -> Result<&mut Transport, RemoteError> {
        if self.transport.as_ref().is_some_and(|transport| !transport.is_open()) {
            self.end_transport().await;
        }
        Ok(match &mut self.transport {
            Some(transport) => transport,
            none => none.insert(self.config.connector.connect(&self.origin, &self.fence).await?),
        })
    }

    /// One request and its answer.
    pub(super) async fn once(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        asked: &Asked,
    ) -> Result<Page, RemoteError> {
        self.transport().await?;
        let route = self.route(request);
        let transport = self.transport.as_mut().expect("it was opened above");
        let headers = Headers {
            authority: &self.origin.authority(),
            route: &route,
            connection_id: self.id,
            token,
            cookies: &self.cookies,
        };
        let built = page::build(transport, &headers, request, asked)?;
        let (method, path) = (asked.method(), &asked.path_and_query);
        let body = asked.body.as_deref().unwrap_or_default();
        let mut entry = self.config.recorder.begin(Peer::Exchange, method, path, built.headers(), body);
        let answer = match transport.send(built).await {
            Ok(answer) => answer,
            Err(error) => {
                entry.broken();
                return Err(error);
            }
        };
        self.cookies.keep(answer.headers());
        entry.head(answer.status().as_u16(), answer.headers());
        let read = page::read(answer, asked.what, self.config.clocks.wall(), token, entry).await;
        self.by_mailbox |= matches!(&read, Err(error) if error.exception.as_deref() == Some(PROXY_EXCEPTION));
        read
    }

    /// Cookies are for the host that set them.
    pub(super) fn forget_cookies(&mut self) {
        self.cookies = Cookies::default();
    }

    pub(super) async fn end_transport(&mut self) {
        if let Some(transport) = self.transport.take() {
            let closed = self.config.connector.close(transport).await;
            // A transport that carried nothing says nothing about the one before it.
            if closed != Closed::NothingOpened {
                self.last_closed = closed;
            }
        }
    }
}
