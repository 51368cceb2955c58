//! What happens to a run's sessions: logged, counted, and kept for the report.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{debug, error, info, warn};

use super::report::SessionReport;
use crate::exchange::Closed;
use crate::observe::metrics::Metrics;
use crate::rules::causes::chain;
use crate::session::{Ended, EndedBy, SessionError, SessionEvents, SessionFacts};
use crate::slots::{AccountKey, Busy, Returned, SlotError};

/// How often a wait that goes on is told.
const WAIT_TOLD_EVERY: Duration = Duration::from_secs(60);

/// An observer of sessions. Cheap to clone.
#[derive(Clone)]
pub struct SessionLedger {
    metrics: Metrics,
    who: Arc<WhoWhere>,
    seen: Arc<Mutex<Vec<SessionReport>>>,
    /// How long a run that waits might still wait when that was last told.
    told: Arc<Mutex<Option<Duration>>>,
}

/// What all sessions of a run have in common. Texts are escaped.
#[derive(Debug)]
pub struct WhoWhere {
    /// A user principal name, or an application's id.
    pub account: String,
    /// The tenant as the job names it.
    pub tenant: String,
    /// The token's tenant.
    pub tenant_id: String,
    /// The cloud.
    pub environment: String,
    /// The service.
    pub service: &'static str,
}

impl SessionLedger {
    /// Nothing has happened yet.
    pub fn new(metrics: Metrics, who: WhoWhere) -> SessionLedger {
        SessionLedger { metrics, who: Arc::new(who), seen: Arc::default(), told: Arc::default() }
    }

    /// The sessions so far, in the order they were opened.
    pub fn sessions(&self) -> Vec<SessionReport> {
        self.seen().clone()
    }

    fn seen(&self) -> MutexGuard<'_, Vec<SessionReport>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wait is over.
    fn end_wait(&self) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            self.metrics.wait_ended();
        }
    }

    /// A wait is told when it begins, and then once a minute: a line for each look would be noise.
    fn is_worth_a_line(&self, left: Duration) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match *told {
            None => self.metrics.wait_began(),
            Some(then) if then.saturating_sub(left) < WAIT_TOLD_EVERY => return false,
            Some(_) => {}
        }
        *told = Some(left);
        true
    }
}

fn way(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Return => "return",
        EndedBy::Drop => "drop",
        EndedBy::FailedOpen => "failed_open",
    }
}

fn word(closed: Closed) -> &'static str {
    match closed {
        Closed::Cleanly => "cleanly",
        Closed::NothingOpened => "nothing_opened",
        Closed::Unconfirmed => "unconfirmed",
    }
}

impl SessionEvents for SessionLedger {
    fn waiting(&self, account: &AccountKey, busy: &Busy, left: Duration) {
        self.metrics.slots_seen(busy.held, busy.quarantined);
        if self.is_worth_a_line(left) {
            info!(
                tenant_id = %account.tenant_id, held = busy.held, quarantined = busy.quarantined, ahead = busy.ahead,
                opens_exhausted = busy.opens_exhausted, lowered_to = busy.lowered_to, is_stuck = busy.is_stuck,
                left_s = left.as_secs(), "waiting for a session slot"
            );
        }
    }

    fn store_failed(&self, _: &AccountKey, error: &SlotError, left: Duration) {
        self.metrics.slot_store_failed();
        if self.is_worth_a_line(left) {
            warn!(
                error = %error, left_s = left.as_secs(),
                "waiting for a session slot: the slots cannot be looked at, the run tries again"
            );
        }
    }

    fn refused(&self, _: &AccountKey, why: &SessionError) {
        self.end_wait();
        match why {
            SessionError::NoneFree { .. } => debug!(kind = why.kind(), "no further session: {why}"),
            _ => warn!(kind = why.kind(), "no session: {}", chain(why)),
        }
    }

    fn taken(&self, _: &SessionFacts, waited: Duration, seen: &Busy) {
        self.end_wait();
        self.metrics.session_waited(waited);
        self.metrics.slots_seen(seen.held + 1, seen.quarantined);
    }

    fn stopped_waiting(&self, _: &AccountKey) {
        self.end_wait();
    }

    fn opened(&self, facts: &SessionFacts, waited: Duration) {
        self.metrics.session_opened();
        self.seen().push(SessionReport {
            connection_id: facts.connection_id.to_string(),
            account: self.who.account.clone(),
            tenant: self.who.tenant.clone(),
            tenant_id: self.who.tenant_id.clone(),
            environment: self.who.environment.clone(),
            service: self.who.service,
            endpoint: facts.endpoint.clone(),
            slot: facts.slot.0,
            opened_at: facts.opened_at,
            token_expires_at: None,
            closed: None,
        });
        info!(
            connection_id = %facts.connection_id, slot = facts.slot.0, waited_ms = waited.as_millis() as u64,
            "session opened"
        );
    }

    fn closed(&self, facts: &SessionFacts, ended: &Ended<'_>) {
        let closed = word(ended.closed);
        let id = facts.connection_id.to_string();
        let was_open = {
            let mut seen = self.seen();
            let session = seen.iter_mut().find(|session| session.connection_id == id);
            session.map(|session| {
                session.closed = Some(closed);
                session.token_expires_at = facts.token_expires_at;
                session.endpoint.clone_from(&facts.endpoint);
            })
        };
        if was_open.is_some() {
            self.metrics.session_closed(closed);
        }
        // The reaper closes outside the run's spans, so its lines name the run themselves.
        let (run, job) = (&facts.run_id, &facts.job);
        match &ended.returned {
            Ok(Returned::Free) => {
                info!(run, job, connection_id = %id, slot = facts.slot.0, closed, by = way(ended.by), "session closed")
            }
            Ok(Returned::Quarantine) => warn!(
                run, job, connection_id = %id, slot = facts.slot.0, closed, by = way(ended.by),
                free_at = ended.free_at.map(|at| at.to_string()),
                "session ended without the service's confirmation; its slot is in quarantine"
            ),
            Err(error) => error!(
                run, job, connection_id = %id, slot = facts.slot.0, closed, by = way(ended.by), error = %error,
                "the session's slot could not be given back; it comes back after lease and quarantine"
            ),
        }
    }

    fn renewal_failed(&self, facts: &SessionFacts, error: &SlotError) {
        self.metrics.slot_store_failed();
        warn!(connection_id = %facts.connection_id, slot = facts.slot.0, error = %error, "the lease was not renewed yet");
    }

    fn lowered(&self, facts: &SessionFacts, left: u32) {
        self.metrics.sessions_limited(left);
        warn!(
            connection_id = %facts.connection_id, slot = facts.slot.0, left,
            "the service refuses for concurrency or throttles the account: fewer sessions are given out for a while"
        );
    }

    fn not_lowered(&self, facts: &SessionFacts, error: &SlotError) {
        warn!(
            connection_id = %facts.connection_id, slot = facts.slot.0, error = %error,
            "the service refuses for concurrency, and that could not be noted for the account's other runs"
        );
    }

    fn not_renewed(&self, facts: &SessionFacts) {
        self.metrics.lease_lost("not_renewed");
        error!(
            connection_id = %facts.connection_id, slot = facts.slot.0,
            "the lease could not be renewed in time: the session was closed before it ends"
        );
    }

    fn lease_lost(&self, facts: &SessionFacts, reason: &str) {
        self.metrics.lease_lost("lost");
        error!(connection_id = %facts.connection_id, slot = facts.slot.0, reason, "the lease is lost, no further call is made");
    }
}
