//! Many days, on all cores, or one again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::day::{self, Day, Where};
use crate::trace::Trace;

/// A fortieth of the nightly run.
const SEEDS_ON_A_HOST: u64 = 2000;
/// Each takes more than twice the time.
const SEEDS_IN_A_CLUSTER: u64 = 1000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// Simulates all days and says how many there were and what they came to together; nothing if it was one day again.
///
/// # Panics
/// On the first day that breaks a promise, with the command that simulates it again.
pub(crate) fn all(test: &str, place: Where) -> Option<(u64, Day)> {
    let day = |seed, trace| day::simulate(seed, place, trace);
    if let Some(seed) = number("EXORUN_TEST_SEED") {
        let trace = Trace::kept();
        let outcome = day(seed, trace.clone());
        println!("{}", trace.told());
        outcome.unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        return None;
    }
    let usual = if place == Where::OneHost { SEEDS_ON_A_HOST } else { SEEDS_IN_A_CLUSTER };
    let seeds = number("EXORUN_TEST_SEEDS").unwrap_or(usual);
    let (next, sum, broken) = (AtomicU64::new(1), Mutex::new(Day::default()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seeds < seed || !broken.lock().unwrap().is_empty() {
                break;
            }
            // A day that panics has a seed too.
            let outcome = catch_unwind(AssertUnwindSafe(|| day(seed, Trace::default())))
                .unwrap_or_else(|_| Err("the day panicked".to_owned()));
            match outcome {
                Ok(day) => sum.lock().unwrap().add(&day),
                Err(why) => broken.lock().unwrap().push((seed, why)),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(work);
        }
    });
    let broken = broken.into_inner().unwrap();
    if let Some((seed, why)) = broken.first() {
        panic!(
            "seed {seed}: {why}\nagain: EXORUN_TEST_SEED={seed} cargo test --test simulation {test} -- --nocapture"
        );
    }
    Some((seeds, sum.into_inner().unwrap()))
}

/// What happened on one day.
pub(crate) fn told(seed: u64, place: Where) -> String {
    let trace = Trace::kept();
    day::simulate(seed, place, trace.clone()).unwrap();
    trace.told()
}
