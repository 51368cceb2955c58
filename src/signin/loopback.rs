//! The redirect on this machine: one HTTP answer of a browser is waited for, and everything else is turned away.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, LOCATION, REFERRER_POLICY,
};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use oauth2::url::form_urlencoded;
use tokio::net::{TcpListener, TcpStream};
use tracing::warn;

/// What leads a browser on to the sign-in page, once.
const START: &str = "/sign-in";
/// Where the browser comes back to.
const BACK: &str = "/";

/// A browser opens a few connections ahead; more at a time are not answered.
const CONNECTIONS_MAX: usize = 16;

/// What the browser brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Returned {
    Code(String),
    Refused { error: String, description: String },
}

/// A port of its own on 127.0.0.1, and on `::1` where the machine has it: `localhost` may be either.
pub(super) struct Loopback {
    v4: TcpListener,
    v6: Option<TcpListener>,
    port: u16,
    /// Where [`START`] leads, until somebody was led there.
    start: Arc<Mutex<Option<String>>>,
}

impl Loopback {
    pub(super) async fn listen() -> std::io::Result<Loopback> {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = v4.local_addr()?.port();
        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
        Ok(Loopback { v4, v6, port, start: Arc::default() })
    }

    /// The redirect. Any port is accepted of an application that has `http://localhost` registered.
    pub(super) fn redirect(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// An address without secrets that leads the first who asks on to `page`.
    pub(super) fn leads_to(&self, page: &str) -> String {
        *self.start.lock().unwrap_or_else(PoisonError::into_inner) = Some(page.to_owned());
        format!("http://localhost:{}{START}", self.port)
    }

    /// Waits for the one answer that has our `state`.
    ///
    /// # Errors
    /// If the ports can no longer be listened on.
    ///
    /// # Cancel safety
    /// Dropped, connections are cut, and an answer is lost.
    pub(super) async fn returned(&mut self, state: &str) -> std::io::Result<Returned> {
        let returned = Arc::new(Mutex::new(None));
        let mut connections: FuturesUnordered<BoxFuture<'static, ()>> = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.v4.accept(), if connections.len() < CONNECTIONS_MAX => {
                    connections.push(self.served(accepted?.0, state, &returned));
                }
                accepted = accept(self.v6.as_ref()), if connections.len() < CONNECTIONS_MAX => {
                    connections.push(self.served(accepted?.0, state, &returned));
                }
                Some(()) = connections.next() => {
                    // Only now: the browser has its page.
                    if let Some(returned) = returned.lock().unwrap_or_else(PoisonError::into_inner).take() {
                        return Ok(returned);
                    }
                }
            }
        }
    }

    fn served(
        &self,
        stream: TcpStream,
        state: &str,
        returned: &Arc<Mutex<Option<Returned>>>,
    ) -> BoxFuture<'static, ()> {
        let (port, start) = (self.port, Arc::clone(&self.start));
        let (state, returned) = (state.to_owned(), Arc::clone(returned));
        Box::pin(async move {
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let answer = answer(&request, port, &state, &start, &returned);
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // A browser that goes away in the middle comes back with another connection.
            let _gone = connection.await;
        })
    }
}

async fn accept(listener: Option<&TcpListener>) -> std::io::Result<(TcpStream, std::net::SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

fn answer(
    request: &Request<Incoming>,
    port: u16,
    state: &str,
    start: &Mutex<Option<String>>,
    returned: &Mutex<Option<Returned>>,
) -> Response<String> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host == format!("{name}:{port}"));
    // A name of somebody else's that leads here is a page elsewhere that tries.
    if !own || request.method() != Method::GET {
        return page(
            StatusCode::FORBIDDEN,
            "Not for you",
            "Only the sign-in service's redirect is answered here.",
        );
    }
    match request.uri().path() {
        START => match start.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(page) => led_to(&page),
            None => page(StatusCode::GONE, "Used already", "Open the address that the terminal shows."),
        },
        BACK => {
            let query = request.uri().query().unwrap_or_default();
            match read(query, state) {
                Some(read) => {
                    let good = matches!(read, Returned::Code(_));
                    // The first answer counts.
                    returned.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(read);
                    if good {
                        page(
                            StatusCode::OK,
                            "Signed in",
                            "You can close this window and go back to the terminal.",
                        )
                    } else {
                        page(
                            StatusCode::OK,
                            "Not signed in",
                            "You can close this window; the terminal says why.",
                        )
                    }
                }
                None => {
                    warn!(
                        "an answer in the browser belongs to another sign-in (`state`): it is refused, still waiting"
                    );
                    let text =
                        "This answer belongs to another sign-in. Open the address that the terminal shows.";
                    page(StatusCode::BAD_REQUEST, "Not this sign-in", text)
                }
            }
        }
        _ => page(
            StatusCode::NOT_FOUND,
            "Nothing here",
            "Only the sign-in service's redirect is answered here.",
        ),
    }
}

