//! The body of a request: plain values become the service's type-tagged JSON. Source: protocol reference, 3.4.
//!
//! The text is written as it goes on the wire, without a tree in between: a file of a megabyte is a million numbers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::errors::{ErrorKind, Happened, RemoteError};
use super::value_forms::scalar;
use crate::catalog::{BYTES, CmdletName, Parameter, ValueKind};

/// The module writes no deeper, counted from the body's own braces.
const DEPTH_MAX: usize = 10;
/// How deep a parameter's value stands: below the body, `CmdletInput` and `Parameters`.
const PARAMETER_DEPTH: usize = 3;

const TABLE: &str = "#Exchange.GenericHashTable";
const BYTE_ARRAY: &str = "#Exchange.ByteArrayType";
const ODATA_TYPE: &str = "@odata.type";
/// Removed before sending; it decides the headers. Source: protocol reference, 3.3.
const ROUTING_SWITCH: &str = "UseCustomRouting";

/// The body of a call of `cmdlet`.
///
/// # Errors
/// [`ErrorKind::Refused`] for what has no form on the wire; nothing was sent.
pub(super) fn of(cmdlet: &CmdletName, parameters: &Map<String, Value>) -> Result<Bytes, RemoteError> {
    let mut out = Writer { text: String::new() };
    out.text.push_str("{\"CmdletInput\":{\"CmdletName\":");
    out.quoted(cmdlet.as_str());
    out.text.push_str(",\"Parameters\":{");
    let known = cmdlet.cmdlet();
    let sets = cmdlet.as_str().starts_with("Set-");
    let mut is_first = true;
    for (name, value) in parameters {
        let parameter = known.and_then(|cmdlet| cmdlet.parameter(name));
        if parameter.is_some() && name.eq_ignore_ascii_case(ROUTING_SWITCH) {
            continue;
        }
        out.comma(&mut is_first);
        out.parameter(name, value, parameter, sets).map_err(|why| {
            RemoteError::new(ErrorKind::Refused, Happened::No, format!("parameter {name}: {why}"))
        })?;
    }
    out.text.push_str("}}}");
    Ok(Bytes::from(out.text))
}

struct Writer {
    text: String,
}

impl Writer {
    fn parameter(
        &mut self,
        name: &str,
        value: &Value,
        parameter: Option<Parameter>,
        sets: bool,
    ) -> Result<(), String> {
        let kind = parameter.map(|parameter| parameter.kind());
        match (value, kind) {
            (Value::Array(members), _) if members.is_empty() => {
                self.name(name);
                self.text.push_str(match parameter.filter(|_| sets).and_then(emptied) {
                    Some(Emptied::Table) => "{\"@odata.type\":\"#Exchange.GenericHashTable\"}",
                    Some(Emptied::Null) => "null",
                    None => "[]",
                });
                Ok(())
            }
            // PowerShell makes a list of the one table that is given.
            (Value::Object(_), Some(ValueKind::HashtableList)) => {
                self.member(name, &Value::Array(vec![value.clone()]), PARAMETER_DEPTH)
            }
            (Value::Object(_) | Value::Array(_), _) => self.member(name, value, PARAMETER_DEPTH),
            (plain, _) => {
                self.name(name);
                let value = scalar(name, plain, parameter);
                self.text.push_str(&value.to_string());
                Ok(())
            }
        }
    }

