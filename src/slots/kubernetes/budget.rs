//! What an account's holders share beside the slots, in a Lease of its own: when sessions were opened lately, a limit
//! that the service has made us lower, the line of those who wait, and how many slots were ever made.
//!
//! Times are the server's. Nobody holds this Lease: it is changed by its resourceVersion, before a slot is taken.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use serde::{Deserialize, Serialize};

use super::names::{self, FORMAT};
use super::server_clock::{from_line, line};
use crate::rules::slots::waiting::{Queue, Waiter};
use crate::rules::slots::working_limit::Lowered;
use crate::rules::slots::{opens, waiting};
use crate::rules::time::BootTime;

const MADE_KEY: &str = "exorun/slots-made";
const OPENS_KEY: &str = "exorun/opens";
const LOWERED_KEY: &str = "exorun/lowered";
const WAITING_KEY: &str = "exorun/waiting";

/// The budget's Lease as it says. Its times are moments of the server, in the rules' reckoning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shared {
    /// Slots up to this number were made: one of them that is missing was deleted.
    pub(super) made: u32,
    pub(super) opens: Vec<BootTime>,
    pub(super) lowered: Option<Lowered>,
    pub(super) queue: Queue,
}

/// A budget's Lease that is no record of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotRead {
    /// Edited by hand.
    Odd,
    /// Of a newer format.
    Newer(u32),
}

#[derive(Serialize, Deserialize)]
struct StoredLowered {
    to: u32,
    since: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct StoredWaiter {
    id: String,
    seen: Timestamp,
}

impl Shared {
    /// Nobody knows what was opened lately: as much as the budget allows, just now.
    pub(super) fn used_up(made: u32, now: BootTime, budget: opens::Budget) -> Shared {
        let full = usize::try_from(budget.limit).unwrap_or(usize::MAX);
        Shared { made, opens: opens::comparable(full, now, budget), ..Shared::default() }
    }

    pub(super) fn read(lease: &Lease) -> Result<Shared, NotRead> {
        match names::format(lease) {
            Some(FORMAT) => {}
            Some(newer) if newer > FORMAT => return Err(NotRead::Newer(newer)),
            _ => return Err(NotRead::Odd),
        }
        parse(lease).ok_or(NotRead::Odd)
    }

    pub(super) fn write(&self, lease: &mut Lease) {
        let opens: Vec<Timestamp> = self.opens.iter().copied().map(from_line).collect();
        let mut annotations = vec![(MADE_KEY, self.made.to_string()), (OPENS_KEY, json(&opens))];
        if let Some(Lowered { to, since }) = self.lowered {
            annotations.push((LOWERED_KEY, json(&StoredLowered { to, since: from_line(since) })));
        }
        if !self.queue.0.is_empty() {
            let stored =
                |waiter: &Waiter| StoredWaiter { id: waiter.id.clone(), seen: from_line(waiter.seen) };
            let line: Vec<StoredWaiter> = self.queue.0.iter().map(stored).collect();
            annotations.push((WAITING_KEY, json(&line)));
        }
        lease.spec = Some(LeaseSpec::default());
        names::annotate(lease, annotations);
    }

    /// Takes times after `latest`, which the server's clock cannot have shown, as now; else they would never be over.
    /// Whether there were any: that has to be written back.
    pub(super) fn mend(&mut self, latest: BootTime) -> bool {
        let before = self.clone();
        for stamp in &mut self.opens {
            *stamp = (*stamp).min(latest);
        }
        if let Some(lowered) = &mut self.lowered {
            lowered.since = lowered.since.min(latest);
        }
        for waiter in &mut self.queue.0 {
            waiter.seen = waiter.seen.min(latest);
        }
        *self != before
    }

