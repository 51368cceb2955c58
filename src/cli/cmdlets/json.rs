//! The list and a cmdlet's page as JSON; `docs/cmdlets.md` describes it. Every text in it is the catalog's.

use serde_json::{Value, json};

use super::{acts, ensured, refusal};
use crate::catalog::{self, Cmdlet, Parameter, Required, Service};
use crate::spec::can_be_a_step;

/// A list of objects without parameters, one a line.
pub(super) fn list(cmdlets: &[Cmdlet]) -> String {
    let lines: Vec<String> = cmdlets.iter().map(|cmdlet| summary(*cmdlet).to_string()).collect();
    format!("[{}]\n", lines.join(",\n "))
}

/// One object with its parameters.
pub(super) fn one(cmdlet: Cmdlet) -> String {
    let mut object = summary(cmdlet);
    let parameters = cmdlet.parameters().map(|parameter| self::parameter(cmdlet, parameter));
    object["parameters"] = parameters.collect::<Vec<Value>>().into();
    format!("{object:#}\n")
}

fn summary(cmdlet: Cmdlet) -> Value {
    json!({
        "name": cmdlet.as_str(),
        "services": cmdlet.services().map(Service::as_str).collect::<Vec<_>>(),
        "step": can_be_a_step(cmdlet),
        "only_reads": cmdlet.is_read(),
        "confirms": cmdlet.supports_confirm(),
        "ensure": ensured(cmdlet),
        "sent_as": catalog::classic(cmdlet.as_str()),
    })
}

fn parameter(cmdlet: Cmdlet, parameter: Parameter) -> Value {
    let services = cmdlet.services().filter(|service| parameter.available_in(*service));
    json!({
        "name": parameter.name(),
        "value": parameter.kind().expects(),
        "type": parameter.type_name(),
        "required": match parameter.required() {
            Required::Always => "always",
            Required::InSomeSets => "in_some_forms",
            Required::No => "no",
        },
        "aliases": parameter.aliases().collect::<Vec<_>>(),
        "values": parameter.values().collect::<Vec<_>>(),
        "services": services.map(Service::as_str).collect::<Vec<_>>(),
        "acts": acts(cmdlet, parameter),
        "refused": refusal(cmdlet, parameter),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cmdlet_is_an_object_with_all_its_parameters() {
        for cmdlet in catalog::cmdlets() {
            let object: Value = serde_json::from_str(&one(cmdlet)).expect("is JSON");
            assert_eq!(object["name"], cmdlet.as_str());
            assert_eq!(object["parameters"].as_array().map(Vec::len), Some(cmdlet.parameters().len()));
        }
    }
}
