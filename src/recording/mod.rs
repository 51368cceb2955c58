//! A run's HTTP on disk, so that one user's tenant can become everyone's test: `exorun run JOB --record DIR`.
//!
//! One file a request with its answer, in the format of `docs/record.md`. Credentials are never in it; identities are
//! replaced unless they are asked for. A recorder that is off costs nothing: it keeps and copies no byte.

mod address;
mod body;
mod harmless;
mod job;
#[cfg(test)]
mod leaks;
mod prose;
mod scrub;
mod sentences;
mod stand_ins;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::HeaderMap;
use serde_json::{Value, json};

use crate::clocks::Clocks;
use crate::rules::time::BootTime;
use crate::spec::job::{Job, TargetSpec};
pub use prose::Redactor;
pub use scrub::Identities;
use scrub::Scrubber;

/// The version of the format; members are only added within one.
const FORMAT: u32 = 1;

/// A body that is longer is not recorded. Held while it comes in, one for each session.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The sign-in service.
    Login,
    /// Exchange Online.
    Exchange,
}

impl Peer {
    fn word(self) -> &'static str {
        match self {
            Peer::Login => "login",
            Peer::Exchange => "exchange",
        }
    }
}

/// Writes a recording, or nothing.
#[derive(Clone, Default)]
pub struct Recorder(Option<Arc<Recording>>);

struct Recording {
    folder: PathBuf,
    clocks: Clocks,
    began: BootTime,
    next: AtomicU64,
    scrubber: Mutex<Scrubber>,
    /// Why the recording is not whole: the first reason.
    lost: Mutex<Option<String>>,
}

impl Recorder {
    /// Records nothing.
    pub fn off() -> Recorder {
        Recorder(None)
    }

    /// Whether anything is recorded.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// A recording in `folder`, which is made with mode 0700 if it is missing.
    ///
    /// # Errors
    /// In words, if the folder holds something or cannot be written.
    pub fn create(folder: &Path, identities: Identities, clocks: Clocks) -> Result<Recorder, String> {
        let failed = |error: io::Error| format!("--record {}: {error}", folder.display());
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        if folder.read_dir().map_err(failed)?.next().is_some() {
            return Err(format!("--record {}: the folder is not empty", folder.display()));
        }
        let recording = Recording {
            folder: folder.to_owned(),
            began: clocks.boot(),
            next: AtomicU64::new(1),
            scrubber: Mutex::new(Scrubber::new(identities)),
            lost: Mutex::new(None),
            clocks,
        };
        let head = json!({
            "format": FORMAT,
            "program": concat!("exorun/", env!("CARGO_PKG_VERSION")),
            "identities": match identities { Identities::Replaced => "replaced", Identities::Kept => "kept" },
        });
        recording.write("recording.json", &head).map_err(failed)?;
        Ok(Recorder(Some(Arc::new(recording))))
    }

    /// A request that is about to be sent.
    pub fn begin(&self, peer: Peer, method: &str, path: &str, headers: &HeaderMap, body: &[u8]) -> Entry {
        let Some(recording) = &self.0 else { return Entry(None) };
        let mut scrubber = recording.scrubber();
        let request = json!({
            "method": method,
            "path": scrubber.path(path),
            "headers": scrubber.request_headers(headers),
            "body": body::request(&mut scrubber, peer, body),
        });
        drop(scrubber);
        Entry(Some(Box::new(Open {
            recording: Arc::clone(recording),
            number: recording.next.fetch_add(1, Ordering::Relaxed),
            began: recording.clocks.boot(),
            peer,
            request,
            head: None,
            body: Vec::new(),
            body_bytes: 0,
        })))
    }

    /// Ends the recording: the job goes beside it, with the same stand-ins.
    ///
    /// # Errors
    /// What is not in the recording.
    pub fn finish(
        &self,
        job: &Job,
        target: &TargetSpec,
        inputs: &BTreeMap<String, Value>,
    ) -> Result<(), String> {
        let Some(recording) = &self.0 else { return Ok(()) };
        let text = job::recorded(&mut recording.scrubber(), job, target, inputs);
        recording.file("job.yaml", &text).map_err(|error| format!("--record: job.yaml: {error}"))?;
        let checked = crate::spec::check_text(Path::new("job.yaml"), &text);
        if checked.problems.has_errors() {
            return Err(format!(
                "--record: with its identities replaced the job is none any more: {}",
                checked.problems.render_plain()
            ));
        }
        match &*lock(&recording.lost) {
            Some(why) => Err(format!("--record: the recording is not whole: {why}")),
            None => Ok(()),
        }
    }
}

impl Recording {
    fn scrubber(&self) -> MutexGuard<'_, Scrubber> {
        lock(&self.scrubber)
    }

    fn write(&self, name: &str, value: &Value) -> io::Result<()> {
        self.file(name, &format!("{value:#}\n"))
    }

    fn file(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.folder.join(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request and what came of it. Dropped before its end it is recorded as given up: the caller's time was over.
pub struct Entry(Option<Box<Open>>);

struct Open {
    recording: Arc<Recording>,
    number: u64,
    began: BootTime,
    peer: Peer,
    request: Value,
    head: Option<(u16, HeaderMap)>,
    body: Vec<u8>,
    body_bytes: usize,
}

impl Entry {
    /// An answer begins.
    pub fn head(&mut self, status: u16, headers: &HeaderMap) {
        if let Some(open) = &mut self.0 {
            open.head = Some((status, headers.clone()));
        }
    }

    /// A piece of its body, as it came.
    pub fn data(&mut self, piece: &[u8]) {
        let Some(open) = &mut self.0 else { return };
        open.body_bytes += piece.len();
        if open.body_bytes <= BODY_BYTES_MAX {
            open.body.extend_from_slice(piece);
        } else {
            open.body = Vec::new();
        }
    }

    /// The answer is over.
    pub fn whole(mut self) {
        self.end("whole");
    }

    /// The transport broke, before the answer or in it.
    pub fn broken(mut self) {
        self.end("broken");
    }

    fn end(&mut self, how: &str) {
        if let Some(open) = self.0.take() {
            open.write(how);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.end("given_up");
    }
}

impl Open {
    fn write(self, how: &str) {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let recording = &self.recording;
        let answer = self.head.as_ref().map(|(status, headers)| {
            let mut scrubber = recording.scrubber();
            let body = match self.body_bytes <= BODY_BYTES_MAX {
                true => body::answer(&mut scrubber, self.peer, headers, &self.body),
                false => json!({"left_out": self.body_bytes}),
            };
            json!({"status": status, "headers": scrubber.answer_headers(headers), "body": body})
        });
        let pair = json!({
            "format": FORMAT,
            "number": self.number,
            "peer": self.peer.word(),
            "at_ms": millis(self.began.since(recording.began)),
            "took_ms": millis(recording.clocks.boot().since(self.began)),
            "request": self.request,
            "answer": answer,
            "end": how,
        });
        let name = format!("{:06}.json", self.number);
        if let Err(error) = recording.write(&name, &pair) {
            lock(&recording.lost).get_or_insert(format!("{name}: {error}"));
        }
    }
}
