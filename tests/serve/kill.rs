//! SIGKILL at random moments: whatever was in hand, the next process accounts for it, and nothing runs twice.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use exorun::emulator::Options;
use exorun::history::{Book, Recovered};
use rustix::process::Signal;

use crate::program::{Tenant, requests};
use crate::server::{Server, command, job, write};

/// Rounds; `EXORUN_TEST_KILLS` says another number.
const KILLS: u64 = 15;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_at_any_moment_keeps_the_law_and_runs_nothing_twice() {
    let kills = std::env::var("EXORUN_TEST_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let seed: u64 = std::env::var("EXORUN_TEST_SEED").map_or(1, |text| text.parse().unwrap());
    let tenant =
        Tenant::start(Options { mailboxes: 20, latency: Duration::from_millis(60), ..Options::default() })
            .await;
    for (name, policy) in [("a", "forbid"), ("b", "queue"), ("c", "allow"), ("d", "replace")] {
        let policy = format!("run_policy:\n  overlap: {policy}\n");
        write(&tenant, &format!("{name}.yaml"), &job(name, "every: 1s", &policy));
    }
    let mut chance = seed;
    let began = Instant::now();
    for _ in 0..kills {
        // A killed session's slot comes back after lease and quarantine, and the emulator forgets it before that.
        let mut command = command(&tenant, &[]);
        command.env("EXORUN_LEASE", "2s").env("EXORUN_QUARANTINE", "2500ms").env("EXORUN_CALL_TIMEOUT", "1s");
        let server = Server::start(&mut command);
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(chance >> 33 & 0xfff)).await;
        server.signal(Signal::KILL);
        let (code, _) = server.ended().await;
        assert_eq!(code, None, "it was killed");
    }
    let server = Server::start(&mut command(&tenant, &[]));
    server.says("serving").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (code, said) = server.stopped().await;
    assert!(matches!(code, Some(0 | 75)), "{said}");

    let mut book = Book::open(&tenant.path("history.sqlite")).unwrap();
    assert_eq!(book.law().unwrap(), []);
    let now = jiff::Timestamp::now();
    let left = book.recover(now).unwrap();
    let Recovered { lost, .. } = &left;
    assert!(lost.is_empty(), "a stop leaves nothing that runs: {lost:?}");
    let totals: Vec<_> = book.totals().unwrap().into_values().collect();
    let sum = |of: &dyn Fn(&exorun::history::Totals) -> u64| totals.iter().map(of).sum::<u64>();
    let lost = sum(&|job| job.failed.values().sum());
    let (due, ran, skipped) =
        (sum(&|job| job.due), sum(&|job| job.ran), sum(&|job| job.skipped.values().sum()));
    // Each second of the time between was due once, for each of the four jobs.
    let seconds = began.elapsed().as_secs();
    assert!(due <= 4 * (seconds + 2) && due + 4 * 4 >= 4 * seconds, "due {due} in {seconds} s of four jobs");
    // Every run makes one call: more calls than starts would be a second run.
    let mut started = BTreeSet::new();
    let mut after = None;
    loop {
        let paging = exorun::history::Paging { limit: 1000, after };
        let page = book.occurrences(&exorun::history::OccurrenceFilter::default(), paging).unwrap();
        for one in page.items.iter().filter(|one| one.started_at.is_some()) {
            assert!(
                started.insert((one.job.clone(), one.due_at)),
                "{} {} started twice",
                one.job,
                one.due_at
            );
        }
        let Some(next) = page.next else { break };
        after = Some(next.parse().unwrap());
    }
    let calls = requests(&tenant.emulator.counters(), "Get-Mailbox");
    assert!(calls <= started.len() as u64, "{calls} calls of {} runs", started.len());
    assert!(ran > 0 && calls >= ran, "{calls} calls, ran {ran}");
    let patience = Instant::now() + Duration::from_secs(15);
    while tenant.emulator.counters().sessions.live > 0 && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let sessions = tenant.emulator.counters().sessions;
    assert_eq!((sessions.live, sessions.refused), (0, 0), "{sessions:?}");
    assert!(sessions.peak_of_one_account <= 5 && sessions.opened == sessions.closed, "{sessions:?}");
    println!(
        "{kills} kills, seed {seed}: due {due} = ran {ran} + skipped {skipped} + failed {lost}; {} runs, {calls} calls; {sessions:?}",
        started.len()
    );
}
