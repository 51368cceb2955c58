//! Getting a slot, waiting in line for one, and a limit that is lowered: what is decided on the budget's Lease.

use std::sync::Arc;

use k8s_openapi::api::coordination::v1::Lease;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Inner;
use super::api::ApiError;
use super::budget::Shared;
use super::complete::Budget;
use super::failure::{Verb, failure};
use super::lease::KubernetesLease;
use super::look::{Look, record};
use super::names::{Names, Purpose};
use super::record::Occupant;
use super::server_clock::{ServerClock, from_line, line};
use crate::rules::slots::Slot;
use crate::rules::slots::opens::{Admission, admit};
use crate::rules::slots::waiting::may_take;
use crate::rules::slots::working_limit::after_refusal;
use crate::rules::time::BootTime;
use crate::slots::{Ask, Busy, SlotError};

/// How often somebody else may be quicker before the caller is told to come back. Each time one of them got on.
const LOOKS: u32 = 8;

pub(super) enum Tried {
    Taken(Box<KubernetesLease>),
    Busy(Busy),
}

/// Who asks for a slot.
pub(super) struct Caller {
    pub(super) occupant: Occupant,
    pub(super) ask: Ask,
    /// It has dropped the attempt: nothing is to be begun for it any more.
    pub(super) gone: CancellationToken,
}

impl Caller {
    fn is_gone(&self) -> bool {
        self.gone.is_cancelled()
    }

    fn waits(&self) -> bool {
        self.ask == Ask::InLine && !self.is_gone()
    }
}

/// What a look at the slots has shown.
struct Places {
    free: Vec<(u32, Lease)>,
    busy: Busy,
}

impl Inner {
    /// Tries to get a slot: one look, the budget, the slot's Lease. Looks again where somebody else was quicker.
    pub(super) async fn attempt(
        self: &Arc<Inner>,
        names: &Names,
        caller: &Caller,
    ) -> Result<Tried, SlotError> {
        let mut paid = None;
        let tried = self.rounds(names, caller, &mut paid).await;
        // Who pays leaves the line. It was its turn, somebody else has got the slot, and it comes back to be the next.
        let comes_back = matches!(tried, Ok(Tried::Busy(_)) | Err(SlotError::Unavailable { .. }));
        if paid.is_some() && comes_back && caller.waits() {
            self.stand_first(names, caller).await;
        }
        tried
    }

    async fn rounds(
        self: &Arc<Inner>,
        names: &Names,
        caller: &Caller,
        paid: &mut Option<BootTime>,
    ) -> Result<Tried, SlotError> {
        let occupant = &caller.occupant;
        let mut last = Busy::default();
        for _ in 0..LOOKS {
            if caller.is_gone() {
                break;
            }
            let look = self.look(names).await?;
            let Some(mut budget) = self.complete(names, &look).await? else { continue };
            let Places { free, mut busy } = self.places(&look).await?;
            let allowed = self.allowed(&budget.shared, &look.clock, &mut busy);
            let usable = allowed.saturating_sub(busy.held + busy.quarantined);
            let usable = usable.min(u32::try_from(free.len()).unwrap_or(u32::MAX));
            last = busy;
            if caller.is_gone() {
                break;
            }
            if !self.is_paid(*paid) {
                let now = self.clocks.boot();
                if paid.is_some() && caller.waits() {
                    let latest = line(look.clock.latest(now));
                    budget.shared.queue.stand_first(&occupant.connection_id, latest);
                }
                if !self.pay(&mut budget, &look.clock, occupant, usable, &mut busy) {
                    let stands = caller.waits() && self.stand(&mut budget, &look.clock, occupant);
                    last = busy;
                    if (stands || budget.is_news) && !self.write(&budget).await? {
                        continue;
                    }
                    return Ok(Tried::Busy(busy));
                }
                if !self.write(&budget).await? {
                    continue;
                }
                *paid = Some(now);
            }
            // Below a lowered limit only as many as were counted: who lost a slot to another counts anew.
            let tries = if allowed < self.limit { 1 } else { usable };
            for (number, lease) in free.into_iter().take(usize::try_from(tries.min(usable)).unwrap_or(0)) {
                if !self.is_paid(*paid) {
                    break;
                }
                if let Some(mut lease) = self.take(number, lease, occupant, look.clock).await? {
                    lease.seen = busy;
                    return Ok(Tried::Taken(Box::new(lease)));
                }
            }
            if usable == 0 {
                break;
            }
        }
        // Everybody else got on; there may be something for us in a moment.
        last.note_change(self.clocks.boot());
        Ok(Tried::Busy(last))
    }

    /// Puts the caller in front of those who wait. Tried once: without it, it waits at the end of the line.
    async fn stand_first(&self, names: &Names, caller: &Caller) {
        let Ok((lease, clock)) = self.timed(self.api.get(&names.name(Purpose::Budget))).await else { return };
        let Ok(mut shared) = Shared::read(&lease) else { return };
        let now = line(clock.latest(self.clocks.boot()));
        shared.queue.stand_first(&caller.occupant.connection_id, now);
        if caller.waits() {
            drop(self.write(&Budget { lease, shared, is_news: true }).await);
        }
    }

    /// Takes `holder` out of the line.
    pub(super) async fn leave(&self, names: &Names, connection_id: &str) -> Result<(), SlotError> {
        let name = names.name(Purpose::Budget);
        for _ in 0..LOOKS {
            let lease = match self.timed(self.api.get(&name)).await {
                Ok((lease, _)) => lease,
                Err(ApiError::NotFound(_)) => return Ok(()),
                Err(error) => return Err(self.failure(Verb::Get, &error)),
            };
            // Whoever cannot read the line does not stand in it.
            let Ok(mut shared) = Shared::read(&lease) else { return Ok(()) };
            if !shared.queue.leave(connection_id)
                || self.write(&Budget { lease, shared, is_news: true }).await?
            {
                return Ok(());
            }
        }
        Err(failure(&self.namespace, Verb::Update, &ApiError::Conflict))
    }

