//! How much does the scheduler take? One measurement a process, with a history on the disk and work that does nothing;
//! `benches/scheduler.sh` runs them beside peers.
//!
//! ```text
//! scheduler load FOLDER JOBS repeated|distinct   hands jobs over: seconds, and the peak of the resident set
//! scheduler burst FOLDER JOBS                    jobs that are all due in the same second, five times
//! scheduler stream FOLDER JOBS SECONDS           jobs that are each due every second
//! scheduler idle FOLDER JOBS SECONDS             jobs that are not due: processor time
//! scheduler files FOLDER FILES DOCUMENTS         writes job files into FOLDER, and loads them from there
//! ```
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::history::{History, RunRecord};
use exorun::observe::metrics::{Metrics, Peer};
use exorun::rules::occurrences::Ended;
use exorun::rules::schedule::{Cron, Dst, RunPolicy, Schedule};
use exorun::runner::stop::Stop;
use exorun::scheduler::{
    Done, Drained, Entry, Folder, Handle, How, Limits, Load, Order, Parts, Scheduler, ServeError, Work,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::time::{ClockId, clock_gettime};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

type Failed = Box<dyn Error + Send + Sync>;

/// The limits must not be what is measured.
const LIMITS: Limits = Limits { runs_max: 100_000, runs_of_account_max: 100_000, waiting_of_job_max: 100 };

/// The one zone of all jobs: one that changes its clocks.
const ZONE: &str = "Europe/Berlin";

/// How often a burst comes, in seconds, and how many are measured.
const BURST_PERIOD: u64 = 5;
const BURSTS: usize = 5;

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments[..] {
            ["load", folder, jobs, kind] => load(folder.as_ref(), jobs.parse()?, kind.parse()?).await,
            ["burst", folder, jobs] => burst(folder.as_ref(), jobs.parse()?).await,
            ["stream", folder, jobs, seconds] => {
                stream(folder.as_ref(), jobs.parse()?, seconds.parse()?).await
            }
            ["idle", folder, jobs, seconds] => idle(folder.as_ref(), jobs.parse()?, seconds.parse()?).await,
            ["files", folder, files, documents] => {
                files_of(folder.into(), files.parse()?, documents.parse()?)
            }
            _ => Err("usage: scheduler load|burst|stream|idle|files FOLDER NUMBERS".into()),
        }
    })
}

/// Which expressions the jobs have.
#[derive(Clone, Copy)]
enum Kind {
    /// `M H * * *`: 1,440 of them.
    Repeated,
    /// `M H D * W`, each once, up to 282,240 jobs.
    Distinct,
    /// `M H 1 MONTH *`, in half a year.
    NotDue(i8),
}

impl std::str::FromStr for Kind {
    type Err = Failed;

    fn from_str(text: &str) -> Result<Kind, Failed> {
        match text {
            "repeated" => Ok(Kind::Repeated),
            "distinct" => Ok(Kind::Distinct),
            _ => Err("expressions are repeated or distinct".into()),
        }
    }
}

impl Kind {
    fn expression(self, number: usize) -> String {
        let (minute, hour) = (number % 60, number / 60 % 24);
        match self {
            Kind::Repeated => format!("{minute} {hour} * * *"),
            Kind::Distinct => {
                format!("{minute} {hour} {} * {}", 1 + number / 1440 % 28, number / (1440 * 28) % 7)
            }
            Kind::NotDue(month) => format!("{minute} {hour} 1 {month} *"),
        }
    }

    fn entries(self, jobs: usize, work: &Arc<Nothing>) -> Result<Vec<Entry>, Failed> {
        let zone = TimeZone::get(ZONE)?;
        let schedule = |number| -> Result<Schedule, Failed> {
            let cron = Cron::parse(&self.expression(number)).map_err(|error| error.title)?;
            Ok(Schedule::cron(cron, zone.clone(), Dst::default()))
        };
        (0..jobs).map(|number| Ok(entry(number, schedule(number)?, work))).collect()
    }
}

fn entry(number: usize, schedule: Schedule, work: &Arc<Nothing>) -> Entry {
    Entry {
        name: format!("job-{number}").into(),
        schedules: vec![schedule],
        policy: Arc::new(RunPolicy::default()),
        account: format!("account-{}", number % 25).into(),
        work: Arc::<Nothing>::clone(work),
    }
}

/// Notes when it was started, and is done.
struct Nothing {
    clocks: Clocks,
    starts: Mutex<Vec<(Timestamp, Duration)>>,
}