    /// `"name":value`, with the annotation before it where a list needs one.
    fn member(&mut self, name: &str, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("the value is nested too deeply; the body may have {DEPTH_MAX} levels"));
        }
        match value {
            Value::Array(members) if is_list_of(members, |member| bytes_in(member).is_some()) => {
                self.collection(name, "Exchange.ByteArrayType");
                self.list(members, |out, member| {
                    out.text.push('{');
                    out.data(member)?;
                    out.text.push('}');
                    Ok(())
                })
            }
            Value::Array(members) if is_list_of(members, Value::is_object) => {
                self.collection(name, "Exchange.GenericHashTable");
                // The annotation gives the type of the entries; tables inside them name their own.
                self.list(members, |out, member| {
                    let Value::Object(members) = member else { return Err("an entry is no table".into()) };
                    out.text.push('{');
                    out.members(members, &mut true, depth + 2)?;
                    out.text.push('}');
                    Ok(())
                })
            }
            Value::Array(members) => {
                self.name(name);
                if members.iter().any(|member| member.is_array() || member.is_object()) {
                    return Err("a list holds texts, or tables, or bytes, and not several of them".to_owned());
                }
                self.text.push_str(&Value::from(members.clone()).to_string());
                Ok(())
            }
            Value::Object(members) => {
                self.name(name);
                self.text.push('{');
                if bytes_in(value).is_some() {
                    self.name(ODATA_TYPE);
                    self.quoted(BYTE_ARRAY);
                    self.text.push(',');
                    self.data(value)?;
                } else {
                    self.table(members, depth)?;
                }
                self.text.push('}');
                Ok(())
            }
            plain => {
                self.name(name);
                self.text.push_str(&plain.to_string());
                Ok(())
            }
        }
    }

    /// The members of a table that says its type itself.
    fn table(&mut self, members: &Map<String, Value>, depth: usize) -> Result<(), String> {
        let mut is_first = true;
        if !members.contains_key(ODATA_TYPE) {
            self.comma(&mut is_first);
            self.name(ODATA_TYPE);
            self.quoted(TABLE);
        }
        self.members(members, &mut is_first, depth + 1)
    }

    fn members(
        &mut self,
        members: &Map<String, Value>,
        is_first: &mut bool,
        depth: usize,
    ) -> Result<(), String> {
        for (name, value) in members {
            self.comma(is_first);
            self.member(name, value, depth)?;
        }
        Ok(())
    }

    fn list(
        &mut self,
        members: &[Value],
        mut each: impl FnMut(&mut Writer, &Value) -> Result<(), String>,
    ) -> Result<(), String> {
        self.text.push('[');
        let mut is_first = true;
        for member in members {
            self.comma(&mut is_first);
            each(self, member)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn collection(&mut self, name: &str, of: &str) {
        self.name(&format!("{name}{ODATA_TYPE}"));
        self.quoted(&format!("#Collection({of})"));
        self.text.push(',');
        self.name(name);
    }

    fn data(&mut self, value: &Value) -> Result<(), String> {
        let bytes = STANDARD.decode(bytes_in(value).unwrap_or_default());
        let bytes = bytes.map_err(|_| "the bytes are not Base64".to_owned())?;
        self.name("Data");
        self.text.push('[');
        let mut is_first = true;
        for byte in bytes {
            self.comma(&mut is_first);
            self.text.push_str(&byte.to_string());
        }
        self.text.push(']');
        Ok(())
    }

    fn comma(&mut self, is_first: &mut bool) {
        if !std::mem::take(is_first) {
            self.text.push(',');
        }
    }

    fn name(&mut self, name: &str) {
        self.quoted(name);
        self.text.push(':');
    }

    fn quoted(&mut self, text: &str) {
        self.text.push_str(&Value::from(text).to_string());
    }
}

fn is_list_of(members: &[Value], is_one: impl Fn(&Value) -> bool) -> bool {
    !members.is_empty() && members.iter().all(is_one)
}

/// The Base64 text of a value that stands for bytes.
fn bytes_in(value: &Value) -> Option<&str> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    members.get(BYTES)?.as_str()
}

/// What a `Set-` cmdlet is sent for a list without entries: an empty array does not reliably clear one.
enum Emptied {
    /// For multi-valued properties, which take edits as a table: one that edits everything away.
    Table,
    /// For plain arrays (conditions of rules, say), which a table would not fit.
    Null,
}

