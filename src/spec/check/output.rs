//! `output` of a step: which file, in which form.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path};

use super::expressions::Names;
use super::{Checker, Fields};
use crate::spec::escape::quote;
use crate::spec::form::OUTPUT;
use crate::spec::job::{Output, OutputFormat};
use crate::spec::problem::Problem;
use crate::spec::tree::{Content, Entry, Node};

/// Keys that only CSV has, and what takes their place elsewhere.
const CSV_ONLY: [(&str, &str); 2] = [
    ("bom", "remove it: JSON is UTF-8 and has no byte order mark"),
    ("raw", "remove it: JSON keeps every text as it is"),
];

/// Where what is written follows what is there, as in a terminal: nothing is replaced.
const STREAMS: [&str; 2] = ["/dev/", "/proc/"];

impl Checker<'_> {
    /// `output` of a step that selects the properties `select`.
    pub(super) fn output(&mut self, node: &Node, select: &[String], names: &mut Names<'_>) -> Option<Output> {
        let fields = self.fields(node, &OUTPUT)?;
        let (bom, raw) = (self.boolean_of(fields, "bom"), self.boolean_of(fields, "raw"));
        let Some(path_node) = fields.get("path") else {
            let problem = Problem::error(fields.head(), "`output` has no `path`");
            self.report(problem.help("add `path: report.csv`"));
            return None;
        };
        let text = self.text(path_node, "path")?;
        let path = self.template(path_node, text, names);
        let format = match self.output_format(fields, path_node, text)? {
            "csv" => OutputFormat::Csv { bom: bom.unwrap_or(false), raw: raw.unwrap_or(false) },
            "json" => OutputFormat::Json,
            _ => OutputFormat::Ndjson,
        };
        if !matches!(format, OutputFormat::Csv { .. }) {
            for (key, help) in CSV_ONLY {
                let Some(entry) = fields.entry(key) else { continue };
                let title = format!("`{key}` belongs to a CSV file");
                self.report(Problem::error(entry.key_span.clone(), title).help(help));
            }
        } else if select.is_empty() {
            let title = "a CSV file needs `select`: its columns";
            self.report(
                Problem::error(path_node.span.clone(), title)
                    .help("add `select:` with the properties in the order of the columns, beside `output`"),
            );
        }
        Some(Output { path: path?, format })
    }

    /// The word for the form: as `format` says, else as the name does.
    fn output_format<'a>(&mut self, fields: Fields<'a>, path: &Node, text: &str) -> Option<&'a str> {
        if fields.get("format").is_some() {
            return self.word_of(fields, "format");
        }
        match text.rsplit('.').next().map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Some("csv"),
            Some("ndjson" | "jsonl") => Some("ndjson"),
            Some("json") => Some("json"),
            _ => {
                let title = format!("the name {} does not say the form of the file", quote(text));
                let help = "end it in .csv, .ndjson or .json, or add `format: csv`, `format: ndjson` or `format: json`";
                self.report(Problem::error(path.span.clone(), title).help(help));
                None
            }
        }
    }

    /// Two steps of one job that write one file: the second would replace what the first found. What a path uses is
    /// the same in the whole run, so that paths that are written alike are alike.
    pub(super) fn outputs_of_their_own(&mut self, steps: &[Node]) {
        let mut first: BTreeMap<Vec<&std::ffi::OsStr>, Range<usize>> = BTreeMap::new();
        for (path, span) in steps.iter().filter_map(path_of) {
            if STREAMS.iter().any(|stream| path.starts_with(stream)) {
                continue;
            }
            let components =
                Path::new(path).components().filter(|component| !matches!(component, Component::CurDir));
            let names = components.map(|component| component.as_os_str()).collect();
            let Some(before) = first.get(&names) else {
                first.insert(names, span.clone());
                continue;
            };
            let title = format!("two steps write the file {}", quote(path));
            let problem = Problem::error(span.clone(), title).label("again here");
            self.report(
                problem
                    .related(before.clone(), "first here")
                    .help("the second would replace what the first wrote: give each a file of its own"),
            );
        }
    }
}

/// The path of a step's output and its place, before anything of it is checked.
fn path_of(step: &Node) -> Option<(&str, &Range<usize>)> {
    let path = &value_of(value_of(step, "output")?, "path")?;
    match &path.content {
        Content::Scalar { text, .. } if !text.is_empty() => Some((text, &path.span)),
        _ => None,
    }
}

fn value_of<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Content::Map(entries) = &node.content else { return None };
    let entry: &Entry = entries.iter().find(|entry| entry.key == key)?;
    Some(&entry.value)
}
