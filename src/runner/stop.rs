//! Asking a run to stop: first politely, then at once.

use tokio_util::sync::CancellationToken;

/// The two ways to ask, shared by everything that runs.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    soon: CancellationToken,
    now: CancellationToken,
}

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// Nothing new is begun; the cmdlet in hand ends, then the sessions are closed.
    pub fn ask(&self) {
        self.soon.cancel();
    }

    /// The cmdlet in hand is not waited for either.
    pub fn insist(&self) {
        self.soon.cancel();
        self.now.cancel();
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.soon.is_cancelled()
    }

    /// What a call watches, so that it begins no further page or try.
    pub fn soon(&self) -> CancellationToken {
        self.soon.clone()
    }

    /// Waits until somebody asks. Cancel safe.
    pub async fn asked(&self) {
        self.soon.cancelled().await;
    }

    /// Waits until somebody insists. Cancel safe.
    pub async fn insisted(&self) {
        self.now.cancelled().await;
    }
}
