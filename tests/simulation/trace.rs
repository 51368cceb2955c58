//! What happened on a day, for whoever replays it.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::rules::time::BootTime;
use exorun::session::{Ended, SessionError, SessionEvents, SessionFacts};
use exorun::slots::{AccountKey, Busy, SlotError};

/// Lines with the time of day; nothing is kept unless somebody wants to read it.
#[derive(Clone, Default)]
pub(crate) struct Trace(Option<Arc<Mutex<String>>>);

impl Trace {
    pub(crate) fn kept() -> Trace {
        Trace(Some(Arc::default()))
    }

    pub(crate) fn note(&self, now: BootTime, text: impl FnOnce() -> String) {
        if let Some(lines) = &self.0 {
            let text = text();
            writeln!(lines.lock().unwrap(), "{:>10} {text}", now.as_millis()).unwrap();
        }
    }

    pub(crate) fn told(&self) -> String {
        self.0.as_ref().map(|lines| lines.lock().unwrap().clone()).unwrap_or_default()
    }
}

/// Notes what happens to the sessions of one process.
pub(crate) struct Noted {
    pub(crate) trace: Trace,
    pub(crate) clocks: Clocks,
    pub(crate) process: String,
}

impl Noted {
    fn note(&self, text: impl FnOnce() -> String) {
        self.trace.note(self.clocks.boot(), || format!("{}: {}", self.process, text()));
    }
}

impl SessionEvents for Noted {
    fn waiting(&self, _account: &AccountKey, busy: &Busy, _left: Duration) {
        let Busy { held, quarantined, ahead, .. } = *busy;
        self.note(|| format!("waits: {held} held, {quarantined} quarantined, {ahead} ahead"));
    }

    fn refused(&self, _account: &AccountKey, why: &SessionError) {
        self.note(|| format!("got no session: {}", why.kind()));
    }

    fn opened(&self, facts: &SessionFacts, waited: Duration) {
        self.note(|| format!("opened in slot {} after {} ms", facts.slot.0, waited.as_millis()));
    }

    fn closed(&self, facts: &SessionFacts, ended: &Ended<'_>) {
        self.note(|| {
            format!("closed in slot {}: {:?}, {:?}", facts.slot.0, ended.closed, ended.returned.is_ok())
        });
    }

    fn renewal_failed(&self, facts: &SessionFacts, _error: &SlotError) {
        self.note(|| format!("could not renew slot {}", facts.slot.0));
    }

    fn lease_lost(&self, facts: &SessionFacts, reason: &str) {
        self.note(|| format!("lost slot {}: {reason}", facts.slot.0));
    }
}
