//! Who may ask for what: by a bearer token, or because nobody but this host can ask.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::header::{AUTHORIZATION, HOST};
use hyper::http::request::Parts;
use ring::hmac;
use ring::rand::SystemRandom;
use tokio::sync::Mutex;

use super::AdminError;
use super::respond::{Answered, Problem};
use super::route::Route;
use crate::clocks::Clocks;
use crate::rules::time::BootTime;

/// Longest file of a token.
const FILE_BYTES_MAX: u64 = 8 * 1024;

/// How long a token counts before its file is read again.
const REREAD: Duration = Duration::from_secs(1);

/// Who may ask.
pub(super) enum Access {
    /// Everybody: the address is loopback, so that only this host can ask.
    Host,
    /// Everybody, but only for metrics and probes: other hosts can ask, and there is no token.
    MetricsOnly,
    /// Whoever has the token; probes are for everybody.
    Token(Box<TokenFile>),
}

impl Access {
    /// # Errors
    /// The token's file cannot be used.
    pub(super) async fn new(
        address: SocketAddr,
        token_file: Option<PathBuf>,
        clocks: &Clocks,
    ) -> Result<Access, AdminError> {
        Ok(match token_file {
            Some(path) => Access::Token(Box::new(TokenFile::open(path, clocks.clone()).await?)),
            None if address.ip().is_loopback() => Access::Host,
            None => Access::MetricsOnly,
        })
    }

    /// For the log.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Access::Host => "this host",
            Access::MetricsOnly => "metrics only",
            Access::Token(_) => "bearer token",
        }
    }

    /// Whether `request` may have `route`.
    ///
    /// # Errors
    /// The answer that says why not.
    pub(super) async fn permits(&self, route: &Route, request: &Parts) -> Result<(), Answered> {
        match (self, route) {
            (_, Route::Livez | Route::Readyz) | (Access::MetricsOnly, Route::Metrics) => Ok(()),
            // A page in a browser of this host may be led here under a name of its own that resolves to loopback.
            (Access::Host, _) if is_of_this_host(request) => Ok(()),
            (Access::Host, _) => Err(Problem::new(421).detail(
                "without `admin_token_file` this server answers under `localhost` or an IP address only",
            )),
            (Access::MetricsOnly, _) => Err(Problem::new(403).detail(
                "other hosts can reach this address: set `admin_token_file`, or have `admin_address` on loopback",
            )),
            (Access::Token(file), _) => file.permits(bearer(request)).await,
        }
    }
}

/// Whether the request names this host as a person on it would. HTTP/1.0 need not name any, and no browser speaks it.
fn is_of_this_host(request: &Parts) -> bool {
    let named = request.headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
    let Some(authority) = request.uri.authority().map(|authority| authority.as_str()).or(named) else {
        return true;
    };
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok()
}

/// What stands behind `Bearer`.
fn bearer(request: &Parts) -> Option<&str> {
    let (scheme, token) = request.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A bearer token in a file that may be replaced.
pub(super) struct TokenFile {
    path: PathBuf,
    clocks: Clocks,
    /// Of this process only. Tags are compared instead of tokens: in constant time, and no token is kept.
    key: hmac::Key,
    held: Mutex<Held>,
}

struct Held {
    /// None: the file cannot be used now, and nobody gets in.
    tag: Option<hmac::Tag>,
    read_at: BootTime,
}

impl TokenFile {
    async fn open(path: PathBuf, clocks: Clocks) -> Result<TokenFile, AdminError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        let token = |why: &str| AdminError::Token { path: path.clone(), why: why.to_owned() };
        let key = key.map_err(|_| token("the system gives no random bytes"))?;
        let tag = read(&path, &key).await.map_err(|why| token(&why))?;
        let held = Mutex::new(Held { tag: Some(tag), read_at: clocks.boot() });
        Ok(TokenFile { path, clocks, key, held })
    }

    async fn permits(&self, presented: Option<&str>) -> Result<(), Answered> {
        let mut held = self.held.lock().await;
        let now = self.clocks.boot();
        if now.since(held.read_at) >= REREAD {
            let before = held.tag.is_some();
            held.read_at = now;
            held.tag = match read(&self.path, &self.key).await {
                Ok(tag) => Some(tag),
                Err(why) => {
                    if before {
                        let path = self.path.display();
                        tracing::warn!(%path, why, "the admin server's token cannot be read; nobody gets in until it can");
                    }
                    None
                }
            };
        }
        let Some(tag) = &held.tag else {
            return Err(Problem::new(503)
                .retry_later()
                .detail("the file of `admin_token_file` cannot be used now"));
        };
        match presented {
            Some(token) if hmac::verify(&self.key, token.as_bytes(), tag.as_ref()).is_ok() => Ok(()),
            Some(_) => Err(Problem::new(401)
                .challenge("Bearer realm=\"exorun\", error=\"invalid_token\"")
                .detail("the token is not the one of `admin_token_file`")),
            None => Err(Problem::new(401)
                .challenge("Bearer realm=\"exorun\"")
                .detail("send the token of `admin_token_file`: `Authorization: Bearer TOKEN`")),
        }
    }
}

