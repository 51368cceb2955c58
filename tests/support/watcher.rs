//! Remembers what happened to sessions, in words.

use std::sync::Mutex;
use std::time::Duration;

use exorun::session::{Ended, SessionError, SessionEvents, SessionFacts};
use exorun::slots::{AccountKey, Busy, SlotError};

#[derive(Default)]
pub(crate) struct Watcher(Mutex<Vec<String>>);

impl Watcher {
    pub(crate) fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> String {
        self.seen().pop().unwrap_or_default()
    }

    fn note(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
}

impl SessionEvents for Watcher {
    fn waiting(&self, _account: &AccountKey, busy: &Busy, _left: Duration) {
        self.note(format!("waiting: {} held, {} quarantined", busy.held, busy.quarantined));
    }

    fn store_failed(&self, _account: &AccountKey, _error: &SlotError, _left: Duration) {
        self.note("store failed".to_owned());
    }

    fn refused(&self, _account: &AccountKey, why: &SessionError) {
        self.note(format!("refused: {}", why.kind()));
    }

    fn opened(&self, facts: &SessionFacts, _waited: Duration) {
        self.note(format!("opened {}", facts.slot.0));
    }

    fn closed(&self, facts: &SessionFacts, ended: &Ended<'_>) {
        let returned = ended.returned.map_or_else(|error| error.to_string(), |how| format!("{how:?}"));
        self.note(format!("closed {} by {:?}: {:?}, {returned}", facts.slot.0, ended.by, ended.closed));
    }

    fn renewal_failed(&self, facts: &SessionFacts, _error: &SlotError) {
        self.note(format!("renewal failed {}", facts.slot.0));
    }

    fn not_renewed(&self, facts: &SessionFacts) {
        self.note(format!("not renewed {}", facts.slot.0));
    }

    fn lease_lost(&self, facts: &SessionFacts, reason: &str) {
        self.note(format!("lost {}: {reason}", facts.slot.0));
    }
}
