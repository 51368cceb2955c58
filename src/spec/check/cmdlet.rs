//! Steps with `cmdlet`: the cmdlet and its parameters, looked up in the catalog.

use std::ops::Range;

use super::expressions::Names;
use super::uncatalogued::NEWER_THAN_THE_CATALOG;
use super::values::has_a_form;
use super::{Checker, Fields, did_you_mean};
use crate::catalog::{self, Cmdlet, Parameter, Required, Service, ValueKind, suggest_parameter};
use crate::spec::escape::quote;
use crate::spec::job::Action;
use crate::spec::problem::Problem;
use crate::spec::template::Template;
use crate::spec::tree::{Entry, Node};

/// The module's connection commands: a run connects and disconnects by itself.
const CONNECTION_CMDLETS: [&str; 4] = [
    "Connect-ExchangeOnline",
    "Connect-IPPSSession",
    "Disconnect-ExchangeOnline",
    "Get-ConnectionInformation",
];

/// PowerShell's common parameters, with what takes their place.
const COMMON_PARAMETERS: [(&str, &str); 10] = [
    ("Confirm", "exorun answers confirmations itself: remove it"),
    ("WhatIf", "remove it; a dry run is asked for on the command line, for the whole job"),
    ("ErrorAction", "remove it and write `on_error: stop` or `on_error: continue` beside `cmdlet`"),
    ("WarningAction", "remove it; warnings go to the log"),
    ("InformationAction", "remove it; what the service says goes to the log"),
    ("ProgressAction", "remove it"),
    ("Verbose", "remove it; the log level is a setting"),
    ("Debug", "remove it; the log level is a setting"),
    ("ErrorVariable", "remove it; failures are in the report"),
    ("OutVariable", "remove it; later steps write `steps.NAME.items`"),
];

/// Whether a step may call it.
pub(crate) fn can_be_a_step(cmdlet: Cmdlet) -> bool {
    !is_connection_command(cmdlet.as_str())
}

/// Whether a step may give this parameter of the cmdlet.
pub(crate) fn can_be_given(cmdlet: Cmdlet, parameter: Parameter) -> bool {
    !is_confirmation(parameter) && !is_lost(cmdlet, parameter) && has_a_form(parameter.kind())
}

/// Whether exorun answers it itself.
fn is_confirmation(parameter: Parameter) -> bool {
    matches!(parameter.name(), "Confirm" | "WhatIf")
}

/// Whether the classic cmdlet that is called in place of this one does not have the parameter.
fn is_lost(cmdlet: Cmdlet, parameter: Parameter) -> bool {
    catalog::classic(cmdlet.as_str())
        .and_then(catalog::cmdlet)
        .is_some_and(|classic| classic.parameter(parameter.name()).is_none())
}

/// Whether it would connect or disconnect, known or not: no step calls it.
fn is_connection_command(name: &str) -> bool {
    let verb = name.split('-').next().unwrap_or_default();
    ["Connect", "Disconnect"].iter().any(|connecting| verb.eq_ignore_ascii_case(connecting))
        || CONNECTION_CMDLETS.iter().any(|cmdlet| cmdlet.eq_ignore_ascii_case(name))
}

/// Whether it is one of PowerShell's common parameters.
fn is_common(name: &str) -> bool {
    COMMON_PARAMETERS.iter().any(|(common, _)| common.eq_ignore_ascii_case(name))
}