fn emptied(parameter: Parameter) -> Option<Emptied> {
    if parameter.kind() != ValueKind::List {
        return None;
    }
    Some(if parameter.type_name().ends_with("[]") { Emptied::Null } else { Emptied::Table })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wire(cmdlet: &str, parameters: Value) -> Value {
        let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
        let body = of(&CmdletName::known(cmdlet).unwrap(), &parameters).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["CmdletInput"]["CmdletName"], cmdlet);
        body["CmdletInput"]["Parameters"].clone()
    }

    fn refused(cmdlet: &str, parameters: Value) -> String {
        let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
        let error = of(&CmdletName::known(cmdlet).unwrap(), &parameters).unwrap_err();
        assert_eq!((error.kind, error.happened), (ErrorKind::Refused, Happened::No));
        error.message
    }

    #[test]
    fn no_parameters_are_an_empty_object() {
        assert_eq!(wire("Get-OrganizationConfig", json!({})), json!({}));
    }

    #[test]
    fn hash_tables_are_tagged_at_every_level_and_lists_of_them_beside_their_name() {
        assert_eq!(
            wire("Set-Mailbox", json!({"EmailAddresses": {"Add": ["smtp:b@x"], "remove": "smtp:c@x"}})),
            json!({"EmailAddresses": {"@odata.type": "#Exchange.GenericHashTable", "Add": ["smtp:b@x"], "remove": "smtp:c@x"}})
        );
        assert_eq!(
            wire(
                "New-DlpComplianceRule",
                json!({"ContentContainsSensitiveInformation":
                [{"name": "a", "more": {"b": {"c": 1}}, "groups": [{"d": null}]}, {}]})
            ),
            json!({"ContentContainsSensitiveInformation@odata.type": "#Collection(Exchange.GenericHashTable)",
                "ContentContainsSensitiveInformation": [
                    {"name": "a", "more": {"@odata.type": "#Exchange.GenericHashTable",
                        "b": {"@odata.type": "#Exchange.GenericHashTable", "c": 1}},
                     "groups@odata.type": "#Collection(Exchange.GenericHashTable)", "groups": [{"d": null}]},
                    {}]})
        );
        let one =
            wire("New-DlpComplianceRule", json!({"ContentContainsSensitiveInformation": {"name": "a"}}));
        assert_eq!(one["ContentContainsSensitiveInformation"], json!([{"name": "a"}]));
    }

    #[test]
    fn another_delta_type_keeps_its_own_tag() {
        let delta =
            json!({"@odata.type": "#Exchange.StringFieldDeltaUpdateData", "Add": ["a"], "Remove": []});
        assert_eq!(
            wire("Set-Mailbox", json!({"EmailAddresses": delta.clone()})),
            json!({"EmailAddresses": delta})
        );
    }

    #[test]
    fn bytes_are_numbers_with_their_type() {
        let given = json!({"FileData": {"@bytes": "AAH/"}});
        assert_eq!(
            wire("New-ClassificationRuleCollection", given),
            json!({"FileData": {"@odata.type": "#Exchange.ByteArrayType", "Data": [0, 1, 255]}})
        );
        let several = json!({"FileData": [{"@bytes": "AQ=="}, {"@bytes": ""}]});
        assert_eq!(
            wire("New-ClassificationRuleCollection", several),
            json!({"FileData@odata.type": "#Collection(Exchange.ByteArrayType)", "FileData": [{"Data": [1]}, {"Data": []}]})
        );
        let bad = json!({"FileData": {"@bytes": "not base64"}});
        assert!(refused("New-ClassificationRuleCollection", bad).contains("not Base64"));
    }

    #[test]
    fn an_empty_list_clears_in_the_form_its_type_takes() {
        let table = json!({"@odata.type": "#Exchange.GenericHashTable"});
        let parameters = json!({"AllowedSenderDomains": []});
        assert_eq!(wire("Set-HostedContentFilterPolicy", parameters.clone())["AllowedSenderDomains"], table);
        assert_eq!(wire("New-HostedContentFilterPolicy", parameters)["AllowedSenderDomains"], json!([]));
        assert_eq!(wire("Set-SafeLinksPolicy", json!({"DoNotRewriteUrls": []}))["DoNotRewriteUrls"], table);
        assert_eq!(wire("Set-TransportRule", json!({"From": []}))["From"], Value::Null);
        let read = wire("Get-Mailbox", json!({"RecipientTypeDetails": []}));
        assert_eq!(read["RecipientTypeDetails"], json!([]), "null would ask for everything");
    }

    #[test]
    fn what_is_nested_too_deeply_or_mixed_is_refused() {
        let mut deep = json!("end");
        for _ in 0..8 {
            deep = json!({ "a": deep });
        }
        wire("Set-Mailbox", json!({"EmailAddresses": deep["a"].clone()}));
        assert!(refused("Set-Mailbox", json!({"EmailAddresses": deep})).contains("nested too deeply"));
        assert!(refused("Set-Mailbox", json!({"EmailAddresses": ["a", {"b": 1}]})).contains("not several"));
    }

    #[test]
    fn the_routing_switch_does_not_travel() {
        let sent = wire("Get-InboxRule", json!({"Mailbox": "a@x", "usecustomrouting": true}));
        assert_eq!(sent, json!({"Mailbox": "a@x"}));
    }

    #[test]
    fn filters_inside_a_body_are_spelled_out() {
        let sent = wire("Get-Mailbox", json!({"Filter": "A -eq $True -or B -eq $FALSE"}));
        assert_eq!(sent["Filter"], "A -eq 'True' -or B -eq 'False'");
    }
}
