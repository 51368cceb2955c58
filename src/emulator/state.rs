//! What the emulator's ports share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::device::Devices;
use super::directory::Directory;
use super::entra::Signins;
use super::fault_draws::Faults;
use super::keys::Keys;
use super::mailbox::Tenant;
use super::options::Options;
use super::paging::Links;
use super::record::Records;
use super::replay::Replay;
use super::request::RateLimit;
use super::sessions::{Key, Sessions};
use super::synthesized;
use super::tokens::Tokens;

/// Everything that lives as long as the emulator. No lock is held over an await, and no two at a time.
pub(super) struct State {
    pub(super) options: Options,
    pub(super) tenant: Tenant,
    pub(super) secret: String,
    pub(super) tokens: Tokens,
    pub(super) links: Links,
    pub(super) keys: Keys,
    pub(super) rate: RateLimit,
    /// Unix seconds; tokens that are challenged must be asked for with this time.
    pub(super) revoked: i64,
    /// Answers instead of the tenant.
    pub(super) replay: Option<Replay>,
    pub(super) ca_pem: String,
    /// `https://127.0.0.1:PORT` of the sign-in service.
    pub(super) login: String,
    latency_millis: AtomicU64,
    directory: Mutex<Directory>,
    sessions: Mutex<Sessions>,
    faults: Mutex<Faults>,
    records: Mutex<Records>,
    devices: Mutex<Devices>,
    signins: Mutex<Signins>,
}

impl State {
    pub(super) fn new(
        options: Options,
        signins: Signins,
        login: String,
        ca_pem: String,
        replay: Option<Replay>,
    ) -> State {
        let mut tenant = Tenant::new(options.seed, options.mailboxes, &options.tenant_domain);
        tenant.more_domains.clone_from(&options.domains);
        if let Some(recorded) = replay.as_ref().and_then(Replay::tenant_id) {
            tenant.id = recorded;
        }
        let key = || [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
        let idle = u64::try_from(options.session_idle.as_millis()).unwrap_or(u64::MAX);
        let audiences = [options.audiences.clone(), options.compliance_audiences.clone()].concat();
        let mut directory = Directory::new(tenant.clone());
        directory.shelf.replication = options.replication;
        directory.shelf.no_defender = !options.defender;
        if options.dehydrated {
            synthesized::dehydrate(&tenant, &mut directory.shelf);
        }
        directory.type_flip = options.type_flip;
        State {
            secret: options.client_secret.clone().unwrap_or_else(random_secret),
            tokens: Tokens::new(&key(), tenant.id, audiences, &options.roles),
            keys: Keys::default(),
            rate: RateLimit::default(),
            revoked: options.clocks.wall().as_second(),
            links: Links::new(&key()),
            replay,
            ca_pem,
            login,
            latency_millis: AtomicU64::new(u64::try_from(options.latency.as_millis()).unwrap_or(u64::MAX)),
            directory: Mutex::new(directory),
            sessions: Mutex::new(Sessions::new(options.sessions, options.session_limit, idle)),
            faults: Mutex::new(Faults::new(options.seed, options.faults.clone())),
            records: Mutex::new(Records::new(options.records_max)),
            devices: Mutex::new(Devices::new()),
            signins: Mutex::new(signins),
            tenant,
            options,
        }
    }

    /// Milliseconds since boot.
    pub(super) fn now(&self) -> u64 {
        self.options.clocks.boot().as_millis()
    }

    /// Unix seconds.
    pub(super) fn wall(&self) -> i64 {
        self.options.clocks.wall().as_second()
    }

    /// Added to each answer of Exchange Online.
    pub(super) fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_millis.load(Ordering::Relaxed))
    }

    pub(super) fn set_latency(&self, millis: u64) {
        self.latency_millis.store(millis, Ordering::Relaxed);
    }

    pub(super) fn directory(&self) -> MutexGuard<'_, Directory> {
        lock(&self.directory)
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        lock(&self.sessions)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(super) fn records(&self) -> MutexGuard<'_, Records> {
        lock(&self.records)
    }

    pub(super) fn devices(&self) -> MutexGuard<'_, Devices> {
        lock(&self.devices)
    }

    pub(super) fn signins(&self) -> MutexGuard<'_, Signins> {
        lock(&self.signins)
    }
}

/// A panic in one request leaves the values whole enough for the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks like a secret of Entra, and says what it is.
fn random_secret() -> String {
    format!("emu~{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// A request of a session, from its admission to its answer (or its end without one).
pub(super) struct InHand {
    state: Arc<State>,
    account: String,
    key: Key,
}

impl InHand {
    pub(super) fn new(state: Arc<State>, account: String, key: Key) -> InHand {
        InHand { state, account, key }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        let now = self.state.now();
        self.state.sessions().done(&self.account, &self.key, now);
    }
}
