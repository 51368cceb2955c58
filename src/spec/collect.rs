//! From the paths of the command line to the files that are checked, each of them once.

use std::collections::BTreeSet;
use std::fs::{FileType, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Files looked at in one call: a folder named by mistake must not be walked for minutes.
const FILES_MAX: usize = 10_000;
/// Folders inside each other.
const DEPTH_MAX: usize = 32;

/// What stands for standard input on the command line, and what it is called in messages.
const INPUT_ARGUMENT: &str = "-";
const INPUT_NAME: &str = "<stdin>";

/// One thing to look at.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// A regular file, by the path it is shown by.
    File(PathBuf),
    /// The same, outside of the folder that was named: a link below it leads there.
    Outside(PathBuf),
    /// What comes in by standard input.
    Input,
    /// A path with nothing to check behind it.
    Refused {
        /// Where.
        path: PathBuf,
        /// Why, in one sentence.
        title: String,
        /// What to do about it.
        help: Option<&'static str>,
    },
}

impl Source {
    /// What it is called in messages.
    pub fn path(&self) -> &Path {
        match self {
            Source::File(path) | Source::Outside(path) | Source::Refused { path, .. } => path,
            Source::Input => Path::new(INPUT_NAME),
        }
    }
}

/// The files behind the paths, in the order of the command line and inside a folder in that of their names. What is
/// reached twice, also by a symbolic link, is there once, by the path that came first.
pub fn sources(paths: &[PathBuf]) -> Vec<Source> {
    let mut collector = Collector::default();
    for path in paths {
        if let Err(TooMany) = collector.named(path) {
            // Thousands of messages about the files of a wrong folder would hide this one.
            let title = format!("there are more than {FILES_MAX} *.yaml and *.yml files (FILES_MAX)");
            let help = Some("is this the right folder? if so, check its subfolders one by one");
            return vec![Source::Refused { path: path.clone(), title, help }];
        }
    }
    collector.sources
}

/// The limit of files is reached.
struct TooMany;

#[derive(Default)]
struct Collector {
    sources: Vec<Source>,
    /// The real paths of the files and folders that were reached.
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
    /// The real path of the folder that was named, while it is walked.
    root: Option<PathBuf>,
}

impl Collector {
    /// A path of the command line.
    fn named(&mut self, path: &Path) -> Result<(), TooMany> {
        if path == Path::new(INPUT_ARGUMENT) {
            return if self.sources.contains(&Source::Input) { Ok(()) } else { self.push(Source::Input) };
        }
        let kind = match std::fs::metadata(path) {
            Ok(found) => found.file_type(),
            Err(error) => return self.unreachable(path, &error),
        };
        if !kind.is_dir() {
            return self.file(path, path.canonicalize(), kind);
        }
        let before = self.sources.len();
        self.root = path.canonicalize().ok();
        let seen = self.folder(path, 0);
        self.root = None;
        match seen? {
            Some(0) if self.sources.len() == before => {
                self.refuse(path, "the folder holds no *.yaml or *.yml file", None)
            }
            _ => Ok(()),
        }
    }

