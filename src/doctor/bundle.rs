//! One file for a support case: what the climb found, and what it was found with, without names and credentials.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde_json::Value;

use super::Report;
use crate::observe::whole_file::{NotWritten, PRIVATE, create_whole};
use crate::recording::Redactor;
use crate::spec::job::{Job, TargetSpec};

/// What the bundle says about itself.
const ABOUT: &str = "\
What `exorun doctor --bundle` found, for whoever helps.

doctor.json    the climb, in the form of docs/doctor.md
settings.txt   each setting with its value and where it came from
job.yaml       the job with its identities replaced; comments, labels and credentials are not in it
log.txt        the last log lines of the climb

Names, addresses, domains, GUIDs, internet addresses and the names in paths are stand-ins, the same for the same value in
all files. Hosts of Microsoft's clouds stay, and so do request ids, which are what Microsoft's support asks for, and the
names of certificate authorities. Look through it before you pass it on.
";

/// What goes into a bundle.
pub struct Contents<'a> {
    /// The climb.
    pub report: &'a Report,
    /// Key, value and origin of each setting; secrets are masked already.
    pub settings: Vec<[String; 3]>,
    /// What was to be run, and where, if that is known.
    pub job: (&'a Job, Option<&'a TargetSpec>),
    /// Lines of the log, the oldest first.
    pub log: Vec<String>,
}

/// Writes the bundle to `path`, gzipped tar with mode 0600. Blocks for the file's writing.
///
/// # Errors
/// [`NotWritten`]; what is at `path` already stays.
pub fn write(path: &Path, contents: Contents<'_>, at: Timestamp) -> Result<(), NotWritten> {
    let files = files(contents);
    create_whole(path, PRIVATE, |file| pack(file, &files, at))
}

fn pack(file: &mut File, files: &[(&'static str, String)], at: Timestamp) -> io::Result<()> {
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (name, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(at.as_second()).unwrap_or(0));
        archive.append_data(&mut header, format!("exorun-doctor/{name}"), text.as_bytes())?;
    }
    archive.into_inner()?.finish()?.flush()
}

/// Name and text of each file, redacted.
fn files(contents: Contents<'_>) -> Vec<(&'static str, String)> {
    let Contents { report, settings, job, log } = contents;
    let mut redactor = Redactor::new();
    redactor.know(&report.job);
    for text in [&report.tenant, &report.actor].into_iter().flatten() {
        redactor.know(text);
    }
    if let (_, Some(target)) = job {
        know_target(&mut redactor, target);
    }
    let mut found = serde_json::to_value(report).expect("texts and numbers");
    redact(&mut redactor, &mut found);
    let settings: String = settings
        .iter()
        .map(|[key, value, origin]| format!("{key}: {}  # {}\n", redactor.text(value), redactor.text(origin)))
        .collect();
    let job = match job {
        (job, Some(target)) => redactor.job(job, target),
        (_, None) => "# the job has no target that it may use\n".to_owned(),
    };
    let log: String = log.iter().map(|line| redactor.text(line)).collect();
    vec![
        ("README.txt", ABOUT.to_owned()),
        ("doctor.json", format!("{found:#}\n")),
        ("settings.txt", settings),
        ("job.yaml", job),
        ("log.txt", log),
    ]
}

fn know_target(redactor: &mut Redactor, target: &TargetSpec) {
    let auth = &target.auth;
    let texts = [
        Some(&target.tenant),
        target.delegated_organization.as_ref(),
        auth.client_id.as_ref(),
        auth.user_principal_name.as_ref(),
    ];
    for text in texts.into_iter().flatten() {
        redactor.know(text);
    }
}

/// Every text of the report but the closed words and the ids.
fn redact(redactor: &mut Redactor, report: &mut Value) {
    for member in ["job", "source", "tenant", "actor"] {
        redact_text(redactor, &mut report[member]);
    }
    for rung in report["rungs"].as_array_mut().into_iter().flatten() {
        for member in ["seen", "mend"] {
            redact_text(redactor, &mut rung[member]);
        }
    }
}

fn redact_text(redactor: &mut Redactor, value: &mut Value) {
    if let Value::String(text) = value {
        *text = redactor.text(text);
    }
}
