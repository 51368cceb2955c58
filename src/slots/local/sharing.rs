//! Who else may use the folder: nobody, or the users of its group.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use rustix::process::geteuid;

/// As the folder's own mode says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Its user alone.
    Own,
    /// The users of that group too: the folder is writable for it.
    Group(u32),
}

impl Sharing {
    pub(super) fn of(folder: &Metadata) -> Sharing {
        if folder.mode() & 0o020 == 0 { Sharing::Own } else { Sharing::Group(folder.gid()) }
    }

    pub(super) fn file_mode(self) -> u32 {
        match self {
            Sharing::Own => 0o600,
            Sharing::Group(_) => 0o660,
        }
    }

    pub(super) fn dir_mode(self) -> u32 {
        match self {
            Sharing::Own => 0o700,
            Sharing::Group(_) => 0o770,
        }
    }

    /// Gives a file of ours to those who share the folder: a umask, or a group of ours that is another, may have kept it
    /// from them.
    pub(super) fn share_file(self, file: &File) -> io::Result<()> {
        let Sharing::Group(group) = self else { return Ok(()) };
        let metadata = file.metadata()?;
        if metadata.uid() != geteuid().as_raw() {
            return Ok(());
        }
        if metadata.gid() != group {
            fchown(file, None, Some(group))?;
        }
        if metadata.mode() & 0o777 != self.file_mode() {
            file.set_permissions(Permissions::from_mode(self.file_mode()))?;
        }
        Ok(())
    }

    /// As [`Sharing::share_file`], for a folder.
    pub(super) fn share_dir(self, dir: &Path) -> io::Result<()> {
        let Sharing::Group(group) = self else { return Ok(()) };
        let metadata = std::fs::metadata(dir)?;
        if metadata.uid() != geteuid().as_raw() {
            return Ok(());
        }
        if metadata.gid() != group {
            std::os::unix::fs::chown(dir, None, Some(group))?;
        }
        if metadata.mode() & 0o777 != self.dir_mode() {
            std::fs::set_permissions(dir, Permissions::from_mode(self.dir_mode()))?;
        }
        Ok(())
    }
}