/// What a redirect says; `None`: it is not ours. Source: protocol reference, 2.6.
fn read(query: &str, state: &str) -> Option<Returned> {
    let field = |wanted: &str| {
        let mut fields = form_urlencoded::parse(query.as_bytes());
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    if field("state")? != state {
        return None;
    }
    match (field("code"), field("error")) {
        (_, Some(error)) => {
            Some(Returned::Refused { error, description: field("error_description").unwrap_or_default() })
        }
        (Some(code), None) => Some(Returned::Code(code)),
        (None, None) => None,
    }
}

/// A page of words: nothing of the request stands in it.
fn page(status: StatusCode, title: &str, text: &str) -> Response<String> {
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <body style=\"font:18px sans-serif;margin:4em\"><h1>{title}</h1><p>{text}</p></body></html>"
    );
    built(Response::builder().status(status), body)
}

fn led_to(address: &str) -> Response<String> {
    built(Response::builder().status(StatusCode::FOUND).header(LOCATION, address), String::new())
}

fn built(builder: hyper::http::response::Builder, body: String) -> Response<String> {
    builder
        .header(CONTENT_TYPE, "text/html; charset=utf-8")
        .header(
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        )
        .header(REFERRER_POLICY, "no-referrer")
        .header(CACHE_CONTROL, "no-store")
        .header(CONNECTION, "close")
        .body(body)
        .expect("headers of our own and an address that was parsed")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn only_an_answer_with_our_state_is_read() {
        assert_eq!(read("code=c%2B1&state=s", "s"), Some(Returned::Code("c+1".into())));
        assert_eq!(
            read("error=access_denied&error_description=AADSTS53003%3A+no&state=s", "s"),
            Some(Returned::Refused { error: "access_denied".into(), description: "AADSTS53003: no".into() })
        );
        for not_ours in ["", "code=c", "code=c&state=t", "state=s", "code=c&state="] {
            assert_eq!(read(not_ours, "s"), None, "{not_ours}");
        }
    }

    async fn ask(port: u16, host: &str, path: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn strangers_are_turned_away_until_the_answer_comes() {
        let mut loopback = Loopback::listen().await.unwrap();
        let port = loopback.port;
        let start = loopback.leads_to("https://login.example/authorize?x=1");
        assert!(!start.contains("login.example"), "{start}");
        let host = format!("localhost:{port}");
        // A connection that says nothing, as browsers open them ahead, holds nobody up.
        let _silent = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let browser = async {
            let led = ask(port, &host, START).await;
            assert!(
                led.starts_with("HTTP/1.1 302") && led.contains("https://login.example/authorize?x=1"),
                "{led}"
            );
            assert!(ask(port, &host, START).await.starts_with("HTTP/1.1 410"));
            assert!(ask(port, &host, "/favicon.ico").await.starts_with("HTTP/1.1 404"));
            assert!(ask(port, "rebound.example", "/?code=c&state=s").await.starts_with("HTTP/1.1 403"));
            assert!(ask(port, &host, "/?code=forged&state=t").await.starts_with("HTTP/1.1 400"));
            ask(port, &host, "/?code=good&state=s").await
        };
        let (returned, page) = futures_util::future::join(loopback.returned("s"), browser).await;
        assert_eq!(returned.unwrap(), Returned::Code("good".into()));
        assert!(page.contains("You can close this window") && !page.contains("good"), "{page}");
    }
}
