//! `exorun cmdlets`: the cmdlets and parameters that a job can use, from the catalog; connects to nothing.

mod json;
mod page;

use clap::Args;

use super::invoke::ServiceName;
use super::start;
use crate::catalog::ensured::{can_be_ensured, pair};
use crate::catalog::{self, Cmdlet, Parameter, Service};
use crate::exit::Exit;
use crate::spec::{can_be_a_step, can_be_given};

/// List the cmdlets there are, or show one with its parameters; nothing is connected.
///
/// A line of the list: the name, the services (exo Exchange Online, scc Security & Compliance, eop Exchange Online
/// Protection), `read` for a reviewed read or `write`, and `ensure` if a step can say `ensure:` with its noun.
#[derive(Debug, Args)]
pub(super) struct CmdletsArgs {
    /// A cmdlet in any case, or a pattern with `*` and `?`; without it all are listed.
    #[arg(value_name = "NAME|PATTERN")]
    name: Option<String>,
    /// Only what this service has.
    #[arg(long, value_enum)]
    service: Option<ServiceName>,
    /// Write JSON: a list of objects, or one object for a name.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &CmdletsArgs) -> Exit {
    let service = args.service.map(ServiceName::service);
    let text = match &args.name {
        Some(name) if !catalog::is_pattern(name) => {
            one(name, service).map(|cmdlet| if args.json { json::one(cmdlet) } else { page::page(cmdlet) })
        }
        pattern => listed(pattern.as_deref().unwrap_or("*"), service)
            .map(|found| if args.json { json::list(&found) } else { page::list(&found) }),
    };
    match text {
        Err(message) => start::refuse(&message),
        Ok(text) => start::print(&text),
    }
}

/// The cmdlet with this name, or what to type instead.
fn one(name: &str, service: Option<Service>) -> Result<Cmdlet, String> {
    let Some(cmdlet) = catalog::cmdlet(name) else {
        let near = catalog::suggest_cmdlet(name);
        let with =
            catalog::cmdlets().filter(|found| catalog::fits(&format!("*{name}*"), found.as_str())).count();
        let mend = match (near.as_slice(), with) {
            ([], 0) => {
                "`exorun cmdlets` lists all, `exorun cmdlets '*mailbox*'` those with a word".to_owned()
            }
            ([], with) => format!("`exorun cmdlets '*{name}*'` lists the {with} with that in their name"),
            (near, _) => format!("did you mean {}?", near.join(" or ")),
        };
        return Err(format!("there is no cmdlet `{name}`; {mend}"));
    };
    match service.filter(|service| !cmdlet.available_in(*service)) {
        None => Ok(cmdlet),
        Some(service) => {
            let services: Vec<&str> = cmdlet.services().map(Service::as_str).collect();
            let (name, service, services) = (cmdlet.as_str(), service.as_str(), services.join(" and "));
            Err(format!("{name} does not exist in {service}; it exists in {services}"))
        }
    }
}

/// The cmdlets that fit a pattern: at least one.
fn listed(pattern: &str, service: Option<Service>) -> Result<Vec<Cmdlet>, String> {
    let fits = |cmdlet: &Cmdlet| catalog::fits(pattern, cmdlet.as_str());
    let found: Vec<Cmdlet> = catalog::cmdlets()
        .filter(fits)
        .filter(|cmdlet| service.is_none_or(|service| cmdlet.available_in(service)))
        .collect();
    if found.is_empty() {
        let place = service.map_or_else(String::new, |service| format!(" in {}", service.as_str()));
        let mend = match catalog::cmdlets().filter(fits).count() {
            0 => "`*` stands for any characters and `?` for one: `exorun cmdlets '*mailbox*'`".to_owned(),
            elsewhere => format!("{elsewhere} of other services do: leave --service away"),
        };
        return Err(format!("no cmdlet{place} fits `{pattern}`; {mend}"));
    }
    Ok(found)
}

/// The noun that a step can ensure by this cmdlet.
fn ensured(cmdlet: Cmdlet) -> Option<&'static str> {
    let (get, set) = pair(cmdlet.noun()).filter(|(get, set)| [*get, *set].contains(&cmdlet))?;
    can_be_ensured(get, set).then(|| set.noun())
}

/// Why a job cannot give the parameter, in a few words.
fn refusal(cmdlet: Cmdlet, parameter: Parameter) -> Option<String> {
    if !can_be_a_step(cmdlet) || can_be_given(cmdlet, parameter) {
        return None;
    }
    let classic = catalog::classic(cmdlet.as_str()).and_then(catalog::cmdlet);
    Some(match (parameter.name(), classic) {
        ("Confirm" | "WhatIf", _) => "not in a job: exorun answers it".to_owned(),
        (name, Some(classic)) if classic.parameter(name).is_none() => {
            format!("not in a job: {} does not have it", classic.as_str())
        }
        _ => "not in a job: not supported yet".to_owned(),
    })
}

/// Whether the parameter makes a reading cmdlet act.
fn acts(cmdlet: Cmdlet, parameter: Parameter) -> bool {
    cmdlet.is_read() && !cmdlet.is_read_with([parameter.name()])
}
