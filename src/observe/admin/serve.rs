//! One request, from its head to its answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::{HOST, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Method, Request, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ask::{AskError, Asked, Resource};
use super::negotiate;
use super::respond::{self, Answered, Problem};
use super::route::{self, Route};
use super::{Access, Metrics, OPENAPI, Readiness, query};
use crate::clocks::Clocks;
use crate::observe::exposition::Form;

/// How many large answers (metrics, and all under `/api`) are made and sent at a time. Probes need no place.
const PLACES: usize = 4;

/// What all requests share.
pub(super) struct House {
    access: Access,
    metrics: Metrics,
    readiness: Readiness,
    asked: Arc<dyn Asked>,
    /// For a place, and again for an answer.
    patience: Duration,
    clocks: Clocks,
    places: Arc<Semaphore>,
}

impl House {
    pub(super) fn new(
        access: Access,
        metrics: Metrics,
        readiness: Readiness,
        asked: Arc<dyn Asked>,
        patience: Duration,
        clocks: Clocks,
    ) -> House {
        let places = Arc::new(Semaphore::new(PLACES));
        House { access, metrics, readiness, asked, patience, clocks, places }
    }
}

/// Answers a request; its body is never read.
pub(super) async fn answer(house: Arc<House>, request: Request<Incoming>) -> Result<Answered, Infallible> {
    let (request, body) = request.into_parts();
    let has_body = !body.is_end_stream() || request.headers.contains_key(TRANSFER_ENCODING);
    // Gone before the answer is made: what is never asked for is never sent, if the peer waits to be asked.
    drop(body);
    let answer = match house.to(&request, has_body).await {
        Ok(answer) | Err(answer) => answer,
    };
    tracing::debug!(method = %request.method, status = answer.status().as_u16(), "the admin server has answered");
    Ok(if request.method == Method::HEAD { respond::without_body(answer) } else { answer })
}

impl House {
    /// # Errors
    /// An answer too: one that says why there is no better one.
    async fn to(&self, request: &Parts, has_body: bool) -> Result<Answered, Answered> {
        let is_http1 = request.version < Version::HTTP_2;
        if has_body {
            return Err(Problem::new(413).last(is_http1).detail("this server reads no request bodies"));
        }
        if request.version == Version::HTTP_11 && !request.headers.contains_key(HOST) {
            return Err(Problem::new(400).last(is_http1).detail("the header Host is missing"));
        }
        let Some(route) = Route::of(request.uri.path()) else {
            return Err(
                Problem::new(404).detail("there is nothing at this address; GET / lists what there is")
            );
        };
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return Err(Problem::new(405).allow("GET, HEAD").detail("everything here is read-only"));
        }
        self.access.permits(&route, request).await?;
        match route {
            Route::List => Ok(respond::text(200, route::LIST)),
            Route::OpenApi => Ok(respond::json(OPENAPI)),
            Route::Livez => Ok(respond::text(200, "alive\n")),
            Route::Readyz => Ok(self.ready()),
            Route::Metrics => {
                let place = self.place().await?;
                Ok(respond::holding(self.page(negotiate::preferred(&request.headers)).await?, place))
            }
            Route::Api(resource) => {
                let place = self.place().await?;
                Ok(respond::holding(self.ask(resource, request.uri.query()).await?, place))
            }
        }
    }

    fn ready(&self) -> Answered {
        match self.readiness.missing()[..] {
            [] => respond::text(200, "ready\n"),
            ref missing => respond::text(503, format!("not ready, still missing: {}\n", missing.join(", "))),
        }
    }

    /// Made on a thread of its own: the page of many jobs takes long enough to make a run's call late.
    async fn page(&self, form: Form) -> Result<Answered, Answered> {
        let metrics = self.metrics.clone();
        let made = tokio::task::spawn_blocking(move || metrics.page(form));
        let page = made.await.map_err(|_| Problem::new(500).detail("the metrics could not be written"))?;
        Ok(respond::page(negotiate::content_type(form), page))
    }

    async fn ask(&self, resource: Resource, parameters: Option<&str>) -> Result<Answered, Answered> {
        let query = query::read(resource, parameters).map_err(|why| Problem::new(400).detail(&why))?;
        let answer = self.clocks.timeout(self.patience, self.asked.answer(query)).await;
        let answer =
            answer.map_err(|_| Problem::new(503).retry_later().detail("the answer took too long"))?;
        match answer {
            Ok(answer) => Ok(respond::json(answer.body.to_string())),
            Err(AskError::NotFound) => Err(Problem::new(404).detail("there is no such job or run")),
            Err(AskError::BadQuery(why)) => Err(Problem::new(400).detail(&why)),
            Err(AskError::Unavailable(why)) => Err(Problem::new(503).retry_later().detail(&why)),
        }
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Answered> {
        let place = self.clocks.timeout(self.patience, self.places.clone().acquire_owned()).await;
        let place =
            place.map_err(|_| Problem::new(503).retry_later().detail("too many requests are in hand"))?;
        Ok(place.expect("the semaphore is never closed"))
    }
}
