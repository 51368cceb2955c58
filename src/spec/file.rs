//! From a file to checked jobs or connections: size, encoding, reading, checking.

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use super::check::{Checker, Found, Hidden, Kind, connections, job, kind};
use super::connections::Connections;
use super::escape::quote;
use super::job::{Job, JobName};
use super::limits::FILE_BYTES_MAX;
use super::links::elsewhere;
use super::problem::{Place, Problem, Problems};
use super::read::{self, Document};
use super::tree::Content;

/// What a file holds, and what is wrong with it.
#[derive(Debug)]
pub struct Checked {
    /// The jobs that are right, in the order of the file; with errors elsewhere in the file it must not be used in part.
    pub jobs: Vec<Job>,
    /// The connections that are right, if it is a file of connections; as with jobs, not to be used in part.
    pub connections: Option<Connections>,
    /// The name of each job and where it stands, also of jobs that have errors.
    pub names: Vec<(JobName, Place)>,
    /// Errors and warnings.
    pub problems: Problems,
}

/// Reads and checks all jobs of a file.
///
/// # Errors
/// Every problem of the file at once, when at least one of them is an error. Warnings alone are dropped here;
/// [`check_file`] returns them.
pub fn read_jobs(path: &Path) -> Result<Vec<Job>, Problems> {
    let checked = check_as(path, Some(Kind::Job));
    if checked.problems.has_errors() { Err(checked.problems) } else { Ok(checked.jobs) }
}

/// Reads and checks all connections of a file.
///
/// # Errors
/// As [`read_jobs`].
pub fn read_connections(path: &Path) -> Result<Connections, Problems> {
    let checked = check_as(path, Some(Kind::Connections));
    if checked.problems.has_errors() {
        Err(checked.problems)
    } else {
        Ok(checked.connections.unwrap_or_default())
    }
}

/// Reads and checks a file of jobs or of connections: what its first document is.
pub fn check_file(path: &Path) -> Checked {
    check_as(path, None)
}

/// As [`check_file`], for a file that somebody else's link has led to: what is wrong with it is not quoted.
pub fn check_file_outside(path: &Path) -> Checked {
    let checked = check_as(path, None);
    match path.canonicalize() {
        Ok(real) if checked.problems.has_errors() => Checked::alone(path, "", not_quoted(&real)),
        _ => checked,
    }
}

fn check_as(path: &Path, expected: Option<Kind>) -> Checked {
    let checked = match read_file(path) {
        Ok(bytes) => check_bytes(path, &bytes, expected),
        Err(problem) => return Checked::alone(path, "", problem),
    };
    match elsewhere(path) {
        Some(real) if checked.problems.has_errors() => Checked::alone(path, "", not_quoted(&real)),
        _ => checked,
    }
}

/// The one problem of such a file: the others quote it.
fn not_quoted(real: &Path) -> Problem {
    let real = quote(&real.display().to_string());
    let title = format!("the file has errors, and a symbolic link leads to it from elsewhere: it is {real}");
    Problem::of_file(title)
        .help("what is wrong is not shown, because it quotes the file: check it by its own path, or remove the link")
}

/// Reads and checks a text that comes from elsewhere as if it stood in the file `path`.
pub fn check_reader(path: &Path, reader: impl Read) -> Checked {
    match read_bytes(reader) {
        Ok(bytes) => check_bytes(path, &bytes, None),
        Err(problem) => Checked::alone(path, "", problem),
    }
}

/// Checks a text as if it stood in the file `path`.
pub fn check_text(path: &Path, text: &str) -> Checked {
    check_bytes(path, text.as_bytes(), None)
}

impl Checked {
    /// Nothing but one problem.
    fn alone(path: &Path, text: &str, problem: Problem) -> Checked {
        let problems = Problems::new(path, text, &[], vec![problem]);
        Checked { jobs: Vec::new(), connections: None, names: Vec::new(), problems }
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Problem> {
    read_bytes(std::fs::File::open(path).map_err(unreadable)?)
}

fn read_bytes(reader: impl Read) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    reader.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn unreadable(error: std::io::Error) -> Problem {
    Problem::of_file(format!("the file cannot be read: {error}"))
}

fn check_bytes(path: &Path, bytes: &[u8], expected: Option<Kind>) -> Checked {
    let alone = |text: &str, problem: Problem| Checked::alone(path, text, problem);
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let title = format!("the file has more than {FILE_BYTES_MAX} bytes (FILE_BYTES_MAX)");
        return alone(
            "",
            Problem::of_file(title).help("a job of 200 steps has a tenth of that: is this the right file?"),
        );
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            let utf16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
            let at = valid.len();
            let title = if utf16 { "the file is UTF-16" } else { "the file is not UTF-8 from here on" };
            let problem = if utf16 { Problem::of_file(title) } else { Problem::error(at..at, title) };
            return alone(
                &valid,
                problem.help(
                    "save it as UTF-8 (Notepad: Save as, Encoding; PowerShell: Out-File -Encoding utf8)",
                ),
            );
        }
    };
    if let Some(at) = text.find('\0') {
        let title = "the file holds a NUL character: it is not text, or it is UTF-16 without a mark";
        return alone(text, Problem::error(at..at, title).help("save it as UTF-8"));
    }
    check_documents(path, text, expected)
}

fn check_documents(path: &Path, text: &str, expected: Option<Kind>) -> Checked {
    let mut problems = Vec::new();
    let mut documents = read::documents(text, &mut problems);
    let mut checker = Checker::new(text, problems);
    let mut hidden = Hidden::default();
    for document in &mut documents {
        checker.hide_credentials(&mut document.root, &mut hidden);
    }
    let mut jobs: Vec<Job> = Vec::new();
    let mut names = Vec::new();
    let mut found = Found::default();
    let mut of_file = expected;
    let mut is_empty = true;
    for document in documents.iter().filter(|document| !document.root.is_absent()) {
        is_empty = false;
        let Some(kind) = kind(&mut checker, document, of_file) else { continue };
        of_file.get_or_insert(kind);
        if kind == Kind::Connections {
            connections(&mut checker, document, &mut found);
            continue;
        }
        names.extend(job_name(document).map(|(name, span)| (name, Place::of(text, span))));
        if let Some(found) = job(&mut checker, path, document) {
            if jobs.iter().any(|other| other.name == found.name) {
                let at = document.root.span.start;
                let title = format!("two jobs of this file are called {}", quote(found.name.as_str()));
                checker.report(Problem::error(at..at, title).help("give each job a name of its own"));
            } else {
                jobs.push(found);
            }
        }
    }
    checker.drop_echoes(&hidden);
    if is_empty && checker.problems.is_empty() {
        checker.report(match expected {
            Some(Kind::Connections) => Problem::of_file("the file holds no connections")
                .help("a file of connections starts with `version: 1` and `kind: Connections`"),
            _ => Problem::of_file("the file holds no job").help("a job starts with `version: 1`"),
        });
    }
    let connections = (of_file == Some(Kind::Connections)).then(|| Connections::new(path, found.named));
    let problems = Problems::new(path, text, &checker.secrets, checker.problems);
    Checked { jobs, connections, names, problems }
}

/// The name a document gives its job, and where.
fn job_name(document: &Document) -> Option<(JobName, Range<usize>)> {
    let Content::Map(entries) = &document.root.content else { return None };
    let node = &entries.iter().find(|entry| entry.key == "name")?.value;
    let Content::Scalar { text, .. } = &node.content else { return None };
    Some((JobName::new(text)?, node.span.clone()))
}