impl Checker<'_> {
    /// A step that calls a cmdlet.
    pub(super) fn cmdlet_step(
        &mut self,
        node: &Node,
        fields: Fields<'_>,
        service: Service,
        names: &mut Names<'_>,
    ) -> Option<Action> {
        let text = self.text(node, "cmdlet")?;
        if is_connection_command(text) {
            let name = catalog::cmdlet(text).map_or(text, |known| known.as_str());
            let title = format!("{} is not a step: exorun connects and disconnects by itself", quote(name));
            self.report(
                Problem::error(node.span.clone(), title)
                    .help("`auth` or `connection` at the top of the job says how to sign in; every session that is opened is closed, also after errors")
                    .help("remove the step"),
            );
            return None;
        }
        let Some(cmdlet) = catalog::cmdlet(text) else {
            return self.uncatalogued_cmdlet(node, text, fields, names);
        };
        self.available(cmdlet, service, &node.span);
        let entries = match fields.get("parameters") {
            Some(node) => self.map(node, "`parameters`")?,
            None => &[],
        };
        let mut parameters: Vec<(String, Template)> = Vec::new();
        let mut seen: Vec<(&str, Range<usize>)> = Vec::new();
        for entry in entries {
            self.hide_nearly_secret(cmdlet, entry);
            if self.allows_unknown && cmdlet.parameter(&entry.key).is_none() && !is_common(&entry.key) {
                parameters.extend(self.uncatalogued_parameter(cmdlet, entry, &parameters, names));
                continue;
            }
            let Some(parameter) = self.parameter(cmdlet, &entry.key, &entry.key_span, service) else {
                continue;
            };
            if let Some((_, first)) = seen.iter().find(|(name, _)| *name == parameter.name()) {
                let title = format!("the parameter `{}` is given twice", parameter.name());
                let problem = Problem::error(entry.key_span.clone(), title).label("again here");
                self.report(problem.related(first.clone(), "first here").help("keep one of the two"));
                continue;
            }
            seen.push((parameter.name(), entry.key_span.clone()));
            if let Some(template) = self.value(parameter, &entry.value, names) {
                parameters.push((parameter.name().to_owned(), template));
            }
        }
        for parameter in cmdlet.parameters().filter(|parameter| parameter.required() == Required::Always) {
            let given = entries.iter().any(|entry| cmdlet.parameter(&entry.key) == Some(parameter));
            if !given {
                let title = format!("`{}` needs the parameter `{}`", cmdlet.as_str(), parameter.name());
                let help = format!(
                    "add `{}:` below `parameters`; it is {}",
                    parameter.name(),
                    parameter.kind().expects()
                );
                self.report(Problem::error(node.span.clone(), title).help(help));
            }
        }
        Some(Action::Cmdlet { cmdlet: cmdlet.name(), parameters })
    }

    /// Hides the value of a slip for a parameter that takes a secret: what is written there may be one.
    pub(super) fn hide_nearly_secret(&mut self, cmdlet: Cmdlet, entry: &Entry) {
        let is_secret = |parameter: Parameter| parameter.kind() == ValueKind::Secret;
        if cmdlet.parameter(&entry.key).is_none() && cmdlet.parameters().any(is_secret) {
            let near = suggest_parameter(&cmdlet, &entry.key);
            if near.iter().filter_map(|name| cmdlet.parameter(name)).any(is_secret) {
                self.secrets.push(entry.value.span.clone());
            }
        }
    }

    /// Whether the job's service has the cmdlet.
    pub(super) fn available(&mut self, cmdlet: Cmdlet, service: Service, at: &Range<usize>) {
        if cmdlet.available_in(service) {
            return;
        }
        let title = format!("`{}` does not exist in {}", cmdlet.as_str(), service.as_str());
        let has: Vec<String> =
            cmdlet.services().map(|service| format!("`service: {}`", service.as_str())).collect();
        self.report(Problem::error(at.clone(), title).help(format!("it is there with {}", has.join(" or "))));
    }

    /// A parameter of a cmdlet by its name or alias.
    pub(super) fn parameter(
        &mut self,
        cmdlet: Cmdlet,
        key: &str,
        at: &Range<usize>,
        service: Service,
    ) -> Option<Parameter> {
        let common = COMMON_PARAMETERS.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        let found = cmdlet.parameter(key);
        if let Some((name, mend)) = common.filter(|_| found.is_none_or(is_confirmation)) {
            self.report(Problem::error(at.clone(), format!("`{name}` cannot be given in a job")).help(*mend));
            return None;
        }
        let Some(parameter) = found else {
            let title = format!("`{}` has no parameter {}", cmdlet.as_str(), quote(key));
            let near = did_you_mean(&suggest_parameter(&cmdlet, key));
            let is_near = near.is_some();
            let help = near.unwrap_or_else(|| {
                let all: Vec<&str> = cmdlet.parameters().map(|parameter| parameter.name()).take(12).collect();
                let more = if cmdlet.parameters().len() > all.len() { ", …" } else { "" };
                if all.is_empty() {
                    "it has no parameters".to_owned()
                } else {
                    format!("it has: {}{more}", all.join(", "))
                }
            });
            let problem = Problem::error(at.clone(), title).help(help);
            self.report(if is_near { problem } else { problem.help(NEWER_THAN_THE_CATALOG) });
            return None;
        };
        if is_lost(cmdlet, parameter) {
            let title = format!("`{}` of `{}` is not supported", parameter.name(), cmdlet.as_str());
            let help = match parameter.name() {
                "Properties" | "PropertySets" => {
                    "write `select:` with the names of the properties, beside `cmdlet`".to_owned()
                }
                "UserPrincipalName" | "PrimarySmtpAddress" | "ExternalDirectoryObjectId" => {
                    "write `Identity:` instead".to_owned()
                }
                _ => {
                    let classic = catalog::classic(cmdlet.as_str()).unwrap_or_default();
                    format!("exorun calls `{classic}`, which does not have it: remove it")
                }
            };
            self.report(Problem::error(at.clone(), title).help(help));
            return None;
        }
        if !parameter.available_in(service) && cmdlet.available_in(service) {
            let title = format!(
                "`{}` of `{}` does not exist in {}",
                parameter.name(),
                cmdlet.as_str(),
                service.as_str()
            );
            self.report(Problem::error(at.clone(), title).help("remove it, or use another `service`"));
            return None;
        }
        Some(parameter)
    }
}
