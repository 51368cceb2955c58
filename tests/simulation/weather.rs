//! What goes wrong on a day: at the service, at the disk, with the store as a whole.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::exchange::errors::{ErrorKind, Happened};
use exorun::rules::time::BootTime;
use jiff::Timestamp;

use crate::day::World;
use crate::support::{Act, Chance, Op, StoreAct, StoreOp};

/// While it lasts nobody can use the store.
#[derive(Clone, Default)]
pub(crate) struct Outage(Arc<Mutex<(bool, BootTime)>>);

impl Outage {
    pub(crate) fn is_on(&self) -> bool {
        self.0.lock().unwrap().0
    }

    pub(crate) fn begin(&self) {
        self.0.lock().unwrap().0 = true;
    }

    pub(crate) fn end(&self, now: BootTime) {
        *self.0.lock().unwrap() = (false, now);
    }

    /// Whether there has been none since then.
    pub(crate) fn none_since(&self, then: BootTime) -> bool {
        let (is_on, over) = *self.0.lock().unwrap();
        !is_on && over < then
    }
}

/// Takes the store away now and then, for up to more than a lease.
pub(crate) async fn of_the_store(world: World, seed: u64) {
    let mut chance = Chance::new(seed);
    loop {
        world.clocks.sleep(Duration::from_secs(10) + chance.millis(40_000)).await;
        if world.ends <= world.clocks.boot() {
            return;
        }
        let span = chance.millis(9000);
        world.trace.note(world.clocks.boot(), || format!("the store is away for {} ms", span.as_millis()));
        world.outage.begin();
        world.clocks.sleep(span).await;
        world.outage.end(world.clocks.boot());
    }
}

/// A host's clocks: up for some while, 1 % too fast or too slow at worst, and its wall clock up to a year off.
pub(crate) fn a_clock(chance: &mut Chance) -> Clocks {
    let up = Duration::from_secs(3600) + chance.millis(1_000_000_000);
    let off = Duration::from_secs(chance.next() % (2 * 365 * 86_400));
    let wall: Timestamp = "2025-03-02T09:00:00Z".parse().unwrap();
    let rate = 0.99 + (chance.next() % 2001) as f64 / 100_000.0;
    Clocks::simulated(up, wall + off, rate)
}

pub(crate) fn of_the_disk(seed: u64, outage: Outage) -> impl FnMut(StoreOp) -> StoreAct + Send + 'static {
    let mut chance = Chance::new(seed);
    move |_| match chance.next() % 200 {
        _ if outage.is_on() => StoreAct::Unavailable,
        0 => StoreAct::Hang,
        1 | 2 => StoreAct::Fail,
        3 | 4 => StoreAct::Unavailable,
        _ => StoreAct::Take(chance.millis(30)),
    }
}

pub(crate) fn of_the_service(seed: u64) -> impl FnMut(Op) -> Act + Send + 'static {
    let mut weather = Chance::new(seed);
    move |op| {
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
            (Op::Call { .. }, 10..16) => {
                Act::Fail(weather.millis(300), ErrorKind::Unauthorized, Happened::No)
            }
            (Op::Call { .. }, 16..30) => Act::Take(weather.millis(8000)),
            _ => Act::Take(weather.millis(300)),
        }
    }
}
