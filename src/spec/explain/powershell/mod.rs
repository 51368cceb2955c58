//! A job as the lines that a person would type in PowerShell.

mod connect;
mod expression;
mod layout;
mod quote;
mod variables;

use layout::{comment, lines};
use quote::{Position, throw, throw_statement};
use variables::Variables;

use super::Place;
use super::references::{expressions, refers_to, users_of};
use super::steps::asked;
use crate::catalog::{CmdletName, Service, ValueKind, classic};
use crate::spec::job::{
    Action, CredentialRef, Environment, Job, Output, OutputFormat, Step, Target, TargetSpec,
};
use crate::spec::template::{BytesValue, Expression, Part, SecretValue, Template};

/// What the `Get-EXO*` cmdlets return without being asked.
const ALWAYS_RETURNED: &str = "ExternalDirectoryObjectId";

/// The lines of one job.
pub(super) struct Script<'a> {
    job: &'a Job,
    place: &'a Place,
    variables: Variables,
}

impl<'a> Script<'a> {
    pub(super) fn new(job: &'a Job, place: &'a Place) -> Script<'a> {
        Script { job, place, variables: Variables::of(job) }
    }

    /// Signing in, and what the steps use besides each other.
    pub(super) fn before(&self) -> Vec<String> {
        let mut out = match (&self.place.target, &self.job.target) {
            (Some(target), _) => self.connect(target),
            (None, Target::Connection { name, .. }) => {
                vec![throw_statement(&format!("sign in as the connection {name} says"))]
            }
            // A job that spells its target out has one.
            (None, Target::Spelled(target)) => self.connect(target),
        };
        let all: Vec<&Expression> =
            self.job.steps.iter().flat_map(expressions).map(|(_, expression)| expression).collect();
        let uses = |root: &str, name: &str| all.iter().any(|expression| refers_to(expression, root, name));
        let target = self.place.target.as_ref();
        let unknown = || throw("the connection says so");
        if uses("target", "tenant") {
            let tenant = target
                .map_or_else(unknown, |target| quote::text(target.organization(), Position::Expression));
            out.push(format!("$tenant = {tenant}"));
        }
        if uses("target", "environment") {
            let name = target.map_or_else(unknown, |target| format!("'{}'", target.environment.as_str()));
            out.push(format!("$environment = {name}"));
        }
        if uses("run", "id") {
            out.push("$runId = [guid]::NewGuid().ToString()".to_owned());
        }
        for input in &self.job.inputs {
            let Some(variable) = self.variables.input(&input.name) else { continue };
            let value = match &input.default {
                Some(default) => quote::value(default, Position::Expression),
                None => throw(&format!("a value for the input {}", input.name)),
            };
            out.extend(lines(&[format!("{variable} ="), value]));
        }
        out
    }

    fn connect(&self, target: &TargetSpec) -> Vec<String> {
        let compliance = self.job.service == Service::SecurityCompliance;
        let mut out = Vec::new();
        let mut call =
            vec![if compliance { "Connect-IPPSSession" } else { "Connect-ExchangeOnline" }.to_owned()];
        out.extend(connect::who(&mut call, target, compliance));
        if let Some(customer) = &target.delegated_organization {
            call.push(format!("-DelegatedOrganization {}", quote::text(customer, Position::Argument)));
        }
        if target.environment != Environment::O365Default {
            if matches!(target.environment, Environment::Other(_)) {
                let needed = "This environment needs -ConnectionUri and -AzureADAuthorizationEndpointUri.";
                out.extend(comment(needed));
            } else if compliance {
                out.extend(comment("This environment needs -ConnectionUri too."));
            } else {
                call.push(format!("-ExchangeEnvironmentName {}", target.environment.as_str()));
            }
        }
        out.extend(lines(&call));
        out
    }

    /// Signing out.
    pub(super) fn after(&self) -> Vec<String> {
        vec!["Disconnect-ExchangeOnline -Confirm:$false".to_owned()]
    }

    /// One step.
    pub(super) fn step(&self, step: &Step) -> Vec<String> {
        let mut out = Vec::new();
        let call = match &step.action {
            Action::Cmdlet { cmdlet, parameters } => {
                let mut call = vec![cmdlet.to_string()];
                call.extend(parameters.iter().map(|(name, value)| self.argument(cmdlet, name, value)));
                call.extend(properties(cmdlet, step));
                call
            }
            Action::Ensure { get, set, identity, properties, .. } => {
                out.extend(comment(&format!(
                    "Only where {get} shows another value, and only the properties that differ:"
                )));
                let identity = identity.iter().map(|value| self.argument(set, "Identity", value));
                let properties = properties.iter().map(|(name, value)| self.argument(set, name, value));
                std::iter::once(set.to_string()).chain(identity).chain(properties).collect()
            }
        };
        let condition = step.when.as_ref().map(|when| {
            expression::condition(when, &self.variables).unwrap_or_else(|| {
                out.extend(comment(&format!("only where: {}", when.source())));
                // What cannot be asked must not count as true.
                vec![throw("the condition above")]
            })
        });
        let mut statement = Vec::new();
        let variable = self.variables.step(step.name.as_str()).unwrap_or_default();
        let is_kept = step.output.is_some() || !users_of(self.job, &step.name).is_empty();
        if is_kept {
            statement.push(format!("{variable} ="));
        }
        match &step.for_each {
            Some(list) => {
                statement.push(format!("{} |", self.expression(list)));
                if let Some(condition) = condition {
                    statement.push("Where-Object {".to_owned());
                    statement.extend(condition);
                    statement.push("} |".to_owned());
                }
                statement.push("ForEach-Object {".to_owned());
                statement.extend(call);
                statement.push("}".to_owned());
            }
            None => match condition {
                Some(condition) => {
                    statement.push("if (".to_owned());
                    statement.extend(condition);
                    statement.push(") {".to_owned());
                    statement.extend(call);
                    statement.push("}".to_owned());
                }
                None => statement.extend(call),
            },
        }
        out.extend(lines(&statement));
        if let Some(output) = &step.output {
            out.extend(lines(&self.output(step, variable, output)));
        }
        out
    }

    fn output(&self, step: &Step, variable: &str, output: &Output) -> Vec<String> {
        let path = self.template(&output.path, Position::Argument);
        let mut pieces = vec![format!("{variable} |")];
        match output.format {
            OutputFormat::Csv { bom, .. } => {
                let encoding = if bom { "utf8BOM" } else { "utf8" };
                let columns: Vec<String> =
                    step.select.iter().map(|name| quote::text(name, Position::Argument)).collect();
                pieces.push(format!("Select-Object {} |", columns.join(",")));
                pieces
                    .push(format!("Export-Csv -LiteralPath {path} -NoTypeInformation -Encoding {encoding}"));
            }
            OutputFormat::Json => {
                pieces = vec![format!("ConvertTo-Json -InputObject @({variable}) -Depth 20 |")];
                pieces.push(format!("Set-Content -LiteralPath {path} -Encoding utf8"));
            }
            OutputFormat::Ndjson => {
                pieces.push(
                    "ForEach-Object { ConvertTo-Json -InputObject $_ -Depth 20 -Compress } |".to_owned(),
                );
                pieces.push(format!("Set-Content -LiteralPath {path} -Encoding utf8"));
            }
        }
        pieces
    }

    fn argument(&self, cmdlet: &CmdletName, name: &str, value: &Template) -> String {
        let parameter = cmdlet.cmdlet().and_then(|cmdlet| cmdlet.parameter(name));
        let is_switch = parameter.is_some_and(|parameter| parameter.kind() == ValueKind::Switch);
        match value {
            Template::Literal(serde_json::Value::Bool(true)) if is_switch => format!("-{name}"),
            value if is_switch => format!("-{name}:{}", self.template(value, Position::Argument)),
            value => format!("-{name} {}", self.template(value, Position::Argument)),
        }
    }

    fn template(&self, template: &Template, position: Position) -> String {
        match template {
            Template::Literal(value) => quote::value(value, position),
            Template::Expression(expression) => self.expression(expression),
            Template::Text(parts) => {
                let mut out = String::from("\"");
                for part in parts {
                    match part {
                        Part::Text(text) => quote::push_expandable(&mut out, text),
                        Part::Expression(expression) => {
                            match expression::value(expression, &self.variables) {
                                Some(value) => out.push_str(&format!("$({value})")),
                                None => out.push_str(&throw(expression.source())),
                            }
                        }
                    }
                }
                out + "\""
            }
            Template::Secret(SecretValue::Text(kept)) => secure_string(kept),
            Template::Secret(SecretValue::Credential { user_name, password }) => {
                let user_name = self.template(user_name, Position::Expression);
                format!("([pscredential]::new({user_name}, {}))", secure_string(password))
            }
            Template::Bytes(BytesValue::File(path)) => {
                let path = quote::text(&path.display().to_string(), Position::Expression);
                format!("([IO.File]::ReadAllBytes({path}))")
            }
            Template::Bytes(BytesValue::Base64(text)) => {
                format!("([Convert]::FromBase64String({}))", quote::text(text, Position::Expression))
            }
            Template::List(members) => {
                let members = members.iter().map(|member| self.template(member, position)).collect();
                quote::list(members, position)
            }
            Template::Map(entries) => quote::hashtable(
                entries
                    .iter()
                    .map(|(name, value)| (name.as_str(), self.template(value, Position::Expression))),
            ),
        }
    }

    fn expression(&self, expression: &Expression) -> String {
        expression::value(expression, &self.variables).unwrap_or_else(|| throw(expression.source()))
    }
}

