//! The doors: one acceptor for each port, the bookkeeping around each request, and the end of transports.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::record::Arrival;
use super::respond::{self, Body};
use super::sessions::Ending;
use super::state::State;
use super::{api, control, entra, errors, managed_identity, replay};
use crate::net::{Accept, Connection, End};

/// A request's body; the service's own limit is of this order.
const BODY_BYTES_MAX: usize = 4 << 20;

/// Time for a request's body.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);

/// Which service a port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Login,
    Exchange,
    /// Security & Compliance: the name for all regions, which only sends callers on.
    ComplianceGlobal,
    /// Security & Compliance of the tenant's region.
    ComplianceRegion,
    /// The managed identity of a machine, without TLS.
    Identity,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Login => "login",
            Role::Exchange => "exchange",
            Role::ComplianceGlobal => "compliance",
            Role::ComplianceRegion => "compliance_region",
            Role::Identity => "identity",
        }
    }

    /// A transport's number among those of all ports: sessions are counted over all of them.
    fn transport(self, connection: u64) -> u64 {
        connection * 5 + self as u64
    }
}

pub(super) struct Door {
    pub(super) role: Role,
    pub(super) state: Arc<State>,
}

impl Accept for Door {
    type Body = Body;
    type Service = Visit;

    fn accept(&self, connection: Connection) -> Visit {
        Visit { role: self.role, state: self.state.clone(), connection, asked: Arc::default() }
    }

    fn ended(&self, connection: &Connection, end: End) {
        if self.role != Role::Login {
            let ending = match end {
                End::Clean => Ending::Clean,
                End::Unclean => Ending::Unclean,
                End::Cut => Ending::Cut,
            };
            let now = self.state.now();
            self.state.sessions().ended(self.role.transport(connection.id), ending, now);
        }
    }
}

/// One transport's service.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) role: Role,
    pub(super) state: Arc<State>,
    pub(super) connection: Connection,
    /// Requests that came by this transport.
    asked: Arc<AtomicU64>,
}

/// How a request ended.
pub(super) struct Ended {
    /// The cmdlet's name, for the counters.
    what: String,
    /// `None`: the transport is cut instead.
    response: Option<Response<Body>>,
}

impl Ended {
    pub(super) fn answer(what: &str, response: Response<Body>) -> Ended {
        Ended { what: what.to_owned(), response: Some(response) }
    }

    /// The answer; `None`: the transport is to be cut.
    pub(super) fn into_response(self) -> Option<Response<Body>> {
        self.response
    }

    pub(super) fn response_mut(&mut self) -> Option<&mut Response<Body>> {
        self.response.as_mut()
    }

    pub(super) fn cut(what: &str) -> Ended {
        Ended { what: what.to_owned(), response: None }
    }
}

/// Counts a request that nobody answered, for example because its transport went.
struct Unanswered {
    state: Arc<State>,
    number: Option<u64>,
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.state.records().gone(number);
        }
    }
}

impl hyper::service::Service<Request<Incoming>> for Visit {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let visit = self.clone();
        Box::pin(async move { Ok(visit.answer(request).await) })
    }
}

impl Visit {
    /// The transport's number among those of all ports.
    pub(super) fn transport(&self) -> u64 {
        self.role.transport(self.connection.id)
    }

    /// Whether nothing was asked before by this transport; counts the question.
    pub(super) fn is_first_request(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Keeps a member of a batch as a request of its own, and returns its number.
    pub(super) fn record_member(&self, batch: u64, parts: &Parts, body: &[u8]) -> u64 {
        let service = self.role.name();
        let at = self.state.options.clocks.wall().to_string();
        let batch = Some(batch);
        let arrival = Arrival { service, at, connection: self.connection.id, parts, body, batch };
        self.state.records().begin(arrival)
    }

    /// Counts a member of a batch.
    pub(super) fn record_end(&self, number: u64, ended: &Ended) {
        let status = ended.response.as_ref().map(|response| response.status().as_u16());
        self.state.records().end(number, &ended.what, status);
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = match self.body(body).await {
            Ok(body) => body,
            Err(response) => return self.marked(response),
        };
        if let Some(path) = parts.uri.path().strip_prefix("/_emulator/") {
            return self.marked(control::handle(&self.state, path, &parts, &body));
        }
        let service = self.role.name();
        let at = self.state.options.clocks.wall().to_string();
        let arrival =
            Arrival { service, at, connection: self.connection.id, parts: &parts, body: &body, batch: None };
        let number = self.state.records().begin(arrival);
        let mut unanswered = Unanswered { state: self.state.clone(), number: Some(number) };
        let ended = match (&self.state.replay, self.role) {
            (_, Role::Identity) => managed_identity::handle(self, &parts, number).await,
            (Some(replay), role) => replay::handle(replay, self, role, &parts, &body, number).await,
            (None, Role::Login) if managed_identity::serves(parts.uri.path()) => {
                managed_identity::handle(self, &parts, number).await
            }
            (None, Role::Login) => entra::handle(self, &parts, &body, number).await,
            (None, _) => api::handle(self, &parts, body, number).await,
        };
        unanswered.number = None;
        self.record_end(number, &ended);
        match ended.response {
            Some(response) => self.marked(response),
            None => {
                self.connection.cut();
                // The transport's task drops this future.
                std::future::pending().await
            }
        }
    }

    /// Nobody must take an answer for the real service's; and its time may be another.
    fn marked(&self, mut response: Response<Body>) -> Response<Body> {
        respond::header(&mut response, "x-exorun-emulator", "1");
        let options = &self.state.options;
        if !options.clock_ahead.is_zero() {
            let there = options.clocks.wall().saturating_add(options.clock_ahead).unwrap_or(Timestamp::MAX);
            // The server's own Date gives way to one that is there.
            if let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&there) {
                respond::header(&mut response, "date", &date);
            }
        }
        response
    }

    async fn body(&self, body: Incoming) -> Result<Bytes, Response<Body>> {
        let reading = Limited::new(body, BODY_BYTES_MAX).collect();
        match self.state.options.clocks.timeout(BODY_TIME_MAX, reading).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                Err(errors::plain(413, "Request entity too large."))
            }
            Ok(Err(_)) => Err(errors::plain(400, "The body could not be read.")),
            Err(_) => Err(errors::plain(408, "The body took too long.")),
        }
    }
}
