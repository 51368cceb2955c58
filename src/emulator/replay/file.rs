//! A recording on disk, as `docs/record.md` describes it. Read with types of the emulator's own.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// The version of the format that is read.
const FORMAT: u32 = 1;

/// A file of a recording is no longer than a body that is recorded, written out with spaces.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

#[derive(Debug, Deserialize)]
struct Head {
    format: u32,
}

/// One request and what came of it.
#[derive(Debug, Deserialize)]
pub(super) struct Pair {
    format: u32,
    pub(super) number: u64,
    pub(super) peer: Peer,
    #[serde(default)]
    pub(super) took_ms: u64,
    pub(super) request: Request,
    pub(super) answer: Option<Answer>,
    pub(super) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Peer {
    Login,
    Exchange,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    Whole,
    /// The transport broke, before the answer or in it.
    Broken,
    /// The client waited no longer.
    GivenUp,
}

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Body,
}

#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Body,
}

/// A body, or what is known of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Body {
    Json(Value),
    Form(BTreeMap<String, String>),
    Text(String),
    Empty(()),
    /// So many NUL bytes.
    Nul(usize),
    /// JSON that ended after so many bytes.
    CutJson(usize),
    /// A page of so many bytes.
    Html(usize),
    /// So many other bytes.
    Bytes(usize),
    /// Too long to be recorded.
    LeftOut(usize),
}

/// Reads all pairs of a recording, in the order of their numbers.
///
/// # Errors
/// Names the file and what is wrong with it.
pub(super) fn read(folder: &Path) -> Result<Vec<Pair>, String> {
    let head: Head = one(&folder.join("recording.json"))?;
    if head.format != FORMAT {
        return Err(format!("recording.json: format {} is not known, only {FORMAT}", head.format));
    }
    let mut pairs = Vec::new();
    let entries = folder.read_dir().map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let is_pair = path.extension().is_some_and(|extension| extension == "json")
            && !stem.is_empty()
            && stem.bytes().all(|byte| byte.is_ascii_digit());
        if !is_pair {
            continue;
        }
        let pair: Pair = one(&path)?;
        let problem = match &pair {
            pair if pair.format != FORMAT => Some(format!("format {} is not known", pair.format)),
            Pair { answer: Some(answer), .. } if !(100..=599).contains(&answer.status) => {
                Some(format!("{} is no status", answer.status))
            }
            Pair { answer: None, end: End::Whole, .. } => Some("it ended whole without an answer".to_owned()),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(format!("{}: {problem}", path.display()));
        }
        pairs.push(pair);
    }
    if pairs.is_empty() {
        return Err(format!("{}: there is no request in it", folder.display()));
    }
    pairs.sort_by_key(|pair| pair.number);
    Ok(pairs)
}

fn one<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let size = std::fs::metadata(path).map_err(|error| failed(&error))?.len();
    if size > FILE_BYTES_MAX {
        return Err(failed(&format_args!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    serde_json::from_str(&text).map_err(|error| failed(&error))
}
