//! Two processes use one kept sign-in at once, two hundred times: it always works.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use exorun::app::{Access, App, Credentials};
use exorun::clocks::Clocks;
use exorun::emulator::{Options, Reuse};
use exorun::settings::{ProcessEnvironment, Settings};
use exorun::spec::job::Target;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::desk::{HANG, NAVIN};
use super::vaulted::{Vaulted, options};

const ROUNDS: u32 = 200;

/// Names the job to a process of the race.
const RACER: &str = "TEST_RACER_JOB";

/// A process of the race: it signs in anew for each line that it reads. Started by the tests below; by itself it is
/// nobody's racer and does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn racer() {
    let Some(file) = std::env::var_os(RACER) else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = Settings::load(BTreeMap::new(), &ProcessEnvironment, None).unwrap();
    let app = App::new(settings, Credentials::AsTheJobSays, Clocks::system()).unwrap();
    let job = exorun::spec::read_jobs(std::path::Path::new(&file)).unwrap().remove(0);
    let Target::Spelled(target) = &job.target else { panic!("the job has its own target") };
    // Reading blocks this thread only: nothing else of the racer goes on between two rounds.
    for go in std::io::stdin().lines() {
        go.unwrap();
        let said = match app.sign_in(target, job.service, Access::ReadOnly).await {
            Ok(_) => "signed in".to_owned(),
            Err(error) => format!("failed: {error}"),
        };
        // On a line of its own: the test harness writes too.
        println!("\nracer: {said}");
    }
    app.settle().await;
}

/// One process.
struct Racer {
    _child: Child,
    go: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
}

impl Racer {
    fn start(vaulted: &Vaulted, job: &str) -> Racer {
        let program = vaulted.with_vault(vaulted.desk.unattended(&[]));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "race::racer", "--nocapture"])
            .env_clear()
            .envs(program.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env(RACER, job)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Racer { go: child.stdin.take().unwrap(), said, _child: child }
    }

    async fn go(&mut self) {
        self.go.write_all(b"go\n").await.unwrap();
    }

    async fn outcome(&mut self) -> String {
        let said = tokio::time::timeout(HANG, async {
            loop {
                let line = self.said.next_line().await.unwrap().expect("the racer has ended");
                if let Some(said) = line.strip_prefix("racer: ") {
                    return said.to_owned();
                }
            }
        });
        said.await.expect("the racer hangs")
    }
}

async fn race(test: &str, reuse: Reuse) {
    // A process keeps its token as long as it is good: these are never.
    let options = Options { refresh_reuse: reuse, token_life: Duration::ZERO, ..options() };
    let Some(vaulted) = Vaulted::start(test, options).await else { return };
    let job = vaulted.job("device", &[]);
    vaulted.login(&job, NAVIN).await.assert_code(0);
    let mut racers = [Racer::start(&vaulted, &job), Racer::start(&vaulted, &job)];
    for round in 0..ROUNDS {
        for racer in &mut racers {
            racer.go().await;
        }
        for racer in &mut racers {
            assert_eq!(racer.outcome().await, "signed in", "round {round}");
        }
    }
    let (_, version) = vaulted.kept().await;
    let lost = u64::from(2 * ROUNDS + 1).checked_sub(version).expect("a version for each write at most");
    assert!(version > u64::from(ROUNDS), "each round leaves a successor: version {version}");
    match reuse {
        // Both uses of one token are good, and the second writer's successor is dropped.
        Reuse::Accept => assert!(lost > 0, "the two never met: version {version}"),
        // The second is refused and takes the first's successor, so that each use writes one.
        Reuse::Refuse => {
            let refused = vaulted.desk.tenant.emulator.counters();
            let refused: u64 = refused
                .by_cmdlet
                .iter()
                .filter(|seen| seen.what == "token" && seen.status == 400)
                .map(|seen| seen.count)
                .sum();
            assert!(refused > 0, "the two never met");
        }
    }
    // What was left there is good.
    let mut last = Racer::start(&vaulted, &job);
    last.go().await;
    assert_eq!(last.outcome().await, "signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_at_once_where_a_used_token_stays_good() {
    race("two_processes_at_once_where_a_used_token_stays_good", Reuse::Accept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_at_once_where_a_used_token_is_refused() {
    race("two_processes_at_once_where_a_used_token_is_refused", Reuse::Refuse).await;
}
