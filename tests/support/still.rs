//! Time that stands still while bytes travel.
//!
//! tokio's paused time jumps ahead whenever a test waits, also for a socket, and every time-out would fire. It does not
//! while something blocks: so something does, and only the test lets time pass (`tokio::time::advance`).

use std::sync::mpsc::{Receiver, Sender, channel};

/// As long as it lives, time passes only by `tokio::time::advance`.
pub(crate) struct Still(Option<Sender<()>>);

impl Still {
    /// From now on. The test's runtime has one thread, and its time is paused.
    pub(crate) async fn now() -> Still {
        let (sender, receiver): (Sender<()>, Receiver<()>) = channel();
        let (started, blocks) = tokio::sync::oneshot::channel();
        tokio::task::spawn_blocking(move || {
            let _ = started.send(());
            let _ = receiver.recv();
        });
        blocks.await.expect("it starts");
        Still(Some(sender))
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}
