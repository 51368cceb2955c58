//! A call and the renewals of its lease, side by side.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use super::events::SessionFacts;
use super::owed::Shared;
use crate::clocks::Clocks;
use crate::rules::time::BootTime;
use crate::slots::{SlotError, SlotLease};

/// How a call under a lease ended.
pub(super) enum Outcome<T> {
    /// The call itself ended.
    Done(T),
    /// The lease is lost; the call was dropped.
    Lost(String),
    /// The lease would have ended; the call was dropped.
    CutShort,
}

/// Runs `call`, renewing `lease` from the middle of its time on, and drops the call before the lease can end.
///
/// A renewal that fails or hangs is repeated while the lease lasts. The lease's end is looked at before each poll of
/// the call, so a process that was suspended past it sends no further page.
pub(super) async fn under_lease<T>(
    call: impl Future<Output = T> + Send,
    lease: &mut dyn SlotLease,
    call_limit: Duration,
    facts: &SessionFacts,
    shared: &Shared,
) -> Outcome<T> {
    let (clocks, times) = (&shared.clocks, &shared.times);
    let terms = times.terms();
    let mut call = pin!(call);
    let mut not_before = BootTime::default();
    loop {
        let stop_at = terms.stop_at(lease.ends());
        let renew_at = terms.renew_at(lease.ends()).max(not_before).min(stop_at);
        tokio::select! {
            biased;
            outcome = until(stop_at, clocks, call.as_mut()) => return outcome,
            () = clocks.sleep_until(renew_at) => {}
        }
        let renewed = tokio::select! {
            biased;
            outcome = until(stop_at, clocks, call.as_mut()) => return outcome,
            renewed = renew(lease, call_limit, shared) => renewed,
            () = clocks.sleep_until(stop_at) => return Outcome::CutShort,
        };
        not_before = clocks.boot() + terms.renew_retry();
        match renewed {
            Ok(()) => {}
            Err(SlotError::Lost { reason, .. }) => return Outcome::Lost(reason),
            Err(error) => shared.events.renewal_failed(facts, &error),
        }
    }
}

/// Renews `lease` within the store's deadline.
pub(super) async fn renew(
    lease: &mut dyn SlotLease,
    call_limit: Duration,
    shared: &Shared,
) -> Result<(), SlotError> {
    let slot = lease.slot().0;
    match shared.clocks.timeout(shared.times.store_deadline, lease.renew(call_limit)).await {
        Ok(answer) => answer,
        Err(elapsed) => Err(SlotError::Unavailable {
            place: format!("slot {slot}"),
            reason: format!("renewing the lease {elapsed}"),
        }),
    }
}

async fn until<T>(
    stop_at: BootTime,
    clocks: &Clocks,
    mut call: Pin<&mut (impl Future<Output = T> + Send)>,
) -> Outcome<T> {
    std::future::poll_fn(|context| {
        if stop_at <= clocks.boot() {
            return Poll::Ready(Outcome::CutShort);
        }
        call.as_mut().poll(context).map(Outcome::Done)
    })
    .await
}
