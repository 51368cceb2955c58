//! The job files, and what has changed in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::spec::collect::{Source, sources};
use crate::spec::job::{Job, JobName};
use crate::spec::{check_file, check_file_outside};

/// Files and folders of jobs. A file whose newest version is broken keeps the jobs of the version before, and so does a folder
/// that cannot be read; a file that is gone takes its jobs with it.
pub struct Folder {
    paths: Vec<PathBuf>,
    files: BTreeMap<PathBuf, File>,
    /// Which file each job is in.
    owners: BTreeMap<JobName, PathBuf>,
    /// What could not be looked at.
    refused: BTreeMap<PathBuf, String>,
}

/// One file as it was last seen.
struct File {
    stamp: Option<Stamp>,
    jobs: Vec<Arc<Job>>,
    /// Why its newest version is not used.
    trouble: Option<String>,
}

/// What changes when a file does.
#[derive(PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Whose file it is.
#[derive(Clone, Copy)]
enum Whose {
    /// It lies in the folder.
    Ours,
    /// A link leads there.
    Elsewhere,
}

/// How thoroughly to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Files whose time, size and place are as before are not read.
    Changed,
    /// Every file is read.
    All,
}

/// Something that is not used as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong, as `exorun check` says it.
    pub why: String,
}

/// What a look has found.
#[derive(Debug, Default)]
pub struct Look {
    /// Jobs that are new or have another text than before.
    pub changed: Vec<Arc<Job>>,
    /// Jobs that are no more.
    pub removed: Vec<JobName>,
    /// What has become broken, or is broken in another way.
    pub newly_broken: Vec<Broken>,
    /// What was broken and is not any more.
    pub mended: Vec<PathBuf>,
}

impl Look {
    /// Whether everything is as before.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
            && self.removed.is_empty()
            && self.newly_broken.is_empty()
            && self.mended.is_empty()
    }
}

impl Folder {
    /// Of these files and folders; nothing is read yet.
    pub fn new(paths: Vec<PathBuf>) -> Folder {
        Folder { paths, files: BTreeMap::new(), owners: BTreeMap::new(), refused: BTreeMap::new() }
    }

    /// Everything that is broken now.
    pub fn broken(&self) -> Vec<Broken> {
        let refused = self.refused.iter();
        let files = self.files.iter().filter_map(|(path, file)| Some((path, file.trouble.as_ref()?)));
        refused.chain(files).map(|(path, why)| Broken { path: path.clone(), why: why.clone() }).collect()
    }

    /// The jobs, each under its name.
    pub fn jobs(&self) -> BTreeMap<JobName, Arc<Job>> {
        let jobs = self.files.values().flat_map(|file| &file.jobs);
        jobs.map(|job| (job.name.clone(), Arc::clone(job))).collect()
    }

    /// The jobs of these names, as they were last right.
    pub fn named(&self, names: &BTreeSet<&str>) -> BTreeMap<String, Arc<Job>> {
        let jobs = self.files.values().flat_map(|file| &file.jobs);
        let wanted = jobs.filter(|job| names.contains(job.name.as_str()));
        wanted.map(|job| (job.name.as_str().to_owned(), Arc::clone(job))).collect()
    }

    /// Looks at the files again. `judge` says why a job that is right in itself cannot be scheduled. Blocks on the disk.
    pub fn look(&mut self, how: How, judge: &dyn Fn(&Job) -> Result<(), String>) -> Look {
        let before = self.jobs();
        let was_broken: BTreeMap<PathBuf, String> =
            self.broken().into_iter().map(|broken| (broken.path, broken.why)).collect();
        let mut seen = Vec::new();
        self.refused.clear();
        for source in sources(&self.paths) {
            match source {
                Source::File(path) => seen.push((path, Whose::Ours)),
                Source::Outside(path) => seen.push((path, Whose::Elsewhere)),
                Source::Refused { path, title, .. } => drop(self.refused.insert(path, title)),
                Source::Input => {
                    let why =
                        "jobs that are scheduled are read again and again: name files or folders".to_owned();
                    self.refused.insert(PathBuf::from("-"), why);
                }
            }
        }
        // A file below a folder that cannot be read is not gone: nobody knows.
        let here: BTreeSet<&Path> = seen.iter().map(|(path, _)| path.as_path()).collect();
        let refused = &self.refused;
        self.files.retain(|path, _| {
            here.contains(path.as_path()) || refused.keys().any(|refused| path.starts_with(refused))
        });
        let jobs = self.files.iter().flat_map(|(path, file)| file.jobs.iter().map(move |job| (path, job)));
        self.owners = jobs.map(|(path, job)| (job.name.clone(), path.clone())).collect();
        for (path, whose) in seen {
            self.look_at(&path, whose, how, judge);
        }
        let now = self.jobs();
        let is_new = |job: &&Arc<Job>| before.get(&job.name).is_none_or(|before| before.hash != job.hash);
        let broken = self.broken();
        Look {
            changed: now.values().filter(is_new).cloned().collect(),
            removed: before.into_keys().filter(|name| !now.contains_key(name)).collect(),
            mended: was_broken
                .keys()
                .filter(|path| !broken.iter().any(|broken| broken.path == **path))
                .cloned()
                .collect(),
            newly_broken: broken
                .into_iter()
                .filter(|broken| was_broken.get(&broken.path) != Some(&broken.why))
                .collect(),
        }
    }

    fn look_at(&mut self, path: &Path, whose: Whose, how: How, judge: &dyn Fn(&Job) -> Result<(), String>) {
        // Taken before the file is read: a change in between is seen the next time.
        let stamp = Stamp::of(path).ok();
        let known = self.files.get(path);
        // What is broken is read each time: another file may have been what was wrong with it.
        let is_known = known.is_some_and(|known| known.stamp == stamp && known.trouble.is_none());
        if how == How::Changed && stamp.is_some() && is_known {
            return;
        }
        let checked = match whose {
            Whose::Ours => check_file(path),
            Whose::Elsewhere => check_file_outside(path),
        };
        let read = match checked.problems.has_errors() {
            true => Err(checked.problems.render_plain()),
            false => self.judged(path, checked.jobs, judge),
        };
        let unread = || File { stamp: None, jobs: Vec::new(), trouble: None };
        let file = self.files.entry(path.to_owned()).or_insert_with(unread);
        match read {
            Ok(jobs) => {
                for job in &file.jobs {
                    self.owners.remove(&job.name);
                }
                self.owners.extend(jobs.iter().map(|job| (job.name.clone(), path.to_owned())));
                *file = File { stamp, jobs, trouble: None };
            }
            Err(why) => (file.stamp, file.trouble) = (stamp, Some(why)),
        }
    }

    /// A file is used whole or not at all.
    fn judged(
        &self,
        path: &Path,
        jobs: Vec<Job>,
        judge: &dyn Fn(&Job) -> Result<(), String>,
    ) -> Result<Vec<Arc<Job>>, String> {
        for job in &jobs {
            if let Some(other) = self.owners.get(&job.name).filter(|owner| *owner != path) {
                return Err(format!(
                    "job `{}` is also in {}: give each job a name of its own",
                    job.name.as_str(),
                    other.display()
                ));
            }
            judge(job).map_err(|why| format!("job `{}`: {why}", job.name.as_str()))?;
        }
        Ok(jobs.into_iter().map(Arc::new).collect())
    }
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Stamp> {
        let found: Metadata = std::fs::metadata(path)?;
        Ok(Stamp {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}
