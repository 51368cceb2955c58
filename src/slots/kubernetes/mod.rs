//! Slots as Lease objects of a Kubernetes namespace, for holders in any of the cluster's pods.
//!
//! One Lease a slot, one more for what the holders share. Every change names the resourceVersion that was read, so of
//! two who want the same slot one gets it. A lease ends when *this* process has seen its record unchanged for the
//! lease's length, on the clock that counts suspension; a quarantine ends by the API server's clock or after its whole
//! length under our eyes. No wall clock of a host decides anything.
//!
//! Guarantees: a slot is given out only by a write that the API server has accepted at the version we read; an open is
//! taken from the budget before that, so a crash in between costs an open and never admits a sixth. What it cannot
//! know: sessions of an account whose Leases were all deleted by hand, and those of other namespaces or clusters.

mod api;
mod attempt;
mod budget;
mod client;
mod complete;
mod credential_program;
mod failure;
mod kubeconfig;
mod lease;
mod listing;
mod look;
mod names;
mod origin;
mod record;
mod server_clock;
mod take;
mod way;

pub use api::{Answer, ApiError, LeaseApi};
pub use client::{KubeApi, connect};

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{
    AccountKey, Ask, Attempt, Holder, ListedAccount, Meant, Released, Returned, SlotError, SlotId, SlotLease,
    SlotStore, SlotTimes,
};
use crate::clocks::Clocks;
use attempt::{Caller, Tried};
use failure::{Verb, failure};
use lease::Fresh;
use look::Sightings;
use names::Names;
use record::Occupant;
use server_clock::ServerClock;

/// A request that takes longer is as good as lost: a lease must stand several of them.
const REQUEST_LIMIT_MAX: Duration = Duration::from_secs(10);

/// Slots kept as Leases of one namespace.
#[derive(Clone)]
pub struct KubernetesStore(Arc<Inner>);

struct Inner {
    api: Arc<dyn LeaseApi>,
    namespace: String,
    limit: u32,
    times: SlotTimes,
    clocks: Clocks,
    /// The pod's or the host's name, for people.
    identity: String,
    sightings: Sightings,
    tasks: TaskTracker,
    /// Numbers the attempts.
    attempts: AtomicU64,
}

impl KubernetesStore {
    /// A store of `limit` slots an account, kept in `namespace` of the API server behind `api`. `identity` is the pod's
    /// or the host's name: people see it as the holder. Asks nothing yet.
    pub fn new(
        api: Arc<dyn LeaseApi>,
        namespace: String,
        limit: u32,
        times: SlotTimes,
        clocks: Clocks,
        identity: String,
    ) -> KubernetesStore {
        let (sightings, tasks, attempts) = (Sightings::default(), TaskTracker::new(), AtomicU64::new(1));
        let inner = Inner { api, namespace, limit, times, clocks, identity, sightings, tasks, attempts };
        KubernetesStore(Arc::new(inner))
    }
}

#[async_trait]
impl SlotStore for KubernetesStore {
    async fn settled(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.tasks.reopen();
    }

    async fn attempt(&self, account: &AccountKey, holder: &Holder, ask: Ask) -> Result<Attempt, SlotError> {
        let inner = Arc::clone(&self.0);
        let (names, gone) = (Names::of(account), CancellationToken::new());
        let caller = Caller { occupant: self.0.occupant(holder), ask, gone: gone.clone() };
        let _gone = gone.drop_guard();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        // On a task of its own: an attempt that is dropped while its write is on the way must see what becomes of it. It
        // begins no other write then: nobody would leave the line for it.
        self.0.tasks.spawn(async move {
            let tried = inner.attempt(&names, &caller).await;
            let tried = tried.map(|tried| match tried {
                Tried::Taken(lease) => Ok(Fresh::new(lease)),
                Tried::Busy(busy) => Err(busy),
            });
            // Nobody there to take it: what is fresh gives itself back.
            drop(sender.send(tried));
        });
        match receiver.await {
            Ok(Ok(Ok(fresh))) => Ok(Attempt::Lease(fresh.claim())),
            Ok(Ok(Err(busy))) => Ok(Attempt::Busy(busy)),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                let reason = "the attempt ended without an answer; the program is ending".to_owned();
                Err(SlotError::Unavailable { place: failure::place(&self.0.namespace), reason })
            }
        }
    }

    async fn leave(&self, account: &AccountKey, holder: &Holder) -> Result<(), SlotError> {
        self.0.leave(&Names::of(account), &holder.connection_id).await
    }

    async fn refused(&self, account: &AccountKey) -> Result<u32, SlotError> {
        self.0.refused(&Names::of(account)).await
    }

    async fn list(&self, account: Option<&AccountKey>) -> Result<Vec<ListedAccount>, SlotError> {
        self.0.list(account).await
    }

    async fn release(
        &self,
        account: &AccountKey,
        slot: SlotId,
        meant: &Meant,
    ) -> Result<Released, SlotError> {
        self.0.release(&Names::of(account), slot, meant).await
    }
}

impl Inner {
    fn occupant(&self, holder: &Holder) -> Occupant {
        let Holder { run_id, job, connection_id } = holder.clone();
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        Occupant { place: self.identity.clone(), run_id, job, connection_id, attempt }
    }

    /// Makes a request within its time, and notes between which moments the answer's `Date` was made.
    async fn timed<T>(
        &self,
        request: impl Future<Output = Result<Answer<T>, ApiError>>,
    ) -> Result<(T, ServerClock), ApiError> {
        let limit = (self.times.terms.lease / 6).min(REQUEST_LIMIT_MAX);
        let sent = self.clocks.boot();
        let answer = self.clocks.timeout(limit, request).await;
        let received = self.clocks.boot();
        let Answer { value, server_time } =
            answer.map_err(|late| ApiError::Unavailable(late.to_string()))??;
        Ok((value, ServerClock { stated: server_time, sent, received }))
    }

    /// As [`Inner::timed`], where every failure ends the work.
    async fn ask<T>(
        &self,
        verb: Verb,
        request: impl Future<Output = Result<Answer<T>, ApiError>>,
    ) -> Result<(T, ServerClock), SlotError> {
        self.timed(request).await.map_err(|error| self.failure(verb, &error))
    }

    fn failure(&self, verb: Verb, error: &ApiError) -> SlotError {
        failure(&self.namespace, verb, error)
    }
}
