//! A slot that is held as a Lease: renewed and given back at the version that was read last.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;

use super::super::Busy;
use super::api::ApiError;
use super::failure::Verb;
use super::look::record;
use super::record::{Occupant, Record};
use super::server_clock::ServerClock;
use super::{Inner, Returned, SlotError, SlotId, SlotLease};
use crate::rules::slots::Slot;
use crate::rules::time::BootTime;

/// How often a renewal or a return is tried where somebody has edited the Lease meanwhile, or nobody answers.
const RENEWALS: u32 = 2;
const RETURNS: u32 = 4;

/// The pause before a return is tried again; it doubles.
const RETURN_PAUSE: Duration = Duration::from_millis(200);
const RETURN_PAUSE_MAX: Duration = Duration::from_secs(5);

/// The lease of a slot. Dropped, nothing is written: others see it end, and quarantine the slot.
pub(super) struct KubernetesLease {
    inner: Arc<Inner>,
    number: SlotId,
    /// The object at the version that was read last, which the next write names.
    lease: Lease,
    clock: ServerClock,
    slot: Slot<Occupant>,
    taken: Timestamp,
    /// A write of ours was sent, and its outcome is not known: look before the next one.
    is_doubtful: bool,
    ends: BootTime,
    /// What was seen beside it.
    pub(super) seen: Busy,
}

impl KubernetesLease {
    pub(super) fn new(
        inner: Arc<Inner>,
        number: SlotId,
        lease: Lease,
        clock: ServerClock,
        slot: Slot<Occupant>,
        taken: Timestamp,
    ) -> KubernetesLease {
        let ends = match &slot {
            Slot::Held(hold) => hold.lease_ends,
            Slot::Free | Slot::Quarantined(_) => BootTime::default(),
        };
        KubernetesLease {
            inner,
            number,
            lease,
            clock,
            slot,
            taken,
            is_doubtful: false,
            ends,
            seen: Busy::default(),
        }
    }

    fn occupant(&self) -> Result<Occupant, SlotError> {
        match &self.slot {
            Slot::Held(hold) => Ok(hold.holder.clone()),
            Slot::Free | Slot::Quarantined(_) => Err(self.lost("the slot was given back")),
        }
    }

    fn lost(&self, reason: &str) -> SlotError {
        let name = self.lease.metadata.name.as_deref().unwrap_or_default();
        let reason = format!("{reason} (Lease {name} in namespace {})", self.inner.namespace);
        SlotError::Lost { slot: self.number.0, reason }
    }

    /// Reads the Lease anew: whose it is now, and its version.
    async fn reread(&mut self) -> Result<(), NotOurs> {
        let name = self.lease.metadata.name.clone().unwrap_or_default();
        let occupant = self.occupant().map_err(NotOurs::Failed)?;
        let (lease, clock) = match self.inner.timed(self.inner.api.get(&name)).await {
            Ok(found) => found,
            Err(ApiError::NotFound(_)) => return Err(NotOurs::Deleted),
            Err(error) => return Err(NotOurs::Failed(self.inner.failure(Verb::Get, &error))),
        };
        if !Record::is_held_by(&lease, &occupant) {
            return Err(NotOurs::Now(Record::read(&lease)));
        }
        (self.lease, self.clock, self.is_doubtful) = (lease, clock, false);
        Ok(())
    }

    /// Writes `slot` over the version that was read last, once.
    async fn write(&mut self, slot: &Slot<Occupant>) -> Result<(), ApiError> {
        let mut wanted = self.lease.clone();
        record(slot, self.taken, &self.clock, self.inner.clocks.boot()).write(&mut wanted);
        // Noted first: this may be dropped while the write is on its way.
        self.is_doubtful = true;
        match self.inner.timed(self.inner.api.replace(&wanted)).await {
            Ok((lease, clock)) => {
                (self.lease, self.clock, self.is_doubtful) = (lease, clock, false);
                Ok(())
            }
            Err(error) => {
                let refused = matches!(error, ApiError::Conflict | ApiError::NotFound(_));
                self.is_doubtful = refused || error.may_have_happened();
                Err(error)
            }
        }
    }

