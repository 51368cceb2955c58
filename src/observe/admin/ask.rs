//! What the server asks the rest of the program, and how it is answered.

use async_trait::async_trait;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// All jobs.
    Jobs,
    /// The job of this name.
    Job(String),
    /// Runs, newest first.
    Runs,
    /// The run of this id.
    Run(String),
    /// Occurrences, newest first.
    Occurrences,
    /// Accounts with their slots.
    Sessions,
}

/// One question. Everything in it has a valid form; whether there is such a job or page is for who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What is asked for.
    pub resource: Resource,
    /// Only those of this job (runs, occurrences).
    pub job: Option<String>,
    /// Only those that ended so: an outcome of runs, a result of occurrences.
    pub outcome: Option<String>,
    /// How many at most, from 1 to 1000.
    pub limit: u32,
    /// Where the page before ended; `None` is the first page.
    pub page: Option<String>,
}

/// An answer's JSON: `{"items": [...], "next": "cursor" | null}` for lists, an object for single ones.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What is sent.
    pub body: serde_json::Value,
}

/// Why there is no answer. The texts are shown to whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// There is no such job or run.
    #[error("not found")]
    NotFound,
    /// A parameter cannot be: a cursor of something else, say.
    #[error("{0}")]
    BadQuery(String),
    /// It cannot be said now.
    #[error("{0}")]
    Unavailable(String),
}

/// Who answers what is asked under `/api/v1`.
#[async_trait]
pub trait Asked: Send + Sync + 'static {
    /// Answers `query`. The server drops this future when it takes too long: it must be cancel safe.
    ///
    /// # Errors
    /// [`AskError`].
    async fn answer(&self, query: Query) -> Result<Answer, AskError>;
}
