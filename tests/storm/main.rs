//! Forty real processes over one account, killed, stopped past their lease and let go on at random, and the emulator
//! as the witness: it never sees a sixth session and has to refuse none, and at the end all slots are free in time.
//!
//! `EXORUN_TEST_STORM_SECONDS` says for how long, `EXORUN_TEST_SEED` with which chance. The system's own timing is not in
//! the seed, so it repeats what was done and not what came of it.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]
#![expect(clippy::print_stdout, reason = "what a storm came to is worth reading")]

#[path = "../support/lease_server/mod.rs"]
mod lease_server;
mod leases;
#[path = "../support/program.rs"]
mod program;
mod seats;
#[path = "../support/mod.rs"]
mod support;
mod weather;

use std::sync::Arc;
use std::time::{Duration, Instant};

use exorun::clocks::Clocks;
use exorun::emulator::Options;
use exorun::session::SessionTimes;
use exorun::slots::{LocalStore, SlotStore, SlotTimes};
use program::{SLOT_COMES_BACK, Tenant};
use seats::{Harm, Outcome, Seats};

const SEATS: usize = 40;
const SLOTS: u32 = 5;
/// Long enough that most harm finds somebody who holds a slot, short enough for every day.
const SECONDS: u64 = 25;

/// One storm at a time: forty processes are enough for a small machine, and those that nobody harms must do well.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// A waiter looks at least this often (`SessionTimes::POLL_MAX`), and the machine is busy.
const LOOKED_AT: Duration = Duration::from_secs(5);

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// The runs' times. What a dead holder's record means depends on them.
fn times() -> SlotTimes {
    let [lease, quarantine] = [6, 3].map(Duration::from_secs);
    assert_eq!(SLOT_COMES_BACK, lease + quarantine + Duration::from_secs(5));
    SessionTimes { lease, quarantine, ..SessionTimes::default() }.slots()
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_processes_in_a_storm_never_have_a_sixth_session_on_the_local_store() {
    let _turn = TURN.lock().await;
    let tenant = tenant().await;
    let store = LocalStore::new(tenant.path("state"), SLOTS, times(), Clocks::system()).unwrap();
    storm(tenant, Arc::new(store), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_processes_in_a_storm_never_have_a_sixth_session_on_the_store_of_leases() {
    let _turn = TURN.lock().await;
    let tenant = tenant().await;
    let leases = leases::Leases::start(&tenant).await;
    storm(tenant, leases.store().await, &leases.settings()).await;
}

async fn tenant() -> Tenant {
    Tenant::start(Options { mailboxes: 24, latency: Duration::from_millis(80), ..Options::default() }).await
}

async fn storm(tenant: Tenant, store: Arc<dyn SlotStore>, settings: &[(&str, String)]) {
    let seed = number("EXORUN_TEST_SEED").unwrap_or(1);
    let lasts = Duration::from_secs(number("EXORUN_TEST_STORM_SECONDS").unwrap_or(SECONDS));
    println!("EXORUN_TEST_SEED={seed}, {} s", lasts.as_secs());
    let ends = Instant::now() + lasts;
    let seats = Seats::new(SEATS);
    let weather = tokio::spawn(weather::blow(seats.clone(), Arc::clone(&store), seed, ends));
    let outcomes = seats.fill(&tenant, settings, ends).await;
    let hit = weather.await.unwrap();
    let over = Instant::now();

    let count = |harm| outcomes.iter().filter(|outcome| outcome.harm == harm).count();
    let sessions = tenant.emulator.counters().sessions;
    println!(
        "{} runs: {} unharmed, {} killed, {} stopped and let go on, {} asked to end; {hit} of them while they held a slot",
        outcomes.len(),
        count(Harm::None),
        count(Harm::Killed),
        count(Harm::Stopped),
        count(Harm::Asked),
    );
    println!("{sessions:?}");
    let strange: Vec<String> =
        outcomes.iter().filter(|outcome| !outcome.is_allowed()).map(Outcome::tell).collect();
    assert!(strange.is_empty(), "{} of {}:\n{}", strange.len(), outcomes.len(), strange.join("\n"));
    assert!(sessions.peak_of_one_account <= u64::from(SLOTS) && sessions.refused == 0, "{sessions:?}");
    // On a machine that is busy otherwise, five are not always there at once.
    let is_calm = hit == 0 || count(Harm::Stopped) + count(Harm::Killed) == 0 || sessions.opened < 20;
    assert!(!is_calm && sessions.peak_of_one_account > 1, "the storm was a calm: {sessions:?}");

    // Nobody is left. What is not free yet comes back by itself.
    let bound = SLOT_COMES_BACK + LOOKED_AT;
    loop {
        let listed = store.list(None).await.unwrap();
        let slots: Vec<_> = listed.iter().flat_map(|account| &account.slots).collect();
        if slots.is_empty() {
            break;
        }
        assert!(over.elapsed() < bound, "not free after {bound:?}: {slots:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tenant.until("the end of all sessions", |counters| counters.sessions.live == 0).await;
    println!("all slots are free {:.1} s after the last run (bound {bound:?})", over.elapsed().as_secs_f64());
}
