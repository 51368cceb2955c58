//! Values given for a job's inputs, checked against what the job declares.

use std::collections::BTreeMap;

use serde_json::Value;

use super::escape::quote;
use super::job::{GivenInput, InputKind, InputSpec, Job};
use super::tree::decimal_integer;
use crate::catalog::nearest;

/// Every input with its value: what was given, else the default.
///
/// # Errors
/// All problems at once, each in one line: unknown names, wrong types, required inputs that were not given.
pub fn resolve_inputs(job: &Job, given: &[GivenInput]) -> Result<BTreeMap<String, Value>, Vec<String>> {
    resolve(&job.inputs, given)
}

fn resolve(declared: &[InputSpec], given: &[GivenInput]) -> Result<BTreeMap<String, Value>, Vec<String>> {
    let mut values = BTreeMap::new();
    let mut problems = Vec::new();
    for given in given {
        let Some(input) = declared.iter().find(|input| input.name == given.name) else {
            problems.push(unknown(declared, &given.name));
            continue;
        };
        if values.contains_key(&given.name) {
            problems.push(format!("the input {} is given twice", quote(&given.name)));
            continue;
        }
        match value(input.kind, &given.value) {
            Ok(value) => {
                values.insert(given.name.clone(), value);
            }
            // The text itself is not shown: people give secrets as inputs.
            Err(expected) => problems.push(format!("the input {} is {expected}", quote(&given.name))),
        }
    }
    for input in declared {
        if values.contains_key(&input.name) || given.iter().any(|given| given.name == input.name) {
            continue;
        }
        match &input.default {
            Some(default) => {
                values.insert(input.name.clone(), default.clone());
            }
            None => problems.push(format!(
                "the input {name} is required: give --input {}=…",
                input.name,
                name = quote(&input.name)
            )),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

fn unknown(declared: &[InputSpec], name: &str) -> String {
    let names = || declared.iter().map(|input| input.name.as_str());
    let help = match nearest(name, names()).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None if declared.is_empty() => "the job declares none".to_owned(),
        None => format!("its inputs are: {}", names().collect::<Vec<_>>().join(", ")),
    };
    format!("the job has no input {}; {help}", quote(name))
}

fn value(kind: InputKind, text: &str) -> Result<Value, &'static str> {
    match kind {
        InputKind::String => Ok(Value::String(text.to_owned())),
        InputKind::Integer => decimal_integer(text).map(Value::from).ok_or("a whole number in plain digits"),
        InputKind::Boolean => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("true or false"),
        },
        InputKind::List if text.is_empty() => Ok(Value::Array(Vec::new())),
        InputKind::List => {
            Ok(Value::Array(text.split(',').map(|entry| Value::String(entry.trim().to_owned())).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str, kind: InputKind, default: Option<Value>) -> InputSpec {
        InputSpec { name: name.to_owned(), kind, description: None, default }
    }

    fn given(name: &str, value: &str) -> GivenInput {
        GivenInput { name: name.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn given_values_win_over_defaults() {
        let declared = [
            input("allowed", InputKind::List, Some(Value::Array(Vec::new()))),
            input("days", InputKind::Integer, Some(Value::from(7))),
            input("force", InputKind::Boolean, None),
        ];
        let values =
            resolve(&declared, &[given("allowed", "a@x.example, b@x.example"), given("force", "true")])
                .expect("all is given");
        assert_eq!(values["allowed"], serde_json::json!(["a@x.example", "b@x.example"]));
        assert_eq!((&values["days"], &values["force"]), (&Value::from(7), &Value::Bool(true)));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let declared = [input("days", InputKind::Integer, None), input("force", InputKind::Boolean, None)];
        let problems =
            resolve(&declared, &[given("dyas", "1"), given("force", "yes")]).expect_err("three are wrong");
        assert_eq!(
            problems,
            [
                "the job has no input `dyas`; did you mean `days`?",
                "the input `force` is true or false",
                "the input `days` is required: give --input days=…",
            ]
        );
    }
}
