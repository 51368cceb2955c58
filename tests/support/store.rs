//! A slot store in memory, made of the same rules as the real ones. It can fail, hang and lose leases on demand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use exorun::clocks::Clocks;
use exorun::rules::opens::{Admission, admit};
use exorun::rules::slots::Slot;
use exorun::rules::time::BootTime;
use exorun::rules::working_limit::{Lowered, after_refusal};
use exorun::slots::{
    AccountKey, Attempt, Busy, Holder, Returned, SlotError, SlotId, SlotLease, SlotStore, SlotTimes,
};

use super::Process;

/// What is asked of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreOp {
    Attempt,
    Renew,
    GiveBack,
}

/// What the store does about it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StoreAct {
    Take(Duration),
    Fail,
    Hang,
}

type Script = Box<dyn FnMut(StoreOp) -> StoreAct + Send>;

#[derive(Clone)]
struct Who {
    number: u64,
    connection_id: String,
    process: Process,
    /// The lease value still exists: what the kernel's file lock says in the real store.
    locked: Arc<()>,
}

impl PartialEq for Who {
    fn eq(&self, other: &Who) -> bool {
        self.number == other.number
    }
}

struct State {
    lowered: Option<Lowered>,
    slots: Vec<Slot<Who>>,
    stamps: Vec<BootTime>,
    next: u64,
    renewals: u32,
    script: Script,
}

#[derive(Clone)]
pub(crate) struct MemoryStore {
    state: Arc<Mutex<State>>,
    times: SlotTimes,
    clocks: Clocks,
    process: Process,
}

impl MemoryStore {
    pub(crate) fn new(slots: u32, times: SlotTimes, clocks: Clocks) -> MemoryStore {
        let slots = (0..slots).map(|_| Slot::Free).collect();
        let script: Script = Box::new(|_| StoreAct::Take(Duration::from_millis(1)));
        let state = State { lowered: None, slots, stamps: Vec::new(), next: 1, renewals: 0, script };
        MemoryStore { state: Arc::new(Mutex::new(state)), times, clocks, process: Process::new() }
    }

    /// The store as `process` sees it.
    pub(crate) fn of(&self, process: &Process) -> MemoryStore {
        MemoryStore { process: process.clone(), ..self.clone() }
    }

    pub(crate) fn script(&self, script: impl FnMut(StoreOp) -> StoreAct + Send + 'static) {
        self.state.lock().unwrap().script = Box::new(script);
    }

    /// Declares the holder of slot `number` dead, although it lives: its lease is lost.
    pub(crate) fn lose(&self, number: u32) {
        let now = self.clocks.boot();
        self.state.lock().unwrap().slots[number as usize - 1].holder_vanished(now, self.times.terms);
    }

    /// Held and quarantined slots, as anybody would see them now.
    pub(crate) fn in_use(&self) -> (usize, usize) {
        let mut state = self.state.lock().unwrap();
        self.refresh(&mut state);
        let held = state.slots.iter().filter(|slot| matches!(slot, Slot::Held(_))).count();
        let quarantined = state.slots.iter().filter(|slot| matches!(slot, Slot::Quarantined(_))).count();
        (held, quarantined)
    }

    /// How many slots may be in use now, if a refusal has made that fewer.
    pub(crate) fn lowered_to(&self) -> Option<u32> {
        let (now, state) = (self.clocks.boot(), self.state.lock().unwrap());
        state.lowered.map(|lowered| lowered.limit(state.slots.len() as u32, now, self.times.pace))
    }

    pub(crate) fn renewals(&self) -> u32 {
        self.state.lock().unwrap().renewals
    }

    /// When the lease of the session with that connection id ends, if it has one.
    pub(crate) fn lease_ends(&self, connection_id: &str) -> Option<BootTime> {
        let state = self.state.lock().unwrap();
        state.slots.iter().find_map(|slot| match slot {
            Slot::Held(hold) if hold.holder.connection_id == connection_id => Some(hold.lease_ends),
            _ => None,
        })
    }

    fn refresh(&self, state: &mut State) {
        let now = self.clocks.boot();
        for slot in &mut state.slots {
            if let Slot::Held(hold) = slot {
                // Two owners of the lock: the record and the lease.
                let dead = !hold.holder.process.alive() || Arc::strong_count(&hold.holder.locked) < 2;
                if dead {
                    slot.holder_vanished(now, self.times.terms);
                }
            }
            slot.settle(now);
        }
    }

    async fn act(&self, op: StoreOp) -> Result<(), SlotError> {
        let act = (self.state.lock().unwrap().script)(op);
        self.process
            .live(async {
                match act {
                    StoreAct::Take(time) => {
                        self.clocks.sleep(time).await;
                        Ok(())
                    }
                    StoreAct::Fail => {
                        Err(SlotError::Store { place: "memory".into(), reason: "told to fail".into() })
                    }
                    StoreAct::Hang => std::future::pending().await,
                }
            })
            .await
    }
}

