//! A token in hand: what is known of it, and when something is to be done about it.

use std::sync::Arc;
use std::time::Duration;

use super::door::Door;
use crate::rules::renewal::{Life, Tend};
use crate::rules::time::BootTime;

/// Between two tries to renew or replace a token that is still good: a quarter of what is left of it, in these bounds.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// A token that a login gave, or a file.
pub(super) struct Held {
    pub(super) door: Arc<Door>,
    pub(super) accessor: String,
    /// Which login gave it.
    pub(super) login: u64,
    /// When its life was granted.
    pub(super) since: BootTime,
    /// `None`: it does not end, as far as is known.
    pub(super) life: Option<Life>,
    pub(super) revocable: bool,
    /// It was refused, and does not know itself any more.
    pub(super) dead: bool,
    /// Nothing is tried before, because the last try failed.
    pub(super) not_before: Option<BootTime>,
}

/// The way in, for one request.
pub(super) struct Lent {
    pub(super) door: Arc<Door>,
    pub(super) login: u64,
}

impl Held {
    pub(super) fn tend(&self, now: BootTime) -> Tend {
        match self.life {
            _ if self.dead => Tend::Over,
            Some(life) => life.tend(now.since(self.since)),
            None => Tend::Use,
        }
    }

    pub(super) fn lent(&self) -> Lent {
        Lent { door: Arc::clone(&self.door), login: self.login }
    }

    /// When something is to be done about it.
    pub(super) fn due(&self) -> Option<BootTime> {
        // A token whose file is not replaced is looked at ever more often towards its end; not more often than this.
        let due = self.since + self.life?.due().max(PAUSE_MIN);
        Some(self.not_before.map_or(due, |pause| pause.max(due)))
    }

    pub(super) fn pause(&mut self, now: BootTime) {
        let left = self.life.map_or(PAUSE_MAX, |life| life.granted.saturating_sub(now.since(self.since)));
        self.not_before = Some(now + (left / 4).clamp(PAUSE_MIN, PAUSE_MAX));
    }
}
