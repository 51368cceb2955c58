//! Leases that are not there: made on the first use of an account, made anew where somebody has deleted them, and labelled
//! anew where they are hidden because somebody has taken their labels.

use std::collections::BTreeMap;

use k8s_openapi::api::coordination::v1::Lease;
use tracing::warn;

use super::Inner;
use super::api::ApiError;
use super::budget::{NotRead, Shared};
use super::failure::{self, Verb};
use super::look::{Look, record};
use super::names::{Names, Purpose};
use super::record::Record;
use super::server_clock::{ServerClock, line};
use crate::rules::slots::{Quarantine, Slot};
use crate::slots::SlotError;

/// The budget as a look has shown it.
pub(super) struct Budget {
    pub(super) lease: Lease,
    pub(super) shared: Shared,
    /// What is known of it is not what stands there: it has to be written back.
    pub(super) is_news: bool,
}

impl Inner {
    /// The account's budget; `None` where a Lease had to be made: look again.
    ///
    /// The order keeps a crash harmless: the budget says that slots were made only when one of them is taken, after all
    /// of them were made. So one that is missing then was deleted, and somebody may hold it.
    pub(super) async fn complete(&self, names: &Names, look: &Look) -> Result<Option<Budget>, SlotError> {
        let latest = line(look.clock.latest(look.clock.received));
        let Some(lease) = look.budget.clone() else {
            let shared = match look.slots.is_empty() {
                true => Shared::default(),
                false => Shared::used_up(self.all(&look.slots), latest, self.times.opens),
            };
            let mut lease = names.new_lease(Purpose::Budget);
            shared.write(&mut lease);
            self.make(names, &lease).await?;
            return Ok(None);
        };
        let (shared, is_news) = match Shared::read(&lease) {
            Ok(mut shared) => {
                let is_news = shared.mend(latest);
                (shared, is_news)
            }
            Err(NotRead::Newer(format)) => {
                return Err(failure::newer(&self.namespace, &names.name(Purpose::Budget), format));
            }
            Err(NotRead::Odd) => (Shared::used_up(self.all(&look.slots), latest, self.times.opens), true),
        };
        let mut made_any = false;
        for number in (1..=self.limit).filter(|number| !look.slots.contains_key(number)) {
            let mut lease = names.new_lease(Purpose::Slot(number));
            match number <= shared.made {
                true => self.deleted(&look.clock).write(&mut lease),
                false => Record::Free.write(&mut lease),
            }
            self.make(names, &lease).await?;
            made_any = true;
        }
        Ok((!made_any).then_some(Budget { lease, shared, is_news }))
    }

    /// The number up to which slots were made, if nobody knows better.
    fn all(&self, slots: &BTreeMap<u32, Lease>) -> u32 {
        slots.keys().copied().max().unwrap_or(0).max(self.limit)
    }

    /// A slot whose Lease was deleted: its holder may live for one lease more, and its call limit is not known.
    fn deleted(&self, clock: &ServerClock) -> Record {
        let (now, terms) = (self.clocks.boot(), self.times.terms);
        let until = now + terms.lease + terms.quarantine;
        let slot = Slot::Quarantined(Quarantine { since: now, until });
        record(&slot, clock.latest(now), clock, now)
    }

    /// Makes `lease`, or brings to light the one that has its name: a look goes by labels.
    async fn make(&self, names: &Names, lease: &Lease) -> Result<(), SlotError> {
        let made = match self.timed(self.api.create(lease)).await {
            Ok((made, _)) => Some(made),
            Err(ApiError::AlreadyExists) => self.label(names, lease).await?,
            Err(error) => return Err(self.failure(Verb::Create, &error)),
        };
        match made.filter(|made| !names.is_labelled(made)) {
            // No look would ever show it.
            Some(hidden) => {
                Err(failure::unlabelled(&self.namespace, hidden.metadata.name.as_deref().unwrap_or_default()))
            }
            None => Ok(()),
        }
    }

    /// Gives the Lease that is called as `like` its labels, and leaves it otherwise as it is: whoever holds it keeps it.
    /// The Lease as it is then; `None` where there was nothing to do, or somebody else has written.
    async fn label(&self, names: &Names, like: &Lease) -> Result<Option<Lease>, SlotError> {
        let name = like.metadata.name.as_deref().unwrap_or_default();
        let mut lease = match self.timed(self.api.get(name)).await {
            // Somebody was quicker with making it: the next look shows theirs.
            Ok((lease, _)) if names.is_labelled(&lease) => return Ok(None),
            Ok((lease, _)) => lease,
            Err(ApiError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(self.failure(Verb::Get, &error)),
        };
        names.label(&mut lease);
        match self.timed(self.api.replace(&lease)).await {
            Ok((lease, _)) => {
                warn!(lease = name, "a Lease had lost its labels, which it is found by; it has them again");
                Ok(Some(lease))
            }
            Err(ApiError::Conflict | ApiError::NotFound(_)) => Ok(None),
            Err(error) => Err(self.failure(Verb::Update, &error)),
        }
    }
}
