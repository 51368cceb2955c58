//! What kind of document it is.

use super::Checker;
use crate::spec::escape::quote;
use crate::spec::problem::Problem;
use crate::spec::read::Document;
use crate::spec::tree::{Content, Entry};

/// The kinds there are. A file holds one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spec) enum Kind {
    /// What a document without `kind` is.
    Job,
    /// Named targets.
    Connections,
}

/// The kind of a document, which should be that of its file; `None` if there is no such kind.
pub(in crate::spec) fn kind(
    checker: &mut Checker<'_>,
    document: &Document,
    of_file: Option<Kind>,
) -> Option<Kind> {
    let entries: &[Entry] = match &document.root.content {
        Content::Map(entries) => entries,
        _ => &[],
    };
    let entry = |key: &str| entries.iter().find(|entry| entry.key == key);
    let start = document.root.span.start;
    let mut place = entries.first().map_or(start..start, |first| first.key_span.clone());
    let kind = match (entry("kind"), entry("connections")) {
        (Some(kind), _) => {
            place = kind.value.span.clone();
            match checker.word(&kind.value, "kind", &["Job", "Connections"])? {
                "Connections" => Kind::Connections,
                _ => Kind::Job,
            }
        }
        (None, Some(connections)) => {
            let title = "the document has `connections`, and no `kind`";
            let problem = Problem::error(connections.key_span.clone(), title);
            checker.report(problem.help("add `kind: Connections` below `version: 1`"));
            Kind::Connections
        }
        (None, None) => Kind::Job,
    };
    match (of_file, kind) {
        (Some(Kind::Job), Kind::Connections) => checker.report(
            Problem::error(place, "this document holds connections, and a job is expected here")
                .help("connections stand in a file of their own, which the setting `connections_file` names"),
        ),
        (Some(Kind::Connections), Kind::Job) => {
            let name = match entry("name").map(|name| &name.value.content) {
                Some(Content::Scalar { text, .. }) => format!("the job {}", quote(text)),
                _ => "a job".to_owned(),
            };
            let title = format!("this document is {name}, and connections are expected here");
            checker.report(
                Problem::error(place, title).help(
                    "jobs stand in files of their own; documents of connections say `kind: Connections`",
                ),
            );
        }
        _ => {}
    }
    Some(kind)
}
