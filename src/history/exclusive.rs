//! One dispatcher a history: a lock of the kernel's on a file beside it, which ends with the process however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{HistoryError, open};

/// The right to dispatch by this history, for as long as it lives.
pub(super) struct Exclusive {
    /// Holds the lock while it is open.
    _lock: File,
}

impl Exclusive {
    pub(super) fn take(path: &Path) -> Result<Exclusive, HistoryError> {
        let file = open::absolute(path)?;
        // The history first, so that its folder is there.
        open::create(&file)?;
        let mut name = file.clone().into_os_string();
        name.push(".lock");
        let lock = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(Path::new(&name))
            .map_err(|error| open::of_io(&file, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Exclusive { _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                let what = "another `exorun serve` works by it; stop that one, or give this one a history of its own";
                Err(HistoryError::Locked { file, what: what.to_owned() })
            }
            Err(TryLockError::Error(error)) => Err(open::of_io(&file, &error)),
        }
    }
}