    /// One try to give the slot back; `tried` says that an earlier one may have done it.
    async fn return_once(&mut self, how: Returned, tried: bool) -> Result<(), Unreturned> {
        if self.is_doubtful {
            match self.reread().await {
                Ok(()) => {}
                // Ours that was answered by nobody, or a declaration that we were dead: for a quarantine all the same.
                Err(NotOurs::Now(Record::Quarantined(_))) if how == Returned::Quarantine => return Ok(()),
                Err(NotOurs::Now(now)) if tried && !matches!(now, Record::Quarantined(_)) => return Ok(()),
                Err(NotOurs::Failed(error)) => return Err(Unreturned::Again(error, None)),
                Err(lost) => return Err(Unreturned::For(lost.into_error(self))),
            }
        }
        let (now, occupant) = (self.inner.clocks.boot(), self.occupant().map_err(Unreturned::For)?);
        let mut slot = self.slot.clone();
        let changed = match how {
            Returned::Free => slot.give_back_free(&occupant),
            Returned::Quarantine => slot.give_back_quarantined(&occupant, now, self.inner.times.terms),
        };
        changed.map_err(|_| Unreturned::For(self.lost("the slot is not ours")))?;
        match self.write(&slot).await {
            Ok(()) => {
                self.slot = slot;
                Ok(())
            }
            Err(error) => {
                let pause = match error {
                    ApiError::Throttled { retry_after } => retry_after,
                    // Somebody has written; nothing is to be waited for.
                    ApiError::Conflict | ApiError::NotFound(_) => Some(Duration::ZERO),
                    _ => None,
                };
                let passes = self.is_doubtful || matches!(error, ApiError::Throttled { .. });
                let error = self.inner.failure(Verb::Update, &error);
                Err(if passes { Unreturned::Again(error, pause) } else { Unreturned::For(error) })
            }
        }
    }
}

/// The Lease is not ours any more, or nobody knows.
enum NotOurs {
    Deleted,
    Now(Record),
    Failed(SlotError),
}

impl NotOurs {
    fn into_error(self, lease: &KubernetesLease) -> SlotError {
        match self {
            NotOurs::Failed(error) => error,
            NotOurs::Deleted => lease.lost("its Lease was deleted"),
            NotOurs::Now(Record::Quarantined(_)) => {
                lease.lost("it was not renewed in time or was released, and is in quarantine")
            }
            NotOurs::Now(Record::Held(_)) => lease.lost("somebody else holds it"),
            NotOurs::Now(_) => lease.lost("its Lease was edited and does not name us any more"),
        }
    }
}

/// Why a return has not been done, and whether to try again.
enum Unreturned {
    For(SlotError),
    Again(SlotError, Option<Duration>),
}

#[async_trait]
impl SlotLease for KubernetesLease {
    fn slot(&self) -> SlotId {
        self.number
    }

    fn ends(&self) -> BootTime {
        self.ends
    }

    fn seen(&self) -> Busy {
        self.seen
    }

    async fn renew(&mut self, call_limit: Duration) -> Result<(), SlotError> {
        let occupant = self.occupant()?;
        let mut failed = ApiError::Conflict;
        for _ in 0..RENEWALS {
            if self.is_doubtful {
                self.reread().await.map_err(|error| error.into_error(self))?;
            }
            // Counted from before the request: nobody sees the record earlier.
            let now = self.inner.clocks.boot();
            let mut slot = self.slot.clone();
            let renewed = slot.renew(&occupant, call_limit, now, self.inner.times.terms);
            renewed.map_err(|_| self.lost("the slot is not ours"))?;
            match self.write(&slot).await {
                Ok(()) => {
                    (self.slot, self.ends) = (slot, now + self.inner.times.terms.lease);
                    return Ok(());
                }
                Err(error @ (ApiError::Conflict | ApiError::NotFound(_))) => failed = error,
                Err(error) => return Err(self.inner.failure(Verb::Update, &error)),
            }
        }
        // The last refusal may be the end of it.
        self.reread().await.map_err(|error| error.into_error(self))?;
        Err(self.inner.failure(Verb::Update, &failed))
    }

    async fn give_back(mut self: Box<Self>, how: Returned) -> Result<(), SlotError> {
        let mut pause = RETURN_PAUSE;
        for tried in 1..RETURNS {
            match self.return_once(how, tried > 1).await {
                Ok(()) => return Ok(()),
                Err(Unreturned::For(error)) => return Err(error),
                Err(Unreturned::Again(_, wanted)) => {
                    let wanted = wanted.unwrap_or(pause).min(RETURN_PAUSE_MAX);
                    if !wanted.is_zero() {
                        self.inner.clocks.sleep(wanted).await;
                    }
                    pause *= 2;
                }
            }
        }
        self.return_once(how, true).await.map_err(|unreturned| match unreturned {
            Unreturned::For(error) | Unreturned::Again(error, _) => error,
        })
    }
}

/// A slot that was just taken and that nobody has got yet: dropped like this, it goes back free.
pub(super) struct Fresh(Option<Box<KubernetesLease>>);

impl Fresh {
    pub(super) fn new(lease: Box<KubernetesLease>) -> Fresh {
        Fresh(Some(lease))
    }

    pub(super) fn claim(mut self) -> Box<KubernetesLease> {
        self.0.take().expect("a fresh slot is claimed once")
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let Some(lease) = self.0.take() else { return };
        // Nothing was opened. Where no runtime is left or the write fails, the slot ends in quarantine: safe, and rare.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let tasks = lease.inner.tasks.clone();
            tasks.spawn_on(async move { drop(lease.give_back(Returned::Free).await) }, &runtime);
        }
    }
}
