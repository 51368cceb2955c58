//! Metrics to a Pushgateway, for runs that end before anybody could scrape them: pushed by POST, which replaces families
//! and leaves those that this page has not, and deleted by whoever knows that a job is no more.

mod group;

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use super::escape::one_line;
use crate::clocks::Clocks;
use crate::rules::causes::chain;

pub use group::Group;

/// What is read of an answer: it says what is wrong with the page, or nothing.
const ANSWER_BYTES_MAX: usize = 4 * 1024;
const ANSWER_CHARS_MAX: usize = 300;

/// The text format's own name.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Who may push, if the gateway asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Nobody is asked.
    None,
    /// A file with a bearer token.
    Bearer(PathBuf),
    /// A file with `USER:PASSWORD`.
    Basic(PathBuf),
}

/// A Pushgateway.
pub struct Gateway {
    /// Follows no redirect: the page and the credential are for this address.
    pub client: Client,
    /// Scheme, host, port and perhaps a path, without a slash at its end and without a user.
    pub address: String,
    /// What proves that this program may.
    pub credential: Credential,
    /// For everything together.
    pub timeout: Duration,
    /// Measures that.
    pub clocks: Clocks,
}

/// The gateway has not done what was asked, as far as is known.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {why}")]
pub struct PushError {
    place: String,
    why: String,
}

impl Gateway {
    /// Replaces in `group` every family that is on `page`; others stay.
    ///
    /// # Errors
    /// [`PushError`], no later than the time-out.
    ///
    /// # Cancel safety
    /// Dropped, the page may be there or not.
    pub async fn push(&self, group: &Group<'_>, page: String) -> Result<(), PushError> {
        let header = reqwest::header::CONTENT_TYPE;
        self.ask(Method::POST, group, |request| request.header(header, FORMAT).body(page)).await
    }

    /// Deletes `group` with everything in it; a group that is not there is deleted.
    ///
    /// # Errors
    /// As [`Gateway::push`].
    ///
    /// # Cancel safety
    /// Dropped, it may be deleted or not.
    pub async fn delete(&self, group: &Group<'_>) -> Result<(), PushError> {
        self.ask(Method::DELETE, group, |request| request).await
    }

    async fn ask(
        &self,
        method: Method,
        group: &Group<'_>,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<(), PushError> {
        let place = format!("{}{group}", self.address);
        let asking = async {
            let request = self.allowed(with(self.client.request(method, &place))).await?;
            judged(request.send().await.map_err(words)?).await
        };
        match self.clocks.timeout(self.timeout, asking).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(PushError { place, why }),
            Err(elapsed) => Err(PushError { place, why: elapsed.to_string() }),
        }
    }

    async fn allowed(&self, request: RequestBuilder) -> Result<RequestBuilder, String> {
        Ok(match &self.credential {
            Credential::None => request,
            Credential::Bearer(file) => request.bearer_auth(line(file).await?.expose_secret()),
            Credential::Basic(file) => {
                let line = line(file).await?;
                let Some((user, password)) = line.expose_secret().split_once(':') else {
                    return Err(format!("{} wants one line, USER:PASSWORD", file.display()));
                };
                request.basic_auth(user, Some(password))
            }
        })
    }
}

/// The one line of a file, without its end.
async fn line(file: &std::path::Path) -> Result<SecretString, String> {
    let text =
        tokio::fs::read_to_string(file).await.map_err(|error| format!("{}: {error}", file.display()))?;
    let text = SecretString::from(text);
    let line = text.expose_secret().trim_end_matches(['\n', '\r']);
    if line.is_empty() || line.chars().any(char::is_control) {
        return Err(format!("{} wants one line", file.display()));
    }
    Ok(SecretString::from(line.to_owned()))
}

async fn judged(mut response: Response) -> Result<(), String> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    if status.is_redirection() {
        return Err(format!("answers {}, and no redirect is followed: name the place itself", word(status)));
    }
    let mut said = Vec::new();
    while said.len() < ANSWER_BYTES_MAX
        && let Ok(Some(bytes)) = response.chunk().await
    {
        said.extend_from_slice(&bytes);
    }
    let said = one_line(String::from_utf8_lossy(&said).trim(), ANSWER_CHARS_MAX);
    Err(if said.is_empty() {
        format!("answers {}", word(status))
    } else {
        format!("answers {}: {said}", word(status))
    })
}

fn word(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default()).trim_end().to_owned()
}

/// What went wrong and why, without the address, which stands before it.
fn words(error: reqwest::Error) -> String {
    one_line(&chain(&error.without_url()), ANSWER_CHARS_MAX)
}
