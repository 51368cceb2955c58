//! Files written whole: beside their place first, then moved there, so that a reader sees the old or the new one.
//!
//! Links are followed, so that a link stays one. What is no file (a device, a pipe, `/dev/stdout`) cannot be replaced
//! that way, and must not: root would put a file in the place of `/dev/null`. It is written to as it is.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, OFlags, accessat, fcntl_setfl};
use tempfile::NamedTempFile;

/// What an output of a run gets: what a tenant's objects say is nobody else's business.
pub const PRIVATE: u32 = 0o600;

/// What a file gets that people share, as an editor would make it.
pub const SHARED: u32 = 0o644;

/// Names of open streams. Where such a stream is a file, the file belongs to whoever opened it.
const STREAMS: [&str; 4] = ["/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/"];

/// A file that was not written; what was there before still is.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {source}")]
pub struct NotWritten {
    /// What was tried.
    pub step: &'static str,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}

/// Replaces the file at `path` by what `fill` writes; a new file has `mode`.
///
/// # Errors
/// [`NotWritten`]. A device or a pipe may have got a part then.
pub fn write_whole(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), NotWritten> {
    let failed = |step: &'static str| move |source: io::Error| NotWritten { step, source };
    let place = match place(path).map_err(failed("cannot be looked at"))? {
        Place::File(place) => place,
        Place::Stream => {
            let mut stream = open_stream(path).map_err(failed("cannot be opened"))?;
            return fill(&mut stream).map_err(failed("cannot be written"));
        }
    };
    let file = filled(&place, mode, fill)?;
    file.persist(&place).map_err(|error| failed("cannot be replaced")(error.error))?;
    Ok(())
}

/// Makes the file at `path` with what `fill` writes, with `mode`. What is there stays, whatever it is.
///
/// # Errors
/// [`NotWritten`], with [`io::ErrorKind::AlreadyExists`] if something is there.
pub fn create_whole(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), NotWritten> {
    let file = filled(path, mode, fill)?;
    let created = file.persist_noclobber(path);
    created.map(drop).map_err(|error| NotWritten { step: "cannot be made", source: error.error })
}

/// A file beside `place` with what `fill` writes.
fn filled(
    place: &Path,
    mode: u32,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<NamedTempFile, NotWritten> {
    let failed = |step: &'static str| move |source: io::Error| NotWritten { step, source };
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // In the same folder, because only there a rename replaces in one step; hidden and with a suffix of its own, so
    // that nobody who reads the folder's files takes it for one of them.
    let mut file = tempfile::Builder::new()
        .prefix(".exorun-")
        .suffix(".tmp")
        .permissions(Permissions::from_mode(PRIVATE))
        .tempfile_in(folder)
        .map_err(failed("cannot make a file in its folder"))?;
    fill(file.as_file_mut()).map_err(failed("cannot be written"))?;
    if mode != PRIVATE {
        // After creation: a mode given at creation would be cut by the umask.
        let permissions = Permissions::from_mode(mode);
        file.as_file().set_permissions(permissions).map_err(failed("cannot be made readable"))?;
    }
    file.as_file().sync_all().map_err(failed("cannot be written"))?;
    Ok(file)
}

/// Whether a file could be written to `path`, as far as that can be seen without writing. Missing folders count as made.
///
/// # Errors
/// Why not, in words that go behind the path.
pub fn look(path: &Path) -> io::Result<()> {
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "names a folder; name a file in it"));
    }
    let Place::File(place) = place(path)? else { return Ok(()) };
    match std::fs::metadata(path) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Err(error);
        }
        _ => {}
    }
    let folders = place.ancestors().skip(1);
    let folders = folders.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    // What is there without being a folder, such as a link that leads nowhere, is in the way of a new one.
    let there = folders.into_iter().find(|folder| std::fs::symlink_metadata(folder).is_ok());
    let there = there.unwrap_or(Path::new("."));
    if !std::fs::metadata(there).is_ok_and(|there| there.is_dir()) {
        let text = format!("{} is no folder; name another", there.display());
        return Err(io::Error::new(io::ErrorKind::NotADirectory, text));
    }
    accessat(CWD, there, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)?;
    Ok(())
}

enum Place {
    /// A file, or nothing yet: where it really is.
    File(PathBuf),
    /// Something that is only written to.
    Stream,
}

fn place(path: &Path) -> io::Result<Place> {
    if path.to_str().is_some_and(|path| STREAMS.iter().any(|stream| path.starts_with(stream))) {
        return Ok(Place::Stream);
    }
    match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => {
            Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder; name a file in it"))
        }
        Ok(there) if there.is_file() => path.canonicalize().map(Place::File),
        Ok(_) => Ok(Place::Stream),
        // Whatever else is wrong shows when the file is made.
        Err(_) => Ok(Place::File(path.to_owned())),
    }
}

/// A pipe that nobody reads is an error, not a wait that holds a session.
fn open_stream(path: &Path) -> io::Result<File> {
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    let stream = OpenOptions::new().append(true).custom_flags(nonblocking).open(path)?;
    fcntl_setfl(&stream, OFlags::APPEND)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_pipe_without_a_reader_is_an_error_and_stays_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let error = write_whole(&path, PRIVATE, |file| file.write_all(b"x")).unwrap_err();
        assert_eq!(error.step, "cannot be opened", "{error}");

        let mut reader = OpenOptions::new().read(true).custom_flags(0o4000).open(&path).unwrap();
        write_whole(&path, PRIVATE, |file| file.write_all(b"whole")).unwrap();
        let mut read = [0; 5];
        io::Read::read_exact(&mut reader, &mut read).unwrap();
        assert_eq!(&read, b"whole");
    }

    #[test]
    fn a_failed_fill_leaves_what_was_there_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "old").unwrap();
        let fill = |file: &mut File| file.write_all(b"half").and_then(|()| Err(io::Error::other("no more")));
        let error = write_whole(&path, PRIVATE, fill).unwrap_err();
        assert_eq!(error.to_string(), "cannot be written: no more");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
