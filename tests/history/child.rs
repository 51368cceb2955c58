//! This test program as a process of its own, to be killed, confined or run by somebody else.

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use exorun::history::{Book, From, HistoryError, Reader, Write};
use exorun::rules::occurrences::ended::{Ended, SkipReason};
use jiff::Timestamp;
use uuid::Uuid;

use crate::ledger::{ended, job, minute, occurrence, skipped, started, waiting};

const ROLE: &str = "EXORUN_TEST_HISTORY_ROLE";
const FILE: &str = "EXORUN_TEST_HISTORY_FILE";

/// User and group of whoever owns nothing.
const NOBODY: &str = "65534";

/// What the process does with the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    /// Opens it and says what comes of it.
    Open,
    /// Reads it and says how much was due.
    Read,
    /// Writes until it is killed, and says after each commit how far it is confirmed.
    Write,
    /// Writes until it is full, makes room, and goes on.
    Fill,
}

const ROLES: [(Role, &str); 4] =
    [(Role::Open, "open"), (Role::Read, "read"), (Role::Write, "write"), (Role::Fill, "fill")];

/// No test: the process that the others start.
#[test]
fn the_child() {
    let (Ok(role), Some(file)) = (std::env::var(ROLE), std::env::var_os(FILE)) else { return };
    let file = PathBuf::from(file);
    let role = ROLES.into_iter().find(|(_, name)| *name == role).unwrap().0;
    let said = match role {
        Role::Open => Book::open(&file).map(|_| "open".to_owned()),
        Role::Read => Reader::open(&file)
            .and_then(|reader| reader.totals())
            .map(|totals| format!("due {}", totals.values().map(|totals| totals.due).sum::<u64>())),
        Role::Write => write(&file),
        Role::Fill => crate::full::fill(&file, crate::full::lift_the_limit),
    };
    say(&said.unwrap_or_else(|error| format!("{} {error}", error.kind())));
}

/// The harness may have begun the line already.
const SAID: &str = "said: ";

/// A line for the parent.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{SAID}{line}").and_then(|()| out.flush()).unwrap();
}

/// The program that plays `role` on `file`.
pub(crate) fn command(program: &Path, role: Role, file: &Path) -> Command {
    let mut command = Command::new(program);
    play(&mut command, role, file);
    command
}

pub(crate) fn play(command: &mut Command, role: Role, file: &Path) {
    let name = ROLES.iter().find(|(known, _)| *known == role).unwrap().1;
    command.args(["--exact", "child::the_child", "--nocapture"]).env(ROLE, name).env(FILE, file);
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped());
}

/// What it says, line by line.
pub(crate) fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.filter_map(|line| Some(line.split_once(SAID)?.1.to_owned()))
}

/// The one thing that it says when somebody runs it who owns nothing.
pub(crate) fn as_nobody(role: Role, file: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(program);
    play(&mut command, role, file);
    let mut child = command.spawn().unwrap();
    let said: Vec<String> = lines(&mut child).collect();
    child.wait().unwrap();
    assert_eq!(said.len(), 1, "{said:?}");
    said.into_iter().next().unwrap()
}

/// The minute of a ledger's time.
pub(crate) fn minute_of(instant: Timestamp) -> i64 {
    (instant.as_second() - minute(0).as_second()) / 60
}

/// How far the schedule of the job `report` is accounted for.
pub(crate) fn cursor(book: &mut Book) -> i64 {
    let texts = ["cron * * * * * UTC".to_owned()];
    let jobs = [exorun::history::Registering { name: "report", schedules: &texts }];
    minute_of(book.register(&jobs, minute(0)).unwrap()[0].schedules[0].1)
}

/// Commits without end: each accounts for five minutes in all the ways there are, and ends what the one before began.
fn write(file: &Path) -> Result<String, HistoryError> {
    let mut book = Book::open(file)?;
    let report = job(&mut book, "report");
    let mut next = cursor(&mut book) + 1;
    let mut before: Vec<Write> = Vec::new();
    say("begins");
    loop {
        let runs = [Uuid::new_v4(), Uuid::new_v4()];
        let at = |ahead| occurrence(report, next + ahead);
        let mut writes = std::mem::take(&mut before);
        writes.extend([
            started(at(0), From::Fresh, runs[0]),
            waiting(at(1)),
            skipped(report, (next + 2, next + 3), SkipReason::Missed, From::Fresh),
            started(at(4), From::Fresh, runs[1]),
        ]);
        book.commit(&writes)?;
        before.extend([
            ended(at(0), Ended::Ran, runs[0]),
            skipped(report, (next + 1, next + 1), SkipReason::Replaced, From::Waiting),
        ]);
        next += 5;
        say(&format!("confirmed {}", next - 1));
    }
}
