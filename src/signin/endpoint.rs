//! The token endpoint: one HTTP exchange with repeats, for the oauth2 crate; and its errors in our words.

use std::time::Duration;

use futures_util::future::BoxFuture;
use oauth2::basic::BasicTokenResponse;
use oauth2::{
    ErrorResponseType, HttpRequest, HttpResponse, RequestTokenError, StandardErrorResponse, TokenResponse,
};
use secrecy::SecretString;
use tracing::warn;

use super::{AccessToken, SigninError, SigninErrorKind, advice, facts};
use crate::clocks::Clocks;
use crate::observe::escape::one_line;
use crate::recording::{Peer, Recorder};
use crate::rules::duration::show_about;
use crate::rules::retry::{Failure, Next, RetryPolicy};

/// A token's life if the answer does not say: short, so that it is soon asked for again.
const EXPIRES_IN_DEFAULT: Duration = Duration::from_secs(5 * 60);
/// Bodies of the sign-in service are a few kilobytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
const MESSAGE_CHARS_MAX: usize = 400;
/// Errors of OAuth 2.0 by which nobody was refused: the service could not answer (RFC 6749, 4.1.2.1).
const PASSING_ERRORS: [&str; 2] = ["server_error", "temporarily_unavailable"];

/// How to reach the sign-in service.
#[derive(Clone)]
pub struct LoginEndpoint {
    /// `https://login.microsoftonline.com`, say.
    pub base: String,
    /// The tenant's domain or GUID, as the job names it.
    pub tenant: String,
    /// What tokens are asked for: `https://outlook.office365.com/.default`, say.
    pub scope: String,
    /// Who and what a token must be for, besides the scope.
    pub expected: Expected,
    /// Redirects off, retries off, time-out set.
    pub http: reqwest::Client,
    /// How failed exchanges are repeated.
    pub retry: RetryPolicy,
    /// Writes down what is exchanged, or nothing.
    pub recorder: Recorder,
    /// Time.
    pub clocks: Clocks,
}

/// Whom and what a token must be for; any other is refused before a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The user that the job names.
    pub user_principal_name: Option<String>,
    /// The tenant's GUID, where its discovery document said it: the job may name a domain.
    pub tenant_id: Option<String>,
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// It asked for patience to the end.
    #[error("{0}")]
    Throttled(String),
    /// It could not be reached, or could not answer.
    #[error("{0}")]
    Failed(String),
    /// Nobody vouches for its certificate, which does not pass by itself.
    #[error("{0} (a private CA goes into the setting `ca_file`)")]
    Untrusted(String),
}

impl NoAnswer {
    /// The same for who asked at `place`.
    pub(super) fn at(&self, place: &str) -> SigninError {
        let kind = match self {
            NoAnswer::Throttled(_) => SigninErrorKind::Throttled,
            NoAnswer::Failed(_) => SigninErrorKind::Unavailable,
            NoAnswer::Untrusted(_) => SigninErrorKind::BadInput,
        };
        SigninError::new(kind, format!("no answer from {place}: {self}"))
    }
}

impl LoginEndpoint {
    pub(super) fn url(&self, leaf: &str) -> String {
        format!("{}/{}/oauth2/v2.0/{leaf}", self.base.trim_end_matches('/'), self.tenant)
    }

    /// The oauth2 crate's way to the network. It owns what it needs, so that its futures can move between threads.
    pub(super) fn http(
        &self,
    ) -> impl Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, NoAnswer>> + use<> {
        let endpoint = self.clone();
        move |request| {
            let endpoint = endpoint.clone();
            Box::pin(async move { endpoint.exchange(request).await })
        }
    }

