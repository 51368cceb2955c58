//! What can go wrong with a call, told apart as far as the service lets us.

use std::time::Duration;

/// A call, an open or a close that failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.text())]
pub struct RemoteError {
    /// The class.
    pub kind: ErrorKind,
    /// Whether the service may have done what was asked.
    pub happened: Happened,
    /// HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The most useful text of the answer or of the transport, escaped, in one line, bounded.
    pub message: String,
    /// The .NET exception's name without its namespace, if the answer named one.
    pub exception: Option<String>,
    /// `Request-Id` of the answer.
    pub request_id: Option<String>,
    /// `Retry-After`, decimals kept.
    pub retry_after: Option<Duration>,
    /// `claims` of a `WWW-Authenticate` header, decoded: to be sent with the next token request.
    pub claims: Option<String>,
    /// Where a redirect leads, as it came: whether a token may follow is not decided yet.
    pub(super) location: Option<String>,
    /// Requests that were sent for the call, this one counted.
    pub attempts: u32,
    /// Answers among them that asked for patience, this one counted.
    pub throttled: u32,
}

/// The class of a failure: a closed set, used as metric label and log field. Source: protocol reference, 3.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The object does not exist.
    NotFound,
    /// It exists already, or is a member already.
    AlreadyExists,
    /// A parameter, a value or a combination is refused.
    InvalidInput,
    /// The token is missing, expired or for something else.
    Unauthorized,
    /// The role does not allow it, or the cmdlet does not exist for this caller.
    Forbidden,
    /// 429, or the per-tenant concurrency text under another status.
    Throttled,
    /// The service's own "maximum number of connections" sentence, under any status.
    SessionLimit,
    /// Known to pass by itself.
    Transient,
    /// The service failed.
    Server,
    /// The answer cannot be understood.
    Protocol,
    /// No answer in time.
    Timeout,
    /// The transport broke or could not be opened.
    Network,
    /// Refused on our side before a byte left.
    Refused,
    /// The run was asked to stop before the call was complete.
    Interrupted,
}

/// Whether the service may have done what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Certainly not.
    No,
    /// Nobody knows: a write must be read again before it is repeated.
    Unknown,
}

impl ErrorKind {
    /// The word for logs, metrics and reports.
    pub fn word(self) -> &'static str {
        match self {
            ErrorKind::NotFound => "not_found",
            ErrorKind::AlreadyExists => "already_exists",
            ErrorKind::InvalidInput => "invalid_input",
            ErrorKind::Unauthorized => "unauthorized",
            ErrorKind::Forbidden => "forbidden",
            ErrorKind::Throttled => "throttled",
            ErrorKind::SessionLimit => "session_limit",
            ErrorKind::Transient => "transient",
            ErrorKind::Server => "server",
            ErrorKind::Protocol => "protocol",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Network => "network",
            ErrorKind::Refused => "refused",
            ErrorKind::Interrupted => "interrupted",
        }
    }
}

impl RemoteError {
    /// An error without an answer.
    pub fn new(kind: ErrorKind, happened: Happened, message: impl Into<String>) -> RemoteError {
        RemoteError {
            kind,
            happened,
            status: None,
            message: message.into(),
            exception: None,
            request_id: None,
            retry_after: None,
            claims: None,
            location: None,
            attempts: 0,
            throttled: 0,
        }
    }

    fn text(&self) -> String {
        let mut text = self.kind.word().to_owned();
        if let Some(status) = self.status {
            text.push_str(&format!(" (HTTP {status})"));
        }
        text.push_str(": ");
        if let Some(exception) = &self.exception {
            text.push_str(&format!("{exception}: "));
        }
        text.push_str(&self.message);
        if let Some(request_id) = &self.request_id {
            text.push_str(&format!(" [request-id {request_id}]"));
        }
        text
    }
}
