//! `exorun next --stdin`: a JSON object a line in, one a line out.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::expression::{self, Asked, Refused};
use super::{COUNT_MAX, page, zone_of};
use crate::exit::Exit;
use crate::rules::schedule::{Dst, Gap, Overlap};

/// A longer line is answered with an error and passed over.
const LINE_BYTES_MAX: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    #[serde(rename = "id")]
    _id: Option<Value>,
    cron: Option<String>,
    every: Option<String>,
    time_zone: Option<String>,
    from: Option<String>,
    #[serde(default = "one")]
    count: u32,
    #[serde(default)]
    dst: DstNames,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DstNames {
    gap: GapWord,
    overlap: OverlapWord,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum GapWord {
    Skip,
    #[default]
    After,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OverlapWord {
    #[default]
    First,
    Both,
}

fn one() -> u32 {
    1
}

/// Answers every line, whatever is in it, until the input ends or nobody reads the answers.
pub(super) fn answer(input: impl Read, out: &mut dyn Write, now: Timestamp) -> Exit {
    match answer_lines(BufReader::new(input), out, now) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            super::start::refuse(&format!("standard input or output: {error}"));
            Exit::Failed
        }
        _ => Exit::Done,
    }
}

fn answer_lines(mut input: BufReader<impl Read>, out: &mut dyn Write, now: Timestamp) -> io::Result<()> {
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        // With the end of the line.
        let read = input.by_ref().take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        let text = line.trim_ascii();
        let answer = if line.len() > LINE_BYTES_MAX && !line.ends_with(b"\n") {
            input.skip_until(b'\n')?;
            let help = "write one question a line";
            refusal(number, Refused::new(&format!("a line has at most {LINE_BYTES_MAX} bytes"), help))
        } else if text.is_empty() {
            continue;
        } else {
            answered(number, text, now)
        };
        serde_json::to_writer(&mut *out, &answer)?;
        out.write_all(b"\n")?;
        // Who asks one at a time waits for the answer.
        if !input.buffer().contains(&b'\n') {
            out.flush()?;
        }
    }
    out.flush()
}

fn answered(number: u64, line: &[u8], now: Timestamp) -> Map<String, Value> {
    let question: Value = match serde_json::from_slice(line) {
        Ok(question) => question,
        Err(error) => {
            let help =
                "write one JSON object a line: {\"cron\": \"0 2 * * *\", \"time_zone\": \"Europe/Berlin\"}";
            return refusal(number, Refused::new(&format!("not JSON: {error}"), help));
        }
    };
    let id = question.get("id").cloned();
    let mut answer = match due(question, now) {
        Ok(due) => Map::from_iter([("due".to_owned(), due.into())]),
        Err(refused) => refusal(number, refused),
    };
    if let Some(id) = id {
        answer.shift_insert(0, "id".to_owned(), id);
    }
    answer
}

fn due(question: Value, now: Timestamp) -> Result<Vec<String>, Refused> {
    let keys = "the keys are id, cron or every, time_zone, from, count, dst: {gap: skip or after, overlap: first or both}";
    if !question.is_object() {
        return Err(Refused::new("a question is a JSON object", keys));
    }
    let Question { _id, cron, every, time_zone, from, count, dst } =
        serde_json::from_value(question).map_err(|error| Refused::new(&error.to_string(), keys))?;
    let text = match (cron, every) {
        (Some(cron), None) => cron,
        (None, Some(period)) => format!("every {period}"),
        _ => return Err(Refused::new("there is one of `cron` and `every` in a question", keys)),
    };
    if !(1..=COUNT_MAX).contains(&count) {
        return Err(Refused::new(&format!("`count` is from 1 to {COUNT_MAX}"), "write a smaller number"));
    }
    let dst = Dst {
        gap: match dst.gap {
            GapWord::Skip => Gap::Skip,
            GapWord::After => Gap::After,
        },
        overlap: match dst.overlap {
            OverlapWord::First => Overlap::First,
            OverlapWord::Both => Overlap::Both,
        },
    };
    let schedule = Asked { text: &text, time_zone: time_zone.as_deref(), dst }.schedule()?;
    let zone = zone_of(&schedule);
    let from = from.map_or(Ok(now), |text| expression::instant(&text, &zone))?;
    Ok(expression::due(&schedule, from, count).into_iter().map(|at| page::instant(at, &zone)).collect())
}

fn refusal(line: u64, Refused { title, help }: Refused) -> Map<String, Value> {
    Map::from_iter([
        ("error".to_owned(), title.into()),
        ("help".to_owned(), help.into()),
        ("line".to_owned(), line.into()),
    ])
}
