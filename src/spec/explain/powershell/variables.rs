//! The variables that stand for steps and inputs.

use std::collections::BTreeSet;

use crate::spec::job::Job;

/// Names that PowerShell gives a meaning to, or that the script itself uses, in lower case.
const TAKEN: [&str; 33] = [
    "args",
    "environment",
    "error",
    "event",
    "eventargs",
    "eventsubscriber",
    "executioncontext",
    "false",
    "foreach",
    "home",
    "host",
    "input",
    "iscoreclr",
    "islinux",
    "ismacos",
    "iswindows",
    "lastexitcode",
    "matches",
    "maximumhistorycount",
    "myinvocation",
    "nestedpromptlevel",
    "null",
    "ofs",
    "pid",
    "profile",
    "pwd",
    "runid",
    "sender",
    "shellid",
    "stacktrace",
    "switch",
    "tenant",
    "this",
];

/// A variable for each step and each input: `$NAME`, or a longer name where that is taken.
#[derive(Debug)]
pub(super) struct Variables {
    steps: Vec<(String, String)>,
    inputs: Vec<(String, String)>,
}

impl Variables {
    pub(super) fn of(job: &Job) -> Variables {
        let mut given = BTreeSet::new();
        let mut free = |prefix: &str, name: &str| {
            let mut variable = name.to_owned();
            while is_taken(&variable) || !given.insert(variable.to_ascii_lowercase()) {
                variable = format!("{prefix}_{variable}");
            }
            (name.to_owned(), format!("${variable}"))
        };
        let steps = job.steps.iter().map(|step| free("step", step.name.as_str())).collect();
        let inputs = job.inputs.iter().map(|input| free("input", &input.name)).collect();
        Variables { steps, inputs }
    }

    /// The variable of a step.
    pub(super) fn step(&self, name: &str) -> Option<&str> {
        found(&self.steps, name)
    }

    /// The variable of an input.
    pub(super) fn input(&self, name: &str) -> Option<&str> {
        found(&self.inputs, name)
    }
}

fn found<'a>(variables: &'a [(String, String)], name: &str) -> Option<&'a str> {
    variables.iter().find(|(known, _)| known == name).map(|(_, variable)| variable.as_str())
}

fn is_taken(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TAKEN.contains(&name.as_str()) || name == "true" || name.starts_with("ps") || name.ends_with("preference")
}
