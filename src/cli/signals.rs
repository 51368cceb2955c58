//! SIGTERM, SIGINT and SIGHUP: the first asks, the second insists, and so does the end of the grace.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::runner::stop::Stop;

use super::start::refuse;

/// What SIGHUP means.
pub(super) enum Hangup {
    /// The terminal is gone: the run is asked to stop.
    Stops,
    /// As for every service: job files are to be read again.
    Reloads(Arc<Notify>),
}

/// Listens from now on; `stop` hears of every signal.
///
/// # Errors
/// If the handlers cannot be installed. Without them SIGTERM would end the process with its sessions open.
pub(super) fn listen(stop: Stop, grace: Duration, clocks: Clocks) -> Result<(), Exit> {
    listen_with(Hangup::Stops, stop, grace, clocks)
}

/// The same, for who means something else by SIGHUP.
pub(super) fn listen_with(meant: Hangup, stop: Stop, grace: Duration, clocks: Clocks) -> Result<(), Exit> {
    let failed = |error: std::io::Error| refuse(&format!("signal handlers cannot be installed: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    // A write beyond the limit of a file's size comes with a signal that ends the process, with its sessions open.
    // Once there is a handler, and it stays for good, the write fails as any other does.
    drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map_err(failed)?);
    // A terminal that is closed sends it; who said `nohup` wants the run to go on.
    let mut hangup = match is_ignored(Signal::HUP) {
        true => None,
        false => Some(signal(SignalKind::hangup()).map_err(failed)?),
    };
    if let Hangup::Reloads(reload) = meant
        && let Some(mut signals) = hangup.take()
    {
        TaskTracker::new().spawn(async move {
            while signals.recv().await.is_some() {
                reload.notify_one();
            }
        });
    }
    // It listens as long as the process lives: nobody waits for it.
    TaskTracker::new().spawn(async move {
        let mut next = async || tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            () = received(hangup.as_mut()) => "SIGHUP",
        };
        let name = next().await;
        warn!(signal = name, grace_ms = grace.as_millis() as u64, "asked to stop: what is in hand ends first");
        stop.ask();
        tokio::select! {
            name = next() => warn!(signal = name, "asked again: what is in hand is given up, and sessions are closed"),
            () = clocks.sleep(grace) => warn!("the grace is over: what is in hand is given up, and sessions are closed"),
        }
        stop.insist();
    });
    Ok(())
}

async fn received(signals: Option<&mut unix::Signal>) {
    match signals {
        Some(signals) => drop(signals.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether the process was started with `signal` ignored.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}
