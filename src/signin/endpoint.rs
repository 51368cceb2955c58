//! The token endpoint: one HTTP exchange with repeats, for the oauth2 crate; and its errors in our words.

use std::time::Duration;

use futures_util::future::BoxFuture;
use oauth2::{
    ErrorResponseType, HttpRequest, HttpResponse, RequestTokenError, StandardErrorResponse, TokenResponse,
};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::echo::without_echo;
use super::refusal::Refusal;
use super::tries::Tries;
use super::{AccessToken, SigninError, SigninErrorKind, facts};
use crate::clocks::Clocks;
use crate::observe::escape::one_line;
use crate::recording::{Peer, Recorder};
use crate::rules::causes::chain;
use crate::rules::page;
use crate::rules::proxy::Address;
use crate::rules::retry::{Failure, RetryPolicy};
use crate::rules::rights;

/// A token's life if the answer does not say: short, so that it is soon asked for again.
const EXPIRES_IN_DEFAULT: Duration = Duration::from_secs(5 * 60);
/// Bodies of the sign-in service are a few kilobytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
const MESSAGE_CHARS_MAX: usize = 400;

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
    /// The proxy that its requests go through, for messages.
    pub proxy: Option<Address>,
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
    /// Which rights it must have.
    pub rights: rights::Expected,
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
    /// Something else that answers in its place; the text has the mend.
    #[error("{0}")]
    Page(String),
    /// Something else that does not pass by itself; the text has the mend.
    #[error("{0}")]
    Wrong(String),
}

impl NoAnswer {
    /// The same for who asked at `place`.
    pub(super) fn at(&self, place: &str) -> SigninError {
        let kind = match self {
            NoAnswer::Throttled(_) => SigninErrorKind::Throttled,
            NoAnswer::Failed(_) | NoAnswer::Page(_) => SigninErrorKind::Unavailable,
            NoAnswer::Untrusted(_) | NoAnswer::Wrong(_) => SigninErrorKind::BadInput,
        };
        SigninError::new(kind, format!("no answer from {place}: {self}"))
    }
}

