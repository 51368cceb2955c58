//! The result as one JSON object; `docs/check.md` describes it. One file a line, so that it is written while the files
//! are checked.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::outcome::{Outcome, Summary};
use crate::observe::escape::json_line;
use crate::spec::{Place, Severity, Told};

/// A new number means another shape; what is only added keeps the number.
const VERSION: u32 = 1;

/// A problem as an object.
pub(super) fn problem(told: &Told, related: &Path) -> String {
    let severity = match told.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut object = json!({ "severity": severity, "title": told.title });
    place(&mut object, told.place);
    object["label"] = told.label.as_str().into();
    object["help"] = told.help.as_slice().into();
    object["related"] = told.related.as_ref().map_or(Value::Null, |(at, label)| {
        let mut object = json!({ "path": related.to_string_lossy() });
        place(&mut object, Some(*at));
        object["label"] = label.as_str().into();
        object
    });
    object.to_string()
}

fn place(object: &mut Value, place: Option<Place>) {
    object["line"] = place.map(|place| place.line).into();
    object["column"] = place.map(|place| place.column).into();
    object["end_line"] = place.map(|place| place.end_line).into();
    object["end_column"] = place.map(|place| place.end_column).into();
}

/// The beginning of the object.
pub(super) fn begin(out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"version\":{VERSION},\"files\":[")
}

/// One file on a line of its own.
pub(super) fn file(number: usize, path: &Path, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let comma = if number == 0 { "" } else { "," };
    let job =
        |(name, steps): &(crate::spec::job::JobName, usize)| json!({ "name": name.as_str(), "steps": steps });
    let jobs: Vec<Value> = outcome.right_jobs().iter().map(job).collect();
    let head = json!({
        "path": path.to_string_lossy(),
        "jobs": jobs,
        "connections": outcome.right_connections(),
    });
    let head = head.to_string();
    let (head, problems) = (head.trim_end_matches('}'), outcome.problems.join(","));
    let line = format!("{comma}\n{head},\"problems\":[{problems}]}}");
    out.write_all(json_line(&line).as_bytes())
}

/// The counts and the end of the object.
pub(super) fn end(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let Summary { files, jobs, errors, warnings } = summary;
    let summary = json!({ "files": files, "jobs": jobs, "errors": errors, "warnings": warnings });
    writeln!(out, "\n],\"summary\":{summary}}}")
}
