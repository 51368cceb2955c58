//! A slot store in memory, made of the same rules as the real ones. It can fail, hang and lose leases on demand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use exorun::clocks::Clocks;
use exorun::rules::slots::Slot;
use exorun::rules::slots::opens::{Admission, admit};
use exorun::rules::slots::waiting::{Queue, may_take};
use exorun::rules::slots::working_limit::{Lowered, after_refusal};
use exorun::rules::time::BootTime;
use exorun::slots::{
    AccountKey, Ask, Attempt, Busy, Holder, ListedAccount, Meant, Released, Returned, SlotError, SlotId,
    SlotLease, SlotStore, SlotTimes,
};

use super::{Process, Records};

/// What is asked of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreOp {
    Attempt,
    Renew,
    GiveBack,
    Leave,
}

/// What the store does about it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StoreAct {
    Take(Duration),
    Fail,
    /// Fails in a way that may pass by itself.
    Unavailable,
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
    line: Queue,
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
        let state = State {
            lowered: None,
            line: Queue::default(),
            slots,
            stamps: Vec::new(),
            next: 1,
            renewals: 0,
            script,
        };
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

    /// Whether somebody who lives has slot `number`.
    pub(crate) fn is_used(&self, number: u32) -> bool {
        let state = self.state.lock().unwrap();
        match &state.slots[number as usize - 1] {
            Slot::Held(hold) => hold.holder.process.alive() && Arc::strong_count(&hold.holder.locked) > 1,
            Slot::Free | Slot::Quarantined(_) => false,
        }
    }

    /// How many slots may be in use now, if a refusal has made that fewer.
    pub(crate) fn lowered_to(&self) -> Option<u32> {
        let (now, state) = (self.clocks.boot(), self.state.lock().unwrap());
        state.lowered.map(|lowered| lowered.limit(state.slots.len() as u32, now, self.times.pace))
    }

    /// How many wait, and are not silent.
    pub(crate) fn waiting(&self) -> u32 {
        self.state.lock().unwrap().line.waiting(self.clocks.boot(), self.times.patience)
    }

    pub(crate) fn renewals(&self) -> u32 {
        self.state.lock().unwrap().renewals
    }

    /// What the record of the session with that connection id names as the service's limit for a call.
    pub(crate) fn call_limit(&self, connection_id: &str) -> Option<Duration> {
        let state = self.state.lock().unwrap();
        state.slots.iter().find_map(|slot| match slot {
            Slot::Held(hold) if hold.holder.connection_id == connection_id => Some(hold.call_limit()),
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
                    StoreAct::Unavailable => {
                        Err(SlotError::Unavailable { place: "memory".into(), reason: "told to fail".into() })
                    }
                    StoreAct::Hang => std::future::pending().await,
                }
            })
            .await
    }
}

impl Records for MemoryStore {
    fn lease_ends(&self, connection_id: &str) -> Option<BootTime> {
        let state = self.state.lock().unwrap();
        state.slots.iter().find_map(|slot| match slot {
            Slot::Held(hold) if hold.holder.connection_id == connection_id => Some(hold.lease_ends),
            _ => None,
        })
    }

    fn left_for_a_write(&self) -> Duration {
        self.times.terms.lease / 2
    }
}

#[async_trait]
impl SlotStore for MemoryStore {
    async fn attempt(&self, _account: &AccountKey, holder: &Holder, ask: Ask) -> Result<Attempt, SlotError> {
        self.act(StoreOp::Attempt).await?;
        let (now, id, patience) = (self.clocks.boot(), &holder.connection_id, self.times.patience);
        let mut state = self.state.lock().unwrap();
        self.refresh(&mut state);
        state.line.tidy(now, patience);
        let mut busy = Busy { ahead: state.line.ahead(id, now, patience), ..Busy::default() };
        let mut free = Vec::new();
        for (index, slot) in state.slots.iter().enumerate() {
            match slot {
                Slot::Free => free.push(index),
                Slot::Held(_) => busy.held += 1,
                Slot::Quarantined(quarantine) => {
                    busy.quarantined += 1;
                    busy.until =
                        Some(busy.until.map_or(quarantine.until, |until| until.min(quarantine.until)));
                }
            }
        }
        if let Some(lowered) = state.lowered {
            let left = lowered.limit(state.slots.len() as u32, now, self.times.pace);
            free.truncate(left.saturating_sub(busy.held + busy.quarantined) as usize);
            busy.lowered_to = Some(left);
        }
        let index = free.first().copied().filter(|_| may_take(free.len() as u32, busy.ahead));
        let admission = index.map(|index| (index, admit(&state.stamps, now, self.times.opens)));
        let index = match admission {
            Some((index, Admission::Admitted(stamps))) => {
                state.stamps = stamps;
                index
            }
            refused => {
                if let Some((_, Admission::Exhausted { until })) = refused {
                    busy = Busy { opens_exhausted: true, until: Some(until), ..busy };
                }
                if ask == Ask::InLine {
                    state.line.stand(id, now, patience);
                }
                return Ok(Attempt::Busy(busy));
            }
        };
        state.line.leave(id);
        let (number, locked) = (state.next, Arc::new(()));
        state.next += 1;
        let who = Who {
            number,
            connection_id: holder.connection_id.clone(),
            process: self.process.clone(),
            locked: locked.clone(),
        };
        state.slots[index].take(who, now, self.times.terms).unwrap();
        Ok(Attempt::Lease(Box::new(MemoryLease {
            store: self.clone(),
            index,
            number,
            ends: now + self.times.terms.lease,
            seen: busy,
            _locked: locked,
        })))
    }

    async fn leave(&self, _account: &AccountKey, holder: &Holder) -> Result<(), SlotError> {
        self.act(StoreOp::Leave).await?;
        self.state.lock().unwrap().line.leave(&holder.connection_id);
        Ok(())
    }

    async fn list(&self, _account: Option<&AccountKey>) -> Result<Vec<ListedAccount>, SlotError> {
        unreachable!("no test lists the slots in memory: see `in_use`")
    }

    async fn release(
        &self,
        _account: &AccountKey,
        _slot: SlotId,
        _meant: &Meant,
    ) -> Result<Released, SlotError> {
        unreachable!("no test releases a slot in memory")
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
    seen: Busy,
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

    fn seen(&self) -> Busy {
        self.seen
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
