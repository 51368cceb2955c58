//! One slot: free, held by a lease, quarantined. All stores share these transitions.
//!
//! A slot may be given to somebody else only when the service has surely forgotten its last session: the close was
//! confirmed, nothing was opened, or the quarantine is over. Everything unknown counts as live.

use std::time::Duration;

use super::Terms;
use crate::rules::time::BootTime;

/// One slot, as its record describes it. `H` says who holds it; equal values mean the same lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Slot<H> {
    /// Anybody may take it.
    #[default]
    Free,
    /// Somebody has a session here, or may open one.
    Held(Hold<H>),
    /// The service may still count a session here. Counts as live.
    Quarantined(Quarantine),
}

/// A slot that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold<H> {
    /// Who.
    pub holder: H,
    /// When it was taken.
    pub since: BootTime,
    /// When the lease was renewed last.
    pub renewed: BootTime,
    /// The holder starts nothing after this.
    pub lease_ends: BootTime,
    /// The latest moment at which the service may still work on a request of the holder: a request can start just
    /// before the lease ends, and takes at most the call's limit.
    pub call_limit_ends: BootTime,
}

/// A slot in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// Since when.
    pub since: BootTime,
    /// The first moment at which the slot may be taken.
    pub until: BootTime,
}

/// A slot that cannot be taken, or is not the holder's any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody holds it.
    Held,
    /// It is in quarantine until then.
    Quarantined(BootTime),
    /// It is free: the caller does not hold it.
    Free,
}

impl<H> Hold<H> {
    /// The service's limit for the call in hand, as the last renewal recorded it.
    pub fn call_limit(&self) -> Duration {
        self.call_limit_ends.since(self.lease_ends)
    }
}

impl<H: PartialEq> Slot<H> {
    /// Gives the slot to `holder`, with a lease from `now`.
    ///
    /// # Errors
    /// [`Refusal`] if it is held or in quarantine. A dead holder's slot must go through [`Slot::holder_vanished`].
    pub fn take(&mut self, holder: H, now: BootTime, terms: Terms) -> Result<(), Refusal> {
        match self {
            Slot::Held(_) => Err(Refusal::Held),
            Slot::Quarantined(quarantine) if now < quarantine.until => {
                Err(Refusal::Quarantined(quarantine.until))
            }
            Slot::Quarantined(_) | Slot::Free => {
                let lease_ends = now + terms.lease;
                *self = Slot::Held(Hold {
                    holder,
                    since: now,
                    renewed: now,
                    lease_ends,
                    call_limit_ends: lease_ends,
                });
                Ok(())
            }
        }
    }

    /// Starts the lease anew at `now` and notes how long the service may work on the call in hand.
    ///
    /// A lease that has ended may be renewed as long as nobody declared the holder dead.
    ///
    /// # Errors
    /// [`Refusal`] if the slot is not `holder`'s: the lease is lost.
    pub fn renew(
        &mut self,
        holder: &H,
        call_limit: Duration,
        now: BootTime,
        terms: Terms,
    ) -> Result<(), Refusal> {
        let hold = self.held_by(holder)?;
        hold.renewed = now;
        hold.lease_ends = now + terms.lease;
        hold.call_limit_ends = hold.lease_ends + call_limit;
        Ok(())
    }

    /// The session was closed for sure, or nothing was opened: the slot is free.
    ///
    /// # Errors
    /// [`Refusal`] if the slot is not `holder`'s; nothing changes then.
    pub fn give_back_free(&mut self, holder: &H) -> Result<(), Refusal> {
        self.held_by(holder)?;
        *self = Slot::Free;
        Ok(())
    }

    /// The holder stopped at `now`, but the service may still count the session and work on its last call.
    ///
    /// # Errors
    /// [`Refusal`] if the slot is not `holder`'s; nothing changes then.
    pub fn give_back_quarantined(&mut self, holder: &H, now: BootTime, terms: Terms) -> Result<(), Refusal> {
        let call_limit = self.held_by(holder)?.call_limit();
        *self = Slot::Quarantined(Quarantine { since: now, until: now + call_limit + terms.quarantine });
        Ok(())
    }

    /// The holder is dead (the kernel freed its lock, its lease ran out): the slot is quarantined.
    ///
    /// It may have sent a request just before its lease ended; the service may work on it up to the call's limit and
    /// then counts the session for the quarantine's time. Nothing changes unless the slot is held.
    pub fn holder_vanished(&mut self, now: BootTime, terms: Terms) {
        if let Slot::Held(hold) = self {
            let last_sign = hold.lease_ends.max(hold.call_limit_ends);
            *self = Slot::Quarantined(Quarantine { since: now, until: last_sign + terms.quarantine });
        }
    }

    /// The record was written before the host started anew: its times mean nothing now. What was not free is
    /// quarantined in full from `now`.
    pub fn host_restarted(&mut self, now: BootTime, terms: Terms) {
        let length = match self {
            Slot::Free => return,
            Slot::Held(hold) => hold.call_limit() + terms.quarantine,
            Slot::Quarantined(quarantine) => quarantine.until.since(quarantine.since).max(terms.quarantine),
        };
        *self = Slot::Quarantined(Quarantine { since: now, until: now + length });
    }

    /// Whether a time in it lies after `now`, which no record of this boot can have: treat it as another boot's.
    pub fn from_the_future(&self, now: BootTime) -> bool {
        match self {
            Slot::Free => false,
            Slot::Held(hold) => now < hold.since || now < hold.renewed,
            Slot::Quarantined(quarantine) => now < quarantine.since,
        }
    }

    /// Frees a slot whose quarantine is over.
    pub fn settle(&mut self, now: BootTime) {
        if matches!(self, Slot::Quarantined(quarantine) if quarantine.until <= now) {
            *self = Slot::Free;
        }
    }

    fn held_by(&mut self, holder: &H) -> Result<&mut Hold<H>, Refusal> {
        match self {
            Slot::Held(hold) if hold.holder == *holder => Ok(hold),
            Slot::Held(_) => Err(Refusal::Held),
            Slot::Quarantined(quarantine) => Err(Refusal::Quarantined(quarantine.until)),
            Slot::Free => Err(Refusal::Free),
        }
    }
}
