//! A call, for as long as its session's lease is kept.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::sync::watch;

use super::keeper::{Kept, Over};
use super::owed::Shared;
use crate::clocks::Clocks;
use crate::rules::time::BootTime;

/// How a call under a lease ended.
pub(super) enum Outcome<T> {
    /// The call itself ended.
    Done(T),
    /// The lease is lost; the call was dropped.
    Lost(String),
    /// The lease would have ended; the call was dropped.
    CutShort,
}

/// Runs `call` while the lease in `kept` lasts, and drops it before the lease can end.
///
/// The lease's end is looked at before each poll of the call, so a process that was suspended past it sends no further
/// page.
pub(super) async fn under_lease<T>(
    call: impl Future<Output = T> + Send,
    mut kept: watch::Receiver<Kept>,
    shared: &Shared,
) -> Outcome<T> {
    let (clocks, terms) = (&shared.clocks, shared.times.terms());
    let mut call = pin!(call);
    loop {
        let Kept { ends, over, .. } = kept.borrow_and_update().clone();
        match over {
            None => {}
            Some(Over::Lost(reason)) => return Outcome::Lost(reason),
            Some(Over::NotRenewed) => return Outcome::CutShort,
        }
        let stop_at = terms.stop_at(ends);
        tokio::select! {
            biased;
            // Dropped with its task, the keeper has dropped the lease too.
            changed = kept.changed() => if changed.is_err() {
                return Outcome::CutShort;
            },
            outcome = until(stop_at, clocks, call.as_mut()) => return outcome,
            () = clocks.sleep_until(stop_at) => {}
        }
    }
}

/// Polls `call` only before `stop_at`.
pub(super) async fn until<T>(
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
