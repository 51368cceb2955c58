//! A job as others see it.

use jiff::Timestamp;

use super::dispatcher::Dispatcher;
use super::held::Held;

/// What the dispatcher knows of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView {
    /// Its name.
    pub name: String,
    /// Its schedules, in canonical form, with the next due time of each.
    pub schedules: Vec<(String, Option<Timestamp>)>,
    /// Its next due time; nothing if there is none.
    pub next_due: Option<Timestamp>,
    /// Runs that have begun and not ended.
    pub running: u32,
    /// Occurrences that have come and not started.
    pub waiting: usize,
    /// Whether its occurrences are skipped.
    pub is_suspended: bool,
}

impl Dispatcher {
    /// Up to `limit` jobs whose names come after `after`, in the order of their names.
    pub fn views(&self, after: Option<&str>, limit: usize) -> Vec<JobView> {
        let names = self.names.iter().filter(|(name, _)| after.is_none_or(|after| ***name > *after));
        names.filter_map(|(_, key)| self.held(*key)).take(limit).map(view).collect()
    }

    /// When the job of this name is due next.
    pub(super) fn next_due(&self, name: &str) -> Option<Timestamp> {
        self.names.get(name).and_then(|key| self.held(*key)).and_then(Held::next_due)
    }

    /// When the oldest occurrence of the job of this name that waits was due.
    pub(super) fn oldest_waiting(&self, name: &str) -> Option<Timestamp> {
        let held = self.names.get(name).and_then(|key| self.held(*key))?;
        held.waiting.iter().map(|waiting| waiting.occurrence.due).min()
    }

    /// The job of this name.
    pub fn view(&self, name: &str) -> Option<JobView> {
        self.names.get(name).and_then(|key| self.held(*key)).map(view)
    }
}

fn view(held: &Held) -> JobView {
    JobView {
        name: held.name.to_string(),
        schedules: held.lines.iter().map(|line| (line.schedule.canonical(), line.next)).collect(),
        next_due: held.next_due(),
        running: held.running,
        waiting: held.waiting.len(),
        is_suspended: held.policy.suspend,
    }
}
