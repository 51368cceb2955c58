//! Values of parameters that take several: whole lists, and `{add: [...], remove: [...]}`, which edits one.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;

use super::Checker;
use super::expressions::Names;
use crate::catalog::{Parameter, ValueKind};
use crate::rules::quantity::entry_key;
use crate::spec::escape::quote;
use crate::spec::problem::Problem;
use crate::spec::template::Template;
use crate::spec::tree::{Content, Entry, Node};

/// What one side of an edit names literally, with its place.
type Named = Vec<(String, Range<usize>)>;

impl Checker<'_> {
    /// A list, for a parameter that takes one.
    pub(super) fn list_value(
        &mut self,
        parameter: Parameter,
        node: &Node,
        items: &[Node],
        names: &mut Names<'_>,
    ) -> Option<Template> {
        let kind = parameter.kind();
        if !matches!(kind, ValueKind::List | ValueKind::HashtableList) {
            let help = match kind {
                ValueKind::Enum => "write one word; several words of a set stand in one text: 'A, B'",
                _ => "write one value, not a list",
            };
            return self.wrong(parameter, node, help);
        }
        let mut templates = Vec::with_capacity(items.len());
        for item in items {
            templates.push(match (&item.content, kind) {
                (Content::Map(_), ValueKind::HashtableList) => self.free(item, names),
                (Content::Scalar { text, .. }, ValueKind::List) if !item.is_absent() && !item.is_null() => {
                    self.listed(parameter, item, text);
                    self.template(item, text, names)
                }
                _ => {
                    let expected = if kind == ValueKind::List { "text" } else { "a map" };
                    let title = format!(
                        "an entry of `{}` is {expected}, found {}",
                        parameter.name(),
                        item.describe()
                    );
                    self.report(
                        Problem::error(item.span.clone(), title)
                            .help(format!("write {expected} after each `- `")),
                    );
                    None
                }
            });
        }
        self.repeated(parameter, &literals(node));
        templates.into_iter().collect::<Option<Vec<Template>>>().map(Template::List)
    }

    /// A map: a hashtable, or an edit of a list.
    pub(super) fn map_value(
        &mut self,
        parameter: Parameter,
        node: &Node,
        names: &mut Names<'_>,
    ) -> Option<Template> {
        let Content::Map(entries) = &node.content else { return None };
        match parameter.kind() {
            ValueKind::Hashtable => self.free(node, names),
            ValueKind::HashtableList => self.free(node, names).map(|map| Template::List(vec![map])),
            ValueKind::List if entries.is_empty() => {
                self.wrong(parameter, node, "write `add:` or `remove:` with a list below it")
            }
            ValueKind::List => self.edit(parameter, entries, names),
            _ => self.wrong(parameter, node, "write one value, not a map"),
        }
    }

    fn edit(&mut self, parameter: Parameter, entries: &[Entry], names: &mut Names<'_>) -> Option<Template> {
        let mut edits: Vec<(String, Template)> = Vec::with_capacity(entries.len());
        let mut named: Vec<Named> = Vec::with_capacity(entries.len());
        for entry in entries {
            let name = entry.key.to_ascii_lowercase();
            if name != "add" && name != "remove" {
                let title = format!(
                    "a change of the list `{}` has only `add` and `remove`, found {}",
                    parameter.name(),
                    quote(&entry.key)
                );
                self.report(
                    Problem::error(entry.key_span.clone(), title)
                        .help("write `add: [...]`, `remove: [...]`, or a list to replace all"),
                );
                continue;
            }
            if edits.iter().any(|(known, _)| *known == name) {
                let title = format!("`{name}` is there twice for the list `{}`", parameter.name());
                self.report(Problem::error(entry.key_span.clone(), title).help("make one list of the two"));
                continue;
            }
            let is_map = matches!(entry.value.content, Content::Map(_));
            if is_map || entry.value.is_null() {
                let title = format!(
                    "`{name}` of the list `{}` is a list, found {}",
                    parameter.name(),
                    entry.value.describe()
                );
                self.report(Problem::error(entry.value.span.clone(), title).help(format!(
                    "write the entries after `- ` below `{name}`; to empty the whole list write `{}: null`",
                    parameter.name()
                )));
                continue;
            }
            named.push(literals(&entry.value));
            edits.push((name, self.value(parameter, &entry.value, names)?));
        }
        if let [one, other] = &named[..] {
            self.contradicted(parameter, one, other);
        }
        (edits.len() == entries.len()).then_some(Template::Map(edits))
    }

    /// An entry that is to be there and not to be there.
    fn contradicted(&mut self, parameter: Parameter, one: &Named, other: &Named) {
        // Of entries that are there twice the first is named.
        let places: HashMap<String, &Range<usize>> =
            one.iter().rev().map(|(text, at)| (entry_key(text), at)).collect();
        for (text, at) in other {
            let Some(&first) = places.get(&entry_key(text)) else { continue };
            let title = format!("{} is both in `add` and in `remove` of `{}`", quote(text), parameter.name());
            let problem = Problem::error(at.clone(), title).label("again here");
            self.report(problem.related(first.clone(), "first here").help("keep one of the two"));
        }
    }

    fn repeated(&mut self, parameter: Parameter, named: &Named) {
        let mut seen: HashMap<String, &Range<usize>> = HashMap::new();
        for (text, at) in named {
            if let Some(first) = seen.get(&entry_key(text)) {
                let title = format!("{} is in the list `{}` twice", quote(text), parameter.name());
                let problem = Problem::warning(at.clone(), title).label("again here");
                let first = (*first).clone();
                self.report(problem.related(first, "first here").help("remove one of the two"));
            } else {
                seen.insert(entry_key(text), at);
            }
        }
    }
}

/// The entries that are known before the run; a single value is a list of one.
fn literals(node: &Node) -> Named {
    let items = match &node.content {
        Content::List(items) => &items[..],
        _ => std::slice::from_ref(node),
    };
    let literal = |item: &Node| match &item.content {
        Content::Scalar { text, .. } if !text.contains("${{") => Some((text.clone(), item.span.clone())),
        _ => None,
    };
    items.iter().filter_map(literal).collect()
}

/// A single value for a list is a list of one, in an edit too: what is compared is a list.
pub(super) fn as_list(parameter: Parameter, template: Template) -> Template {
    match template {
        Template::Literal(Value::Null) | Template::Expression(_) | Template::List(_) => template,
        Template::Map(edits) if parameter.kind() == ValueKind::List => {
            Template::Map(edits.into_iter().map(|(name, side)| (name, as_list(parameter, side))).collect())
        }
        single if parameter.kind() == ValueKind::List => Template::List(vec![single]),
        other => other,
    }
}
