//! What processes and their runs do all day.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use exorun::exchange::CmdletRequest;
use exorun::rules::time::BootTime;
use exorun::session::{CallError, Finished, Session, SessionError, Sessions, Wait};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::day::{LONGEST_CALL, World};
use crate::place::Place;
use crate::support::{Chance, Items, quiet_panic, read, run, write};

const RUNNERS: u64 = 2;

/// A run has ended early.
#[derive(Debug)]
pub(crate) struct Stopped;

/// One place for a process: when it dies or ends, another one starts. Returns how often one was killed and stopped.
pub(crate) async fn process(world: World, number: u64, mut chance: Chance) -> (u64, u64) {
    let (mut kills, mut stops) = (0, 0);
    while world.clocks.boot() < world.ends {
        let name = format!("process {number}-{}", world.clocks.boot().as_millis() % 1_000_000);
        let place = Arc::new(Place::new(&world, name, &mut chance));
        place.note(|| "starts".to_owned());
        let stop = CancellationToken::new();
        let runners = TaskTracker::new();
        for _ in 0..RUNNERS {
            runners.spawn(runner(place.clone(), stop.clone(), chance.next()));
        }
        runners.close();
        world.clocks.sleep(chance.millis(25_000)).await;
        if chance.in_hundred(50) {
            // Some are stopped for less than a lease, some for much more.
            stops += 1;
            place.stop(chance.millis(15_000)).await;
            world.clocks.sleep(chance.millis(10_000)).await;
        }
        if chance.in_hundred(30) {
            place.set_the_clock(&mut chance);
        }
        if chance.in_hundred(30) {
            place.cut_off(chance.millis(12_000)).await;
            world.clocks.sleep(chance.millis(10_000)).await;
        }
        if chance.in_hundred(50) {
            kills += 1;
            place.note(|| "killed".to_owned());
            place.process.kill();
            runners.wait().await;
        } else {
            place.note(|| "asked to end".to_owned());
            stop.cancel();
            runners.wait().await;
            if place.reaper.finish(Duration::from_secs(30)).await != Finished::Clean {
                world.broken("the reaper did not end".to_owned());
            }
        }
    }
    (kills, stops)
}

async fn runner(place: Arc<Place>, stop: CancellationToken, seed: u64) {
    let mut chance = Chance::new(seed);
    let tracker = TaskTracker::new();
    // Of its own: in which order tokio wakes those who wait for the same thing is not in the seed.
    let sessions = Arc::new(place.sessions(&mut chance));
    while !stop.is_cancelled() && place.process.alive() {
        let (place, sessions, stop) = (place.clone(), sessions.clone(), stop.clone());
        let (seed, pause) = (chance.next(), chance.millis(5000));
        let run = tracker.spawn(async move {
            place.clocks.sleep(pause).await;
            let work = place.process.running(async {
                tokio::select! {
                    biased;
                    // Some runs are cut short by the stop, others end by themselves.
                    () = stop.cancelled(), if seed % 2 == 0 => {}
                    () = one_run(&place, &sessions, seed) => {}
                }
            });
            tokio::select! {
                biased;
                () = place.process.dead() => {}
                () = work => {}
            }
        });
        // A run may panic; its process goes on.
        let _ = run.await;
    }
}

async fn one_run(place: &Place, sessions: &Sessions, seed: u64) {
    let mut chance = Chance::new(seed);
    let wait = if chance.in_hundred(80) { Wait::UpTo(chance.millis(50_000)) } else { Wait::OnlyIfFreeNow };
    let limit = if chance.in_hundred(15) { chance.millis(10_000) } else { Duration::from_secs(3600) };
    let label = run("r");
    let began = place.world.clocks.boot();
    let work = async |session: &mut Session| {
        if began < place.world.clocks.boot() {
            place.world.waits.fetch_add(1, Ordering::SeqCst);
        }
        steps(place, sessions, session, &mut chance).await
    };
    let with_session = sessions.with_session(&label, wait, work);
    if let Ok(Err(RunError::NoSession(SessionError::NoSession { waited, .. }))) =
        place.clocks.timeout(limit, with_session).await
        && place.world.comes_back() <= waited
        && !place.world.is_scarce()
        && place.undisturbed_since(began)
        && let Some(slot) = place.world.unused_since(began)
    {
        place.world.broken(format!("{waited:?} waited in vain while slot {slot} was out of use"));
    }
}

/// Why a run has ended early.
pub(crate) enum RunError {
    NoSession(SessionError),
    Stopped,
}

impl From<SessionError> for RunError {
    fn from(error: SessionError) -> RunError {
        RunError::NoSession(error)
    }
}

async fn steps(
    place: &Place,
    sessions: &Sessions,
    session: &mut Session,
    chance: &mut Chance,
) -> Result<(), RunError> {
    if chance.in_hundred(10) {
        further(place, sessions).await;
    }
    for _ in 0..chance.next() % 6 {
        if chance.in_hundred(30) {
            place.clocks.sleep(chance.millis(10_000)).await;
        }
        if chance.in_hundred(2) {
            quiet_panic();
        }
        let request = if chance.in_hundred(50) { read() } else { write() };
        let timeout = if chance.in_hundred(80) { request.timeout } else { LONGEST_CALL };
        let request = CmdletRequest { timeout, ..request };
        match session.call(&request, &mut Items::default()).await {
            Err(error) if error.ends_session() => return Err(RunError::Stopped),
            Err(CallError::Remote(_)) if chance.in_hundred(50) => return Err(RunError::Stopped),
            _ => {}
        }
    }
    Ok(())
}

/// A run's further session: there at once, or not at all.
async fn further(place: &Place, sessions: &Sessions) {
    let clocks = &place.world.clocks;
    let began = clocks.boot();
    let arrived = async |_: &mut Session| -> Result<BootTime, RunError> { Ok(clocks.boot()) };
    let known = match sessions.with_session(&run("further"), Wait::OnlyIfFreeNow, arrived).await {
        Ok(arrived) => arrived,
        Err(RunError::NoSession(SessionError::NoneFree { .. } | SessionError::NoSession { .. })) => {
            clocks.boot()
        }
        Err(_) => return,
    };
    let took = known.since(began);
    if place.world.times.store_deadline + Duration::from_secs(1) < took && place.undisturbed_since(began) {
        place.world.broken(format!("waited {took:?} for a further session while holding one"));
    }
}
