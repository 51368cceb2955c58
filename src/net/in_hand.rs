//! Which requests of a connection are in hand, and since when: what shows that a peer reads slowly, or does nothing.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::{Request, Response};

use crate::clocks::Clocks;
use crate::rules::time::BootTime;

struct State {
    next: u64,
    /// When each request in hand began; the first is the oldest.
    began: BTreeMap<u64, BootTime>,
    /// When the last one ended, or the connection began.
    idle_since: BootTime,
}

/// The requests in hand of one connection. Clones are of the same connection.
#[derive(Clone)]
pub(super) struct InHand {
    state: Arc<Mutex<State>>,
    clocks: Clocks,
}

impl InHand {
    pub(super) fn new(clocks: Clocks) -> InHand {
        let state = State { next: 0, began: BTreeMap::new(), idle_since: clocks.boot() };
        InHand { state: Arc::new(Mutex::new(state)), clocks }
    }

    /// Returns when a request has been in hand for longer than `limit`; never without one. Cancel safe.
    pub(super) async fn overdue(&self, limit: Option<Duration>) {
        self.since(limit, |state| state.began.values().next().copied()).await;
    }

    /// Returns when no request has been in hand for `limit`; never without one. Cancel safe.
    pub(super) async fn idle_for(&self, limit: Option<Duration>) {
        self.since(limit, |state| state.began.is_empty().then_some(state.idle_since)).await;
    }

    /// Returns when what `begin` names is older than `limit`. It looks at least once in that time, so it may be late by
    /// as much.
    async fn since(&self, limit: Option<Duration>, begin: impl Fn(&State) -> Option<BootTime>) {
        let Some(limit) = limit else { return std::future::pending().await };
        loop {
            let now = self.clocks.boot();
            let deadline = begin(&self.lock()).map_or(now + limit, |since| since + limit);
            if deadline <= now {
                return;
            }
            self.clocks.sleep(deadline.since(now)).await;
        }
    }

    fn begin(&self) -> Ticket {
        let now = self.clocks.boot();
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.began.insert(number, now);
        Ticket { in_hand: self.clone(), number }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request in hand; dropping it ends that.
struct Ticket {
    in_hand: InHand,
    number: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let now = self.in_hand.clocks.boot();
        let mut state = self.in_hand.lock();
        state.began.remove(&self.number);
        state.idle_since = now;
    }
}

/// A service whose requests are counted from their head to the end of the answer's body.
pub(super) struct Counted<S> {
    service: S,
    in_hand: InHand,
}

impl<S> Counted<S> {
    pub(super) fn new(service: S, in_hand: InHand) -> Counted<S> {
        Counted { service, in_hand }
    }
}

impl<S, B> hyper::service::Service<Request<Incoming>> for Counted<S>
where
    S: hyper::service::Service<
            Request<Incoming>,
            Response = Response<B>,
            Error = Infallible,
            Future: Send + 'static,
        >,
{
    type Response = Response<CountedBody<B>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let ticket = self.in_hand.begin();
        let answer = self.service.call(request);
        Box::pin(async move {
            let Ok(response) = answer.await;
            Ok(response.map(|body| CountedBody { body: Box::pin(body), _ticket: ticket }))
        })
    }
}

/// A body whose end, or drop, ends its request.
pub(super) struct CountedBody<B> {
    body: Pin<Box<B>>,
    _ticket: Ticket,
}

impl<B: Body> Body for CountedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.body.as_mut().poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
