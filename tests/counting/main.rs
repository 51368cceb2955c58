//! The counting law over years: due = ran + skipped(reason) + failed(reason), for every job, whatever happens to the process,
//! its clock, its jobs and its disk; and no due time runs twice.
//!
//! The real dispatcher and the real history, with time and work made up. What should have been due is found by another way of
//! reckoning (`oracle`): it walks over the quarters of an hour.
//!
//! `EXORUN_TEST_YEARS` (2) and `EXORUN_TEST_SEED` say how long and which.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod chance;
mod jobs;
mod oracle;
mod small;
mod work;
mod world;

use jiff::{SignedDuration, Timestamp};
use world::World;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn years_of_two_hundred_jobs_in_all_zones_keep_the_law() {
    let (years, seed) = (number("EXORUN_TEST_YEARS", 2), number("EXORUN_TEST_SEED", 1));
    let start: Timestamp = "2018-01-01T00:00:00Z".parse().unwrap();
    let mut world = World::new(seed, start, 200);
    world.live_until(start + SignedDuration::from_hours(i64::try_from(years * 8766).unwrap()));
    let told = world.judge();
    println!("seed {seed}, {years} years: {told}");
}