#[async_trait]
impl SlotStore for MemoryStore {
    async fn attempt(&self, _account: &AccountKey, holder: &Holder) -> Result<Attempt, SlotError> {
        self.act(StoreOp::Attempt).await?;
        let now = self.clocks.boot();
        let mut state = self.state.lock().unwrap();
        self.refresh(&mut state);
        let mut busy =
            Busy { held: 0, quarantined: 0, opens_exhausted: false, lowered_to: None, until: None };
        let mut free = None;
        for (index, slot) in state.slots.iter().enumerate() {
            match slot {
                Slot::Free => free = free.or(Some(index)),
                Slot::Held(_) => busy.held += 1,
                Slot::Quarantined(quarantine) => {
                    busy.quarantined += 1;
                    busy.until =
                        Some(busy.until.map_or(quarantine.until, |until| until.min(quarantine.until)));
                }
            }
        }
        let full = state.slots.len() as u32;
        if let Some(lowered) = state.lowered {
            let left = lowered.limit(full, now, self.times.pace);
            if busy.held + busy.quarantined >= left {
                return Ok(Attempt::Busy(Busy { lowered_to: Some(left), ..busy }));
            }
        }
        let Some(index) = free else { return Ok(Attempt::Busy(busy)) };
        match admit(&state.stamps, now, self.times.opens) {
            Admission::Admitted(stamps) => state.stamps = stamps,
            Admission::Exhausted { until } => {
                return Ok(Attempt::Busy(Busy { opens_exhausted: true, until: Some(until), ..busy }));
            }
        }
        let (number, locked) = (state.next, Arc::new(()));
        state.next += 1;
        let who = Who {
            number,
            connection_id: holder.connection_id.clone(),
            process: self.process.clone(),
            locked: locked.clone(),
        };
        state.slots[index].take(who.clone(), now, self.times.terms).unwrap();
        let Who { number, .. } = who;
        Ok(Attempt::Lease(Box::new(MemoryLease {
            store: self.clone(),
            index,
            number,
            ends: now + self.times.terms.lease,
            _locked: locked,
        })))
    }

    async fn refused(&self, _account: &AccountKey) -> Result<u32, SlotError> {
        let now = self.clocks.boot();
        let mut state = self.state.lock().unwrap();
        self.refresh(&mut state);
        let (full, held) = (state.slots.len() as u32, state.slots.iter());
        let held = held.filter(|slot| matches!(slot, Slot::Held(_))).count() as u32;
        let lowered = after_refusal(state.lowered, full, held, now, self.times.pace);
        state.lowered = Some(lowered);
        Ok(lowered.limit(full, now, self.times.pace))
    }
}

struct MemoryLease {
    store: MemoryStore,
    index: usize,
    number: u64,
    ends: BootTime,
    _locked: Arc<()>,
}

impl MemoryLease {
    fn lost(&self) -> SlotError {
        SlotError::Lost { slot: self.index as u32 + 1, reason: "somebody declared us dead".into() }
    }

    /// The record's holder, if it is this lease: the rules compare it with what the record holds.
    fn me(&self, state: &State) -> Option<Who> {
        match &state.slots[self.index] {
            Slot::Held(hold) if hold.holder.number == self.number => Some(hold.holder.clone()),
            _ => None,
        }
    }
}

#[async_trait]
impl SlotLease for MemoryLease {
    fn slot(&self) -> SlotId {
        SlotId(self.index as u32 + 1)
    }

    fn ends(&self) -> BootTime {
        self.ends
    }

    async fn renew(&mut self, call_limit: Duration) -> Result<(), SlotError> {
        let now = self.store.clocks.boot();
        self.store.act(StoreOp::Renew).await?;
        let terms = self.store.times.terms;
        let mut state = self.store.state.lock().unwrap();
        let me = self.me(&state).ok_or_else(|| self.lost())?;
        state.slots[self.index].renew(&me, call_limit, now, terms).map_err(|_| self.lost())?;
        state.renewals += 1;
        self.ends = now + terms.lease;
        Ok(())
    }

    async fn give_back(self: Box<Self>, how: Returned) -> Result<(), SlotError> {
        self.store.act(StoreOp::GiveBack).await?;
        let now = self.store.clocks.boot();
        let terms = self.store.times.terms;
        let mut state = self.store.state.lock().unwrap();
        let me = self.me(&state).ok_or_else(|| self.lost())?;
        let slot = &mut state.slots[self.index];
        match how {
            Returned::Free => slot.give_back_free(&me),
            Returned::Quarantine => slot.give_back_quarantined(&me, now, terms),
        }
        .map_err(|_| self.lost())
    }
}
