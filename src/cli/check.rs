//! `exorun check`: reads files of jobs and connections and says what is wrong with them; connects to nothing.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::spec::{self, Problems};

/// Files looked at in one call: a folder named by mistake must not be walked for minutes.
const FILES_MAX: usize = 10_000;
/// Folders inside each other.
const DEPTH_MAX: usize = 32;
/// The longest path Linux knows.
const PATH_CHARS_MAX: usize = 4096;

/// Checks the files, and the `*.yaml` and `*.yml` files of the folders. One line for each job or file of
/// connections goes to `out`, problems go to `err`.
pub fn run(paths: &[PathBuf], out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    match check(paths, out, err) {
        Ok(true) => Exit::Done,
        Ok(false) => Exit::BadInput,
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(_) => Exit::Failed,
    }
}

fn check(paths: &[PathBuf], out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    let mut files = Vec::new();
    let mut good = true;
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            if let Err(message) = walk(path, 0, &mut BTreeSet::new(), &mut files) {
                writeln!(err, "error: {}: {message}", shown(path))?;
                good = false;
            } else if files.len() == before {
                writeln!(err, "error: {}: the folder holds no *.yaml or *.yml file", shown(path))?;
                good = false;
            }
        } else {
            files.push(path.clone());
        }
    }
    for file in files {
        good &= check_file(&file, out, err)?;
    }
    Ok(good)
}

fn check_file(file: &Path, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    let checked = spec::check_file(file);
    if !checked.problems.is_empty() {
        writeln!(err, "{}\n", checked.problems.render_plain())?;
    }
    if checked.problems.has_errors() {
        writeln!(err, "{}: {}", shown(file), count(&checked.problems))?;
        return Ok(false);
    }
    if let Some(connections) = &checked.connections {
        writeln!(out, "ok: {}: connections: {}", shown(file), connections.len())?;
    }
    for job in &checked.jobs {
        let plural = if job.steps.len() == 1 { "" } else { "s" };
        writeln!(out, "ok: {}: job {}, {} step{plural}", shown(file), job.name, job.steps.len())?;
    }
    Ok(true)
}

fn count(problems: &Problems) -> String {
    let errors = problems.iter().filter(|problem| problem.severity() == spec::Severity::Error).count();
    let plural = if errors == 1 { "" } else { "s" };
    format!("{errors} error{plural}; nothing was connected")
}

/// Collects the files of a folder in the order of their names. A folder is entered once, however it is reached.
fn walk(
    folder: &Path,
    depth: usize,
    seen: &mut BTreeSet<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(format!("folders are nested deeper than {DEPTH_MAX} (DEPTH_MAX)"));
    }
    let failed = |error: io::Error| format!("the folder cannot be read: {error}");
    if !seen.insert(folder.canonicalize().map_err(failed)?) {
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    for path in entries {
        // Kubernetes mounts a ConfigMap through hidden folders and links to them: the links are enough.
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden {
            continue;
        }
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if path.is_dir() {
            walk(&path, depth + 1, seen, files)?;
        } else if is_yaml {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            return Err(format!("the folder holds more than {FILES_MAX} *.yaml and *.yml files (FILES_MAX)"));
        }
    }
    Ok(())
}

/// A path on one line.
fn shown(path: &Path) -> String {
    one_line(&path.display().to_string(), PATH_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(paths: &[PathBuf]) -> (Exit, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run(paths, &mut out, &mut err);
        (exit, String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned())
    }

    const JOB: &str = "version: 1\nname: x\ntenant: contoso.onmicrosoft.com\nauth: {method: device}\n\
                       steps:\n  - name: a\n    cmdlet: Get-AcceptedDomain\n";

    #[test]
    fn folders_are_walked_once_even_with_a_loop() {
        let folder = tempfile::tempdir().expect("can make a folder");
        std::fs::create_dir(folder.path().join("b")).expect("can make a folder");
        std::fs::write(folder.path().join("b/x.yaml"), JOB).expect("can write");
        std::fs::write(folder.path().join("a.yml"), JOB).expect("can write");
        std::fs::write(folder.path().join("readme.md"), "no job").expect("can write");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("b/loop")).expect("can link");
        let (exit, out, err) = checked(&[folder.path().to_owned()]);
        assert_eq!((exit, err.as_str()), (Exit::Done, ""));
        assert_eq!(out.matches("job x, 1 step\n").count(), 2, "{out}");
    }

    #[test]
    fn connections_are_checked_beside_jobs() {
        let folder = tempfile::tempdir().expect("can make a folder");
        let spelled = "tenant: contoso.onmicrosoft.com\nauth: {method: device}\n";
        let job = JOB.replace(spelled, "connection: contoso-prod\n");
        std::fs::write(folder.path().join("job.yaml"), job).expect("can write");
        let connections = "version: 1\nkind: Connections\nconnections:\n  contoso-prod:\n    \
                           tenant: contoso.onmicrosoft.com\n    auth: {method: device}\n";
        let file = folder.path().join("connections.yaml");
        std::fs::write(&file, connections).expect("can write");
        let (exit, out, err) = checked(&[folder.path().to_owned()]);
        assert_eq!((exit, err.as_str()), (Exit::Done, ""));
        assert!(out.starts_with(&format!("ok: {}: connections: 1\n", file.display())), "{out}");
        assert!(out.ends_with("job x, 1 step\n"), "{out}");
    }

    #[test]
    fn what_is_missing_or_wrong_ends_with_64() {
        let folder = tempfile::tempdir().expect("can make a folder");
        let (exit, _, err) = checked(&[folder.path().join("none.yaml")]);
        assert!(exit == Exit::BadInput && err.contains("cannot be read"), "{err}");
        let (exit, _, err) = checked(&[folder.path().to_owned()]);
        assert!(exit == Exit::BadInput && err.contains("no *.yaml"), "{err}");
        let bad = folder.path().join("bad.yaml");
        std::fs::write(&bad, JOB.replace("Get-A", "Get-Q")).expect("can write");
        let (exit, out, err) = checked(&[bad]);
        assert!(exit == Exit::BadInput && out.is_empty() && err.contains("Get-AcceptedDomain"), "{err}");
    }
}
