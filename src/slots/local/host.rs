//! Which host this is, so that a folder which two hosts share is noticed: each would see the other's locks as free.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::folder;
use super::record::Stamp;
use crate::clocks::Clocks;
use crate::slots::SlotError;

/// This boot of this host.
pub(super) struct Host {
    /// Of the running kernel: the same in all containers of the host, another one after each restart.
    pub(super) boot_id: String,
    /// Survives a restart; not every image has one, and containers have none or one of their own.
    machine_id: Option<String>,
}

impl Host {
    pub(super) fn here() -> Result<Host, SlotError> {
        let path = Path::new("/proc/sys/kernel/random/boot_id");
        let boot_id =
            std::fs::read_to_string(path).map_err(|error| folder::failure(path, "cannot be read", &error))?;
        let machine_id = std::fs::read_to_string("/etc/machine-id").ok();
        let machine_id = machine_id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
        Ok(Host { boot_id: boot_id.trim().to_owned(), machine_id })
    }

    pub(super) fn stamp(&self, wall: Timestamp) -> Stamp {
        Stamp { boot_id: self.boot_id.clone(), machine_id: self.machine_id.clone(), written: Some(wall) }
    }

    /// Refuses a record that was surely written on another host: under another kernel, after this one had started.
    pub(super) fn check(&self, stamp: &Stamp, folder: &Path, clocks: &Clocks) -> Result<(), SlotError> {
        let uptime = SignedDuration::try_from(std::time::Duration::from_millis(clocks.boot().as_millis()));
        let booted = clocks.wall().saturating_sub(uptime.unwrap_or(SignedDuration::MAX));
        let Some(written) = self.is_foreign(stamp, booted.unwrap_or(Timestamp::MIN)) else { return Ok(()) };
        Err(SlotError::Store {
            place: folder.display().to_string(),
            reason: format!(
                "another host wrote here at {written:.0}: hosts do not see each other's file locks, so each would open all of \
                 the account's sessions; name a folder on a local disk of each host and split the setting `session_limit` \
                 between them, or use `slot_store: kubernetes`. If that was this host before its clock was set back, remove \
                 the folder while no run works"
            ),
        })
    }

    /// When another host wrote that, if one did. This one was started at `booted`.
    fn is_foreign(&self, stamp: &Stamp, booted: Timestamp) -> Option<Timestamp> {
        let same_machine = self.machine_id.is_some() && self.machine_id == stamp.machine_id;
        if stamp.boot_id == self.boot_id || same_machine {
            return None;
        }
        stamp.written.filter(|written| booted < *written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(boot_id: &str, machine_id: Option<&str>) -> Host {
        Host { boot_id: boot_id.to_owned(), machine_id: machine_id.map(str::to_owned) }
    }

    #[test]
    fn a_restarted_host_is_itself_and_another_one_is_not() {
        let booted: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let (before, after) =
            (booted - SignedDuration::from_hours(1), booted + SignedDuration::from_hours(1));
        let here = host("b", Some("m"));
        let foreign = |of: Host, written| here.is_foreign(&of.stamp(written), booted).is_some();
        assert!(!foreign(host("b", Some("other container")), after), "one kernel");
        assert!(!foreign(host("a", Some("m")), after), "restarted, and its clock was set back");
        assert!(!foreign(host("a", None), before), "restarted");
        assert!(foreign(host("a", None), after));
        assert!(foreign(host("a", Some("n")), after));
        let old = Stamp { boot_id: "a".to_owned(), machine_id: None, written: None };
        assert!(here.is_foreign(&old, booted).is_none(), "a record of the first version says nothing");
    }
}
