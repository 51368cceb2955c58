//! Where outputs go: below the allowed folder, and where a file can be.
//!
//! The path of an output uses nothing that a step finds, so every path of a run is known before anything connects.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::observe::escape::one_line;
use crate::observe::whole_file;
use crate::spec::job::{Job, Output, TargetSpec};
use crate::spec::template::Scope;

/// Paths in messages are cut here.
const PATH_CHARS_MAX: usize = 400;

/// The places where a run's outputs may be.
#[derive(Clone, Debug)]
pub struct OutputPlaces {
    /// Nothing is written outside of it, and relative paths count from it. `None`: anywhere, from the working directory.
    folder: Option<PathBuf>,
}

impl OutputPlaces {
    /// Outputs stay below `folder`, if one is given.
    pub fn new(folder: Option<PathBuf>) -> OutputPlaces {
        OutputPlaces { folder }
    }

    /// Looks at the path of every output of a job, without writing anything.
    ///
    /// # Errors
    /// The first path that cannot be, with the mend.
    pub fn look(
        &self,
        job: &Job,
        target: &TargetSpec,
        inputs: &BTreeMap<String, Value>,
        run_id: &str,
    ) -> Result<(), String> {
        let scope = run_scope(target, inputs, run_id);
        for step in &job.steps {
            let Some(output) = &step.output else { continue };
            self.of(output, &scope).map_err(|why| format!("the step `{}`: {why}", step.name))?;
        }
        Ok(())
    }

    /// Where this output goes. Asked again right before writing: a link may have come in between.
    ///
    /// # Errors
    /// The text names the path and the mend.
    pub(super) fn of(&self, output: &Output, scope: &Scope) -> Result<PathBuf, String> {
        let path = output.path.eval(scope).map_err(|error| format!("output: {error}"))?;
        let path = path.as_str().filter(|path| !path.is_empty()).ok_or("output: its path is no text")?;
        let shown = |why: String| format!("output {}: {why}", one_line(path, PATH_CHARS_MAX));
        let place = match &self.folder {
            None => PathBuf::from(path),
            Some(folder) => below(folder, Path::new(path)).map_err(shown)?,
        };
        whole_file::look(&place).map_err(|error| shown(one_line(&error.to_string(), PATH_CHARS_MAX)))?;
        Ok(place)
    }
}

/// What an expression sees that does not change during a run.
pub(super) fn run_scope(target: &TargetSpec, inputs: &BTreeMap<String, Value>, run_id: &str) -> Scope {
    let target = BTreeMap::from([
        ("tenant".to_owned(), target.organization().to_owned()),
        ("environment".to_owned(), target.environment.as_str().to_owned()),
    ]);
    Scope {
        inputs: Arc::new(inputs.clone()),
        run_id: run_id.into(),
        target: Arc::new(target),
        ..Scope::default()
    }
}

/// `path` counted from `folder`, if it stays below it.
fn below(folder: &Path, path: &Path) -> Result<PathBuf, String> {
    let shown = |path: &Path| one_line(&path.display().to_string(), PATH_CHARS_MAX);
    let allowed = format!("the folder of the setting `output_dir`, {}", shown(folder));
    let real = folder.canonicalize().map_err(|error| {
        format!("{allowed}, cannot be used: {error}; make it, or name another folder in the setting")
    })?;
    // Behind a link `..` is not what stands before it, so that it is not reckoned with at all.
    if path.components().any(|component| component == Component::ParentDir) {
        return Err(format!("a path with `..` may lead out of {allowed}; write it without"));
    }
    let place = folder.join(path);
    if !place.starts_with(folder) && !place.starts_with(&real) {
        return Err(format!("is outside of {allowed}; write a relative path, or one that begins with it"));
    }
    let there = really(&place).map_err(|error| format!("cannot be looked at: {error}"))?;
    if !there.starts_with(&real) {
        let there = shown(&there);
        return Err(format!("a symbolic link leads out of {allowed}, to {there}; name another file"));
    }
    Ok(place)
}

