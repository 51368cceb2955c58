//! The folder of one account: its files, their locks, and errors that name the place and the mend.
//!
//! ```text
//! <dir>/<hash of the account>/account.json   whose slots these are, for people and for listings
//!                             slot-1.lock    locked by the kernel as long as its holder's process lives
//!                             slot-1.json    the record; written beside and renamed, by the lock's owner only
//!                             opens.lock     locked while opens.json is changed
//!                             opens.json     when sessions were opened lately, who waits, a lowered limit
//! ```
//! Files are never removed: a lock on a file that has lost its name would keep nobody out.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::disk;
use super::record::{Record, VERSION, version};
use super::sharing::Sharing;
use super::{AccountKey, SlotError};

/// More than any record of ours takes. The largest is `opens.json`: 6,000 opens (the most that `opens_per_minute` can be)
/// of 13 digits and a comma are 82 KiB, 400 who wait (`waiting::LENGTH_MAX`) of 80 bytes are 32 KiB. A longer id or a
/// host that runs for centuries has room.
const RECORD_BYTES_MAX: u64 = 512 * 1024;

/// A file that we write to or lock is opened itself, and not what a link in its place leads to.
const NO_LINK: i32 = OFlags::NOFOLLOW.bits().cast_signed();

/// `account.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredAccount {
    pub(super) version: u32,
    pub(super) cloud: String,
    pub(super) tenant_id: String,
    pub(super) object_id: String,
}

/// Whether a write must survive a power cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Durably {
    /// Before a session is opened on the strength of it.
    Yes,
    /// Forgotten, it errs to the safe side.
    No,
}

#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    sharing: Sharing,
}

impl Folder {
    /// The folder of `account` under `dir`, without touching it.
    pub(super) fn of(dir: &Path, account: &AccountKey, sharing: Sharing) -> Folder {
        Folder { path: dir.join(account.digest()), sharing }
    }

    pub(super) fn at(path: PathBuf, sharing: Sharing) -> Folder {
        Folder { path, sharing }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder, and `account.json` where it is missing or does not name `account`: torn by a power cut, it would
    /// hide the account from listings.
    pub(super) fn prepare(&self, account: &AccountKey) -> Result<(), SlotError> {
        make_dir(&self.path, self.sharing)?;
        let path = self.path.join("account.json");
        if read(&path)?.is_some_and(|text| names(&text, account)) {
            return Ok(());
        }
        let AccountKey { cloud, tenant_id, object_id } = account.clone();
        let stored = StoredAccount { version: VERSION, cloud, tenant_id, object_id };
        let text = serde_json::to_vec_pretty(&stored).expect("strings and a number");
        let write = || -> io::Result<()> {
            // Two processes may write it at once, with the same content: a temporary name of its own for each.
            let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
            file.write_all(&text)?;
            self.sharing.share_file(file.as_file())?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            File::open(&self.path)?.sync_all()?;
            // The folder is new too, or was.
            self.path.parent().map_or(Ok(()), |above| File::open(above)?.sync_all())
        };
        write().map_err(|error| failure(&path, "cannot be written", &error))
    }

    pub(super) fn account(&self) -> Result<Option<AccountKey>, SlotError> {
        let Some(text) = read(&self.path.join("account.json"))? else { return Ok(None) };
        let stored = serde_json::from_slice::<StoredAccount>(&text).ok();
        Ok(stored.map(|StoredAccount { cloud, tenant_id, object_id, .. }| AccountKey {
            cloud,
            tenant_id,
            object_id,
        }))
    }

    /// The slots with a record and a number above `limit`, in their order: of a limit that was higher, or is elsewhere.
    pub(super) fn slots_above(&self, limit: u32) -> Result<Vec<u32>, SlotError> {
        let cannot = |error| failure(&self.path, "cannot be read", &error);
        let mut slots = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(cannot)? {
            let name = entry.map_err(cannot)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("slot-")?.strip_suffix(".json"));
            // `07` is another name than `7`.
            let number =
                number.and_then(|text| text.parse().ok().filter(|parsed: &u32| parsed.to_string() == text));
            slots.extend(number.filter(|number| *number > limit));
        }
        slots.sort_unstable();
        Ok(slots)
    }

    pub(super) fn record(&self, slot: u32) -> Result<Record, SlotError> {
        let path = self.path.join(format!("slot-{slot}.json"));
        match read(&path)?.map_or(Record::Absent, |text| Record::parse(&text)) {
            Record::Newer(version) => Err(newer(&path, version)),
            record => Ok(record),
        }
    }

    /// Replaces the record of `slot`; only its lock's owner may. Readers see the old one or the new one.
    pub(super) fn write_record(&self, slot: u32, text: &[u8], durably: Durably) -> Result<(), SlotError> {
        self.replace(&format!("slot-{slot}.json"), text, durably)
    }

    pub(super) fn opens(&self) -> Result<Option<Vec<u8>>, SlotError> {
        read(&self.path.join("opens.json"))
    }

    pub(super) fn write_opens(&self, text: &[u8]) -> Result<(), SlotError> {
        self.replace("opens.json", text, Durably::No)
    }

    /// Locks a slot if nobody has it locked.
    pub(super) fn lock_slot(&self, slot: u32) -> Result<Option<File>, SlotError> {
        self.lock(&self.slot_lock(slot))
    }

