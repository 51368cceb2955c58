//! The inputs a job declares.

use serde_json::Value;

use super::Checker;
use crate::spec::escape::quote;
use crate::spec::form::INPUT;
use crate::spec::job::{InputKind, InputSpec, StepName};
use crate::spec::limits::INPUTS_MAX;
use crate::spec::problem::Problem;
use crate::spec::tree::{Content, Node, core_boolean, decimal_integer};

impl Checker<'_> {
    /// `inputs` of a job.
    pub(super) fn inputs(&mut self, node: &Node) -> Vec<InputSpec> {
        let Some(entries) = self.map(node, "`inputs`") else { return Vec::new() };
        if entries.len() > INPUTS_MAX {
            let title =
                format!("a job has at most {INPUTS_MAX} inputs (INPUTS_MAX), found {}", entries.len());
            self.report(
                Problem::error(node.span.clone(), title).help("put what belongs together into a list"),
            );
        }
        let mut inputs = Vec::new();
        for entry in entries {
            if StepName::new(&entry.key).is_none() {
                let title = format!("the name of an input is an identifier, found {}", quote(&entry.key));
                let help =
                    "lower-case letters, digits and `_`, starting with a letter: it occurs in expressions";
                self.report(Problem::error(entry.key_span.clone(), title).help(help));
            }
            // An input that is wrong in itself is still declared: its uses are not wrong too.
            inputs.push(self.input(&entry.key, &entry.value));
        }
        inputs
    }

    fn input(&mut self, name: &str, node: &Node) -> InputSpec {
        let mut input =
            InputSpec { name: name.to_owned(), kind: InputKind::String, description: None, default: None };
        let what = format!("the input {}", quote(name));
        let Some(fields) = self.fields_besides(node, &what, &INPUT, &[]) else {
            return input;
        };
        input.description = self.text_of(fields, "description").map(str::to_owned);
        if fields.get("type").is_none() {
            let problem = Problem::error(fields.head(), format!("{what} has no `type`"));
            self.report(problem.help("add `type: string`, `integer`, `boolean` or `list`"));
            return input;
        }
        input.kind = match self.word_of(fields, "type") {
            Some("string") => InputKind::String,
            Some("integer") => InputKind::Integer,
            Some("boolean") => InputKind::Boolean,
            Some(_) => InputKind::List,
            None => return input,
        };
        if let Some(default) = fields.get("default") {
            input.default = self.default(name, input.kind, default);
        }
        input
    }

    fn default(&mut self, name: &str, kind: InputKind, node: &Node) -> Option<Value> {
        let value = match (&node.content, kind) {
            (Content::Scalar { text, .. }, _) if text.contains("${{") => {
                let problem =
                    Problem::error(node.span.clone(), "a default is known before the run: no expressions");
                self.report(problem.help("use the expression where the input is used"));
                return None;
            }
            (Content::Scalar { text, plain: true }, InputKind::Boolean) => {
                core_boolean(text).map(Value::Bool)
            }
            (Content::Scalar { text, plain: true }, InputKind::Integer) => {
                decimal_integer(text).map(Value::from)
            }
            (Content::Scalar { text, .. }, InputKind::String) if !node.is_absent() && !node.is_null() => {
                Some(Value::String(text.clone()))
            }
            (Content::List(items), InputKind::List) => items
                .iter()
                .map(|item| match &item.content {
                    Content::Scalar { text, .. } if !item.is_absent() && !item.is_null() => {
                        Some(Value::String(text.clone()))
                    }
                    _ => None,
                })
                .collect::<Option<Vec<Value>>>()
                .map(Value::Array),
            _ => None,
        };
        if value.is_none() {
            let (expected, help) = match kind {
                InputKind::String => ("text", "write text, or remove `default`: the input is then required"),
                InputKind::Integer => ("a whole number", "write plain digits, without quotes"),
                InputKind::Boolean => ("true or false", "write true or false, without quotes"),
                InputKind::List => ("a list of texts", "start each entry with `- ` on a line of its own"),
            };
            let title =
                format!("the default of the input {} is {expected}, found {}", quote(name), node.describe());
            self.report(Problem::error(node.span.clone(), title).help(help));
        }
        value
    }
}
