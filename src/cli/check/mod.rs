//! `exorun check`: reads files of jobs and connections and says what is wrong with them; connects to nothing.

mod form;
mod github;
mod human;
mod in_order;
mod json;
mod names;
mod outcome;
mod policy;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::settings::{ProcessEnvironment, Strings};
use crate::spec::collect::sources;
use form::Form;
use names::Names;
use outcome::{Outcome, Summary};
use policy::Policy;

use super::setting_flags::SettingFlags;
use super::start;

/// The longest path Linux knows.
const PATH_CHARS_MAX: usize = 4096;

/// Check files of jobs and connections; nothing is connected.
///
/// Ends with 64 if there is an error. The names of jobs must differ over all files of one call. With the settings
/// `connections_file`, `require_connections` and `profile`, jobs that a run would refuse are errors too.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Files of jobs or connections, or folders of them; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// End with 64 also if there are only warnings.
    #[arg(long)]
    deny_warnings: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Lines for people; problems with the source line, on standard error.
    Human,
    /// One JSON object on standard output.
    Json,
    /// Workflow commands of GitHub Actions on standard output: annotations in the files.
    Github,
}

/// Checks the files, and the `*.yaml` and `*.yml` files of the folders.
pub(super) fn main(args: &CheckArgs, flags: SettingFlags) -> Exit {
    let policy = match start::settings_of(flags).and_then(Policy::of) {
        Ok(policy) => policy,
        Err(exit) => return exit,
    };
    let form = match args.format {
        Format::Human => Form::Human { coloured: may_colour() },
        Format::Json => Form::Json,
        Format::Github => Form::Github,
    };
    run(args, form, &policy, &mut io::stdout(), &mut io::stderr())
}

/// Problems are coloured for a terminal, unless somebody wants none (<https://no-color.org>).
fn may_colour() -> bool {
    let unwanted = ProcessEnvironment.get("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !unwanted
}

fn run(args: &CheckArgs, form: Form, policy: &Policy, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    match check(&args.paths, form, policy, out, err) {
        Ok(found) if found.errors > 0 || args.deny_warnings && found.warnings > 0 => Exit::BadInput,
        Ok(_) => Exit::Done,
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(_) => Exit::Failed,
    }
}

/// What is known of a file is written as soon as all files before it are; nothing of it is kept but names and counts.
fn check(
    paths: &[PathBuf],
    form: Form,
    policy: &Policy,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Summary> {
    let sources = sources(paths);
    let mut names = Names::default();
    let mut summary = Summary::default();
    form.begin(out)?;
    let work = |index: usize| Outcome::of(&sources[index], form, policy);
    in_order::in_order(sources.len(), work, |index, mut outcome: Outcome| {
        let path = sources[index].path();
        for twice in names.add(index, std::mem::take(&mut outcome.names)) {
            outcome.errors += 1;
            outcome.problems.push(form.problem(path, &twice.told, sources[twice.first].path()));
        }
        summary.add(&outcome);
        form.file(index, path, &outcome, out, err)
    })?;
    form.end(&summary, out, err)?;
    out.flush()?;
    Ok(summary)
}

/// A path on one line.
fn shown(path: &Path) -> String {
    one_line(&path.display().to_string(), PATH_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::settings::Settings;

    fn checked(paths: &[PathBuf]) -> (Exit, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = CheckArgs { paths: paths.to_vec(), format: Format::Human, deny_warnings: false };
        let nothing = BTreeMap::<String, String>::new();
        let settings = Settings::load(BTreeMap::new(), &nothing, None).expect("the defaults are right");
        let policy = Policy::of(settings).expect("they name no file");
        let exit = run(&args, Form::Human { coloured: false }, &policy, &mut out, &mut err);
        (exit, String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned())
    }

    const JOB: &str = "version: 1\nname: x\ntenant: contoso.onmicrosoft.com\nauth: {method: device}\n\
                       steps:\n  - name: a\n    cmdlet: Get-AcceptedDomain\n";

    #[test]
    fn folders_are_walked_once_even_with_a_loop() {
        let folder = tempfile::tempdir().expect("can make a folder");
        std::fs::create_dir(folder.path().join("b")).expect("can make a folder");
        std::fs::write(folder.path().join("b/x.yaml"), JOB).expect("can write");
        std::fs::write(folder.path().join("a.yml"), JOB.replace("name: x", "name: y")).expect("can write");
        std::fs::write(folder.path().join("readme.md"), "no job").expect("can write");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("b/loop")).expect("can link");
        let (exit, out, err) = checked(&[folder.path().to_owned()]);
        assert_eq!((exit, err.as_str()), (Exit::Done, ""));
        assert!(out.contains("a.yml: job y, 1 step\n") && out.contains("b/x.yaml: job x, 1 step\n"), "{out}");
        assert!(out.ends_with("checked 2 files: 2 jobs, 0 errors, 0 warnings\n"), "{out}");
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
        assert!(out.ends_with("job x, 1 step\nchecked 2 files: 1 job, 0 errors, 0 warnings\n"), "{out}");
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
        assert!(err.ends_with("checked 1 file: 0 jobs, 1 error, 0 warnings\n"), "{err}");
    }
}
