//! Simulated days: processes that share an account run jobs, are cut short, panic, are stopped and killed, while the
//! service and the slot store refuse, fail, hang and are away. Whatever the seed, the account never has more sessions
//! than slots, no call is made without a lease, and everything comes back in time.
//!
//! `EXORUN_TEST_SEEDS=N` simulates N days, `EXORUN_TEST_SEED=N` the Nth alone and tells what happened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "what the days came to is worth reading")]

mod cluster;
mod day;
mod place;
mod published;
mod runs;
mod seeds;
#[path = "../support/mod.rs"]
mod support;
mod trace;
mod weather;

use day::{Day, Where};

#[test]
fn no_day_has_more_sessions_than_slots_and_every_slot_comes_back() {
    let test = "no_day_has_more_sessions_than_slots_and_every_slot_comes_back";
    if let Some((days, all)) = seeds::all(test, Where::OneHost) {
        println!("{days} days: {all:?}");
        eventful(days, &all);
    }
}

#[test]
fn no_day_in_a_cluster_has_more_sessions_than_slots_and_every_slot_comes_back() {
    let test = "no_day_in_a_cluster_has_more_sessions_than_slots_and_every_slot_comes_back";
    if let Some((days, all)) = seeds::all(test, Where::Cluster) {
        println!("{days} days: {all:?}");
        eventful(days, &all);
    }
}

/// The days must have been eventful, else they show nothing.
fn eventful(days: u64, all: &Day) {
    let Day { opened, calls, peak, kills, stops, waits, .. } = *all;
    assert!(peak == 5, "{all:?}");
    assert!(
        opened > days * 8 && calls > days * 16 && kills > days && stops > days && waits > days,
        "{all:?}"
    );
}

#[test]
fn a_seed_gives_the_same_day_again() {
    for seed in 1..=20 {
        let place = if seed % 2 == 0 { Where::OneHost } else { Where::Cluster };
        let [first, second]: [String; 2] = std::array::from_fn(|_| seeds::told(seed, place));
        assert!(first.lines().count() > 20, "{first}");
        for (first, second) in first.lines().zip(second.lines()) {
            assert_eq!(first, second, "seed {seed}");
        }
    }
}
