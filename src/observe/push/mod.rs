//! Metrics to a Pushgateway, for runs that end before anybody could scrape them: pushed by POST, which replaces families
//! and leaves those that this page has not, and deleted by whoever knows that a job is no more.

mod group;

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::escape::one_line;
use crate::clocks::Clocks;
use crate::rules::causes::chain;
use crate::rules::withheld::without;

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
            let mut request = with(self.client.request(method, &place));
            let proof = self.proof().await?;
            if let Some(Proof { scheme, secret, .. }) = &proof {
                let secret = secret.expose_secret();
                request =
                    request.header(AUTHORIZATION, sensitive(&Zeroizing::new(format!("{scheme} {secret}")))?);
            }
            judged(request.send().await.map_err(words)?, proof.as_ref()).await
        };
        match self.clocks.timeout(self.timeout, asking).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(PushError { place, why }),
            Err(elapsed) => Err(PushError { place, why: elapsed.to_string() }),
        }
    }

    /// What the credential's file says now.
    async fn proof(&self) -> Result<Option<Proof>, String> {
        Ok(match &self.credential {
            Credential::None => None,
            Credential::Bearer(file) => {
                Some(Proof { scheme: "Bearer", secret: line(file).await?, password: None })
            }
            Credential::Basic(file) => {
                let line = line(file).await?;
                let Some((_, password)) = line.expose_secret().split_once(':') else {
                    return Err(format!("{} wants one line, USER:PASSWORD", file.display()));
                };
                let password = Some(SecretString::from(password.to_owned()));
                let secret = SecretString::from(STANDARD.encode(line.expose_secret()));
                Some(Proof { scheme: "Basic", secret, password })
            }
        })
    }
}

/// What is sent to prove that this program may.
struct Proof {
    scheme: &'static str,
    secret: SecretString,
    /// What is inside the secret, if it is something else.
    password: Option<SecretString>,
}

fn sensitive(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "the credential has characters that no header takes".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
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

/// Whether it was done. What the gateway says of it is told, but for what was sent: some quote the request.
async fn judged(mut response: Response, proof: Option<&Proof>) -> Result<(), String> {
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
    let secrets =
        proof.into_iter().flat_map(|proof| [Some(&proof.secret), proof.password.as_ref()]).flatten();
    let said = without(&String::from_utf8_lossy(&said), secrets.map(ExposeSecret::expose_secret));
    let said = one_line(said.trim(), ANSWER_CHARS_MAX);
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
