//! From a cmdlet with evaluated parameters to the request on the wire. Source: protocol reference, 3.4, 3.5 and 4.1.

use serde_json::{Map, Value, json};

use crate::catalog::{self, Cmdlet, CmdletName, ValueKind};
use crate::exchange::Intent;
use crate::rules::quantity::utc;
use crate::spec::job::Keep;

/// A call that is ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) cmdlet: CmdletName,
    pub(super) parameters: Map<String, Value>,
    pub(super) select: Vec<String>,
    pub(super) intent: Intent,
    /// Whom the call is about, for the write log: the identity as it was given.
    pub(super) object: Option<String>,
}

/// Text parameters in which PowerShell's `$true` and `$false` have to be spelled out.
const FILTERS: [&str; 3] = ["Filter", "RecipientFilter", "RecipientPreviewFilter"];

/// Asked for when only the number of items matters.
const SMALLEST_SELECT: &str = "Identity";

impl Call {
    /// A call of `cmdlet`; `wanted` are the properties that are needed of what comes back.
    pub(super) fn new(cmdlet: &CmdletName, parameters: Vec<(String, Value)>, wanted: Select) -> Call {
        let known = cmdlet.cmdlet();
        let names = parameters.iter().map(|(name, _)| name.as_str());
        let is_read = known.is_some_and(|cmdlet| cmdlet.is_read_with(names));
        let object = ["Identity", "Mailbox", "Name"].iter().find_map(|wanted| {
            let (_, value) = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
            value.as_str().map(str::to_owned)
        });
        let mut select = if is_read { wanted.0 } else { Vec::new() };
        let mut sent = Map::new();
        for (name, value) in parameters {
            match extra_of_exo(cmdlet, &name) {
                Some(ExoExtra::Properties) => add_properties(&mut select, &value),
                // A set names properties; leaving it out returns at least those.
                Some(ExoExtra::PropertySets) => {}
                None => {
                    let kind =
                        known.and_then(|cmdlet| cmdlet.parameter(&name)).map(|parameter| parameter.kind());
                    let value = match value {
                        Value::Array(entries) if entries.is_empty() && empties(cmdlet, kind) => Value::Null,
                        value => on_the_wire(&name, value, kind),
                    };
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
        Call { cmdlet: wire, parameters: sent, select, intent, object }
    }
}

impl Call {
    /// Whether it may go together with others. Not those that are routed by a mailbox of their own: the module sends
    /// them alone too. Source: protocol reference, 3.3 and 3.12.
    pub(super) fn may_be_batched(&self) -> bool {
        self.cmdlet.cmdlet().is_some_and(|cmdlet| cmdlet.parameter("UseCustomRouting").is_none())
    }
}

/// Which properties to ask for; empty asks for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Select(Vec<String>);

impl Select {
    /// Everything.
    pub(super) fn all() -> Select {
        Select::default()
    }

    /// What a step selects and what is kept of its items.
    pub(super) fn of(selected: &[String], keep: &Keep) -> Select {
        match keep {
            Keep::All if selected.is_empty() => Select::all(),
            Keep::All => Select(selected.to_vec()),
            Keep::Properties(kept) => Select::named(selected.iter().chain(kept).map(String::as_str)),
        }
    }

    /// These, each once; the smallest there is if there are none.
    pub(super) fn named<'a>(names: impl Iterator<Item = &'a str>) -> Select {
        let mut select: Vec<String> = Vec::new();
        for name in names {
            if !select.iter().any(|known| known == name) {
                select.push(name.to_owned());
            }
        }
        if select.is_empty() {
            select.push(SMALLEST_SELECT.to_owned());
        }
        Select(select)
    }
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

/// Whether an empty list has to be sent as null: the service does not take `[]` for a list without entries.
fn empties(cmdlet: &CmdletName, kind: Option<ValueKind>) -> bool {
    kind == Some(ValueKind::List) && cmdlet.as_str().starts_with("Set-")
}

/// A value as the service wants it: hash tables tagged, filters spelled out, quantities as text, dates in UTC.
fn on_the_wire(name: &str, value: Value, kind: Option<ValueKind>) -> Value {
    match value {
        Value::Object(members) => tagged(members),
        Value::Array(members) => {
            Value::Array(members.into_iter().map(|member| on_the_wire("", member, None)).collect())
        }
        Value::String(text) if FILTERS.iter().any(|filter| filter.eq_ignore_ascii_case(name)) => {
            Value::String(spelled_out(&text))
        }
        // The checker has done this for what is written out; here it is the value of an expression.
        Value::String(text) if kind == Some(ValueKind::DateTime) => Value::String(utc(&text).unwrap_or(text)),
        Value::Number(number) if kind.is_some_and(travels_as_text) => Value::String(number.to_string()),
        other => other,
    }
}

fn travels_as_text(kind: ValueKind) -> bool {
    matches!(
        kind,
        ValueKind::Unlimited
            | ValueKind::Size
            | ValueKind::UnlimitedSize
            | ValueKind::TimeSpan
            | ValueKind::UnlimitedTimeSpan
    )
}

fn tagged(members: Map<String, Value>) -> Value {
    let mut table = Map::new();
    table.insert("@odata.type".to_owned(), json!("#Exchange.GenericHashTable"));
    for (name, member) in members {
        table.insert(name, on_the_wire("", member, None));
    }
    Value::Object(table)
}

fn spelled_out(filter: &str) -> String {
    let mut text = filter.to_owned();
    for (variable, word) in [("$true", "'True'"), ("$false", "'False'")] {
        while let Some(at) = text.to_ascii_lowercase().find(variable) {
            text.replace_range(at..at + variable.len(), word);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(cmdlet: &str, parameters: Value, wanted: Select) -> Call {
        let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
        Call::new(&CmdletName::known(cmdlet).unwrap(), parameters.into_iter().collect(), wanted)
    }

    #[test]
    fn a_write_says_confirm_false_and_a_read_does_not() {
        let write = call("Set-CASMailbox", json!({"Identity": "a", "PopEnabled": false}), Select::all());
        assert_eq!(write.intent, Intent::Write);
        assert_eq!(
            Value::Object(write.parameters),
            json!({"Identity": "a", "PopEnabled": false, "Confirm": false})
        );
        assert_eq!(write.object.as_deref(), Some("a"));
        let read =
            call("Get-CASMailbox", json!({"Identity": "a"}), Select::named(["PopEnabled"].into_iter()));
        assert_eq!((read.intent, read.select), (Intent::Read, vec!["PopEnabled".to_owned()]));
        assert_eq!(Value::Object(read.parameters), json!({"Identity": "a"}));
    }

    #[test]
    fn the_exo_cmdlets_are_sent_as_their_classic_ones() {
        let wanted = Select::named(["Alias"].into_iter());
        let parameters = json!({"ResultSize": "Unlimited", "Properties": ["ForwardingAddress"], "PropertySets": "Minimum"});
        let read = call("Get-EXOMailbox", parameters, wanted);
        assert_eq!(read.cmdlet.as_str(), "Get-Mailbox");
        assert_eq!(Value::Object(read.parameters), json!({"ResultSize": "Unlimited"}));
        assert_eq!(read.select, ["Alias", "ForwardingAddress"]);
    }

    #[test]
    fn hash_tables_are_tagged_and_filters_spelled_out() {
        let parameters = json!({"Identity": "a", "EmailAddresses": {"add": ["smtp:b@x"]}});
        let write = call("Set-Mailbox", parameters, Select::all());
        assert_eq!(
            write.parameters["EmailAddresses"],
            json!({"@odata.type": "#Exchange.GenericHashTable", "add": ["smtp:b@x"]})
        );
        let read =
            call("Get-Mailbox", json!({"Filter": "HiddenFromAddressListsEnabled -eq $True"}), Select::all());
        assert_eq!(read.parameters["Filter"], "HiddenFromAddressListsEnabled -eq 'True'");
    }

    #[test]
    fn an_empty_list_is_sent_as_null_where_it_replaces_one() {
        let write = call("Set-CASMailbox", json!({"Identity": "a", "EwsAllowList": []}), Select::all());
        assert_eq!(write.parameters["EwsAllowList"], Value::Null);
        let read = call("Get-Mailbox", json!({"RecipientTypeDetails": []}), Select::all());
        assert_eq!(read.parameters["RecipientTypeDetails"], json!([]), "null would ask for everything");
    }

    #[test]
    fn computed_dates_are_sent_as_utc_and_computed_days_as_text() {
        let parameters = json!({"Identity": "a", "RetainDeletedItemsFor": 30,
            "StartDateForRetentionHold": "2026-01-31T08:00:00.0000000+09:00"});
        let write = call("Set-Mailbox", parameters, Select::all());
        assert_eq!(write.parameters["StartDateForRetentionHold"], "2026-01-30T23:00:00");
        assert_eq!(write.parameters["RetainDeletedItemsFor"], "30");
    }

    #[test]
    fn sizes_and_result_sizes_travel_as_text() {
        let read = call("Get-Mailbox", json!({"ResultSize": 5}), Select::all());
        assert_eq!(read.parameters["ResultSize"], "5");
    }
}
