//! A tunnel through an HTTP proxy: one CONNECT, and what proxies answer instead. Source: RFC 9110, 9.3.6.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use super::errors::ErrorKind;
use super::reach::NotReached;
use crate::rules::proxy::{Address, Routes};

/// An answer's head; longer ones are no proxy's.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The proxy and its credentials.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    /// Which connections go through it.
    pub routes: Routes,
    /// `USER:PASSWORD`.
    pub credentials: Option<SecretString>,
}

impl Proxy {
    /// Asks for a tunnel to `target` (`host:port`) on a fresh connection to the proxy at `address`.
    pub(super) async fn tunnel<S>(
        &self,
        stream: &mut S,
        address: &Address,
        target: &str,
    ) -> Result<(), NotReached>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
        if let Some(credentials) = &self.credentials {
            let encoded = Zeroizing::new(STANDARD.encode(credentials.expose_secret()));
            request.push_str(&format!("Proxy-Authorization: Basic {}\r\n", *encoded));
        }
        request.push_str("\r\n");
        let closed = |error: std::io::Error| {
            let why = format!("the proxy {address} closed the connection before it answered ({error})");
            NotReached { kind: ErrorKind::Network, why }
        };
        stream.write_all(request.as_bytes()).await.map_err(closed)?;
        stream.flush().await.map_err(closed)?;
        let head = head(stream, address).await?;
        self.judge(&head, address, target)
    }

    fn judge(&self, head: &[u8], address: &Address, target: &str) -> Result<(), NotReached> {
        let no = |kind: ErrorKind, why: String| Err(NotReached { kind, why });
        match status(head) {
            Some(200..=299) if !head.ends_with(END) => no(
                ErrorKind::Refused,
                format!("the proxy {address} answered with a page instead of a tunnel to {target}"),
            ),
            Some(200..=299) => Ok(()),
            // Nothing is tried again: the answer would be the same, and accounts are locked by repeating.
            Some(407) if self.credentials.is_some() => no(
                ErrorKind::Refused,
                format!(
                    "the proxy {address} does not accept the credentials it was given (HTTP 407): mend them in \
                     `proxy_credentials_file` or the proxy's variable; only Basic is supported"
                ),
            ),
            Some(407) => no(
                ErrorKind::Refused,
                format!(
                    "the proxy {address} wants a user name and a password (HTTP 407): name a file with USER:PASSWORD by \
                     the setting `proxy_credentials_file`"
                ),
            ),
            Some(status @ (429 | 500..)) => {
                no(ErrorKind::Network, format!("the proxy {address} cannot reach {target} (HTTP {status})"))
            }
            Some(status) => no(
                ErrorKind::Refused,
                format!(
                    "the proxy {address} does not let us through to {target} (HTTP {status}): have the host allowed \
                     there, or name it in `no_proxy`"
                ),
            ),
            None => no(
                ErrorKind::Refused,
                format!(
                    "{address} does not answer as an HTTP proxy: check the setting `proxy` and its variables"
                ),
            ),
        }
    }
}

const END: &[u8] = b"\r\n\r\n";

/// The head of the answer; with more behind it if the peer sent more than a tunnel's answer has.
async fn head<S: AsyncRead + Unpin>(stream: &mut S, address: &Address) -> Result<Vec<u8>, NotReached> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let read = stream.read(&mut piece).await;
        let closed = |why: &str| NotReached {
            kind: ErrorKind::Network,
            why: format!("the proxy {address} closed the connection before it answered{why}"),
        };
        match read {
            Ok(0) if head.is_empty() => return Err(closed("")),
            Ok(0) => return Ok(head),
            Ok(bytes) => head.extend_from_slice(&piece[..bytes]),
            Err(error) => return Err(closed(&format!(" ({error})"))),
        }
        let is_http = head.starts_with(&b"HTTP/"[..head.len().min(5)]);
        if !is_http || head.len() > HEAD_BYTES_MAX || head.windows(END.len()).any(|four| four == END) {
            return Ok(head);
        }
    }
}

