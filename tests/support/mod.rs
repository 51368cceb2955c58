//! What tests share: one careful fake service that counts sessions, one slot store in memory, short times.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of it")]

mod process;
mod service;
mod store;
mod times;
mod tokens;
mod watcher;

use std::sync::Arc;
use std::time::Duration;

use exorun::catalog::CmdletName;
use exorun::clocks::Clocks;
use exorun::exchange::{CmdletRequest, Intent, ItemSink};
use exorun::session::{Reaper, RunLabel, SessionTimes, Sessions, SessionsParts};
use exorun::slots::AccountKey;
use serde_json::value::RawValue;
use uuid::Uuid;

pub(crate) use process::Process;
pub(crate) use service::{Act, FakeService, Op, Records, quiet_panic};
pub(crate) use store::{MemoryStore, StoreAct, StoreOp};
pub(crate) use times::{SHORT, SHORT_IDLE};
pub(crate) use tokens::FakeTokens;
pub(crate) use watcher::Watcher;

/// Chance with a seed (splitmix64): the same seed gives the same day.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xd1b5_4a32_d192_ed03)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn in_hundred(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// From zero up to `most`.
    pub(crate) fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.next() % (most + 1))
    }
}

/// A list of what came, and how often it started again.
#[derive(Default)]
pub(crate) struct Items {
    pub(crate) items: Vec<String>,
    pub(crate) restarts: u32,
}

impl ItemSink for Items {
    fn item(&mut self, item: &RawValue) -> Result<(), String> {
        self.items.push(item.get().to_owned());
        Ok(())
    }

    fn restart(&mut self) -> Result<(), String> {
        self.items.clear();
        self.restarts += 1;
        Ok(())
    }
}

/// Clocks of a host that has been up for a while; they follow tokio's paused time.
pub(crate) fn paused_clocks() -> Clocks {
    let wall = "2026-03-02T09:00:00Z".parse().unwrap();
    Clocks::simulated(Duration::from_secs(86_400), wall, 1.0)
}

pub(crate) fn account() -> AccountKey {
    AccountKey {
        cloud: "login.microsoftonline.com".to_owned(),
        tenant_id: "11111111-2222-3333-4444-555555555555".to_owned(),
        object_id: "66666666-7777-8888-9999-000000000000".to_owned(),
    }
}

pub(crate) fn run(name: &str) -> RunLabel {
    RunLabel { run_id: name.to_owned(), job: "a-job".to_owned() }
}

pub(crate) fn read() -> CmdletRequest {
    request("Get-Mailbox", Intent::Read)
}

pub(crate) fn write() -> CmdletRequest {
    request("Set-Mailbox", Intent::Write)
}

fn request(cmdlet: &str, intent: Intent) -> CmdletRequest {
    CmdletRequest {
        cmdlet: CmdletName::known(cmdlet).unwrap(),
        parameters: serde_json::Map::new(),
        secrets: Vec::new(),
        select: Vec::new(),
        intent,
        client_request_id: Uuid::nil(),
        repeats: None,
        timeout: Duration::from_secs(2),
        stop: tokio_util::sync::CancellationToken::new(),
    }
}

/// One process with everything a session needs, on paused clocks.
pub(crate) struct House {
    pub(crate) clocks: Clocks,
    pub(crate) service: FakeService,
    pub(crate) store: MemoryStore,
    pub(crate) tokens: Arc<FakeTokens>,
    pub(crate) watcher: Arc<Watcher>,
    pub(crate) process: Process,
    pub(crate) reaper: Reaper,
    pub(crate) sessions: Arc<Sessions>,
}

impl House {
    pub(crate) fn new() -> House {
        House::with(5, SHORT)
    }

    pub(crate) fn with(slots: u32, times: SessionTimes) -> House {
        let clocks = paused_clocks();
        let store = MemoryStore::new(slots, times.slots(), clocks.clone());
        let service = FakeService::new(slots, SHORT_IDLE, clocks.clone(), store.clone());
        House::beside(clocks, store, service, times, 1)
    }

    /// Another process on the same store and service.
    pub(crate) fn beside(
        clocks: Clocks,
        store: MemoryStore,
        service: FakeService,
        times: SessionTimes,
        seed: u64,
    ) -> House {
        let process = Process::new();
        let tokens = Arc::new(FakeTokens::new(&clocks));
        let watcher = Arc::new(Watcher::default());
        let reaper = Reaper::start(clocks.clone());
        let chance = std::sync::Mutex::new(Chance::new(seed));
        let sessions = Sessions::new(SessionsParts {
            account: account(),
            store: Arc::new(store.of(&process)),
            remote: Arc::new(service.of(&process)),
            tokens: tokens.clone(),
            clocks: clocks.clone(),
            times,
            reaper: reaper.handle(),
            events: watcher.clone(),
        })
        .with_jitter(move || (chance.lock().unwrap().next() % 1000) as f64 / 1000.0);
        House { clocks, service, store, tokens, watcher, process, reaper, sessions: Arc::new(sessions) }
    }
}
