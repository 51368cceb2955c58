//! What the Lease of a slot says: its standard fields tell the truth to `kubectl get leases`, annotations the rest.
//!
//! Nothing here knows what time it is: when a lease or a quarantine is over, its reader says (`observed`).

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::names::{self, FORMAT};

/// `holderIdentity` of a slot in quarantine: a session that nobody has any more.
const QUARANTINED: &str = "quarantined";

const RUN_KEY: &str = "exorun/run";
const JOB_KEY: &str = "exorun/job";
const CONNECTION_KEY: &str = "exorun/connection-id";
const ATTEMPT_KEY: &str = "exorun/attempt";
const CALL_LIMIT_KEY: &str = "exorun/call-limit-seconds";
const UNTIL_KEY: &str = "exorun/quarantine-until";

/// Who holds a slot. The connection id is never used by two sessions, but by all attempts to get a slot for one: with the
/// attempt's number equal values are the same lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Occupant {
    /// The pod, or the host.
    pub(super) place: String,
    pub(super) run_id: String,
    pub(super) job: String,
    pub(super) connection_id: String,
    /// Which of the process's attempts has taken the slot.
    pub(super) attempt: u64,
}

/// A slot's Lease, as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Free,
    Held(Held),
    Quarantined(Quarantined),
    /// No record of ours: edited by hand, or somebody else's. The slot may have been held.
    Odd,
    /// Of a newer format.
    Newer(u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) occupant: Occupant,
    pub(super) since: Timestamp,
    pub(super) renewed: Timestamp,
    pub(super) lease: Duration,
    pub(super) call_limit: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quarantined {
    pub(super) since: Timestamp,
    /// The whole of it, for those who do not believe the server's clock.
    pub(super) length: Duration,
    /// By the server's clock.
    pub(super) until: Timestamp,
}

impl Occupant {
    fn identity(&self) -> String {
        format!("{}_{}", self.place, self.connection_id)
    }
}

impl Record {
    pub(super) fn read(lease: &Lease) -> Record {
        match names::format(lease) {
            Some(FORMAT) => {}
            Some(newer) if newer > FORMAT => return Record::Newer(newer),
            _ => return Record::Odd,
        }
        let empty = LeaseSpec::default();
        let spec = lease.spec.as_ref().unwrap_or(&empty);
        let record = match spec.holder_identity.as_deref() {
            None | Some("") => free(lease, spec),
            Some(QUARANTINED) => quarantined(lease, spec),
            Some(identity) => held(lease, spec, identity),
        };
        record.unwrap_or(Record::Odd)
    }

    /// Writes the record into `lease`, which stays the object that was read: its uid and version, other people's labels.
    pub(super) fn write(&self, lease: &mut Lease) {
        let before = lease.spec.take().unwrap_or_default();
        let (fields, annotations) = match self {
            Record::Held(held) => (
                LeaseSpec {
                    holder_identity: Some(held.occupant.identity()),
                    lease_duration_seconds: Some(whole_seconds(held.lease)),
                    acquire_time: Some(MicroTime(held.since)),
                    renew_time: Some(MicroTime(held.renewed)),
                    ..LeaseSpec::default()
                },
                vec![
                    (RUN_KEY, held.occupant.run_id.clone()),
                    (JOB_KEY, held.occupant.job.clone()),
                    (CONNECTION_KEY, held.occupant.connection_id.clone()),
                    (ATTEMPT_KEY, held.occupant.attempt.to_string()),
                    (CALL_LIMIT_KEY, seconds_up(held.call_limit).to_string()),
                ],
            ),
            Record::Quarantined(quarantined) => (
                LeaseSpec {
                    holder_identity: Some(QUARANTINED.to_owned()),
                    lease_duration_seconds: Some(whole_seconds(quarantined.length)),
                    acquire_time: Some(MicroTime(quarantined.since)),
                    renew_time: Some(MicroTime(quarantined.since)),
                    ..LeaseSpec::default()
                },
                vec![(UNTIL_KEY, quarantined.until.to_string())],
            ),
            Record::Free | Record::Odd | Record::Newer(_) => (LeaseSpec::default(), Vec::new()),
        };
        let is_new = fields.holder_identity.is_some() && fields.holder_identity != before.holder_identity;
        let transitions = before.lease_transitions.unwrap_or(0).max(0).saturating_add(i32::from(is_new));
        lease.spec = Some(LeaseSpec { lease_transitions: Some(transitions), ..fields });
        names::annotate(lease, annotations);
    }

    /// Whether `occupant` holds the Lease, whatever else was edited in it. An attempt that was given up and goes on must
    /// not take for its own what a later one has got for the same session.
    pub(super) fn is_held_by(lease: &Lease, occupant: &Occupant) -> bool {
        let identity = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
        let id = identity.and_then(|identity| identity.rsplit_once('_')).map(|(_, id)| id);
        let attempt = names::annotation(lease, ATTEMPT_KEY);
        id == Some(&occupant.connection_id)
            && attempt.is_none_or(|attempt| attempt == occupant.attempt.to_string())
    }
}

fn free(lease: &Lease, spec: &LeaseSpec) -> Option<Record> {
    // What is left of a holder says that somebody has taken the name away only.
    let is_bare = spec.renew_time.is_none() && spec.lease_duration_seconds.is_none();
    let is_bare =
        is_bare && spec.acquire_time.is_none() && names::annotation(lease, CONNECTION_KEY).is_none();
    (is_bare && names::annotation(lease, UNTIL_KEY).is_none()).then_some(Record::Free)
}

fn held(lease: &Lease, spec: &LeaseSpec, identity: &str) -> Option<Record> {
    let text = |key| names::annotation(lease, key).map(str::to_owned);
    let (place, connection_id) = identity.rsplit_once('_')?;
    let occupant = Occupant {
        place: place.to_owned(),
        run_id: text(RUN_KEY)?,
        job: text(JOB_KEY)?,
        connection_id: text(CONNECTION_KEY).filter(|annotated| annotated == connection_id)?,
        attempt: text(ATTEMPT_KEY)?.parse().ok()?,
    };
    let call_limit = Duration::from_secs(text(CALL_LIMIT_KEY)?.parse::<u32>().ok()?.into());
    let MicroTime(since) = spec.acquire_time.clone()?;
    let MicroTime(renewed) = spec.renew_time.clone()?;
    Some(Record::Held(Held { occupant, since, renewed, lease: duration(spec)?, call_limit }))
}

fn quarantined(lease: &Lease, spec: &LeaseSpec) -> Option<Record> {
    let until = names::annotation(lease, UNTIL_KEY)?.parse().ok()?;
    let MicroTime(since) = spec.renew_time.clone()?;
    Some(Record::Quarantined(Quarantined { since, length: duration(spec)?, until }))
}

fn duration(spec: &LeaseSpec) -> Option<Duration> {
    let seconds = u64::try_from(spec.lease_duration_seconds?).ok()?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// Seconds rounded up: nobody may think a lease or a call shorter than it is.
fn seconds_up(duration: Duration) -> u32 {
    let up = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(up).unwrap_or(u32::MAX)
}

/// As [`seconds_up`], at least one: an API server refuses zero.
fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(seconds_up(duration)).unwrap_or(i32::MAX).max(1)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
