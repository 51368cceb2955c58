//! A store of one process, and the account that a test uses there.

use std::sync::Arc;

use exorun::slots::{
    AccountKey, Ask, Attempt, Busy, Holder, ListedState, Meant, Released, SlotId, SlotLease, SlotStore,
};

#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) store: Arc<dyn SlotStore>,
    pub(crate) account: AccountKey,
}

pub(crate) fn holder(name: &str) -> Holder {
    Holder { run_id: name.into(), job: "a-job".into(), connection_id: format!("connection-{name}") }
}

impl Desk {
    pub(crate) async fn ask(&self, name: &str, ask: Ask) -> Result<Box<dyn SlotLease>, Busy> {
        match self.store.attempt(&self.account, &holder(name), ask).await.unwrap() {
            Attempt::Lease(lease) => Ok(lease),
            Attempt::Busy(busy) => Err(busy),
        }
    }

    pub(crate) async fn take(&self, name: &str) -> Box<dyn SlotLease> {
        self.ask(name, Ask::InPassing).await.unwrap_or_else(|busy| panic!("{name}: {busy:?}"))
    }

    /// Gets nothing.
    pub(crate) async fn wait(&self, name: &str, how: Ask) -> Busy {
        match self.ask(name, how).await {
            Ok(lease) => panic!("slot {:?} was free", lease.slot()),
            Err(busy) => busy,
        }
    }

    /// Takes a slot away from whoever holds it.
    pub(crate) async fn take_away(&self, slot: SlotId) {
        let listed = self.store.list(Some(&self.account)).await.unwrap();
        let held = listed[0].slots.iter().find(|listed| listed.slot == slot).unwrap();
        let ListedState::Held { holder, .. } = &held.state else { panic!("{held:?}") };
        let meant = Meant::Holder(holder.connection_id.clone());
        let released = self.store.release(&self.account, slot, &meant).await.unwrap();
        assert_eq!(released, Released::Quarantined);
    }

    pub(crate) async fn busy(&self) -> Busy {
        self.wait("late", Ask::InPassing).await
    }
}