impl Work for Nothing {
    fn run(self: Arc<Self>, order: Order) -> BoxFuture<'static, Done> {
        async move {
            let now = self.clocks.wall();
            let late = Duration::try_from(now.duration_since(order.due)).unwrap_or_default();
            self.starts.lock().unwrap_or_else(PoisonError::into_inner).push((order.due, late));
            Done { ended: Ended::Ran, record: Box::new(RunRecord::bare(order.run, "", "done", now, now)) }
        }
        .boxed()
    }
}

impl Nothing {
    fn new() -> Arc<Nothing> {
        Arc::new(Nothing { clocks: Clocks::system(), starts: Mutex::default() })
    }

    fn starts(&self) -> Vec<(Timestamp, Duration)> {
        self.starts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A scheduler that serves, as `exorun serve` sets it up.
struct Served {
    clocks: Clocks,
    stop: Stop,
    handle: Handle,
    task: JoinHandle<Result<Drained, ServeError>>,
}

impl Served {
    async fn begin(folder: &Path) -> Result<Served, Failed> {
        let clocks = Clocks::system();
        let history = History::open_exclusively(&folder.join("history.db"))?;
        let now = clocks.wall();
        let recovered = history.with(move |book| book.recover(now)).await?;
        let metrics = Metrics::new(Peer::Emulator);
        metrics.schedules();
        let patience = Duration::from_secs(10);
        let parts = Parts { history, clocks: clocks.clone(), metrics, limits: LIMITS, patience };
        let scheduler = Scheduler::new(parts, recovered);
        let (stop, handle) = (Stop::new(), scheduler.handle());
        let asked = stop.clone();
        let task = TaskTracker::new().spawn(async move { scheduler.serve(&asked).await });
        Ok(Served { clocks, stop, handle, task })
    }

    /// All jobs there are; how long it took until they were scheduled.
    async fn load(&self, entries: Vec<Entry>) -> Result<Duration, Failed> {
        let (jobs, began) = (entries.len(), self.clocks.boot());
        self.handle.load(Load { entries, removed: Vec::new(), is_all: true }).await;
        let took = self.clocks.boot().since(began);
        let held = self.handle.look(move |jobs_of| jobs_of.views(None, usize::MAX).len()).await;
        match held {
            Some(held) if held == jobs => Ok(took),
            _ => Err(format!("of {jobs} jobs {held:?} are scheduled").into()),
        }
    }

    async fn end(self) -> Result<(), Failed> {
        self.stop.ask();
        let drained = self.task.await??;
        match drained == Drained::default() {
            true => Ok(()),
            false => Err(format!("not drained: {drained:?}").into()),
        }
    }
}

async fn load(folder: &Path, jobs: usize, kind: Kind) -> Result<(), Failed> {
    let clocks = Clocks::system();
    let began = clocks.boot();
    let entries = kind.entries(jobs, &Nothing::new())?;
    let parsed = clocks.boot().since(began);
    let served = Served::begin(folder).await?;
    let loaded = served.load(entries).await?;
    let peak = peak_kilobytes()?;
    served.end().await?;
    println!("parsed {:.2} s, loaded {:.2} s, peak {:.1} MB", secs(parsed), secs(loaded), peak / 1024.0);
    Ok(())
}

async fn burst(folder: &Path, jobs: usize) -> Result<(), Failed> {
    let work = Nothing::new();
    let served = Served::begin(folder).await?;
    let clocks = served.clocks.clone();
    // Not in the middle of the second in which it is due.
    let half = Duration::from_millis(500);
    let since = Duration::try_from(clocks.wall().duration_since(Timestamp::UNIX_EPOCH))?.as_millis() as u64;
    let period = BURST_PERIOD * 1000;
    clocks.sleep(Duration::from_millis(period - since % period) + half).await;
    let every = || Schedule::every(Duration::from_secs(BURST_PERIOD));
    let entries = (0..jobs).map(|number| Ok(entry(number, every()?, &work)));
    served.load(entries.collect::<Result<_, Failed>>()?).await?;
    clocks.sleep(Duration::from_secs(BURST_PERIOD) * BURSTS as u32).await;
    let starts = work.starts();
    served.end().await?;
    if starts.len() != jobs * BURSTS {
        return Err(format!("{} started, not {} times {jobs}", starts.len(), BURSTS).into());
    }
    let mut last = std::collections::BTreeMap::<Timestamp, Duration>::new();
    for (due, late) in starts {
        last.entry(due).and_modify(|last| *last = late.max(*last)).or_insert(late);
    }
    let last: Vec<String> = last.values().map(|late| format!("{:.0}", late.as_secs_f64() * 1e3)).collect();
    println!("last of {jobs} after {} ms", last.join(", "));
    Ok(())
}

async fn stream(folder: &Path, jobs: usize, seconds: u64) -> Result<(), Failed> {
    let work = Nothing::new();
    let served = Served::begin(folder).await?;
    let every = || Schedule::every(Duration::from_secs(1));
    let entries = (0..jobs).map(|number| Ok(entry(number, every()?, &work)));
    served.load(entries.collect::<Result<_, Failed>>()?).await?;
    served.clocks.sleep(Duration::from_secs(seconds)).await;
    let mut late: Vec<Duration> = work.starts().into_iter().map(|(_, late)| late).collect();
    served.end().await?;
    let asked_for = jobs as u64 * seconds;
    if (late.len() as u64) + (jobs as u64) < asked_for {
        return Err(format!("{} started of {asked_for}", late.len()).into());
    }
    late.sort_unstable();
    let at = |share: f64| late[((late.len() as f64 * share).ceil() as usize).clamp(1, late.len()) - 1];
    let [half, most, all] = [0.5, 0.99, 1.0].map(|share| at(share).as_secs_f64() * 1e3);
    println!("{} started; late by p50 {half:.1}, p99 {most:.1}, max {all:.1} ms", late.len());
    Ok(())
}

async fn idle(folder: &Path, jobs: usize, seconds: u64) -> Result<(), Failed> {
    let work = Nothing::new();
    let served = Served::begin(folder).await?;
    let month = (served.clocks.wall().to_zoned(TimeZone::UTC).month() + 5) % 12 + 1;
    served.load(Kind::NotDue(month).entries(jobs, &work)?).await?;
    // What loading has left to do is no idleness.
    served.clocks.sleep(Duration::from_secs(2)).await;
    let (used, began) = (processor_time(), served.clocks.boot());
    served.clocks.sleep(Duration::from_secs(seconds)).await;
    let share = secs(processor_time() - used) / secs(served.clocks.boot().since(began));
    served.end().await?;
    if !work.starts().is_empty() {
        return Err("a job was due".into());
    }
    println!("{:.3} percent of a core over {seconds} s", share * 100.0);
    Ok(())
}

/// Only that part of it which reads files: what is made of them is handed over as in `load`.
fn files_of(folder: PathBuf, files: usize, documents: usize) -> Result<(), Failed> {
    for file in 0..files {
        let numbers = file * documents..(file + 1) * documents;
        let text: Vec<String> = numbers.map(document).collect();
        std::fs::write(folder.join(format!("jobs-{file}.yaml")), text.join("---\n"))?;
    }
    let clocks = Clocks::system();
    let mut jobs = Folder::new(vec![folder]);
    let mut look = |how| {
        let began = clocks.boot();
        let look = jobs.look(how, &|_| Ok(()));
        (secs(clocks.boot().since(began)), look)
    };
    let (first, all) = look(How::All);
    let peak = peak_kilobytes()? / 1024.0;
    if all.changed.len() != files * documents || !all.newly_broken.is_empty() {
        let broken = all.newly_broken.first().map(|broken| broken.why.clone()).unwrap_or_default();
        return Err(format!("{} jobs of {}: {broken}", all.changed.len(), files * documents).into());
    }
    let (again, same) = look(How::Changed);
    if !same.is_empty() {
        return Err("something has changed by itself".into());
    }
    println!("read {first:.1} s, looked at again {again:.3} s, peak {peak:.0} MB");
    Ok(())
}

fn document(number: usize) -> String {
    let expression = Kind::Repeated.expression(number);
    format!(
        "version: 1\nname: job-{number}\ntenant: contoso.onmicrosoft.com\nenvironment: O365Default\nauth:\n  \
         method: client_secret\n  client_id: 11111111-2222-3333-4444-555555555555\n  credential:\n    \
         env: EXORUN_CLIENT_SECRET\nservice: ExchangeOnline\nschedules:\n  - cron: {expression}\n    \
         time_zone: {ZONE}\nsteps:\n  - name: look\n    cmdlet: Get-Mailbox\n    parameters:\n      ResultSize: 10\n"
    )
}

fn secs(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

fn processor_time() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), u32::try_from(used.tv_nsec).unwrap_or_default())
}

fn peak_kilobytes() -> Result<f64, Failed> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
