//! Simulated days: processes that share an account run jobs, are cut short, panic and are killed, while the service
//! and the slot store refuse, fail and hang. Whatever the seed, the account never has more sessions than slots, no call
//! is made without a lease, and everything comes back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::exchange::CmdletRequest;
use exorun::exchange::errors::{ErrorKind, Happened};
use exorun::rules::time::BootTime;
use exorun::session::{CallError, Finished, Session, SessionError, Wait};
use support::{
    Act, Chance, FakeService, House, Items, MemoryStore, Op, SHORT, SHORT_IDLE, StoreAct, paused_clocks,
    quiet_panic, read, run, write,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const SEEDS: u64 = 200;
/// Short days and many of them: a slot is taken, lost and comes back several times in one.
const DAY: Duration = Duration::from_secs(150);
const PROCESSES: u64 = 3;
const RUNNERS: u64 = 3;

/// A call may outlast a lease.
const LONGEST_CALL: Duration = Duration::from_secs(12);

/// What a day came to.
#[derive(Debug, Default)]
struct Day {
    opened: u32,
    calls: u32,
    peak: usize,
    kills: u32,
}

#[derive(Clone)]
struct World {
    clocks: Clocks,
    store: MemoryStore,
    service: FakeService,
    ends: BootTime,
}

struct Stopped;

impl From<SessionError> for Stopped {
    fn from(_: SessionError) -> Stopped {
        Stopped
    }
}

#[test]
fn no_day_has_more_sessions_than_slots_and_every_slot_comes_back() {
    let mut all = Day::default();
    for seed in 1..=SEEDS {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let day = runtime.unwrap().block_on(simulate(seed));
        all.opened += day.opened;
        all.calls += day.calls;
        all.kills += day.kills;
        all.peak = all.peak.max(day.peak);
    }
    // The days must have been eventful, else they show nothing.
    assert!(all.opened > 2000 && all.calls > 4000 && all.kills > 500 && all.peak == 5, "{all:?}");
}

async fn simulate(seed: u64) -> Day {
    let mut chance = Chance::new(seed);
    let slots = 2 + (chance.next() % 4) as u32;
    let clocks = paused_clocks();
    let store = MemoryStore::new(slots, SHORT.slots(), clocks.clone());
    let service = FakeService::new(slots, SHORT_IDLE, clocks.clone(), store.clone());
    let mut weather = Chance::new(seed ^ 0xfeed);
    service.script(move |op| service_act(&op, &mut weather));
    let mut disk = Chance::new(seed ^ 0xd15c);
    store.script(move |_| match disk.next() % 100 {
        0 => StoreAct::Hang,
        1 | 2 => StoreAct::Fail,
        _ => StoreAct::Take(disk.millis(30)),
    });
    let world = World { ends: clocks.boot() + DAY, clocks, store, service };
    let tracker = TaskTracker::new();
    let processes: Vec<_> =
        (0..PROCESSES).map(|number| tracker.spawn(process(world.clone(), seed * 1000 + number))).collect();
    let mut kills = 0;
    for process in processes {
        kills += process.await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    // Everybody has gone home. What is not free yet comes back by itself within its bound.
    world.clocks.sleep(SHORT.lease + LONGEST_CALL + SHORT.quarantine).await;
    assert_eq!(world.service.broken(), Vec::<String>::new(), "seed {seed}");
    assert_eq!((world.service.live(), world.store.in_use()), (0, (0, 0)), "seed {seed}");
    let (opened, calls, peak) = (world.service.opened(), world.service.calls(), world.service.peak());
    assert!(peak <= slots as usize, "seed {seed}");
    Day { opened, calls, peak, kills }
}

fn service_act(op: &Op, weather: &mut Chance) -> Act {
    let unknown = |time, kind| Act::Fail(time, kind, Happened::Unknown);
    match (op, weather.next() % 100) {
        (Op::Open, 0..2) | (Op::Close, 0..4) => Act::Hang,
        (Op::Open, 2..6) => Act::Fail(weather.millis(200), ErrorKind::Network, Happened::No),
        (Op::Open, 6..8) => unknown(weather.millis(200), ErrorKind::Timeout),
        (Op::Close, 4..8) => unknown(weather.millis(400), ErrorKind::Network),
        (Op::Close, 8) => Act::Panic,
        (Op::Close, 9..16) => Act::Take(weather.millis(800)),
        (Op::Call { .. }, 0..4) => Act::Hang,
        (Op::Call { .. }, 4) => Act::Panic,
        (Op::Call { .. }, 5..10) => unknown(weather.millis(3000), ErrorKind::Server),
        (Op::Call { .. }, 10..16) => Act::Fail(weather.millis(300), ErrorKind::Unauthorized, Happened::No),
        (Op::Call { .. }, 16..30) => Act::Take(weather.millis(12_000)),
        _ => Act::Take(weather.millis(300)),
    }
}

/// One place for a process: when it dies or ends, another one starts. Returns how often one was killed.
async fn process(world: World, seed: u64) -> u32 {
    let mut chance = Chance::new(seed);
    let (clocks, mut kills) = (world.clocks.clone(), 0);
    while clocks.boot() < world.ends {
        let house =
            House::beside(clocks.clone(), world.store.clone(), world.service.clone(), SHORT, chance.next());
        let house = Arc::new(house);
        let stop = CancellationToken::new();
        let runners = TaskTracker::new();
        for _ in 0..RUNNERS {
            runners.spawn(runner(house.clone(), stop.clone(), chance.next()));
        }
        runners.close();
        clocks.sleep(chance.millis(60_000)).await;
        if chance.in_hundred(50) {
            kills += 1;
            house.process.kill();
            runners.wait().await;
        } else {
            stop.cancel();
            runners.wait().await;
            assert_eq!(house.reaper.finish(Duration::from_secs(30)).await, Finished::Clean);
        }
    }
    kills
}

async fn runner(house: Arc<House>, stop: CancellationToken, seed: u64) {
    let mut chance = Chance::new(seed);
    let tracker = TaskTracker::new();
    while !stop.is_cancelled() && house.process.alive() {
        let (house, stop) = (house.clone(), stop.clone());
        let (seed, pause) = (chance.next(), chance.millis(5000));
        let run = tracker.spawn(async move {
            house.clocks.sleep(pause).await;
            tokio::select! {
                biased;
                () = house.process.dead() => {}
                // Some runs are cut short by the stop, others end by themselves.
                () = stop.cancelled(), if seed % 2 == 0 => {}
                () = one_run(&house, seed) => {}
            }
        });
        // A run may panic; its process goes on.
        let _ = run.await;
    }
}

async fn one_run(house: &House, seed: u64) {
    let mut chance = Chance::new(seed);
    let wait = if chance.in_hundred(80) { Wait::UpTo(chance.millis(40_000)) } else { Wait::OnlyIfFreeNow };
    let limit = if chance.in_hundred(15) { chance.millis(10_000) } else { DAY };
    let label = run("r");
    let work = async |session: &mut Session| steps(house, session, &mut chance).await;
    let outcome = house.clocks.timeout(limit, house.sessions.with_session(&label, wait, work)).await;
    drop(outcome);
}

async fn steps(house: &House, session: &mut Session, chance: &mut Chance) -> Result<(), Stopped> {
    if chance.in_hundred(10) {
        let further = async |_: &mut Session| -> Result<(), Stopped> { Ok(()) };
        drop(house.sessions.with_session(&run("further"), Wait::OnlyIfFreeNow, further).await);
    }
    for _ in 0..chance.next() % 6 {
        if chance.in_hundred(30) {
            house.clocks.sleep(chance.millis(15_000)).await;
        }
        if chance.in_hundred(2) {
            quiet_panic();
        }
        let request = if chance.in_hundred(50) { read() } else { write() };
        let timeout = if chance.in_hundred(80) { request.timeout } else { LONGEST_CALL };
        let request = CmdletRequest { timeout, ..request };
        match session.call(&request, &mut Items::default()).await {
            Err(error) if error.ends_session() => return Err(Stopped),
            Err(CallError::Remote(_)) if chance.in_hundred(50) => return Err(Stopped),
            _ => {}
        }
    }
    Ok(())
}