/// A secret where it is kept: the text itself is never known here.
fn secure_string(kept: &CredentialRef) -> String {
    let text = match kept {
        CredentialRef::Env(name) => format!("$env:{name}"),
        CredentialRef::File(path) => {
            let path = quote::text(&path.display().to_string(), Position::Expression);
            format!("([IO.File]::ReadAllText({path}).Trim())")
        }
        CredentialRef::Vault(place) => throw(&format!("the secret that is kept in {place}")),
    };
    format!("(ConvertTo-SecureString {text} -AsPlainText -Force)")
}

/// The module's own cmdlets return few properties unless they are asked for more; all others return everything.
fn properties(cmdlet: &CmdletName, step: &Step) -> Option<String> {
    classic(cmdlet.as_str())?;
    let has = |name: &str| cmdlet.cmdlet().is_some_and(|cmdlet| cmdlet.parameter(name).is_some());
    match asked(step) {
        None => has("PropertySets").then(|| "-PropertySets All".to_owned()),
        Some(names) => {
            let names: Vec<String> = names
                .into_iter()
                .filter(|name| *name != ALWAYS_RETURNED)
                .map(|name| quote::text(name, Position::Argument))
                .collect();
            (has("Properties") && !names.is_empty()).then(|| format!("-Properties {}", names.join(",")))
        }
    }
}
