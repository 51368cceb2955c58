//! A process in a simulated day, with everything that its sessions need.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::rules::time::BootTime;
use exorun::session::{Reaper, Sessions, SessionsParts};
use exorun::slots::{KubernetesStore, SlotStore};

use crate::cluster::Link;
use crate::day::{Ground, World};
use crate::support::{Chance, FakeTokens, Process, account};
use crate::trace::Noted;
use crate::weather;

pub(crate) struct Place {
    pub(crate) world: World,
    /// The process's own clocks.
    pub(crate) clocks: Clocks,
    pub(crate) process: Process,
    pub(crate) reaper: Reaper,
    store: Arc<dyn SlotStore>,
    /// To the API server, in a cluster.
    link: Option<Link>,
    pub(crate) name: String,
    /// Until when something kept the process from working as it would.
    disturbed: Mutex<BootTime>,
}

impl Place {
    /// A process that has just started.
    pub(crate) fn new(world: &World, name: String, chance: &mut Chance) -> Place {
        let process = Process::new();
        let (clocks, store, link): (_, Arc<dyn SlotStore>, _) = match &world.ground {
            Ground::Host(store) => (world.clocks.clone(), Arc::new(store.of(&process)), None),
            Ground::Cluster(cluster) => {
                let clocks = weather::a_clock(chance);
                let link = Link::new(cluster.clone(), process.clone(), Chance::new(chance.next()));
                let (api, namespace) = (Arc::new(link.clone()), "exorun".to_owned());
                let (slots, times) = (world.slots(), world.times.slots());
                let store = KubernetesStore::new(api, namespace, slots, times, clocks.clone(), name.clone());
                (clocks, Arc::new(store), Some(link))
            }
        };
        let (reaper, disturbed) = (Reaper::start(clocks.clone()), Mutex::new(BootTime::default()));
        Place { world: world.clone(), clocks, process, reaper, store, link, name, disturbed }
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

    /// Cuts the process off from the store for a while; on a host there is nothing to cut.
    pub(crate) async fn cut_off(&self, span: Duration) {
        let Some(link) = &self.link else { return };
        self.note(|| format!("cut off for {} ms", span.as_millis()));
        link.cut(true);
        self.world.clocks.sleep(span).await;
        link.cut(false);
        *self.disturbed.lock().unwrap() = self.world.clocks.boot();
    }

    /// Somebody sets the host's wall clock, by up to a year, forward or back.
    pub(crate) fn set_the_clock(&self, chance: &mut Chance) {
        const YEAR: i64 = 365 * 86_400;
        let by = (chance.next() % (2 * YEAR as u64)) as i64 - YEAR;
        self.note(|| format!("its wall clock is set by {by} s"));
        self.clocks.step_wall(by);
    }

    pub(crate) fn note(&self, text: impl FnOnce() -> String) {
        self.world.trace.note(self.world.clocks.boot(), || format!("{}: {}", self.name, text()));
    }

    /// Whether nothing has disturbed the process or the store since then.
    pub(crate) fn undisturbed_since(&self, then: BootTime) -> bool {
        *self.disturbed.lock().unwrap() < then && self.world.outage.none_since(then)
    }
}
