//! Metrics as a file for node_exporter's textfile collector, for runs that end before anybody could scrape them.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::metrics::{Kept, Metrics};
use super::whole_file::{self, NotWritten};

/// Files of the program are created 0600; this one is the exception. The collector runs as another user
/// (`node_exporter`, `nobody`), and the content is counts and names from the configuration: nothing of an object,
/// nothing secret.
const MODE: u32 = 0o644;

/// Far more than a job's series take; of a longer file the rest is not looked at.
const KEPT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("metrics file {}: {step}", path.display())]
pub struct TextfileError {
    path: PathBuf,
    step: &'static str,
    #[source]
    source: io::Error,
}

/// Replaces the file at `path` by all series of `metrics`; a reader sees the old or the new one, never a part.
///
/// The last success of the jobs that ran stays in the file when a run fails, so that "no success for a day" can be
/// asked of it, and the last failure when one is good: what a run does not set is taken over from the file that is
/// there. One file belongs to one job; two jobs that write the same file replace each other's series.
///
/// # Errors
/// [`TextfileError`] names the file and what was tried; the old file is unchanged then. An old file that cannot be
/// read or understood is no error: what is kept is a convenience, what is written is the truth.
pub fn write(path: &Path, metrics: &Metrics) -> Result<(), TextfileError> {
    keep(path, metrics);
    whole_file::write_whole(path, MODE, |file| file.write_all(metrics.encode().as_bytes()))
        .map_err(|NotWritten { step, source }| TextfileError { path: path.to_owned(), step, source })
}

fn keep(path: &Path, metrics: &Metrics) {
    let mut old = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(KEPT_BYTES_MAX).read_to_end(&mut old));
    let Ok(text) = read.and_then(|_| String::from_utf8(old).map_err(io::Error::other)) else { return };
    let jobs = metrics.jobs();
    // `emulated` has one value in all series of a registry: a success against the emulator is none in the tenant.
    let page = metrics.encode();
    let emulated = page.lines().find_map(|line| labels(line)?.emulated);
    for (kept, line) in text.lines().filter_map(|line| Some((family(line)?, line))) {
        if let Some(Series { emulated: of_line, job: Some(job), target: Some(target), value }) = labels(line)
            && of_line == emulated
            && jobs.contains(&job)
            && let Ok(value) = value.parse()
        {
            metrics.keep(kept, &job, &target, value);
        }
    }
}

/// Which of the families that are kept the line is a sample of.
fn family(line: &str) -> Option<Kept> {
    let (name, _) = line.split_once('{')?;
    Kept::ALL.into_iter().find(|kept| kept.family() == name)
}

/// What is needed of a line `name{label="value",…} number`.
struct Series<'a> {
    emulated: Option<String>,
    job: Option<String>,
    target: Option<String>,
    value: &'a str,
}

