//! The folder where the host's runs share their slots: which one, and whether it can be trusted.

use std::fs::{DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("state_dir {}: {reason}; name another folder", dir.display())]
pub struct StateDirError {
    /// The folder.
    pub dir: PathBuf,
    /// In one line.
    pub reason: String,
}

/// The folder when no setting names one: the same for all of a user's processes on this host, however they were
/// started. `XDG_RUNTIME_DIR` is not that: a login has it, a cron job has not, and it is removed at logout together
/// with the records of quarantined slots. Each would count five sessions of its own.
pub(super) fn default() -> PathBuf {
    let user = rustix::process::geteuid();
    if user.is_root() {
        PathBuf::from("/run/exorun")
    } else {
        PathBuf::from(format!("/tmp/exorun-{}", user.as_raw()))
    }
}

/// Makes the folder if it is missing (mode 0700) and checks that nobody else can plant records in it.
///
/// # Errors
/// The folder cannot be made, is no folder, or others may write to it. A folder that is used by default must also
/// be the user's own, because anybody can make one in /tmp first.
pub fn prepare(dir: &Path) -> Result<(), StateDirError> {
    let refuse = |reason: String| Err(StateDirError { dir: dir.to_owned(), reason });
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    match made.and_then(|()| std::fs::symlink_metadata(dir)) {
        Ok(metadata) => check(dir, &metadata).or_else(refuse),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => refuse("is no folder".to_owned()),
        Err(error) => refuse(format!("cannot be made: {error}")),
    }
}

fn check(dir: &Path, metadata: &Metadata) -> Result<(), String> {
    let ours = rustix::process::geteuid().as_raw();
    if dir == default() {
        // The name is known to everybody: a link or a folder of somebody else is an attack or an accident.
        if metadata.is_symlink() {
            return Err("is a symbolic link".to_owned());
        }
        if metadata.uid() != ours {
            return Err(format!("belongs to user {}, we are user {ours}", metadata.uid()));
        }
    }
    let metadata = if metadata.is_symlink() {
        std::fs::metadata(dir).map_err(|error| format!("cannot be read: {error}"))?
    } else {
        metadata.clone()
    };
    if metadata.mode() & 0o002 != 0 {
        return Err("is writable by everybody".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::prepare;

    #[test]
    fn a_folder_is_made_private_and_a_public_one_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("a/state");
        prepare(&dir).unwrap();
        assert_eq!(std::fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        prepare(&dir).unwrap();

        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o777)).unwrap();
        let problem = prepare(&dir).unwrap_err().to_string();
        assert!(problem.contains("is writable by everybody"), "{problem}");

        let file = temp.path().join("file");
        std::fs::write(&file, "").unwrap();
        let problem = prepare(&file).unwrap_err().to_string();
        assert!(problem.contains("is no folder"), "{problem}");
    }
}