impl LoginEndpoint {
    /// Whether a token can be told from one of another tenant: its GUID is written, or was discovered.
    pub fn knows_the_tenant(&self) -> bool {
        self.expected.tenant_id.is_some() || facts::looks_like_guid(&self.tenant)
    }

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
            Box::pin(async move { endpoint.no_page(endpoint.exchange(request).await?) })
        }
    }

    /// One exchange of the oauth2 crate, repeated.
    pub(super) async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let mut tries = self.tries();
        loop {
            let outcome = self.once(request.clone()).await;
            if let Some(over) = self.over(&mut tries, outcome).await {
                return over;
            }
        }
    }

    /// The answer to what `make` makes for each try: an assertion is good for one.
    ///
    /// # Errors
    /// What `make` says, and if there is no answer.
    pub(super) async fn answer<F>(&self, make: impl Fn() -> F) -> Result<HttpResponse, SigninError>
    where
        F: Future<Output = Result<HttpRequest, SigninError>>,
    {
        let mut tries = self.tries();
        loop {
            let outcome = self.once(make().await?).await;
            if let Some(over) = self.over(&mut tries, outcome).await {
                let answer = over.and_then(|answer| self.no_page(answer));
                return answer.map_err(|why| self.unanswered(&why));
            }
        }
    }

    fn tries(&self) -> Tries<'_> {
        Tries::begin(&self.clocks, &self.retry, "sign-in")
    }

    /// What a try came to, if it was the last; else the wait for the next one is over.
    async fn over(
        &self,
        tries: &mut Tries<'_>,
        outcome: Result<HttpResponse, NoAnswer>,
    ) -> Option<Result<HttpResponse, NoAnswer>> {
        let failure = match &outcome {
            Ok(answer) if answer.status().as_u16() == 429 => {
                Failure::Throttled { retry_after: retry_after(answer) }
            }
            Ok(answer) if answer.status().is_server_error() => Failure::Transient,
            Ok(answer) if answer.status().is_client_error() => {
                let refusal = Refusal::read(answer.body());
                refusal.map_or(Failure::Permanent, |refusal| refusal.failure(self.retry.delay_max))
            }
            Ok(_) => return Some(outcome),
            Err(NoAnswer::Untrusted(_) | NoAnswer::Wrong(_)) => Failure::Permanent,
            Err(_) => Failure::Transient,
        };
        let why = match &outcome {
            Ok(answer) => format!("HTTP {}", answer.status()),
            Err(error) => error.to_string(),
        };
        if tries.again(failure, &why).await {
            return None;
        }
        let attempts = tries.attempt();
        Some(outcome.and_then(|answer| match answer.status().is_client_error() && answer.status() != 429 {
            true => Ok(answer),
            false => spoken(answer, attempts),
        }))
    }

    async fn once(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let failed = |error: reqwest::Error| self.not_answered(&error);
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let (method, headers) = (request.method().as_str(), request.headers());
        let mut entry = self.recorder.begin(Peer::Login, method, path, headers, request.body());
        let sent = Zeroizing::new(request.body().clone());
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
        // Of a page its title is quoted, whatever the status.
        let is_quoted =
            !answer.status().is_success() || page::said(&String::from_utf8_lossy(&body)).is_some();
        let body = if is_quoted { without_echo(&sent, body) } else { body };
        let answer = builder.body(body).map_err(|error| NoAnswer::Failed(error.to_string()))?;
        Ok(Refusal::spelled_out(answer))
    }

    /// What a failed exchange means. The texts are the crates' own: the errors themselves are wrapped by three of them,
    /// each in a way of its own.
    fn not_answered(&self, error: &reqwest::Error) -> NoAnswer {
        let why = in_one_line(error);
        let has = |text: &str| why.contains(text);
        if has(UNTRUSTED_TEXT) {
            return NoAnswer::Untrusted(why);
        }
        if has("alert: ProtocolVersion") || has("peer is incompatible") {
            return NoAnswer::Wrong(format!("{why} (TLS 1.2 or later is needed, and the peer offers none)"));
        }
        let Some(proxy) = self.proxy.as_ref().filter(|_| error.is_connect() || error.is_timeout()) else {
            return NoAnswer::Failed(why);
        };
        if has("proxy authorization required") {
            return NoAnswer::Wrong(format!(
                "the proxy {proxy} wants a user name and a password, or other ones (HTTP 407): mend USER:PASSWORD in \
                 the file that the setting `proxy_credentials_file` names, or the proxy's variable; only Basic is supported"
            ));
        }
        if has("tunnel error: unsuccessful") {
            // Its status is not told, and some pass by themselves.
            return NoAnswer::Failed(format!(
                "the proxy {proxy} opens no tunnel: it does not let us through (have the host allowed there, or name it in \
                 `no_proxy`), or is no HTTP proxy (setting `proxy` and its variables)"
            ));
        }
        NoAnswer::Failed(format!("{why}, through the proxy {proxy} (settings `proxy`, `no_proxy`)"))
    }

    /// An answer, unless it is a web page: who serves one in the token endpoint's place is no sign-in service.
    fn no_page(&self, answer: HttpResponse) -> Result<HttpResponse, NoAnswer> {
        let Some(page) = page_in(&answer) else { return Ok(answer) };
        let proxy = match &self.proxy {
            Some(proxy) => format!("the proxy {proxy} (settings `proxy`, `no_proxy`), or one behind it,"),
            None => "a proxy or a gateway on the way".to_owned(),
        };
        Err(NoAnswer::Page(format!(
            "{page} (HTTP {}) -> {proxy} answers in the sign-in service's place: have the host let through there; or \
             `login_endpoint` is the address of something else",
            answer.status()
        )))
    }

    /// The token of a good answer, read and checked.
    pub(super) fn accept(&self, answer: &impl TokenResponse) -> Result<AccessToken, SigninError> {
        self.accept_token(SecretString::from(answer.access_token().secret().clone()), answer.expires_in())
    }

    /// A token that lives for `life` from now, read and checked.
    ///
    /// # Errors
    /// If it is for something or somebody else, or grants nothing.
    pub(super) fn accept_token(
        &self,
        secret: SecretString,
        life: Option<Duration>,
    ) -> Result<AccessToken, SigninError> {
        let facts = facts::read(&secret)?;
        facts::check(&facts, &self.scope, &self.tenant, &self.expected)?;
        let issued_at = self.clocks.wall();
        let life = life.unwrap_or(EXPIRES_IN_DEFAULT);
        let expires_at = issued_at.saturating_add(jiff::SignedDuration::try_from(life).unwrap_or_default());
        let expires_at = expires_at.unwrap_or(jiff::Timestamp::MAX);
        Ok(AccessToken { secret, facts, issued_at, expires_at })
    }

    /// An error of the oauth2 crate in our words. Its own texts are not used: some of them hold the answer's body.
    pub(super) fn refused<T: ErrorResponseType + std::fmt::Display>(
        &self,
        error: RequestTokenError<NoAnswer, StandardErrorResponse<T>>,
    ) -> SigninError {
        match error {
            RequestTokenError::ServerResponse(answer) => {
                let error = answer.error().to_string();
                let description = answer.error_description().map(String::as_str).unwrap_or_default();
                Refusal::new(&error, description).into_error()
            }
            RequestTokenError::Request(why) => self.unanswered(&why),
            RequestTokenError::Parse(..) => self.no_endpoint(),
            RequestTokenError::Other(why) => {
                SigninError::new(SigninErrorKind::Unavailable, one_line(&why, MESSAGE_CHARS_MAX))
            }
        }
    }

    fn unanswered(&self, why: &NoAnswer) -> SigninError {
        why.at(&self.url("token"))
    }

    /// What answers there is something else.
    pub(super) fn no_endpoint(&self) -> SigninError {
        let place = self.url("token");
        let message =
            format!("{place} did not answer as an OAuth 2.0 token endpoint; is `login_endpoint` right?");
        SigninError::new(SigninErrorKind::Unavailable, message)
    }
}