    /// Notes an open at `latest`, and forgets those that have left the window at `earliest`.
    pub(super) fn note_open(&mut self, earliest: BootTime, latest: BootTime, window: Duration) {
        self.opens.retain(|stamp| earliest < *stamp + window);
        self.opens.push(latest);
    }
}

fn parse(lease: &Lease) -> Option<Shared> {
    let made = names::annotation(lease, MADE_KEY)?.parse().ok()?;
    let opens: Vec<Timestamp> = serde_json::from_str(names::annotation(lease, OPENS_KEY)?).ok()?;
    let lowered = match names::annotation(lease, LOWERED_KEY) {
        Some(text) => {
            let StoredLowered { to, since } = serde_json::from_str(text).ok()?;
            Some(Lowered { to, since: line(since) })
        }
        None => None,
    };
    let queue: Vec<StoredWaiter> = match names::annotation(lease, WAITING_KEY) {
        Some(text) => serde_json::from_str(text).ok()?,
        None => Vec::new(),
    };
    let waiters = queue.into_iter().map(|StoredWaiter { id, seen }| Waiter { id, seen: line(seen) });
    let queue = Queue(waiters.take(waiting::LENGTH_MAX).collect());
    Some(Shared { made, opens: opens.into_iter().map(line).collect(), lowered, queue })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings, numbers and times")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::AccountKey;
    use crate::slots::kubernetes::names::{Names, Purpose};

    const BUDGET: opens::Budget = opens::Budget { limit: 3, window: Duration::from_secs(60) };

    fn at(text: &str) -> BootTime {
        line(text.parse().unwrap())
    }

    fn lease() -> Lease {
        let text = || "x".to_owned();
        let account = AccountKey { cloud: text(), tenant_id: text(), object_id: text() };
        Names::of(&account).new_lease(Purpose::Budget)
    }

    fn shared() -> Shared {
        Shared {
            made: 5,
            opens: vec![at("2026-03-02T09:00:00.123Z"), at("2026-03-02T09:00:07Z")],
            lowered: Some(Lowered { to: 2, since: at("2026-03-02T08:59:00Z") }),
            queue: Queue(vec![Waiter { id: "c-1".into(), seen: at("2026-03-02T09:00:01Z") }]),
        }
    }

    #[test]
    fn a_budget_comes_back_as_it_was_written() {
        let mut lease = lease();
        for shared in [shared(), Shared::default()] {
            shared.write(&mut lease);
            assert_eq!(Shared::read(&lease), Ok(shared));
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_empty_budget() {
        for (key, value) in [
            ("exorun/opens", "[1]"),
            ("exorun/opens", "soon"),
            ("exorun/slots-made", "-1"),
            ("exorun/lowered", "{}"),
            ("exorun/waiting", "[{}]"),
            ("exorun/format", ""),
        ] {
            let mut lease = lease();
            shared().write(&mut lease);
            lease.metadata.annotations.as_mut().unwrap().insert(key.into(), value.into());
            assert_eq!(Shared::read(&lease), Err(NotRead::Odd), "{key}: {value}");
        }
        assert_eq!(Shared::read(&lease()), Err(NotRead::Odd), "nothing of ours in it");
    }

    #[test]
    fn times_that_cannot_be_are_taken_as_now() {
        let mut set_back = shared();
        let now = at("2026-03-02T09:00:01Z");
        assert!(set_back.mend(now));
        assert_eq!(set_back.opens, [at("2026-03-02T09:00:00.123Z"), now]);
        assert!(!set_back.mend(now), "once written, it grows old");
        assert_eq!(Shared::used_up(5, now, BUDGET).opens, [now; 3]);
    }

    #[test]
    fn an_open_is_noted_late_and_forgotten_late() {
        let mut shared = Shared { opens: vec![at("2026-03-02T09:00:00Z")], ..Shared::default() };
        let (earliest, latest) = (at("2026-03-02T09:00:59Z"), at("2026-03-02T09:01:01Z"));
        shared.note_open(earliest, latest, BUDGET.window);
        assert_eq!(shared.opens, [at("2026-03-02T09:00:00Z"), latest]);
        shared.note_open(at("2026-03-02T09:01:00Z"), latest, BUDGET.window);
        assert_eq!(shared.opens, [latest; 2]);
    }
}