/// Reads the labels of a line in the text format; `None` if it is something else.
fn labels(line: &str) -> Option<Series<'_>> {
    let (_, mut rest) = line.split_once('{').filter(|_| !line.starts_with('#'))?;
    let mut series = Series { emulated: None, job: None, target: None, value: "" };
    while !rest.starts_with('}') {
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next()? {
                (end, '"') => break end,
                (_, '\\') => value.push(if let (_, escaped @ ('"' | '\\')) = characters.next()? {
                    escaped
                } else {
                    '\n'
                }),
                (_, character) => value.push(character),
            }
        };
        match name {
            "emulated" => series.emulated = Some(value),
            "job" => series.job = Some(value),
            "target" => series.target = Some(value),
            _ => {}
        }
        rest = &after[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    series.value = rest[1..].trim();
    Some(series)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::{labels, write};
    use crate::exit::Exit;
    use crate::observe::metrics::{Metrics, Peer, tests::busy};

    const TARGET: &str = "contoso.onmicrosoft.com";

    fn finished(peer: Peer, outcome: Exit, at: &str) -> Metrics {
        let metrics = Metrics::new(peer);
        metrics.run_finished("harden", TARGET, outcome, Duration::from_secs(1), at.parse().unwrap());
        metrics
    }

    #[test]
    fn the_last_failure_survives_a_good_run_and_a_dry_run_moves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("harden.prom");
        let last = || {
            let page = std::fs::read_to_string(&path).unwrap();
            let of = |line: &str| {
                let name = line.strip_prefix("exorun_last_")?.split('{').next()?.to_owned();
                Some(format!("{} {}", name.replace("_timestamp_seconds", ""), line.rsplit(' ').next()?))
            };
            page.lines().filter_map(of).collect::<Vec<String>>()
        };
        write(&path, &finished(Peer::Service, Exit::PartlyFailed, "2026-11-21T02:00:00Z")).unwrap();
        assert_eq!(last(), ["completion 1795226400", "exit_code 3", "failure 1795226400"]);
        write(&path, &finished(Peer::Service, Exit::Done, "2026-11-22T02:00:00Z")).unwrap();
        let after = ["completion 1795312800", "exit_code 0", "failure 1795226400", "success 1795312800"];
        assert_eq!(last(), after);
        let dry = Metrics::new(Peer::Service);
        dry.run_looked("harden");
        write(&path, &dry).unwrap();
        assert_eq!(last(), after);
    }

    fn last_success(text: &str) -> Vec<&str> {
        text.lines().filter(|line| line.starts_with("exorun_last_success")).collect()
    }

    #[test]
    fn the_last_success_survives_a_failed_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("harden.prom");
        let read = || std::fs::read_to_string(&path).unwrap();
        let line = |second: i64| {
            format!(
                "exorun_last_success_timestamp_seconds{{job=\"harden\",target=\"{TARGET}\",emulated=\"false\"}} {second}"
            )
        };

        write(&path, &finished(Peer::Service, Exit::Failed, "2026-11-21T02:00:00Z")).unwrap();
        assert_eq!(last_success(&read()), [""; 0]);
        write(&path, &finished(Peer::Service, Exit::Done, "2026-11-22T02:00:00Z")).unwrap();
        assert_eq!(last_success(&read()), [line(1_795_312_800)]);
        for day in 23..26 {
            write(&path, &finished(Peer::Service, Exit::Failed, &format!("2026-11-{day}T02:00:00Z")))
                .unwrap();
            assert_eq!(last_success(&read()), [line(1_795_312_800)]);
        }
        write(&path, &finished(Peer::Service, Exit::Done, "2026-11-26T02:00:00Z")).unwrap();
        assert_eq!(last_success(&read()), [line(1_795_658_400)]);

        // A success in the tenant is none of the emulator's, and a file of garbage is not taken over.
        write(&path, &finished(Peer::Emulator, Exit::Failed, "2026-11-27T02:00:00Z")).unwrap();
        assert_eq!(last_success(&read()), [""; 0]);
        std::fs::write(&path, "exorun_last_success_timestamp_seconds{job=\"harden\",target=\"x").unwrap();
        write(&path, &finished(Peer::Service, Exit::Failed, "2026-11-27T02:00:00Z")).unwrap();
        assert_eq!(last_success(&read()), [""; 0]);
    }

    #[test]
    fn the_file_is_whole_readable_by_the_collector_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("harden.prom");
        let metrics = busy(Peer::Service);
        write(&path, &metrics).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), metrics.encode());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

        let error = write(&folder.path().join("none/harden.prom"), &metrics).unwrap_err();
        assert!(error.to_string().ends_with("none/harden.prom: cannot make a file in its folder"), "{error}");
    }

    #[test]
    fn labels_are_read_as_they_were_escaped() {
        let series = labels(r#"x{a="1,b=\"}",emulated="true",job="a\\\"b\nc",} 12"#).unwrap();
        assert_eq!(series.job.as_deref(), Some("a\\\"b\nc"));
        assert_eq!((series.emulated.as_deref(), series.target, series.value), (Some("true"), None, "12"));
        for line in ["# HELP x{", "x 1", "x{a=1} 2", "x{a=\"1"] {
            assert!(labels(line).is_none(), "{line}");
        }
    }
}