/// The status of a whole head.
fn status(head: &[u8]) -> Option<u16> {
    head.windows(END.len()).position(|four| four == END)?;
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (version, rest) = line.split_once(' ')?;
    let digits = rest.get(..3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let ends = rest.len() == 3 || rest.as_bytes()[3] == b' ';
    (version.starts_with("HTTP/1.") && ends).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::proxy::Scheme;

    /// What is made of an answer, and what was asked.
    async fn asked(credentials: Option<&str>, answer: &str) -> (Result<(), NotReached>, String) {
        let address = Address { scheme: Scheme::Http, host: "proxy.example".to_owned(), port: 3128 };
        let proxy = Proxy {
            routes: Routes::default(),
            credentials: credentials.map(|text| SecretString::from(text.to_owned())),
        };
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(answer.as_bytes()).await.unwrap();
        theirs.shutdown().await.unwrap();
        let outcome = proxy.tunnel(&mut ours, &address, "outlook.office365.com:443").await;
        drop(ours);
        let mut request = String::new();
        theirs.read_to_string(&mut request).await.unwrap();
        (outcome, request)
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_with_basic_credentials() {
        let (outcome, request) =
            asked(Some("anna:canary"), "HTTP/1.1 200 Connection established\r\n\r\n").await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(
            request,
            "CONNECT outlook.office365.com:443 HTTP/1.1\r\nHost: outlook.office365.com:443\r\n\
             Proxy-Authorization: Basic YW5uYTpjYW5hcnk=\r\n\r\n"
        );
        let (outcome, request) = asked(None, "HTTP/1.0 200\r\nVia: x\r\n\r\n").await;
        assert_eq!(outcome, Ok(()));
        assert!(!request.contains("Authorization"), "{request}");
    }

    #[tokio::test]
    async fn every_other_answer_is_told_with_the_proxy_and_the_mend() {
        for (credentials, answer, kind, words) in [
            (None, "HTTP/1.1 407 Auth\r\n\r\n", ErrorKind::Refused, "name a file with USER:PASSWORD"),
            (
                Some("anna:canary"),
                "HTTP/1.1 407 Auth\r\n\r\n",
                ErrorKind::Refused,
                "does not accept the credentials",
            ),
            (None, "HTTP/1.1 403 No\r\n\r\n<html>", ErrorKind::Refused, "name it in `no_proxy`"),
            (None, "HTTP/1.1 503 Busy\r\n\r\n", ErrorKind::Network, "cannot reach outlook.office365.com:443"),
            (None, "HTTP/1.1 200 OK\r\n\r\n<html>", ErrorKind::Refused, "a page instead of a tunnel"),
            (None, "<html>Welcome</html>", ErrorKind::Refused, "does not answer as an HTTP proxy"),
            (None, "SSH-2.0-x\r\n", ErrorKind::Refused, "does not answer as an HTTP proxy"),
            (None, "HTTP/1.1 2000 x\r\n\r\n", ErrorKind::Refused, "does not answer as an HTTP proxy"),
            (None, "HTTP/1.1 200 OK\r\n", ErrorKind::Refused, "does not answer as an HTTP proxy"),
            (None, "", ErrorKind::Network, "closed the connection"),
        ] {
            let (outcome, _) = asked(credentials, answer).await;
            let NotReached { kind: found, why } = outcome.unwrap_err();
            assert_eq!(found, kind, "{why}");
            assert!(why.contains(words) && why.contains("http://proxy.example:3128"), "{why}");
            assert!(!why.contains("canary"), "{why}");
        }
        let endless = format!("HTTP/1.1 200 {}", "x".repeat(2 * HEAD_BYTES_MAX));
        let address = Address { scheme: Scheme::Http, host: "p".to_owned(), port: 1 };
        let head = head(&mut endless.as_bytes(), &address).await.unwrap();
        assert!(head.len() <= HEAD_BYTES_MAX + 1024 && status(&head).is_none());
    }
}
