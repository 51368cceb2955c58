//! A simulated process: killed, nothing of it does anything any more.

use std::future::Future;

use tokio_util::sync::CancellationToken;

#[derive(Clone, Default)]
pub(crate) struct Process(CancellationToken);

impl Process {
    pub(crate) fn new() -> Process {
        Process::default()
    }

    /// SIGKILL: what is under way in it never ends, what it would do has no effect.
    pub(crate) fn kill(&self) {
        self.0.cancel();
    }

    pub(crate) fn alive(&self) -> bool {
        !self.0.is_cancelled()
    }

    /// Returns when the process is killed.
    pub(crate) async fn dead(&self) {
        self.0.cancelled().await;
    }

    /// Goes on as long as the process lives; hangs for ever once it is dead.
    pub(crate) async fn live<T>(&self, work: impl Future<Output = T>) -> T {
        let done = tokio::select! {
            biased;
            () = self.0.cancelled() => None,
            done = work => Some(done),
        };
        match done {
            Some(done) if self.alive() => done,
            _ => std::future::pending().await,
        }
    }
}