    /// Locks the opens record if nobody has it locked.
    pub(super) fn lock_opens(&self) -> Result<Option<File>, SlotError> {
        self.lock(&self.path.join("opens.lock"))
    }

    /// Whether `lock` is still the lock of `slot`, and not of a file that was removed or replaced.
    pub(super) fn is_lock_of(&self, lock: &File, slot: u32) -> bool {
        same_file(lock, &self.slot_lock(slot))
    }

    fn slot_lock(&self, slot: u32) -> PathBuf {
        self.path.join(format!("slot-{slot}.lock"))
    }

    fn lock(&self, path: &Path) -> Result<Option<File>, SlotError> {
        // The file is opened anew each time: the kernel ties a lock to the opening, also within one process.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(self.sharing.file_mode())
            .custom_flags(NO_LINK)
            .open(path)
            .and_then(|file| self.sharing.share_file(&file).map(|()| file))
            .map_err(|error| failure(path, "cannot be opened", &error))?;
        match file.try_lock() {
            Ok(()) if same_file(&file, path) => Ok(Some(file)),
            // Removed and made anew meanwhile: busy for now.
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failure(path, "cannot be locked", &error)),
        }
    }

    fn replace(&self, name: &str, text: &[u8], durably: Durably) -> Result<(), SlotError> {
        let path = self.path.join(name);
        // One fixed name: its only writer has the lock, and a writer that was killed leaves no litter.
        let new = self.path.join(format!("{name}.new"));
        let write = || -> io::Result<()> {
            let mode = self.sharing.file_mode();
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(mode).custom_flags(NO_LINK);
            let mut file = options.open(&new)?;
            self.sharing.share_file(&file)?;
            file.write_all(text)?;
            if durably == Durably::Yes {
                file.sync_all()?;
            }
            std::fs::rename(&new, &path)?;
            if durably == Durably::Yes {
                File::open(&self.path)?.sync_all()?;
            }
            Ok(())
        };
        write().map_err(|error| failure(&path, "cannot be written", &error))
    }
}

/// Whether this `account.json` names `account`, or may do so in a newer format.
fn names(text: &[u8], account: &AccountKey) -> bool {
    if version(text).is_some_and(|version| version > VERSION) {
        return true;
    }
    serde_json::from_slice(text).is_ok_and(|StoredAccount { cloud, tenant_id, object_id, .. }| {
        AccountKey { cloud, tenant_id, object_id }.digest() == account.digest()
    })
}

/// Makes a folder, and those above it, for this user or for those who share it.
fn make_dir(path: &Path, sharing: Sharing) -> Result<(), SlotError> {
    let made = DirBuilder::new().recursive(true).mode(sharing.dir_mode()).create(path);
    made.and_then(|()| sharing.share_dir(path)).map_err(|error| failure(path, "cannot be made", &error))
}

/// Fails now if a session would fail later: makes `dir` and a file in it. Says who shares it.
pub(super) fn check(dir: &Path) -> Result<Sharing, SlotError> {
    make_dir(dir, Sharing::Own)?;
    if let Some(kind) = disk::shared_with_other_hosts(dir) {
        let reason = format!(
            "lies on a network file system ({kind}), where other hosts do not see this one's locks; name a folder on a local \
             disk (setting `state_dir`), or use `slot_store: kubernetes`"
        );
        return Err(SlotError::Store { place: dir.display().to_string(), reason });
    }
    tempfile::tempfile_in(dir)
        .and_then(|_| std::fs::metadata(dir))
        .map(|metadata| Sharing::of(&metadata))
        .map_err(|error| failure(dir, "cannot be written to", &error))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, SlotError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure(path, "cannot be read", &error)),
    };
    let mut text = Vec::new();
    let read = file.take(RECORD_BYTES_MAX).read_to_end(&mut text);
    read.map_err(|error| failure(path, "cannot be read", &error))?;
    Ok(Some(text))
}

fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(ours), Ok(theirs)) => (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino()),
        _ => false,
    }
}

pub(super) fn newer(path: &Path, version: u32) -> SlotError {
    SlotError::Store {
        place: path.display().to_string(),
        reason: format!(
            "format {version} was written by a newer exorun, this one knows {VERSION}: \
             use one version on a host, or another folder for sessions"
        ),
    }
}

pub(super) fn failure(path: &Path, what: &str, error: &io::Error) -> SlotError {
    let mend = match error.kind() {
        ErrorKind::PermissionDenied => "let this user write there, or name another folder for sessions",
        ErrorKind::ReadOnlyFilesystem => "name a folder for sessions on a writable file system",
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "a part of the path is a file: name a folder for sessions"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space there",
        _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            "a link stands in its place: see who has put it there, and remove it"
        }
        ErrorKind::Unsupported => "file locks do not work there: name a folder on a local file system",
        _ => "see that the folder for sessions is on a healthy local file system",
    };
    SlotError::Store { place: path.display().to_string(), reason: format!("{what} ({error}); {mend}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_is_told_with_its_mend() {
        for errno in [Errno::NOSPC, Errno::DQUOT] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            let text = failure(Path::new("/var/lib/slot-2.json"), "cannot be written", &error).to_string();
            assert!(text.contains("slot-2.json") && text.ends_with("free some space there"), "{text}");
        }
    }
}