/// The last failed answer: its OAuth error if it holds one, else its status, because a proxy's page or a plain text
/// says nothing about whether this is a token endpoint at all.
fn spoken(answer: HttpResponse, attempts: u32) -> Result<HttpResponse, NoAnswer> {
    let page = page_in(&answer).map(|page| format!(": {page}")).unwrap_or_default();
    let spent = format!("HTTP {} (given up after {attempts} tries){page}", answer.status());
    let throttled = answer.status().as_u16() == 429;
    let body = serde_json::from_slice::<serde_json::Value>(answer.body()).ok();
    match body.as_ref().and_then(|body| body.get("error")?.as_str()) {
        Some(_) => Ok(answer),
        None if throttled => Err(NoAnswer::Throttled(spent)),
        None => Err(NoAnswer::Failed(spent)),
    }
}

/// What a web page in an answer says it is.
fn page_in(answer: &HttpResponse) -> Option<String> {
    page::said(&String::from_utf8_lossy(answer.body())).map(|page| one_line(&page, MESSAGE_CHARS_MAX))
}

fn retry_after(answer: &HttpResponse) -> Option<Duration> {
    let seconds: f64 = answer.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

/// rustls' word for it.
const UNTRUSTED_TEXT: &str = "invalid peer certificate";

/// reqwest's own text names only the layer; the causes say what happened.
pub(super) fn in_one_line(error: &reqwest::Error) -> String {
    one_line(&chain(error), MESSAGE_CHARS_MAX)
}
