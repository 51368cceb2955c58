//! The forms of answers: a page, JSON, or a problem as RFC 9457 has it. Each has the same headers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
    VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

/// What the server sends.
pub(super) type Answered = Response<Pieces>;

/// How much of an answer is given to the transport at a time. What was not given shows that a peer reads slowly.
const PIECE_BYTES: usize = 16 * 1024;

/// After how many seconds to ask again.
const RETRY_SECONDS: &str = "5";

/// A body in pieces. It keeps its place among the answers that are worked on until the last piece has left.
pub(super) struct Pieces {
    left: Bytes,
    _place: Option<OwnedSemaphorePermit>,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.left.len().min(PIECE_BYTES);
        let piece = self.left.split_to(length);
        Poll::Ready((length > 0).then_some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

fn response(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Answered {
    let left = body.into();
    let length = left.len();
    let mut response = Response::new(Pieces { left, _place: None });
    *response.status_mut() = StatusCode::from_u16(status).expect("a status of this program is a status");
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Said here, so that the answer to HEAD says it too.
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Plain text for people.
pub(super) fn text(status: u16, body: impl Into<Bytes>) -> Answered {
    response(status, "text/plain; charset=utf-8", body)
}

/// A page of metrics, in the form that the peer prefers.
pub(super) fn page(content_type: &'static str, body: String) -> Answered {
    let mut answer = response(200, content_type, body);
    answer.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    answer
}

/// JSON text.
pub(super) fn json(body: impl Into<Bytes>) -> Answered {
    response(200, "application/json", body)
}

/// The answer keeps `place` until its last piece has left.
pub(super) fn holding(answer: Answered, place: OwnedSemaphorePermit) -> Answered {
    answer.map(|pieces| Pieces { _place: Some(place), ..pieces })
}

/// The answer to a HEAD: all of it but the body.
pub(super) fn without_body(answer: Answered) -> Answered {
    answer.map(|_| Pieces { left: Bytes::new(), _place: None })
}

/// An answer that says what is wrong, and what mends it.
pub(super) struct Problem {
    status: u16,
    headers: Vec<(HeaderName, &'static str)>,
}

impl Problem {
    pub(super) fn new(status: u16) -> Problem {
        Problem { status, headers: Vec::new() }
    }

    /// How to say who one is.
    pub(super) fn challenge(self, challenge: &'static str) -> Problem {
        self.with(WWW_AUTHENTICATE, challenge)
    }

    /// Which methods there are.
    pub(super) fn allow(self, methods: &'static str) -> Problem {
        self.with(ALLOW, methods)
    }

    /// It may be otherwise in some seconds.
    pub(super) fn retry_later(self) -> Problem {
        self.with(RETRY_AFTER, RETRY_SECONDS)
    }

    /// The transport ends with this answer. HTTP/2 has no such header, and needs none.
    pub(super) fn last(self, is_http1: bool) -> Problem {
        if is_http1 { self.with(CONNECTION, "close") } else { self }
    }

    fn with(mut self, name: HeaderName, value: &'static str) -> Problem {
        self.headers.push((name, value));
        self
    }

    /// The finished answer.
    pub(super) fn detail(self, detail: &str) -> Answered {
        let status = StatusCode::from_u16(self.status).expect("a status of this program is a status");
        let body = json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": self.status,
            "detail": detail,
        });
        let mut answer = response(self.status, "application/problem+json", body.to_string());
        for (name, value) in self.headers {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        answer
    }
}
