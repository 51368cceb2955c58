//! From the located tree to a [`Job`](super::job::Job) or to connections: looks names up, checks types, collects
//! every problem.

mod auth;
mod bytes;
mod cmdlet;
mod connections;
mod credentials;
mod date;
mod ensure;
mod expressions;
mod forms;
mod inputs;
mod job;
mod kept;
mod kind;
mod lists;
mod loops;
mod methods;
mod output;
mod permits;
mod references;
mod repeats;
mod run_policy;
mod scalars;
mod schedule;
mod secret_calls;
mod secrets;
mod steps;
#[cfg(test)]
mod tests;
mod uncatalogued;
mod values;

use std::collections::HashMap;
use std::ops::Range;

use super::escape::quote;
use super::form::{Form, Object};
use super::problem::Problem;
use super::tree::{Content, Entry, Node};
use crate::catalog::nearest;

pub(crate) use cmdlet::{can_be_a_step, can_be_given};
pub(super) use connections::{Found, connections};
pub(super) use credentials::Hidden;
pub(super) use forms::literal;
pub(super) use job::{hash, job};
pub(super) use kind::{Kind, kind};

/// Collects what is wrong while a document is checked.
pub(super) struct Checker<'a> {
    /// The file's text.
    pub(super) text: &'a str,
    pub(super) problems: Vec<Problem>,
    /// Places that hold secrets and are never quoted.
    pub(super) secrets: Vec<Range<usize>>,
    /// Whether the job allows what the catalog does not have.
    allows_unknown: bool,
    /// The regular expressions compiled so far, with what is wrong with them.
    patterns: HashMap<String, Option<String>>,
}

/// The keys of a map that was checked for unknown ones.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    entries: &'a [Entry],
    span: &'a Range<usize>,
    object: &'static Object,
}

impl<'a> Fields<'a> {
    /// The value of a key, if something was written.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// What the form says of a key.
    pub(super) fn form(&self, key: &str) -> Form {
        self.object.key(key).form
    }

    /// A key with its value.
    pub(super) fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Where to point at when something is missing: the first key.
    pub(super) fn head(&self) -> Range<usize> {
        self.entries.first().map_or(self.span.start..self.span.start, |entry| entry.key_span.clone())
    }
}

impl<'a> Checker<'a> {
    /// A checker of a file; `problems` are what reading it found.
    pub(super) fn new(text: &'a str, problems: Vec<Problem>) -> Checker<'a> {
        Checker { text, problems, secrets: Vec::new(), allows_unknown: false, patterns: HashMap::new() }
    }
}

impl Checker<'_> {
    pub(super) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The keys of a map; unknown ones are reported with the nearest known one.
    pub(super) fn fields<'a>(&mut self, node: &'a Node, object: &'static Object) -> Option<Fields<'a>> {
        self.fields_besides(node, object.what, object, &[])
    }

    /// As [`Checker::fields`], for a map that messages call `what`; the keys in `besides` have messages of their own
    /// and are never suggested.
    pub(super) fn fields_besides<'a>(
        &mut self,
        node: &'a Node,
        what: &str,
        object: &'static Object,
        besides: &[&str],
    ) -> Option<Fields<'a>> {
        let entries = self.map(node, what)?;
        let is_known = |key: &str| object.names().any(|name| name == key) || besides.contains(&key);
        for entry in entries.iter().filter(|entry| !is_known(&entry.key)) {
            self.unknown_key(entry, what, object);
        }
        Some(Fields { entries, span: &node.span, object })
    }

    /// The entries of a map.
    pub(super) fn map<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a [Entry]> {
        match &node.content {
            Content::Map(entries) => Some(entries),
            _ => {
                let title = format!("{what} is a map of keys and values, found {}", node.describe());
                self.report(
                    Problem::error(node.span.clone(), title)
                        .help("write `key: value` lines, indented below it"),
                );
                None
            }
        }
    }

    /// The entries of a list.
    pub(super) fn list<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a [Node]> {
        match &node.content {
            Content::List(items) => Some(items),
            _ => {
                let title = format!("{what} is a list, found {}", node.describe());
                self.report(
                    Problem::error(node.span.clone(), title)
                        .help("start each entry with `- ` on a line of its own"),
                );
                None
            }
        }
    }

    fn unknown_key(&mut self, entry: &Entry, what: &str, object: &Object) {
        let title = format!("{what} has no key {}", quote(&entry.key));
        let mut problem = Problem::error(entry.key_span.clone(), title);
        problem = match nearest(&entry.key, object.names()).first() {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("its keys are: {}", object.names().collect::<Vec<_>>().join(", "))),
        };
        if matches!(
            entry.key.as_str(),
            "proxy" | "endpoint" | "endpoints" | "connection_uri" | "url" | "webhook"
        ) {
            problem = problem
                .help("addresses and proxies are settings of the program, never of a job or a connection");
        }
        self.report(problem);
    }
}

/// `did you mean` for some names; empty if there are none.
pub(super) fn did_you_mean(near: &[&str]) -> Option<String> {
    let quoted: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    (!quoted.is_empty()).then(|| format!("did you mean {}?", quoted.join(" or ")))
}
