//! One day: the host, its processes, and the next morning.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::rules::slots::Polling;
use exorun::rules::time::BootTime;
use exorun::session::{Session, SessionError, SessionTimes, Wait};
use tokio_util::task::TaskTracker;

use crate::cluster::Cluster;
use crate::place::Place;
use crate::runs::{self, Stopped};
use crate::support::{
    Act, Chance, FakeService, Items, MemoryStore, SHORT, StoreAct, paused_clocks, read, run,
};
use crate::trace::Trace;
use crate::weather::{self, Outage};

/// Short days and many of them: a slot is taken, lost and comes back several times in one.
const DAY: Duration = Duration::from_secs(50);
const PROCESSES: u64 = 3;

/// A call may outlast a lease.
pub(crate) const LONGEST_CALL: Duration = Duration::from_secs(8);

/// How late the one who waits may see what he waits for: a look that hangs, the pause before the next, somebody in
/// front who has died.
const LOOKED_AT: Duration = Duration::from_secs(8);

/// As elsewhere in tests, but for what makes a day long: quarantines, and how often who waits looks.
const TIMES: SessionTimes = SessionTimes {
    quarantine: Duration::from_secs(12),
    polling: Polling { min: Duration::from_millis(100), max: Duration::from_secs(2) },
    ..SHORT
};

/// A slot nobody works with is somebody's again after this, while he waits.
pub(crate) const COMES_BACK: Duration =
    TIMES.lease.saturating_add(LONGEST_CALL).saturating_add(TIMES.quarantine).saturating_add(LOOKED_AT);

/// How long the service counts a session that nobody closed: a second less than the quarantine.
const IDLE: Duration = Duration::from_secs(11);

/// Where the slots are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    /// In memory, by the rules alone; all processes have the host's clock.
    OneHost,
    /// As Leases, by the real store; each process has a clock of its own.
    Cluster,
}

/// What a day came to.
#[derive(Debug, Default)]
pub(crate) struct Day {
    pub(crate) opened: u64,
    pub(crate) calls: u64,
    pub(crate) peak: usize,
    pub(crate) kills: u64,
    pub(crate) stops: u64,
    /// Runs that had to wait for their session.
    pub(crate) waits: u64,
    /// The longest time that the last slot needed to come back, in milliseconds.
    pub(crate) morning: u64,
}

impl Day {
    pub(crate) fn add(&mut self, other: &Day) {
        self.opened += other.opened;
        self.calls += other.calls;
        self.peak = self.peak.max(other.peak);
        self.kills += other.kills;
        self.stops += other.stops;
        self.waits += other.waits;
        self.morning = self.morning.max(other.morning);
    }
}

/// The store as it is, seen by nobody's eyes.
#[derive(Clone)]
pub(crate) enum Ground {
    Host(MemoryStore),
    Cluster(Cluster),
}

impl Ground {
    /// Whether somebody who lives works with slot `number`.
    fn is_used(&self, number: u32) -> bool {
        match self {
            Ground::Host(store) => store.is_used(number),
            Ground::Cluster(cluster) => cluster.is_used(number),
        }
    }

    /// Promises that the store was to keep.
    fn broken(&self) -> Vec<String> {
        match self {
            Ground::Host(_) => Vec::new(),
            Ground::Cluster(cluster) => cluster.broken(),
        }
    }
}

#[derive(Clone)]
pub(crate) struct World {
    /// The true time.
    pub(crate) clocks: Clocks,
    pub(crate) ground: Ground,
    pub(crate) outage: Outage,
    pub(crate) service: FakeService,
    pub(crate) times: SessionTimes,
    pub(crate) ends: BootTime,
    pub(crate) trace: Trace,
    unused: Arc<Mutex<Vec<Option<BootTime>>>>,
    broken: Arc<Mutex<Vec<String>>>,
    pub(crate) waits: Arc<AtomicU32>,
}

impl World {
    fn new(chance: &mut Chance, place: Where, trace: Trace) -> World {
        let slots = 2 + (chance.next() % 4) as u32;
        let (clocks, outage) = (paused_clocks(), Outage::default());
        // On some days sessions must not be opened often.
        let opens = if chance.in_hundred(25) { 5 + (chance.next() % 6) as u32 } else { 1000 };
        let times = SessionTimes { opens_per_minute: opens, ..TIMES };
        let (ground, service) = match place {
            Where::OneHost => {
                let store = MemoryStore::new(slots, times.slots(), clocks.clone());
                store.script(weather::of_the_disk(chance.next(), outage.clone()));
                let service = FakeService::new(slots, IDLE, clocks.clone(), store.clone());
                (Ground::Host(store), service)
            }
            Where::Cluster => {
                let (own, known) = (weather::a_clock(chance), times.slots());
                let cluster = Cluster::new(clocks.clone(), own, outage.clone(), known, trace.clone());
                let service = FakeService::new(slots, IDLE, clocks.clone(), cluster.clone());
                (Ground::Cluster(cluster), service)
            }
        };
        service.script(weather::of_the_service(chance.next()));
        World {
            ends: clocks.boot() + DAY,
            clocks,
            ground,
            outage,
            service,
            times,
            trace,
            unused: Arc::new(Mutex::new(vec![None; slots as usize])),
            broken: Arc::default(),
            waits: Arc::default(),
        }
    }

