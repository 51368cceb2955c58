//! Taking one slot: a write that only one of those who want it gets through.

use std::sync::Arc;

use k8s_openapi::api::coordination::v1::Lease;

use super::Inner;
use super::api::ApiError;
use super::failure::Verb;
use super::lease::KubernetesLease;
use super::look::record;
use super::record::{Occupant, Record};
use super::server_clock::ServerClock;
use crate::rules::slots::Slot;
use crate::slots::{SlotError, SlotId};

/// How often a write is sent whose outcome stays unknown.
const TAKES: u32 = 3;

impl Inner {
    /// Takes slot `number`, whose Lease was read as `free`; `None` if somebody else was quicker.
    pub(super) async fn take(
        self: &Arc<Inner>,
        number: u32,
        free: Lease,
        occupant: &Occupant,
        clock: ServerClock,
    ) -> Result<Option<KubernetesLease>, SlotError> {
        // The lease counts from here, whichever of the writes below has taken the slot.
        let now = self.clocks.boot();
        let mut slot = Slot::Free;
        slot.take(occupant.clone(), now, self.times.terms).expect("it is free");
        let taken = clock.latest(now);
        let mut wanted = free.clone();
        record(&slot, taken, &clock, now).write(&mut wanted);
        let held = |lease, clock| {
            KubernetesLease::new(Arc::clone(self), SlotId(number), lease, clock, slot.clone(), taken)
        };
        let mut failed = None;
        for sent_before in 0..TAKES {
            match self.timed(self.api.replace(&wanted)).await {
                Ok((lease, clock)) => return Ok(Some(held(lease, clock))),
                Err(ApiError::Conflict | ApiError::NotFound(_)) if sent_before == 0 => return Ok(None),
                Err(ApiError::Conflict | ApiError::NotFound(_)) => {}
                Err(error) if error.may_have_happened() => failed = Some(error),
                Err(error) => return Err(self.failure(Verb::Update, &error)),
            }
            let name = free.metadata.name.as_deref().unwrap_or_default();
            let (lease, clock) = match self.timed(self.api.get(name)).await {
                Ok(found) => found,
                Err(ApiError::NotFound(_)) => return Ok(None),
                Err(error) => return Err(self.failure(Verb::Get, &error)),
            };
            if Record::is_held_by(&lease, occupant) {
                return Ok(Some(held(lease, clock)));
            }
            // Our write may still be on its way. Sent again it is refused, or takes the slot in the other's stead.
            if lease.metadata.resource_version != free.metadata.resource_version {
                return Ok(None);
            }
        }
        let failed = failed.unwrap_or(ApiError::Conflict);
        Err(self.failure(Verb::Update, &failed))
    }
}
