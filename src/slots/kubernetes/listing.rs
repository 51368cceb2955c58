//! The Leases of the namespace for people, and an operator's release of a slot.

use std::collections::BTreeMap;

use k8s_openapi::api::coordination::v1::Lease;

use super::Inner;
use super::api::ApiError;
use super::budget::Shared;
use super::failure::{self, Verb};
use super::look::Observed;
use super::names::{self, Names, Purpose, purpose};
use super::record::{Held, Quarantined, Record};
use super::server_clock::{ServerClock, later, line};
use crate::rules::slots::Slot;
use crate::slots::{
    AccountKey, Holder, ListedAccount, ListedSlot, ListedState, Meant, Released, SlotError, SlotId,
};

/// How often somebody else may change a slot while it is released.
const RELEASES: u32 = 5;

impl Inner {
    /// What the Leases say, at the server's time. Changes nothing.
    pub(super) async fn list(&self, account: Option<&AccountKey>) -> Result<Vec<ListedAccount>, SlotError> {
        let selector = account.map_or_else(names::every_selector, |account| Names::of(account).selector());
        let (leases, clock) = self.ask(Verb::List, self.api.list(&selector)).await?;
        let mut accounts: BTreeMap<String, (AccountKey, Vec<(Purpose, Lease)>)> = BTreeMap::new();
        for lease in leases {
            let (Some(purpose), Some(account)) = (purpose(&lease), names::account(&lease)) else { continue };
            // Of a Lease whose annotations were edited nobody knows the account: it is not shown as another's.
            if lease.metadata.name.as_deref() == Some(&Names::of(&account).name(purpose)) {
                let of = accounts.entry(account.digest()).or_insert_with(|| (account, Vec::new()));
                of.1.push((purpose, lease));
            }
        }
        accounts.into_values().map(|(account, leases)| self.listed(account, &leases, &clock)).collect()
    }

    fn listed(
        &self,
        account: AccountKey,
        leases: &[(Purpose, Lease)],
        clock: &ServerClock,
    ) -> Result<ListedAccount, SlotError> {
        let mut listed = ListedAccount {
            account,
            limit: self.limit,
            lowered_to: None,
            opens: 0,
            waiting: 0,
            slots: Vec::new(),
        };
        for (purpose, lease) in leases {
            match purpose {
                Purpose::Budget => self.list_budget(&mut listed, lease, clock),
                Purpose::Slot(number) => {
                    if let Some(state) = self.state(lease, clock)? {
                        listed.slots.push(ListedSlot { slot: SlotId(*number), state });
                    }
                }
            }
        }
        listed.slots.sort_by_key(|slot| slot.slot);
        Ok(listed)
    }

    fn list_budget(&self, listed: &mut ListedAccount, lease: &Lease, clock: &ServerClock) {
        let Ok(shared) = Shared::read(lease) else { return };
        let now = line(clock.earliest(clock.received));
        let lowered = shared.lowered.map(|lowered| lowered.limit(self.limit, now, self.times.pace));
        listed.lowered_to = lowered.filter(|to| *to < self.limit);
        let opens = shared.opens.iter().filter(|stamp| now < **stamp + self.times.opens.window).count();
        listed.opens = u32::try_from(opens).unwrap_or(u32::MAX);
        listed.waiting = shared.queue.waiting(now, self.times.patience);
    }

    /// What a slot's Lease says; `None` if the slot is free.
    fn state(&self, lease: &Lease, clock: &ServerClock) -> Result<Option<ListedState>, SlotError> {
        let now = clock.earliest(clock.received);
        Ok(match Record::read(lease) {
            Record::Free => None,
            Record::Held(Held { occupant, since, renewed, lease, call_limit }) => Some(ListedState::Held {
                holder: Holder {
                    run_id: occupant.run_id,
                    job: occupant.job,
                    connection_id: occupant.connection_id,
                },
                place: occupant.place,
                since,
                lease_ends: later(renewed, lease),
                call_limit,
            }),
            Record::Quarantined(Quarantined { since, until, .. }) => {
                (now < until).then_some(ListedState::Quarantined { since, until })
            }
            // Whoever looks for a slot next puts it into quarantine.
            Record::Odd => {
                let terms = self.times.terms;
                let until = later(now, terms.lease + terms.quarantine);
                Some(ListedState::Quarantined { since: now, until })
            }
            Record::Newer(format) => {
                let name = lease.metadata.name.as_deref().unwrap_or_default();
                return Err(failure::newer(&self.namespace, name, format));
            }
        })
    }

    /// Ends what is meant of a slot.
    pub(super) async fn release(
        &self,
        names: &Names,
        slot: SlotId,
        meant: &Meant,
    ) -> Result<Released, SlotError> {
        let name = names.name(Purpose::Slot(slot.0));
        for _ in 0..RELEASES {
            let (lease, clock) = match self.timed(self.api.get(&name)).await {
                Ok(found) => found,
                Err(ApiError::NotFound(_)) => return Ok(Released::WasFree),
                Err(error) => return Err(self.failure(Verb::Get, &error)),
            };
            let Observed { mut slot, is_news } = self.observe(&lease, &clock)?;
            let released = match (&slot, meant) {
                (Slot::Free, _) => return Ok(Released::WasFree),
                (Slot::Held(hold), Meant::Holder(id)) if hold.holder.connection_id == *id => {
                    slot.holder_vanished(clock.received, self.times.terms);
                    Released::Quarantined
                }
                (Slot::Quarantined(_), Meant::Quarantine) => {
                    slot = Slot::Free;
                    Released::Free
                }
                // Its holder is known to be dead since it was listed: whoever looks next would write the same.
                (Slot::Quarantined(_), Meant::Holder(_)) if is_news => Released::Quarantined,
                (Slot::Held(_) | Slot::Quarantined(_), _) => return Ok(Released::Changed),
            };
            if self.set(lease, &slot, &clock).await? {
                return Ok(released);
            }
        }
        Err(self.failure(Verb::Update, &ApiError::Conflict))
    }
}
