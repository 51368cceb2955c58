//! A simulated process: killed, nothing of it does anything any more; stopped, nothing until it goes on.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use tokio_util::sync::CancellationToken;

#[derive(Clone, Default)]
pub(crate) struct Process {
    killed: CancellationToken,
    /// Who is to be woken when it goes on, while it is stopped.
    stopped: Arc<Mutex<Option<Vec<Waker>>>>,
    stops: Arc<AtomicU32>,
}

impl Process {
    pub(crate) fn new() -> Process {
        Process::default()
    }

    /// SIGKILL: what is under way in it never ends, what it would do has no effect.
    pub(crate) fn kill(&self) {
        self.killed.cancel();
    }

    /// SIGSTOP: nothing of it runs; its clocks do.
    pub(crate) fn stop(&self) {
        self.stops.fetch_add(1, Ordering::SeqCst);
        self.stopped.lock().unwrap().get_or_insert_default();
    }

    /// SIGCONT: everything runs on that had reason to meanwhile.
    pub(crate) fn go_on(&self) {
        let wakers = self.stopped.lock().unwrap().take();
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// How often it was stopped.
    pub(crate) fn stops(&self) -> u32 {
        self.stops.load(Ordering::SeqCst)
    }

    pub(crate) fn alive(&self) -> bool {
        !self.killed.is_cancelled()
    }

    /// Returns when the process is killed.
    pub(crate) async fn dead(&self) {
        self.killed.cancelled().await;
    }

    /// A part of the process: it does not run while the process is stopped.
    pub(crate) async fn running<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Some(wakers) = &mut *self.stopped.lock().unwrap() {
                wakers.push(context.waker().clone());
                return Poll::Pending;
            }
            work.as_mut().poll(context)
        })
        .await
    }

    /// Goes on as long as the process lives, stands still while it is stopped; hangs for ever once it is dead.
    pub(crate) async fn live<T>(&self, work: impl Future<Output = T>) -> T {
        let done = tokio::select! {
            biased;
            () = self.killed.cancelled() => None,
            done = self.running(work) => Some(done),
        };
        match done {
            Some(done) if self.alive() => done,
            _ => std::future::pending().await,
        }
    }
}
