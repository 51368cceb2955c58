//! One cmdlet given on the command line, checked as a job's step would be.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::check::{can_be_a_step, hash, literal};
use super::job::{
    Action, ConnectionName, Job, JobName, Keep, Limits, OnError, Step, StepName, Target, Unknown,
};
use super::template::Template;
use crate::catalog::{self, Cmdlet, Parameter, Required, Service, ValueKind};
use crate::rules::schedule::RunPolicy;

/// The name of the job and of the step that stand for a call.
const INVOKE: &str = "invoke";

/// A job without steps on a named connection, for calls that no job file stands behind.
pub fn job(connection: ConnectionName, service: Service) -> Job {
    Job {
        name: JobName::new(INVOKE).expect("`invoke` is a DNS label"),
        description: None,
        source: "exorun invoke".into(),
        // There is no document to know it by.
        hash: hash(""),
        target: Target::Connection { name: connection, delegated_organization: None },
        service,
        unknown: Unknown::Refused,
        labels: BTreeMap::new(),
        inputs: Vec::new(),
        limits: Limits { max_sessions: 1, max_changes: None, max_duration: None, session_wait: None },
        schedules: Vec::new(),
        run_policy: RunPolicy::default(),
        steps: Vec::new(),
    }
}

/// A step that calls `cmdlet` of `service` once, and whether the call only reads.
///
/// # Errors
/// All problems at once, each in one line with the mend.
pub fn step(
    service: Service,
    cmdlet: &str,
    arguments: &[String],
    select: &[String],
) -> Result<(Step, Reads), Vec<String>> {
    let known = called(cmdlet).map_err(|problem| vec![problem])?;
    let mut problems: Vec<String> = elsewhere(&known, service).into_iter().collect();
    let mut parameters: Vec<(String, Template)> = Vec::new();
    for argument in arguments {
        match one(&known, argument) {
            Ok((name, _)) if parameters.iter().any(|(given, _)| *given == name) => {
                problems.push(format!("{name} is given twice"));
            }
            Ok((name, value)) => parameters.push((name, Template::Literal(value))),
            Err(problem) => problems.push(problem),
        }
    }
    for parameter in known.parameters().filter(|parameter| parameter.required() == Required::Always) {
        if !parameters.iter().any(|(given, _)| given == parameter.name()) {
            problems.push(format!("{} needs {}=VALUE", known.as_str(), parameter.name()));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let names = parameters.iter().map(|(name, _)| name.as_str());
    let reads = if known.is_read_with(names) { Reads::Only } else { Reads::AndWrites };
    let keep = if select.is_empty() { Keep::All } else { Keep::Properties(select.to_vec()) };
    let step = Step {
        name: StepName::new(INVOKE).expect("`invoke` is an identifier"),
        action: Action::Cmdlet { cmdlet: known.name(), parameters },
        for_each: None,
        parallel: None,
        when: None,
        select: select.to_vec(),
        keep,
        on_error: OnError::Stop,
        retry: None,
        timeout: None::<Duration>,
        output: None,
    };
    Ok((step, reads))
}

/// A cmdlet that a job of this service can call.
///
/// # Errors
/// Why it cannot, in one line.
pub(super) fn callable(cmdlet: &str, service: Service) -> Result<Cmdlet, String> {
    let known = called(cmdlet)?;
    match elsewhere(&known, service) {
        None => Ok(known),
        Some(problem) => Err(problem),
    }
}

fn called(cmdlet: &str) -> Result<Cmdlet, String> {
    let known =
        catalog::cmdlet(cmdlet).ok_or_else(|| unknown("cmdlet", cmdlet, &catalog::suggest_cmdlet(cmdlet)))?;
    if !can_be_a_step(known) {
        let name = known.as_str();
        return Err(format!("{name} is not called: every session is opened and closed for you"));
    }
    Ok(known)
}

fn elsewhere(known: &Cmdlet, service: Service) -> Option<String> {
    if known.available_in(service) {
        return None;
    }
    let services: Vec<&str> = known.services().map(Service::as_str).collect();
    Some(format!(
        "{} does not exist in {}; it exists in {}",
        known.as_str(),
        service.as_str(),
        services.join(" and ")
    ))
}

/// Whether a call may change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// It is on the reviewed list of reads.
    Only,
    /// It may write.
    AndWrites,
}

fn one(cmdlet: &Cmdlet, argument: &str) -> Result<(String, Value), String> {
    let Some((name, text)) = argument.split_once('=') else {
        return Err(format!("`{}` is no parameter: write NAME=VALUE", argument.escape_debug()));
    };
    let Some(parameter) = cmdlet.parameter(name) else {
        return Err(unknown("parameter", name, &catalog::suggest_parameter(cmdlet, name)));
    };
    Ok((parameter.name().to_owned(), value(parameter, text)?))
}

fn value(parameter: Parameter, text: &str) -> Result<Value, String> {
    let (name, kind) = (parameter.name(), parameter.kind());
    match kind {
        ValueKind::List => {
            let members = text.split(',').map(str::trim).filter(|member| !member.is_empty());
            Ok(Value::Array(members.map(Value::from).collect()))
        }
        ValueKind::Secret
        | ValueKind::Bytes
        | ValueKind::Object
        | ValueKind::Hashtable
        | ValueKind::HashtableList => Err(format!("{name} cannot be given on the command line")),
        // The text itself is not shown: people give secrets in the wrong place.
        _ => literal(parameter, text).map_err(|mend| format!("{name} is {}: {mend}", kind.expects())),
    }
}

fn unknown(what: &str, name: &str, near: &[&str]) -> String {
    let name = name.escape_debug();
    match near {
        [] => format!("there is no {what} `{name}`"),
        near => format!("there is no {what} `{name}`; did you mean {}?", near.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(cmdlet: &str, arguments: &[&str]) -> Vec<String> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        step(Service::ExchangeOnline, cmdlet, &arguments, &[]).unwrap_err()
    }

    #[test]
    fn names_are_found_in_any_case_and_values_get_their_type() {
        let arguments = ["identity=a", "popenabled=True", "EwsAllowList=x, y"].map(str::to_owned);
        let (step, reads) = step(Service::ExchangeOnline, "set-casmailbox", &arguments, &[]).unwrap();
        assert_eq!(reads, Reads::AndWrites);
        let Action::Cmdlet { cmdlet, parameters } = step.action else { panic!("a cmdlet step") };
        assert_eq!(cmdlet.as_str(), "Set-CASMailbox");
        insta::assert_debug_snapshot!(parameters.iter().map(|(name, _)| name).collect::<Vec<_>>(), @r#"
        [
            "Identity",
            "PopEnabled",
            "EwsAllowList",
        ]
        "#);
        assert!(matches!(&parameters[1].1, Template::Literal(Value::Bool(true))));
        assert!(matches!(&parameters[2].1, Template::Literal(Value::Array(members)) if members.len() == 2));
    }

    #[test]
    fn a_value_is_what_it_would_be_in_a_job() {
        let given = |argument: &str| {
            let arguments = ["Identity=a".to_owned(), argument.to_owned()];
            step(Service::ExchangeOnline, "Set-Mailbox", &arguments, &[]).map(|(step, _)| {
                let Action::Cmdlet { parameters, .. } = step.action else { panic!("a cmdlet step") };
                let Template::Literal(value) = &parameters[1].1 else { panic!("a literal") };
                value.clone()
            })
        };
        for (argument, value) in [
            ("MaxSendSize=50 MB", Value::from("50 MB")),
            ("RetainDeletedItemsFor=14", Value::from("14")),
            ("CustomAttribute1=012", Value::from("012")),
            ("StartDateForRetentionHold=2026-01-31T08:00:00+09:00", Value::from("2026-01-30T23:00:00")),
            ("AuditEnabled=TRUE", Value::from(true)),
        ] {
            assert_eq!(given(argument), Ok(value), "{argument}");
        }
        for (argument, told) in [
            ("RetainDeletedItemsFor=14d", "write 14.00:00:00"),
            ("MaxSendSize=50 megabytes", "write 50MB"),
            ("StartDateForRetentionHold=01/31/2026", "write 2026-01-31"),
            ("AuditEnabled=yes", "AuditEnabled is true or false: write true"),
            ("ResourceCapacity=99999999999", "from -2147483648 to 2147483647"),
        ] {
            let problems = given(argument).unwrap_err();
            assert!(problems[0].contains(told), "{argument}: {problems:?}");
        }
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let told = problems("Set-CASMailbox", &["PopEnabled=no", "PopEnabld=true", "nothing"]);
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[0].contains("true or false") && !told[0].contains("`no`"), "{told:?}");
        assert!(told[1].contains("PopEnabled"), "{told:?}");
        assert!(told[3].contains("Identity=VALUE"), "{told:?}");
        let told = problems("Get-ComplianceSearch", &[]);
        assert_eq!(
            told,
            ["Get-ComplianceSearch does not exist in ExchangeOnline; it exists in SecurityCompliance"]
        );
        assert!(problems("Get-Mailbxo", &[])[0].contains("Get-Mailbox"));
        assert!(problems("Connect-ExchangeOnline", &[])[0].contains("opened and closed for you"));
    }
}