/// # Errors
/// Why the file holds no token; never what it holds.
async fn read(path: &Path, key: &hmac::Key) -> Result<hmac::Tag, String> {
    let size = tokio::fs::metadata(path).await.map_err(|error| error.to_string())?;
    if !size.is_file() || size.len() > FILE_BYTES_MAX {
        return Err(format!("is no file of at most {FILE_BYTES_MAX} bytes"));
    }
    let bytes = zeroize::Zeroizing::new(tokio::fs::read(path).await.map_err(|error| error.to_string())?);
    let token = bytes.trim_ascii();
    match token {
        [] => Err("is empty; write the token into it".to_owned()),
        _ if token.iter().all(u8::is_ascii_graphic) => Ok(hmac::sign(key, token)),
        _ => Err("holds more than one word; a token is one word of visible ASCII characters".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, host: Option<&str>, authorization: Option<&str>) -> Parts {
        let mut request = hyper::Request::get(uri);
        for (name, value) in [(HOST, host), (AUTHORIZATION, authorization)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_name_that_is_led_to_loopback_is_not_this_host() {
        for host in ["localhost", "LOCALHOST:9464", "127.0.0.1:9464", "[::1]:9464", "10.0.0.7"] {
            assert!(is_of_this_host(&parts("/", Some(host), None)), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:9464",
            "localhost.evil.example",
            "",
            "[evil]:1",
            "127.0.0.1.evil.example",
        ] {
            assert!(!is_of_this_host(&parts("/", Some(host), None)), "{host}");
        }
        assert!(is_of_this_host(&parts("/", None, None)));
        // An absolute address wins over the header, as RFC 9112 has it.
        assert!(!is_of_this_host(&parts("http://evil.example/", Some("localhost"), None)));
    }

    #[test]
    fn a_bearer_is_found_however_it_is_spelled() {
        for (header, token) in [
            ("Bearer t", Some("t")),
            ("bearer  t ", Some("t")),
            ("Basic t", None),
            ("Bearer", None),
            ("t", None),
        ] {
            assert_eq!(bearer(&parts("/", None, Some(header))), token, "{header}");
        }
    }

    #[tokio::test]
    async fn a_token_is_one_word_and_its_file_is_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"a test's");
        for (content, wanted) in [
            ("", "is empty"),
            (" \n\t ", "is empty"),
            ("canary canary", "more than one word"),
            ("canary\u{e4}", "more than one word"),
        ] {
            std::fs::write(&path, content).unwrap();
            let why = read(&path, &key).await.unwrap_err();
            assert!(why.contains(wanted) && !why.contains("canary"), "{content:?}: {why}");
        }
        std::fs::write(&path, "x".repeat(9000)).unwrap();
        assert!(read(&path, &key).await.unwrap_err().contains("at most 8192 bytes"));
        assert!(read(folder.path(), &key).await.unwrap_err().contains("is no file"));
        std::fs::write(&path, "\n  token \r\n").unwrap();
        assert_eq!(read(&path, &key).await.unwrap().as_ref(), hmac::sign(&key, b"token").as_ref());
    }
}