    /// Lowers the limit after a refusal. What may be in use now.
    pub(super) async fn refused(&self, names: &Names) -> Result<u32, SlotError> {
        for _ in 0..LOOKS {
            let look = self.look(names).await?;
            let Some(mut budget) = self.complete(names, &look).await? else { continue };
            let Places { busy, .. } = self.places(&look).await?;
            let now = line(look.clock.latest(self.clocks.boot()));
            let lowered = after_refusal(budget.shared.lowered, self.limit, busy.held, now, self.times.pace);
            let is_new = budget.shared.lowered != Some(lowered);
            budget.shared.lowered = Some(lowered);
            if (!is_new && !budget.is_news) || self.write(&budget).await? {
                return Ok(lowered.limit(self.limit, now, self.times.pace));
            }
        }
        Err(failure(&self.namespace, Verb::Update, &ApiError::Conflict))
    }

    /// The slots of a look. What was seen to be over, or cannot be read, is put into quarantine.
    async fn places(&self, look: &Look) -> Result<Places, SlotError> {
        let mut places = Places { free: Vec::new(), busy: Busy::default() };
        for (number, lease) in &look.slots {
            let observed = self.observe(lease, &look.clock)?;
            match &observed.slot {
                // Slots above the limit are left over from a higher one: in use they count, free they are not given out.
                Slot::Free if *number <= self.limit => places.free.push((*number, lease.clone())),
                Slot::Free => {}
                Slot::Held(_) => places.busy.held += 1,
                Slot::Quarantined(quarantine) => places.busy.note_quarantine(quarantine.until),
            }
            if observed.is_news && self.set(lease.clone(), &observed.slot, &look.clock).await? {
                let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
                let left_s = match &observed.slot {
                    Slot::Quarantined(quarantine) => quarantine.until.since(self.clocks.boot()).as_secs(),
                    Slot::Free | Slot::Held(_) => 0,
                };
                warn!(
                    slot = number,
                    holder = holder.unwrap_or_default(),
                    left_s,
                    "the holder of a slot is gone without giving it back, or its Lease was edited; the slot is in quarantine"
                );
            }
        }
        Ok(places)
    }

    /// Writes down what has become of a slot that nobody holds. Whether that was accepted; else its Lease has changed.
    pub(super) async fn set(
        &self,
        mut lease: Lease,
        slot: &Slot<Occupant>,
        clock: &ServerClock,
    ) -> Result<bool, SlotError> {
        let now = self.clocks.boot();
        record(slot, clock.latest(now), clock, now).write(&mut lease);
        self.put(&lease).await
    }

    /// How many slots may be in use now; notes in `busy` if that is fewer than there are.
    fn allowed(&self, shared: &Shared, clock: &ServerClock, busy: &mut Busy) -> u32 {
        let now = line(clock.earliest(clock.received));
        let Some(lowered) = shared.lowered else { return self.limit };
        let Some(rises) = lowered.rises_at(self.limit, now, self.times.pace) else { return self.limit };
        let allowed = lowered.limit(self.limit, now, self.times.pace);
        busy.lowered_to = Some(allowed);
        busy.note_change(clock.boot(from_line(rises)));
        allowed
    }

    /// Whether an open that was taken from the budget then still stands for one that is made now. A process that was
    /// stopped in between has paid for a moment long ago.
    fn is_paid(&self, then: Option<BootTime>) -> bool {
        then.is_some_and(|then| self.clocks.boot().since(then) < self.times.terms.lease / 2)
    }

    /// Takes an open from `budget` and the holder out of the line, if it is its turn and the window has room.
    fn pay(
        &self,
        budget: &mut Budget,
        clock: &ServerClock,
        occupant: &Occupant,
        usable: u32,
        busy: &mut Busy,
    ) -> bool {
        let now = self.clocks.boot();
        let (earliest, latest) = (line(clock.earliest(now)), line(clock.latest(now)));
        let shared = &mut budget.shared;
        busy.ahead = shared.queue.ahead(&occupant.connection_id, latest, self.times.patience);
        if !may_take(usable, busy.ahead) {
            return false;
        }
        if let Admission::Exhausted { until } = admit(&shared.opens, earliest, self.times.opens) {
            busy.opens_exhausted = true;
            busy.until = Some(clock.boot(from_line(until)));
            return false;
        }
        shared.note_open(earliest, latest, self.times.opens.window);
        shared.queue.leave(&occupant.connection_id);
        shared.made = shared.made.max(self.limit);
        true
    }

    /// Puts the holder into the line, or notes that it still waits. Whether that has to be written down.
    fn stand(&self, budget: &mut Budget, clock: &ServerClock, occupant: &Occupant) -> bool {
        let now = line(clock.latest(self.clocks.boot()));
        budget.shared.queue.tidy(now, self.times.patience);
        budget.shared.queue.stand(&occupant.connection_id, now, self.times.patience)
    }

    /// Writes the budget. Whether it was accepted; else somebody else has written since.
    async fn write(&self, budget: &Budget) -> Result<bool, SlotError> {
        let mut lease = budget.lease.clone();
        budget.shared.write(&mut lease);
        self.put(&lease).await
    }

    pub(super) async fn put(&self, lease: &Lease) -> Result<bool, SlotError> {
        match self.timed(self.api.replace(lease)).await {
            Ok(_) => Ok(true),
            Err(ApiError::Conflict | ApiError::NotFound(_)) => Ok(false),
            Err(error) => Err(self.failure(Verb::Update, &error)),
        }
    }
}
