//! The service as the program sees it: open a connection, make calls, close it.
//!
//! [`Remote`] is the seam; [`client`] and [`transport`] speak the real protocol behind it.

pub mod anchor;
pub mod asked;
pub mod batch;
mod body;
mod by_parameters;
mod classify;
pub mod client;
mod cookies;
mod dial;
pub mod environment;
pub mod errors;
mod fence;
mod listing;
mod locate;
mod module_file;
mod page;
pub mod probe;
mod public_key;
pub mod reach;
pub mod redirect;
mod repeat;
mod routing;
mod secret;
pub mod time_limits;
pub mod transport;
pub mod trust;
pub mod tunnel;
mod value_forms;
mod value_stream;

pub use fence::Fence;
pub use secret::{SecretParameter, SecretParameterValue};

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::catalog::CmdletName;
use crate::rules::retry::Repeated;
use errors::RemoteError;

/// Something that sessions can be opened to. The real one is the REST client; tests have one careful fake.
#[async_trait]
pub trait Remote: Send + Sync + 'static {
    /// Opens a connection of its own, shared with nobody, under `id`. Neither it nor any later transport of the
    /// connection sends a byte, or connects, past `fence`.
    ///
    /// # Cancel safety
    /// Dropped before it returns, it leaves at most a transport on which no request was sent.
    async fn open(&self, id: ConnectionId, fence: Fence) -> Result<Box<dyn Connection>, RemoteError>;
}

/// One open connection: a connection id and its own transport.
#[async_trait]
pub trait Connection: Send + 'static {
    /// Makes one call, page after page; items reach `sink` in order.
    ///
    /// # Cancel safety
    /// May be dropped at any time; the outcome of a write is unknown then. The next call begins on a new transport.
    async fn call(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        sink: &mut dyn ItemSink,
    ) -> Result<CallSummary, RemoteError>;

    /// Makes several calls that only read, in one request where the service takes them so; results are in their order.
    ///
    /// # Cancel safety
    /// As [`Connection::call`].
    async fn batch(
        &mut self,
        token: &SecretString,
        members: &mut [Member<'_>],
    ) -> Vec<Result<CallSummary, RemoteError>>;

    /// Which of `names` the caller may run, as the service says: what its role does not include does not exist for it.
    /// Timeout, stop and ids are those of `request`.
    ///
    /// # Cancel safety
    /// As [`Connection::call`].
    async fn exported(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        names: &[CmdletName],
    ) -> Result<Vec<String>, RemoteError>;

    /// Where it is connected to, as `https://HOST[:PORT]`: a service may have named another host than the configured.
    fn endpoint(&self) -> String;

    /// Ends the transport cleanly (close_notify, GOAWAY) and waits for that, with a deadline of its own.
    async fn close(self: Box<Self>) -> Closed;
}

/// How a transport ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The service has seen the end: the slot is free at once.
    Cleanly,
    /// Nothing was ever sent on it: the slot is free at once.
    NothingOpened,
    /// The transport broke, or did not end in time: the service may still count the session.
    Unconfirmed,
}

/// The id of one session: the `connection-id` header, correlation data for the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub Uuid);

impl std::fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a call may change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// In the catalog's reviewed list of reads: may be repeated freely.
    Read,
    /// Everything else.
    Write,
}

/// One call: a cmdlet with its parameters.
#[derive(Clone, Debug)]
pub struct CmdletRequest {
    /// Canonical spelling, as it goes on the wire.
    pub cmdlet: CmdletName,
    /// Plain values; how they travel (protocol reference, 3.4) is decided when the request is written.
    pub parameters: Map<String, Value>,
    /// Parameters that travel encrypted.
    pub secrets: Vec<SecretParameter>,
    /// `?$select=`; empty asks for everything.
    pub select: Vec<String>,
    /// Whether it may change something; decides what is repeated.
    pub intent: Intent,
    /// The same for all attempts and pages of the call.
    pub client_request_id: Uuid,
    /// How its requests are repeated, in place of the connection's own policy.
    pub repeats: Option<Repeats>,
    /// How long one request may take, from its first byte to the end of its answer.
    pub timeout: Duration,
    /// Cancelled when the run is asked to stop: the request in flight ends, no further page or try begins.
    pub stop: CancellationToken,
}

/// What a caller says about repeating a call's requests; waits and the time for all of them stay the connection's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// Tries in all, the first one counted. At least 1.
    pub attempts_max: u32,
    /// Which failures are repeated.
    pub on: Repeated,
}

/// One of several calls that are made together.
pub struct Member<'a> {
    /// What is called.
    pub request: &'a CmdletRequest,
    /// Where its items go.
    pub sink: &'a mut dyn ItemSink,
}

/// Where a call's items go.
pub trait ItemSink: Send {
    /// One item of `value[]`, as the service sent it.
    ///
    /// # Errors
    /// The text says why the item cannot be kept; the call ends then.
    fn item(&mut self, item: &RawValue) -> Result<(), String>;

    /// A listing starts again from its first page: forget what came so far.
    fn restart(&mut self) -> Result<(), String>;
}

/// What a finished call says besides its items.
#[derive(Clone, Debug, Default)]
pub struct CallSummary {
    /// Items delivered.
    pub items: u64,
    /// `@adminapi.warnings`, escaped.
    pub warnings: Vec<String>,
    /// `@adminapi.errors`: the call failed in part although the status was 200. Escaped.
    pub errors: Vec<String>,
    /// Requests it took, pages and repeats together.
    pub requests: u32,
    /// Repeats among them.
    pub retries: u32,
    /// Answers among them that asked for patience.
    pub throttled: u32,
    /// The service's id of the last request.
    pub request_id: Option<String>,
}