    /// Collects the files of a folder in the order of their names and says how many it saw, old ones too; `None`: the
    /// folder was entered before.
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<Option<usize>, TooMany> {
        if depth > DEPTH_MAX {
            self.refuse(folder, format!("folders are nested deeper than {DEPTH_MAX} (DEPTH_MAX)"), None)?;
            return Ok(None);
        }
        let read = || -> io::Result<(PathBuf, Vec<(PathBuf, FileType)>)> {
            let entries = std::fs::read_dir(folder)?;
            let entries = entries.map(|entry| entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))));
            Ok((folder.canonicalize()?, entries.collect::<io::Result<_>>()?))
        };
        let (real, mut entries) = match read() {
            Ok(read) => read,
            Err(error) => {
                self.refuse(folder, format!("the folder cannot be read: {error}"), None)?;
                return Ok(None);
            }
        };
        if !self.folders.insert(real.clone()) {
            return Ok(None);
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        let mut seen = 0;
        for (path, kind) in entries {
            let Some(name) = path.file_name() else { continue };
            // Kubernetes mounts a ConfigMap through hidden folders and links to them: the links are enough.
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let is_link = kind.is_symlink();
            let kind = if is_link {
                std::fs::metadata(&path).map(|found: Metadata| found.file_type())
            } else {
                Ok(kind)
            };
            let kind = match kind {
                Ok(kind) => kind,
                // Also without the ending: a folder of jobs may have been behind it.
                Err(error) => {
                    self.unreachable(&path, &error)?;
                    continue;
                }
            };
            let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
            if kind.is_dir() {
                seen += self.folder(&path, depth + 1)?.unwrap_or(0);
            } else if is_yaml {
                seen += 1;
                // Only a link leads out of the folder; asking for every file's real path would cost its depth each.
                let real = if is_link { path.canonicalize() } else { Ok(real.join(name)) };
                self.file(&path, real, kind)?;
            }
        }
        Ok(Some(seen))
    }

    /// Something that is no folder, with its real path. Only regular files are opened: a pipe may never end, or never
    /// begin.
    fn file(&mut self, path: &Path, real: io::Result<PathBuf>, kind: FileType) -> Result<(), TooMany> {
        if !kind.is_file() {
            let what = match kind {
                kind if kind.is_fifo() => "a named pipe",
                kind if kind.is_socket() => "a socket",
                _ => "a device",
            };
            let help = Some("to check what a program writes, send it to `exorun check -`");
            return self.refuse(path, format!("this is {what}, not a file"), help);
        }
        match real {
            Ok(real) if self.files.contains(&real) => Ok(()),
            Ok(real) => {
                let is_outside = self.root.as_ref().is_some_and(|root| !real.starts_with(root));
                self.files.insert(real);
                self.push(match is_outside {
                    true => Source::Outside(path.to_owned()),
                    false => Source::File(path.to_owned()),
                })
            }
            Err(error) => self.unreachable(path, &error),
        }
    }

    /// A path that leads to nothing.
    fn unreachable(&mut self, path: &Path, error: &io::Error) -> Result<(), TooMany> {
        if !path.is_symlink() {
            return self.refuse(path, format!("it cannot be read: {error}"), None);
        }
        let help = Some("mend the symbolic link or remove it: what it stood for is not checked");
        match error.kind() {
            io::ErrorKind::NotFound => self.refuse(path, "the symbolic link leads to nothing", help),
            _ => self.refuse(path, format!("the symbolic link cannot be followed: {error}"), help),
        }
    }

    fn refuse(
        &mut self,
        path: &Path,
        title: impl Into<String>,
        help: Option<&'static str>,
    ) -> Result<(), TooMany> {
        self.push(Source::Refused { path: path.to_owned(), title: title.into(), help })
    }

    fn push(&mut self, source: Source) -> Result<(), TooMany> {
        if self.sources.len() >= FILES_MAX {
            return Err(TooMany);
        }
        self.sources.push(source);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("can make a folder");
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("has a parent")).expect("can make a folder");
            std::fs::write(path, "").expect("can write");
        }
        folder
    }

    /// The sources below a folder, paths from there; of refused ones the reason.
    fn found(folder: &Path, paths: &[&str]) -> Vec<String> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
        let name = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
        let shown = |source: &Source| match source {
            Source::Refused { path, title, .. } => format!("{}: {title}", name(path)),
            other => name(other.path()),
        };
        sources(&paths).iter().map(shown).collect()
    }

    #[test]
    fn every_file_is_there_once_by_the_path_that_came_first() {
        let folder = tree(&["b/two.yml", "a.yaml", "b/.hidden.yaml", ".git/x.yaml", "b/readme.md", "z.yaml"]);
        let at = |name: &str| folder.path().join(name);
        symlink("b/two.yml", at("link.yaml")).expect("can link");
        symlink("b", at("c")).expect("can link");
        symlink("..", at("b/loop")).expect("can link");
        assert_eq!(found(folder.path(), &["."]), ["a.yaml", "b/two.yml", "z.yaml"]);
        assert_eq!(found(folder.path(), &["z.yaml", "", "z.yaml"]), ["z.yaml", "a.yaml", "b/two.yml"]);
        // The loop leads out of the folder `b`, to files that are new.
        assert_eq!(sources(&[at("b")]).last(), Some(&Source::Outside(at("b/loop/z.yaml"))));
        let outside = ["link.yaml", "b/loop/a.yaml", "b/loop/z.yaml"];
        assert_eq!(found(folder.path(), &["link.yaml", "b", "c"]), outside);
        let input = [PathBuf::from("-"), at("a.yaml"), PathBuf::from("-")];
        assert_eq!(sources(&input), [Source::Input, Source::File(at("a.yaml"))]);
    }

    #[test]
    fn what_cannot_be_checked_is_named_and_the_rest_goes_on() {
        let folder = tree(&["a.yaml", "empty/readme.md"]);
        let at = |name: &str| folder.path().join(name);
        symlink("nothing", at("broken")).expect("can link");
        symlink("round.yaml", at("round.yaml")).expect("can link");
        symlink("/dev/zero", at("device.yaml")).expect("can link");
        let found = |paths: &[&str]| found(folder.path(), paths);
        let all = found(&[""]);
        assert_eq!(
            all[..3],
            [
                "a.yaml",
                "broken: the symbolic link leads to nothing",
                "device.yaml: this is a device, not a file"
            ]
        );
        assert!(
            all.len() == 4 && all[3].starts_with("round.yaml: the symbolic link cannot be followed: "),
            "{all:?}"
        );
        assert_eq!(found(&["empty"]), ["empty: the folder holds no *.yaml or *.yml file"]);
        assert!(found(&["none"])[0].starts_with("none: it cannot be read: No such file"));
    }

    #[test]
    fn folders_and_files_have_limits_with_messages() {
        let deep = "d/".repeat(DEPTH_MAX);
        let folder = tree(&[&format!("{deep}last.yaml"), &format!("{deep}d/deeper.yaml")]);
        let all = found(folder.path(), &[""]);
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(
            all[0].ends_with("nested deeper than 32 (DEPTH_MAX)") && all[1].ends_with("/last.yaml"),
            "{all:?}"
        );

        let folder = tempfile::tempdir().expect("can make a folder");
        for number in 0..FILES_MAX {
            std::fs::write(folder.path().join(format!("{number}.yaml")), "").expect("can write");
        }
        assert_eq!(found(folder.path(), &[""]).len(), FILES_MAX);
        std::fs::write(folder.path().join("more.yml"), "").expect("can write");
        let all = found(folder.path(), &[""]);
        assert!(all.len() == 1 && all[0].contains("more than 10000 *.yaml"), "{all:?}");
    }
}
