//! Values of parameters and properties: what they are follows from the catalog, never from how YAML would guess.

use serde_json::Value;

use super::Checker;
use super::expressions::Names;
use super::forms::{is_plain, literal};
use crate::catalog::{Parameter, ValueKind};
use crate::spec::embedded::{self, Piece};
use crate::spec::escape::quote;
use crate::spec::problem::Problem;
use crate::spec::template::Template;
use crate::spec::tree::{Content, Node, core_boolean, decimal_integer};

/// Whether a value of this kind can be written in a file.
pub(super) fn has_a_form(kind: ValueKind) -> bool {
    kind != ValueKind::Object
}

impl Checker<'_> {
    /// The value of a parameter of a cmdlet.
    pub(super) fn value(
        &mut self,
        parameter: Parameter,
        node: &Node,
        names: &mut Names<'_>,
    ) -> Option<Template> {
        let name = parameter.name();
        if parameter.kind() == ValueKind::Secret {
            return self.secret(parameter, node, names);
        }
        if !has_a_form(parameter.kind()) {
            let expects = parameter.kind().expects();
            let title = format!("`{name}` takes {expects}, which is not supported by this version yet");
            self.report(Problem::error(node.span.clone(), title).help("remove the parameter"));
            return None;
        }
        if node.is_absent() {
            let title = format!("`{name}` has no value");
            self.report(
                Problem::error(node.span.clone(), title)
                    .help("write a value, '' for empty text, or null to clear it"),
            );
            return None;
        }
        if parameter.kind() == ValueKind::Bytes {
            return self.bytes(parameter, node);
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
        let quoted = matches!(node.content, Content::Scalar { plain: false, .. }) && is_plain(kind);
        let mend = match literal(parameter, text) {
            Ok(value) if !quoted => return self.taken(parameter, node, text, value, names),
            Ok(_) => format!("write {text}"),
            Err(mend) => mend,
        };
        // Who wrote a boolean or a number in quotes is told to leave them out.
        let mend = if is_plain(kind) { format!("{mend}, without quotes") } else { mend };
        self.wrong(parameter, node, &mend)
    }

    /// A scalar that is right: what else is to be said about it, and its template.
    fn taken(
        &mut self,
        parameter: Parameter,
        node: &Node,
        text: &str,
        value: Value,
        names: &mut Names<'_>,
    ) -> Option<Template> {
        self.listed(parameter, node, text);
        self.odd_culture(parameter, node, text);
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
                | ValueKind::UnlimitedTimeSpan
                | ValueKind::Size
                | ValueKind::UnlimitedSize
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
    pub(super) fn listed(&mut self, parameter: Parameter, node: &Node, text: &str) {
        let values: Vec<&str> = parameter.words().collect();
        if values.is_empty() || text.contains("${{") {
            return;
        }
        // Several words of a set of flags are written with commas between.
        let unknown = |word: &&str| !values.iter().any(|value| value.eq_ignore_ascii_case(word));
        let Some(text) = text.split(',').map(str::trim).find(unknown) else { return };
        let title = format!("{} is not among the documented values of `{}`", quote(text), parameter.name());
        let problem = Problem::warning(node.span.clone(), title);
        let help = super::did_you_mean(&crate::catalog::nearest(text, values.iter().copied()))
            .unwrap_or_else(|| format!("documented are: {}", values.join(", ")));
        self.report(problem.help(help));
    }

    /// Other systems write `de_DE` for a culture; .NET knows only `de-DE`.
    fn odd_culture(&mut self, parameter: Parameter, node: &Node, text: &str) {
        if parameter.type_name() == "CultureInfo" && text.contains('_') {
            let title = format!("`{}` is a culture such as de-DE, found {}", parameter.name(), quote(text));
            let help = format!("write {}", text.replace('_', "-"));
            self.report(Problem::warning(node.span.clone(), title).help(help));
        }
    }

    pub(super) fn wrong(&mut self, parameter: Parameter, node: &Node, help: &str) -> Option<Template> {
        let title =
            format!("`{}` is {}, found {}", parameter.name(), parameter.kind().expects(), node.describe());
        self.report(Problem::error(node.span.clone(), title).help(help));
        None
    }
}
