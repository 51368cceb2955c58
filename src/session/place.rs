//! A run's place among those who wait for a slot. Whoever stops waiting leaves it, whatever the way.

use std::sync::Arc;

use super::owed::Shared;
use super::reaper::ReaperHandle;
use crate::slots::{AccountKey, Holder};

/// A place that may be taken. Dropped, it is left by the reaper; forgotten, it is passed over after the patience.
pub(super) struct Place {
    left: Option<Leaving>,
    reaper: ReaperHandle,
}

/// What has to be told to the store.
pub(super) struct Leaving {
    account: AccountKey,
    holder: Holder,
    shared: Arc<Shared>,
}

impl Place {
    pub(super) fn new(
        account: &AccountKey,
        holder: &Holder,
        shared: &Arc<Shared>,
        reaper: &ReaperHandle,
    ) -> Place {
        let leaving =
            Leaving { account: account.clone(), holder: holder.clone(), shared: Arc::clone(shared) };
        Place { left: Some(leaving), reaper: reaper.clone() }
    }

    /// The store has given a slot, and the place away with it.
    pub(super) fn is_left(&mut self) {
        self.left = None;
    }

    /// Leaves, within the store's deadline.
    pub(super) async fn leave(&mut self) {
        // Taken only afterwards: dropped in between, the reaper leaves once more.
        if let Some(leaving) = &self.left {
            leaving.leave().await;
        }
        self.left = None;
    }
}

impl Leaving {
    /// Tells the store. One that does not hear it passes the place over after the patience.
    pub(super) async fn leave(&self) {
        let Leaving { account, holder, shared } = self;
        let left = shared.store.leave(account, holder);
        let _passed_over = shared.clocks.timeout(shared.times.store_deadline, left).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(leaving) = self.left.take() {
            leaving.shared.events.stopped_waiting(&leaving.account);
            self.reaper.leave(leaving);
        }
    }
}