    /// When a slot that nobody works with is somebody's again, while he waits.
    pub(crate) fn comes_back(&self) -> Duration {
        let opens = if self.is_scarce() { SessionTimes::OPENS_WINDOW } else { Duration::ZERO };
        COMES_BACK + opens
    }

    /// Whether runs also wait for the budget of opens.
    pub(crate) fn is_scarce(&self) -> bool {
        self.times.opens_per_minute < 1000
    }

    pub(crate) fn slots(&self) -> u32 {
        self.unused.lock().unwrap().len() as u32
    }

    /// A promise was not kept.
    pub(crate) fn broken(&self, what: String) {
        let now = self.clocks.boot();
        self.trace.note(now, || format!("BROKEN: {what}"));
        self.broken.lock().unwrap().push(format!("{what}, at {}", now.as_millis()));
    }

    /// A slot that nobody has worked with since then, if there is one.
    pub(crate) fn unused_since(&self, then: BootTime) -> Option<usize> {
        let unused = self.unused.lock().unwrap();
        unused.iter().position(|since| since.is_some_and(|since| since <= then)).map(|index| index + 1)
    }

    /// Watches, for as long as anybody does, which slots are not used.
    async fn watch(self) {
        loop {
            let now = self.clocks.boot();
            for (number, since) in (1..).zip(self.unused.lock().unwrap().iter_mut()) {
                *since = if self.ground.is_used(number) { None } else { since.or(Some(now)) };
            }
            self.clocks.sleep(Duration::from_millis(500)).await;
        }
    }

    /// Everybody has gone home. Who comes next gets all slots within the bound, one after the other.
    async fn morning(&self, chance: &mut Chance) -> Duration {
        self.service.script(|_| Act::Take(Duration::from_millis(10)));
        match &self.ground {
            Ground::Host(store) => store.script(|_| StoreAct::Take(Duration::from_millis(10))),
            Ground::Cluster(cluster) => cluster.calm(),
        }
        let place = Place::new(self, "morning".to_owned(), chance);
        let sessions: Vec<_> = (0..self.slots()).map(|_| place.sessions(chance)).collect();
        let bound = self.comes_back();
        let (began, slots, got) = (self.clocks.boot(), self.slots(), AtomicU32::new(0));
        let work = async |session: &mut Session| -> Result<Duration, Stopped> {
            got.fetch_add(1, Ordering::SeqCst);
            let since = self.clocks.boot().since(began);
            while got.load(Ordering::SeqCst) < slots && self.clocks.boot() < began + bound * 2 {
                session.call(&read(), &mut Items::default()).await.map_err(|_| Stopped)?;
                self.clocks.sleep(Duration::from_secs(1)).await;
            }
            Ok(since)
        };
        let label = run("early");
        let wait = Wait::UpTo(bound * 2);
        let runs = sessions.iter().map(|sessions| sessions.with_session(&label, wait, work));
        let mut latest = Duration::ZERO;
        for since in futures_util::future::join_all(runs).await {
            latest = latest.max(since.unwrap_or(bound * 2));
        }
        if bound < latest {
            self.broken(format!("a slot came back only after {latest:?}"));
        }
        latest
    }
}

pub(crate) fn simulate(seed: u64, place: Where, trace: Trace) -> Result<Day, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(a_day(seed, place, trace))
}

async fn a_day(seed: u64, place: Where, trace: Trace) -> Result<Day, String> {
    let mut chance = Chance::new(seed);
    let world = World::new(&mut chance, place, trace);
    let tracker = TaskTracker::new();
    tracker.spawn(world.clone().watch());
    let store = tracker.spawn(weather::of_the_store(world.clone(), chance.next()));
    let processes: Vec<_> = (0..PROCESSES)
        .map(|number| tracker.spawn(runs::process(world.clone(), number, Chance::new(chance.next()))))
        .collect();
    let mut day = Day::default();
    for process in processes {
        let (kills, stops) = process.await.map_err(|error| error.to_string())?;
        day.kills += kills;
        day.stops += stops;
    }
    store.await.map_err(|error| error.to_string())?;
    let morning = world.morning(&mut chance).await;
    let broken =
        [world.service.broken(), world.ground.broken(), world.broken.lock().unwrap().clone()].concat();
    if !broken.is_empty() {
        return Err(broken.join("; "));
    }
    let service = &world.service;
    if (world.slots() as usize) < service.peak() || service.live() > 0 {
        return Err(format!("{} sessions at most, {} at the end", service.peak(), service.live()));
    }
    Ok(Day {
        opened: u64::from(service.opened()),
        calls: u64::from(service.calls()),
        peak: service.peak(),
        waits: u64::from(world.waits.load(Ordering::SeqCst)),
        morning: morning.as_millis() as u64,
        ..day
    })
}

impl From<SessionError> for Stopped {
    fn from(_: SessionError) -> Stopped {
        Stopped
    }
}
