//! A history that cannot be written: nothing new starts, and nothing that was decided is forgotten.

use std::time::Duration;

use tracing::{error, info};

use super::turn::Turn;
use crate::clocks::Clocks;
use crate::history::HistoryError;
use crate::observe::metrics::Metrics;
use crate::rules::duration::show_about;
use crate::rules::time::BootTime;

/// The first pause before the history is tried again, and the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// What could not be written, and when to try again.
#[derive(Default)]
pub(super) struct Stall(Option<Stalled>);

struct Stalled {
    turn: Turn,
    since: BootTime,
    pause: Duration,
    retry_at: BootTime,
}

impl Stall {
    pub(super) fn is_stalled(&self) -> bool {
        self.0.is_some()
    }

    /// How long until the next try; nothing if all is well.
    pub(super) fn retry_in(&self, clocks: &Clocks) -> Option<Duration> {
        self.0.as_ref().map(|stalled| stalled.retry_at.since(clocks.boot()))
    }

    /// Whether a try is due, or nothing keeps anybody from writing.
    pub(super) fn may_write(&self, clocks: &Clocks) -> bool {
        self.0.as_ref().is_none_or(|stalled| stalled.retry_at <= clocks.boot())
    }

    /// What is to be written first, with what has happened since.
    pub(super) fn take(&mut self) -> Turn {
        self.0.as_mut().map(|stalled| std::mem::take(&mut stalled.turn)).unwrap_or_default()
    }

    /// It waits on.
    pub(super) fn keep(&mut self, turn: Turn) {
        if let Some(stalled) = &mut self.0 {
            stalled.turn = turn;
        }
    }

    /// `turn` could not be written. The log hears of the first time only.
    pub(super) fn begin(&mut self, turn: Turn, error: &HistoryError, clocks: &Clocks, metrics: &Metrics) {
        metrics.history_failed(error.kind());
        let now = clocks.boot();
        let (since, pause) = match &self.0 {
            Some(stalled) => (stalled.since, (stalled.pause * 2).min(PAUSE_MAX)),
            None => {
                error!(%error, kind = error.kind(), "the history cannot be written: no run starts until it can");
                (now, PAUSE_FIRST)
            }
        };
        self.0 = Some(Stalled { turn, since, pause, retry_at: now + pause });
    }

    /// Something was written.
    pub(super) fn over(&mut self, clocks: &Clocks, metrics: &Metrics) {
        if let Some(stalled) = self.0.take() {
            metrics.history_works();
            let lasted = show_about(clocks.boot().since(stalled.since));
            info!("the history can be written again, after {lasted}; nothing that was decided is lost");
        }
    }
}
