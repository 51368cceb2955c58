//! Symbolic links: whoever may only add one to a repository must get nothing of a file that he may not read.

use std::path::{Component, Path, PathBuf};

/// Where `path` leads if a link takes it out of the folder that it stands in, or out of the working directory: whoever
/// may only add a link to a repository must not be shown what he may not read.
pub(super) fn elsewhere(path: &Path) -> Option<PathBuf> {
    let real = path.canonicalize().ok()?;
    let leaves = |folder: &Path| folder.canonicalize().is_ok_and(|folder| !real.starts_with(folder));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let stays = path.is_relative() && !path.components().any(|part| part == Component::ParentDir);
    ((path.is_symlink() && leaves(folder)) || (stays && leaves(Path::new(".")))).then_some(real)
}

/// Whether a link leads `path`, counted from the working directory, out of what `pattern` permits there: the folder that
/// is written before its first star, or without a star that one file. Folders that are named from the root are their
/// owner's, links and all.
pub(super) fn leads_out(pattern: &str, path: &Path) -> bool {
    let (Ok(real), Ok(here)) = (path.canonicalize(), Path::new(".").canonicalize()) else { return false };
    let permitted = match pattern.find(['*', '?']) {
        Some(star) => pattern[..star].rsplit_once('/').map_or("", |(folder, _)| folder),
        None => pattern,
    };
    path.is_relative() && !real.starts_with(here.join(permitted))
}
