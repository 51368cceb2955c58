//! Values of parameters and properties: what they are follows from the catalog, never from how YAML would guess.

use serde_json::Value;

use super::Checker;
use super::auth::is_guid;
use super::expressions::Names;
use super::forms::{date_time, is_size, is_time_span, mend};
use crate::catalog::{Parameter, ValueKind};
use crate::spec::embedded::{self, Piece};
use crate::spec::escape::quote;
use crate::spec::problem::Problem;
use crate::spec::template::Template;
use crate::spec::tree::{Content, Node, core_boolean, decimal_integer};

impl Checker<'_> {
    /// The value of a parameter of a cmdlet.
    pub(super) fn value(
        &mut self,
        parameter: Parameter,
        node: &Node,
        names: &mut Names<'_>,
    ) -> Option<Template> {
        let name = parameter.name();
        match parameter.kind() {
            ValueKind::Secret => {
                self.secrets.push(node.span.clone());
                let title = format!("`{name}` takes a secret, which is not supported by this version yet");
                self.report(
                    Problem::error(node.span.clone(), title)
                        .label("not shown")
                        .help("remove the parameter; never write a secret into a job"),
                );
                return None;
            }
            ValueKind::Bytes | ValueKind::Object => {
                let title = format!(
                    "`{name}` takes {}, which is not supported by this version yet",
                    parameter.kind().expects()
                );
                self.report(Problem::error(node.span.clone(), title).help("remove the parameter"));
                return None;
            }
            _ => {}
        }
        if node.is_absent() {
            let title = format!("`{name}` has no value");
            self.report(
                Problem::error(node.span.clone(), title)
                    .help("write a value, '' for empty text, or null to clear it"),
            );
            return None;
        }
        match &node.content {
            Content::Scalar { text, .. } => self.scalar(parameter, node, text, names),
            Content::List(items) => self.list_value(parameter, node, items, names),
            Content::Map(_) => self.map_value(parameter, node, names),
        }
    }

    fn scalar(
        &mut self,
        parameter: Parameter,
        node: &Node,
        text: &str,
        names: &mut Names<'_>,
    ) -> Option<Template> {
        let kind = parameter.kind();
        if node.is_null() {
            if kind == ValueKind::Switch {
                return self.wrong(parameter, node, "write true or false, without quotes");
            }
            return Some(Template::Literal(Value::Null));
        }
        if text.contains("${{") {
            return self.with_expressions(parameter, node, text, names);
        }
        let plain = matches!(node.content, Content::Scalar { plain: true, .. });
        let value = match kind {
            ValueKind::Switch | ValueKind::Boolean => core_boolean(text).filter(|_| plain).map(Value::Bool),
            ValueKind::Integer => decimal_integer(text).filter(|_| plain).map(Value::from),
            ValueKind::Number => {
                text.parse().ok().filter(|_| plain).and_then(serde_json::Number::from_f64).map(Value::Number)
            }
            ValueKind::Unlimited => {
                (text.eq_ignore_ascii_case("unlimited") || is_size(text)).then(|| Value::from(text))
            }
            ValueKind::Size => {
                (is_size(text) || text.eq_ignore_ascii_case("unlimited")).then(|| Value::from(text))
            }
            ValueKind::DateTime => date_time(text).map(Value::String),
            ValueKind::TimeSpan => {
                (is_time_span(text) || text.eq_ignore_ascii_case("unlimited")).then(|| Value::from(text))
            }
            ValueKind::Guid => is_guid(text.trim_matches(['{', '}'])).then(|| Value::from(text)),
            ValueKind::Hashtable | ValueKind::HashtableList => None,
            _ => Some(Value::from(text)),
        };
        let Some(value) = value else { return self.wrong(parameter, node, &mend(kind, text)) };
        self.listed(parameter, node, text);
        if value.is_string() {
            // Also looks for an expression whose dollar sign was forgotten.
            self.template(node, text, names)?;
        }
        Some(Template::Literal(value))
    }

    /// A value that is computed: a whole expression may become any type, text with expressions is text.
    fn with_expressions(
        &mut self,
        parameter: Parameter,
        node: &Node,
        text: &str,
        names: &mut Names<'_>,
    ) -> Option<Template> {
        let whole = matches!(embedded::split(text).as_deref(), Ok([Piece::Expression(_)]));
        let takes_text = matches!(
            parameter.kind(),
            ValueKind::String
                | ValueKind::Enum
                | ValueKind::List
                | ValueKind::Guid
                | ValueKind::DateTime
                | ValueKind::TimeSpan
                | ValueKind::Size
                | ValueKind::Unlimited
        );
        let template = self.template(node, text, names)?;
        if !whole && !takes_text {
            let title = format!(
                "`{}` is {}: text around an expression makes text of it",
                parameter.name(),
                parameter.kind().expects()
            );
            self.report(
                Problem::error(node.span.clone(), title)
                    .help("write one expression that gives the whole value"),
            );
            return None;
        }
        Some(template)
    }

    fn list_value(
        &mut self,
        parameter: Parameter,
        node: &Node,
        items: &[Node],
        names: &mut Names<'_>,
    ) -> Option<Template> {
        let kind = parameter.kind();
        if !matches!(kind, ValueKind::List | ValueKind::HashtableList) {
            return self.wrong(parameter, node, "write one value, not a list");
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
        templates.into_iter().collect::<Option<Vec<Template>>>().map(Template::List)
    }

    fn map_value(&mut self, parameter: Parameter, node: &Node, names: &mut Names<'_>) -> Option<Template> {
        let Content::Map(entries) = &node.content else { return None };
        match parameter.kind() {
            ValueKind::Hashtable => self.free(node, names),
            ValueKind::HashtableList => self.free(node, names).map(|map| Template::List(vec![map])),
            ValueKind::List => {
                let mut edits = Vec::with_capacity(entries.len());
                let mut complete = !entries.is_empty();
                if entries.is_empty() {
                    self.wrong(parameter, node, "write `add:` or `remove:` with a list below it");
                }
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
                        complete = false;
                        continue;
                    }
                    match self.value(parameter, &entry.value, names) {
                        Some(Template::Map(_)) => {
                            complete = false;
                            self.wrong(parameter, &entry.value, "write a list below `add` and `remove`");
                        }
                        Some(template) => edits.push((name, template)),
                        None => complete = false,
                    }
                }
                complete.then_some(Template::Map(edits))
            }
            _ => self.wrong(parameter, node, "write one value, not a map"),
        }
    }

    /// Values inside a hashtable: nothing is known about them, so only what cannot be meant otherwise has a type.
    pub(super) fn free(&mut self, node: &Node, names: &mut Names<'_>) -> Option<Template> {
        match &node.content {
            Content::Scalar { .. } if node.is_null() => Some(Template::Literal(Value::Null)),
            Content::Scalar { text, plain: true } if core_boolean(text).is_some() => {
                core_boolean(text).map(|value| Template::Literal(Value::Bool(value)))
            }
            Content::Scalar { text, plain: true } if decimal_integer(text).is_some() => {
                decimal_integer(text).map(|value| Template::Literal(Value::from(value)))
            }
            Content::Scalar { text, .. } => self.template(node, text, names),
            Content::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.free(item, names)).collect();
                items.into_iter().collect::<Option<Vec<Template>>>().map(Template::List)
            }
            Content::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|entry| Some((entry.key.clone(), self.free(&entry.value, names)?)))
                    .collect();
                entries.into_iter().collect::<Option<Vec<_>>>().map(Template::Map)
            }
        }
    }

    /// Warns about a value that the documentation does not list: it may be newer than the catalog.
    fn listed(&mut self, parameter: Parameter, node: &Node, text: &str) {
        // For addresses the documentation lists prefixes, for identities the properties that identify.
        let type_name = parameter.type_name();
        let words = matches!(parameter.kind(), ValueKind::Enum | ValueKind::List)
            && !type_name.starts_with("ProxyAddress")
            && !type_name.ends_with("IdParameter")
            && type_name != "String[]";
        let values: Vec<&str> = parameter.values().collect();
        if !words
            || values.is_empty()
            || text.contains("${{")
            || values.iter().any(|value| value.eq_ignore_ascii_case(text))
        {
            return;
        }
        let title = format!("{} is not among the documented values of `{}`", quote(text), parameter.name());
        let problem = Problem::warning(node.span.clone(), title);
        let help = super::did_you_mean(&crate::catalog::nearest(text, values.iter().copied()))
            .unwrap_or_else(|| format!("documented are: {}", values.join(", ")));
        self.report(problem.help(help));
    }

    fn wrong(&mut self, parameter: Parameter, node: &Node, help: &str) -> Option<Template> {
        let title =
            format!("`{}` is {}, found {}", parameter.name(), parameter.kind().expects(), node.describe());
        self.report(Problem::error(node.span.clone(), title).help(help));
        None
    }
}
