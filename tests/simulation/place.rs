//! A process in a simulated day, with everything that its sessions need.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::rules::time::BootTime;
use exorun::session::{Reaper, Sessions, SessionsParts};
use exorun::slots::SlotStore;

use crate::day::{Ground, World};
use crate::support::{Chance, FakeTokens, Process, account};
use crate::trace::Noted;

pub(crate) struct Place {
    pub(crate) world: World,
    /// The process's own clocks.
    pub(crate) clocks: Clocks,
    pub(crate) process: Process,
    pub(crate) reaper: Reaper,
    store: Arc<dyn SlotStore>,
    pub(crate) name: String,
    /// Until when something kept the process from working as it would.
    disturbed: Mutex<BootTime>,
}

impl Place {
    /// A process that has just started.
    pub(crate) fn new(world: &World, name: String) -> Place {
        let process = Process::new();
        let Ground::Host(store) = &world.ground;
        let (clocks, store) = (world.clocks.clone(), Arc::new(store.of(&process)));
        let (reaper, disturbed) = (Reaper::start(clocks.clone()), Mutex::new(BootTime::default()));
        Place { world: world.clone(), clocks, process, reaper, store, name, disturbed }
    }

    /// What a run of the process opens its sessions with.
    pub(crate) fn sessions(&self, chance: &mut Chance) -> Sessions {
        let jitter = Mutex::new(Chance::new(chance.next()));
        let noted = Noted {
            trace: self.world.trace.clone(),
            clocks: self.world.clocks.clone(),
            process: self.name.clone(),
        };
        Sessions::new(SessionsParts {
            account: account(),
            store: self.store.clone(),
            remote: Arc::new(self.world.service.of(&self.process)),
            tokens: Arc::new(FakeTokens::new(&self.clocks)),
            clocks: self.clocks.clone(),
            times: self.world.times,
            reaper: self.reaper.handle(),
            events: Arc::new(noted),
        })
        .with_jitter(move || (jitter.lock().unwrap().next() % 1000) as f64 / 1000.0)
    }

    /// Stops the process for a while.
    pub(crate) async fn stop(&self, span: Duration) {
        self.note(|| format!("stopped for {} ms", span.as_millis()));
        self.process.stop();
        self.world.clocks.sleep(span).await;
        self.process.go_on();
        *self.disturbed.lock().unwrap() = self.world.clocks.boot();
        self.note(|| "goes on".to_owned());
    }

    pub(crate) fn note(&self, text: impl FnOnce() -> String) {
        self.world.trace.note(self.world.clocks.boot(), || format!("{}: {}", self.name, text()));
    }

    /// Whether nothing has disturbed the process or the store since then.
    pub(crate) fn undisturbed_since(&self, then: BootTime) -> bool {
        *self.disturbed.lock().unwrap() < then && self.world.outage.none_since(then)
    }
}