/// Where the part of `path` that is there really is.
fn really(path: &Path) -> io::Result<PathBuf> {
    let missing =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    let mut found = path.ancestors().map(Path::canonicalize);
    found.find(|real| !real.as_ref().is_err_and(missing)).unwrap_or_else(|| Path::new(".").canonicalize())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::spec::job::OutputFormat;
    use crate::spec::template::Template;

    fn place(folder: Option<&Path>, path: &str) -> Result<PathBuf, String> {
        let output = Output { path: Template::Literal(path.into()), format: OutputFormat::Ndjson };
        OutputPlaces::new(folder.map(Path::to_owned)).of(&output, &Scope::default())
    }

    #[test]
    fn nothing_is_written_outside_of_the_allowed_folder() {
        let outside = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        let (real, linked) = (root.path().join("real"), root.path().join("linked"));
        fs::create_dir_all(real.join("in")).unwrap();
        fs::write(outside.path().join("file"), "").unwrap();
        symlink("real", &linked).unwrap();
        symlink(outside.path(), real.join("out")).unwrap();
        symlink(outside.path().join("file"), real.join("file")).unwrap();
        symlink("in", real.join("within")).unwrap();
        for folder in [&real, &linked] {
            for inside in ["a.csv", "in/a.csv", "new/deep/a.csv", "./a.csv", "within/a.csv"] {
                assert_eq!(place(Some(folder), inside), Ok(folder.join(inside)), "{inside}");
            }
            for absolute in [folder.join("a.csv"), real.join("new/a.csv")] {
                assert_eq!(place(Some(folder), absolute.to_str().unwrap()), Ok(absolute));
            }
            let elsewhere = outside.path().join("a.csv");
            let beside = format!("{}-2/a.csv", real.display());
            for (path, why) in [
                ("../a.csv", "a path with `..` may lead out of the folder of the setting `output_dir`"),
                ("in/../a.csv", "write it without"),
                (elsewhere.to_str().unwrap(), "is outside of the folder"),
                (&beside, "is outside of the folder"),
                ("/dev/stdout", "is outside of the folder"),
                ("out/a.csv", "a symbolic link leads out of the folder"),
                ("out/new/a.csv", "a symbolic link leads out of the folder"),
                ("file", "a symbolic link leads out of the folder"),
            ] {
                let error = place(Some(folder), path).unwrap_err();
                assert!(error.starts_with(&format!("output {path}: ")) && error.contains(why), "{error}");
            }
        }
        let error = place(Some(&root.path().join("missing")), "a.csv").unwrap_err();
        assert!(error.contains("make it, or name another folder in the setting"), "{error}");
    }

    #[test]
    fn what_cannot_be_a_file_is_told_before() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::write(root.join("file"), "").unwrap();
        fs::create_dir(root.join("folder")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        let long = "x".repeat(300);
        for (path, why) in [
            ("folder", "is a folder; name a file in it"),
            ("new/", "names a folder; name a file in it"),
            ("file/a.csv", "/file is no folder; name another"),
            ("file/new/a.csv", "/file is no folder; name another"),
            ("dangling/a.csv", "/dangling is no folder; name another"),
            (&long, "File name too long"),
        ] {
            let error = place(None, root.join(path).to_str().unwrap()).unwrap_err();
            assert!(error.contains(why), "{path}: {error}");
        }
        for path in ["file", "new/folder/a.csv", "dangling"] {
            let path = root.join(path);
            assert_eq!(place(None, path.to_str().unwrap()), Ok(path));
        }
        assert_eq!(place(None, "new/a.csv"), Ok("new/a.csv".into()));
        assert_eq!(place(None, "/dev/null"), Ok("/dev/null".into()));
        assert_eq!(place(None, "").unwrap_err(), "output: its path is no text");
        assert_eq!(fs::read_dir(root).unwrap().count(), 3, "nothing is made by looking");
    }
}
