//! What the store asks of an API server: five requests on Lease objects of one namespace.
//!
//! The server's time comes with each answer (its `Date` header): all holders of an account share that clock, whatever
//! their own say. A test puts a server in memory behind this trait.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;

/// What was asked for, and when the server answered by its own clock.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// The answer's `Date`: whole seconds, cut off.
    pub server_time: Timestamp,
}

/// Lease objects of one namespace.
///
/// # Cancel safety
/// Any of them may be dropped while it is on its way: what was asked for has happened, or will, or will not.
#[async_trait]
pub trait LeaseApi: Send + Sync + 'static {
    /// The Leases that a label selector (`a=b,c=d`) selects, as they are now.
    async fn list(&self, selector: &str) -> Result<Answer<Vec<Lease>>, ApiError>;

    /// One Lease.
    async fn get(&self, name: &str) -> Result<Answer<Lease>, ApiError>;

    /// Makes a Lease that is not there.
    async fn create(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError>;

    /// Replaces a Lease if it is still the one that was read: its uid and its resourceVersion are compared.
    async fn replace(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError>;

    /// Removes a Lease if it has this resourceVersion.
    async fn delete(&self, name: &str, resource_version: &str) -> Result<Answer<()>, ApiError>;
}

/// Why there is no answer. Texts are the server's or the network's, and hold no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// 404: no such Lease, or no such namespace.
    #[error("not found: {0}")]
    NotFound(String),
    /// 409: somebody else has written since it was read.
    #[error("somebody else was quicker")]
    Conflict,
    /// 409: it is there already.
    #[error("it exists already")]
    AlreadyExists,
    /// 403.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// 401, also with a token that was read anew.
    #[error("the API server does not know the token, or it has expired")]
    Unauthorized,
    /// 400, 422 and whatever else says that the request is wrong.
    #[error("refused as invalid: {0}")]
    Invalid(String),
    /// 429: nothing was done.
    #[error("too many requests")]
    Throttled {
        /// When to come back, if the server says.
        retry_after: Option<Duration>,
    },
    /// Nothing, 5xx or an answer that cannot be read. It may have been done nevertheless.
    #[error("{0}")]
    Unavailable(String),
    /// An answer without a `Date` that can be read. It may have been done nevertheless.
    #[error("the answer has no Date header")]
    NoTime,
}

impl ApiError {
    /// Whether what was asked for may have been done, or may yet be done.
    pub fn may_have_happened(&self) -> bool {
        matches!(self, ApiError::Unavailable(_) | ApiError::NoTime)
    }
}
