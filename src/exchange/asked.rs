//! What a job asks for as what the service is asked for: `Get-EXO*` as its classic cmdlet, `Confirm`, and whether
//! it reads. Source: protocol reference, 3.5 and 4.1.

use serde_json::{Map, Value};

use super::Intent;
use crate::catalog::{self, Cmdlet, CmdletName};

/// A call in the service's own words. Its values are still plain ones: how they travel is decided when the request
/// is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The cmdlet on the wire.
    pub cmdlet: CmdletName,
    /// Its parameters.
    pub parameters: Map<String, Value>,
    /// Properties to ask for; empty asks for everything.
    pub select: Vec<String>,
    /// Whether it may change something.
    pub intent: Intent,
}

/// `cmdlet` with `parameters`, of whose items the properties `wanted` are needed (none: all of them).
pub fn asked(cmdlet: &CmdletName, parameters: Vec<(String, Value)>, wanted: Vec<String>) -> Asked {
    let known = cmdlet.cmdlet();
    let names = parameters.iter().map(|(name, _)| name.as_str());
    let is_read = known.is_some_and(|cmdlet| cmdlet.is_read_with(names));
    let mut select = if is_read { wanted } else { Vec::new() };
    let mut sent = Map::new();
    for (name, value) in parameters {
        match extra_of_exo(cmdlet, &name) {
            Some(ExoExtra::Properties) => add_properties(&mut select, &value),
            // A set names properties; leaving it out returns at least those.
            Some(ExoExtra::PropertySets) => {}
            None => {
                sent.insert(name, value);
            }
        }
    }
    let wire =
        catalog::classic(cmdlet.as_str()).and_then(CmdletName::known).unwrap_or_else(|| cmdlet.clone());
    if !is_read && wire.cmdlet().is_some_and(|cmdlet: Cmdlet| cmdlet.supports_confirm()) {
        sent.entry("Confirm").or_insert(Value::Bool(false));
    }
    let intent = if is_read { Intent::Read } else { Intent::Write };
    Asked { cmdlet: wire, parameters: sent, select, intent }
}

/// What only the `Get-EXO*` cmdlets have; they are sent as their classic ones with `$select`.
enum ExoExtra {
    Properties,
    PropertySets,
}

fn extra_of_exo(cmdlet: &CmdletName, parameter: &str) -> Option<ExoExtra> {
    catalog::classic(cmdlet.as_str())?;
    if parameter.eq_ignore_ascii_case("Properties") {
        Some(ExoExtra::Properties)
    } else if parameter.eq_ignore_ascii_case("PropertySets") {
        Some(ExoExtra::PropertySets)
    } else {
        None
    }
}

/// `Properties` widens a selection that is there; without one everything comes anyway.
fn add_properties(select: &mut Vec<String>, value: &Value) {
    if select.is_empty() {
        return;
    }
    let names: Vec<&str> = match value {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::String(names) => names.split(',').map(str::trim).collect(),
        _ => Vec::new(),
    };
    for name in names {
        if !select.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            select.push(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(cmdlet: &str, parameters: Value, wanted: &[&str]) -> Asked {
        let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
        let wanted = wanted.iter().map(|name| (*name).to_owned()).collect();
        asked(&CmdletName::known(cmdlet).unwrap(), parameters.into_iter().collect(), wanted)
    }

    #[test]
    fn a_write_says_confirm_false_and_a_read_does_not() {
        let write = of("Set-CASMailbox", json!({"Identity": "a", "PopEnabled": false}), &["PopEnabled"]);
        assert_eq!((write.intent, write.select.len()), (Intent::Write, 0));
        assert_eq!(
            Value::Object(write.parameters),
            json!({"Identity": "a", "PopEnabled": false, "Confirm": false})
        );
        let read = of("Get-CASMailbox", json!({"Identity": "a"}), &["PopEnabled"]);
        assert_eq!((read.intent, read.select), (Intent::Read, vec!["PopEnabled".to_owned()]));
        assert_eq!(Value::Object(read.parameters), json!({"Identity": "a"}));
        let asks = of("Remove-Mailbox", json!({"Identity": "a", "Confirm": true}), &[]);
        assert_eq!(asks.parameters["Confirm"], true, "what a job says stands");
    }

    #[test]
    fn the_exo_cmdlets_are_sent_as_their_classic_ones() {
        let parameters = json!({"ResultSize": "Unlimited", "Properties": ["ForwardingAddress"], "PropertySets": "Minimum"});
        let read = of("Get-EXOMailbox", parameters, &["Alias"]);
        assert_eq!(read.cmdlet.as_str(), "Get-Mailbox");
        assert_eq!(Value::Object(read.parameters), json!({"ResultSize": "Unlimited"}));
        assert_eq!(read.select, ["Alias", "ForwardingAddress"]);
    }
}
