//! What is done to the processes: at random, mostly to those that hold a slot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use exorun::slots::{ListedState, SlotStore};
use rustix::process::{Signal, pidfd_send_signal};
use tokio_util::task::TaskTracker;

use crate::SEATS;
use crate::seats::{Harm, Seats};
use crate::support::Chance;

/// Longer than the lease of the runs, by up to a few seconds more.
const STOPPED: Duration = Duration::from_millis(6500);
const AND_UP_TO: u64 = 3000;

/// Blows up to `ends`. Returns how many processes were hit while they held a slot.
pub(crate) async fn blow(seats: Seats, store: Arc<dyn SlotStore>, seed: u64, ends: Instant) -> u32 {
    let mut chance = Chance::new(seed);
    let (stopped, mut hit) = (TaskTracker::new(), 0);
    while Instant::now() < ends {
        tokio::time::sleep(Duration::from_millis(300) + chance.millis(900)).await;
        // Before the first run there is no folder to look into.
        let listed = store.list(None).await.unwrap_or_default();
        let holders: Vec<usize> = listed
            .iter()
            .flat_map(|account| &account.slots)
            .filter_map(|slot| match &slot.state {
                ListedState::Held { holder, .. } => Seats::number(&holder.job),
                ListedState::Quarantined { .. } => None,
            })
            .collect();
        let at_holder = !holders.is_empty() && chance.in_hundred(80);
        let among = if at_holder { holders.len() } else { SEATS };
        let pick = chance.next() as usize % among;
        let number = if at_holder { holders[pick] } else { pick };
        let (kind, for_so_long) = (chance.next() % 100, STOPPED + chance.millis(AND_UP_TO));
        let (harm, signal) = match kind {
            0..40 => (Harm::Killed, Signal::KILL),
            40..75 => (Harm::Stopped, Signal::STOP),
            _ => (Harm::Asked, Signal::TERM),
        };
        let Some(process) = seats.harm(number, harm, signal) else { continue };
        hit += u32::from(at_holder);
        if harm == Harm::Stopped {
            stopped.spawn(async move {
                tokio::time::sleep(for_so_long).await;
                // Somebody may have killed it: it has ended then.
                let _ = pidfd_send_signal(&process, Signal::CONT);
            });
        }
    }
    // Half of those that are left end in order; the others are asked to, most of them while they wait.
    for number in (1..SEATS).step_by(2) {
        let _ = seats.harm(number, Harm::Asked, Signal::TERM);
    }
    stopped.close();
    stopped.wait().await;
    hit
}