    /// One exchange, repeated on 429, 5xx and broken transports: asking for a token changes nothing.
    pub(super) async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let began = self.clocks.boot();
        let mut attempt = 1;
        loop {
            let outcome = self.once(request.clone()).await;
            let failure = match &outcome {
                Ok(answer) if answer.status().as_u16() == 429 => {
                    Failure::Throttled { retry_after: retry_after(answer) }
                }
                Ok(answer) if answer.status().is_server_error() => Failure::Transient,
                Ok(_) => return outcome,
                Err(NoAnswer::Untrusted(_)) => Failure::Permanent,
                Err(_) => Failure::Transient,
            };
            match self.retry.next(attempt, failure, self.clocks.boot().since(began), 0.5) {
                Next::After(wait) => {
                    let why = outcome
                        .map_or_else(|error| error.to_string(), |answer| format!("HTTP {}", answer.status()));
                    warn!(attempt, wait_ms = wait.as_millis() as u64, error = %why, "sign-in: no answer yet, trying again in {}", show_about(wait));
                    self.clocks.sleep(wait).await;
                    attempt += 1;
                }
                Next::GiveUp(_) => return outcome.and_then(|answer| spoken(answer, attempt)),
            }
        }
    }

    async fn once(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let failed = |error: reqwest::Error| {
            let why = in_one_line(&error);
            if why.contains(UNTRUSTED_TEXT) { NoAnswer::Untrusted(why) } else { NoAnswer::Failed(why) }
        };
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let (method, headers) = (request.method().as_str(), request.headers());
        let mut entry = self.recorder.begin(Peer::Login, method, path, headers, request.body());
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut answer = match self.http.execute(request).await {
            Ok(answer) => answer,
            Err(error) if error.is_timeout() => return Err(failed(error)),
            Err(error) => {
                entry.broken();
                return Err(failed(error));
            }
        };
        entry.head(answer.status().as_u16(), answer.headers());
        let mut builder = oauth2::http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            builder = builder.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            entry.data(&chunk);
            body.extend_from_slice(&chunk);
            if body.len() > BODY_BYTES_MAX {
                return Err(NoAnswer::Failed(format!("the answer is longer than {BODY_BYTES_MAX} bytes")));
            }
        }
        entry.whole();
        builder.body(body).map_err(|error| NoAnswer::Failed(error.to_string()))
    }

    /// The token of a good answer, read and checked.
    pub(super) fn accept(&self, answer: &BasicTokenResponse) -> Result<AccessToken, SigninError> {
        let secret = SecretString::from(answer.access_token().secret().clone());
        let facts = facts::read(&secret)?;
        facts::check(&facts, &self.scope, &self.tenant, &self.expected)?;
        let issued_at = self.clocks.wall();
        let life = answer.expires_in().unwrap_or(EXPIRES_IN_DEFAULT);
        let expires_at = issued_at.saturating_add(jiff::SignedDuration::try_from(life).unwrap_or_default());
        let expires_at = expires_at.unwrap_or(jiff::Timestamp::MAX);
        Ok(AccessToken { secret, facts, issued_at, expires_at })
    }

    /// An error of the oauth2 crate in our words. Its own texts are not used: some of them hold the answer's body.
    pub(super) fn refused<T: ErrorResponseType + std::fmt::Display>(
        &self,
        error: RequestTokenError<NoAnswer, StandardErrorResponse<T>>,
    ) -> SigninError {
        let place = self.url("token");
        match error {
            RequestTokenError::ServerResponse(answer) => {
                let error = answer.error().to_string();
                let description = answer.error_description().map(String::as_str).unwrap_or_default();
                self.refused_with(&error, description)
            }
            RequestTokenError::Request(why) => why.at(&place),
            RequestTokenError::Parse(..) => {
                let message = format!(
                    "{place} did not answer as an OAuth 2.0 token endpoint; is `login_endpoint` right?"
                );
                SigninError::new(SigninErrorKind::Unavailable, message)
            }
            RequestTokenError::Other(why) => {
                SigninError::new(SigninErrorKind::Unavailable, one_line(&why, MESSAGE_CHARS_MAX))
            }
        }
    }

    pub(super) fn refused_with(&self, error: &str, description: &str) -> SigninError {
        let first_line = description.lines().next().unwrap_or_default();
        let said = if first_line.is_empty() { error } else { first_line };
        let code = advice::code_in(description);
        let kind = if code.is_some_and(advice::is_throttling) {
            SigninErrorKind::Throttled
        } else if PASSING_ERRORS.contains(&error) {
            SigninErrorKind::Unavailable
        } else {
            SigninErrorKind::Refused
        };
        let did = if kind == SigninErrorKind::Refused { "refused" } else { "cannot answer" };
        let mut message = format!("the sign-in service {did} ({}): ", one_line(error, 64));
        message.push_str(&one_line(said, MESSAGE_CHARS_MAX));
        if let Some(advice) = code.and_then(advice::advice) {
            message.push_str(&format!(" -> {advice}"));
        }
        SigninError::new(kind, message)
    }
}

/// The last failed answer: its OAuth error if it holds one, else its status, because a proxy's page or a plain text
/// says nothing about whether this is a token endpoint at all.
fn spoken(answer: HttpResponse, attempts: u32) -> Result<HttpResponse, NoAnswer> {
    let spent = format!("HTTP {} (given up after {attempts} tries)", answer.status());
    let throttled = answer.status().as_u16() == 429;
    let body = serde_json::from_slice::<serde_json::Value>(answer.body()).ok();
    match body.as_ref().and_then(|body| body.get("error")?.as_str()) {
        Some(_) => Ok(answer),
        None if throttled => Err(NoAnswer::Throttled(spent)),
        None => Err(NoAnswer::Failed(spent)),
    }
}

fn retry_after(answer: &HttpResponse) -> Option<Duration> {
    let seconds: f64 = answer.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

/// reqwest's own text names only the layer; the causes say what happened.
/// rustls' word for it; the error itself is wrapped by three crates, each in a way of its own.
const UNTRUSTED_TEXT: &str = "invalid peer certificate";

fn in_one_line(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let next_text = next.to_string();
        if !text.contains(&next_text) {
            text.push_str(&format!(": {next_text}"));
        }
        cause = next.source();
    }
    one_line(&text, MESSAGE_CHARS_MAX)
}
