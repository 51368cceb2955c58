//! Which expressions a step has, and what each of them refers to.

use super::page::listed;
use crate::spec::job::{Action, Job, Step, StepName};
use crate::spec::template::{Expression, Part, SecretValue, Template};
use crate::spec::words::{self, Path};

/// Each expression of a step with the key it stands under, in the order of the work.
pub(super) fn expressions(step: &Step) -> Vec<(String, &Expression)> {
    let mut found: Vec<(String, &Expression)> = Vec::new();
    found.extend(step.for_each.iter().map(|expression| ("for_each".to_owned(), expression)));
    found.extend(step.when.iter().map(|expression| ("when".to_owned(), expression)));
    match &step.action {
        Action::Cmdlet { parameters, .. } => {
            for (name, value) in parameters {
                inside(value, name, &mut found);
            }
        }
        Action::Ensure { identity, properties, .. } => {
            if let Some(identity) = identity {
                inside(identity, "identity", &mut found);
            }
            for (name, value) in properties {
                inside(value, name, &mut found);
            }
        }
    }
    if let Some(output) = &step.output {
        inside(&output.path, "output.path", &mut found);
    }
    found
}

fn inside<'a>(value: &'a Template, key: &str, found: &mut Vec<(String, &'a Expression)>) {
    match value {
        Template::Literal(_) | Template::Bytes(_) | Template::Secret(SecretValue::Text(_)) => {}
        Template::Secret(SecretValue::Credential { user_name, .. }) => {
            inside(user_name, &format!("{key}.user_name"), found);
        }
        Template::Expression(expression) => found.push((key.to_owned(), expression)),
        Template::Text(parts) => found.extend(parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Expression(expression) => Some((key.to_owned(), expression)),
        })),
        Template::List(members) => members.iter().for_each(|member| inside(member, key, found)),
        Template::Map(entries) => {
            entries.iter().for_each(|(name, value)| inside(value, &format!("{key}.{name}"), found));
        }
    }
}

/// What the expression refers to: `item.A is the property A of the item in hand`.
pub(super) fn meaning(expression: &Expression) -> String {
    let words = words::words(expression.source());
    let mut told: Vec<String> = Vec::new();
    for path in words::paths(&words) {
        let text = format!("`{}` is {}", &expression.source()[path.span.clone()], of_path(&path));
        if !told.contains(&text) {
            told.push(text);
        }
    }
    if told.is_empty() { "it refers to nothing".to_owned() } else { told.join("; ") }
}

fn of_path(path: &Path<'_>) -> String {
    match (path.root, &path.names[..]) {
        ("item", []) => "the whole item in hand".to_owned(),
        ("item", names) => format!("the property {} of the item in hand", names.join(".")),
        ("item_index", _) => "the number of the item in hand, from 0".to_owned(),
        ("inputs", [name, ..]) => format!("the input {name}"),
        ("steps", [step, "count", ..]) => format!("how many items step {step} returned"),
        ("steps", [step, "first"]) => format!("the first item that step {step} returned"),
        ("steps", [step, "first", names @ ..]) => {
            format!("the property {} of the first item that step {step} returned", names.join("."))
        }
        ("steps", [step, ..]) => format!("the items that step {step} returned"),
        ("run", _) => "the id of the run".to_owned(),
        ("target", ["environment", ..]) => "the environment".to_owned(),
        ("target", _) => "the tenant".to_owned(),
        (other, _) => other.to_owned(),
    }
}

/// The steps whose expressions use what this one returns.
pub(super) fn users_of(job: &Job, name: &StepName) -> Vec<String> {
    let uses = |step: &&Step| {
        expressions(step).iter().any(|(_, expression)| refers_to(expression, "steps", name.as_str()))
    };
    job.steps.iter().filter(uses).map(|step| step.name.to_string()).collect()
}

/// Whether the expression refers to `root.name`.
pub(super) fn refers_to(expression: &Expression, root: &str, name: &str) -> bool {
    let words = words::words(expression.source());
    words::paths(&words).iter().any(|path| path.root == root && path.names.first() == Some(&name))
}

/// Who uses what a step returns, in words.
pub(super) fn used_by(users: &[String]) -> String {
    match users {
        [] => "no other step uses it".to_owned(),
        [only] => format!("step {only} uses it"),
        several => format!("the steps {} use it", listed(several)),
    }
}
