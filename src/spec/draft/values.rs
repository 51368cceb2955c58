//! Values to be replaced: of the right kind, and plainly nobody's.

use crate::catalog::{Parameter, ValueKind};

/// What stands for a text.
const TEXT: &str = "change-me";
/// Where a secret is kept.
const REFERENCE: &str = "env: EXORUN_PASSWORD";
const ADDRESS: &str = "someone@contoso.com";

/// A value of the parameter's kind as lines of YAML: what stands beside the name, and what stands below it. `None` if
/// no job can give one.
pub(super) fn placeholder(parameter: Parameter) -> Option<(String, Option<String>)> {
    let beside = |text: &str| Some((text.to_owned(), None));
    let below = |text: String| Some((String::new(), Some(text)));
    match parameter.kind() {
        ValueKind::Switch | ValueKind::Boolean => beside("true"),
        ValueKind::Integer => beside("1"),
        ValueKind::Number => beside("1.5"),
        ValueKind::Unlimited => beside("Unlimited"),
        ValueKind::Size | ValueKind::UnlimitedSize => beside("1GB"),
        ValueKind::DateTime => beside("2026-01-31T08:00:00"),
        ValueKind::TimeSpan | ValueKind::UnlimitedTimeSpan => beside("1.00:00:00"),
        ValueKind::Guid => beside("11111111-2222-3333-4444-555555555555"),
        ValueKind::String | ValueKind::Enum => beside(&word(parameter)),
        ValueKind::List => below(format!("- {}", word(parameter))),
        ValueKind::Hashtable => below(format!("key: {TEXT}")),
        ValueKind::HashtableList => below(format!("- key: {TEXT}")),
        ValueKind::Secret if parameter.type_name() == "PSCredential" => {
            below(format!("user_name: {TEXT}\n        password:\n          {REFERENCE}"))
        }
        ValueKind::Secret => below(REFERENCE.to_owned()),
        ValueKind::Bytes => below(format!("file: {TEXT}")),
        ValueKind::Object => None,
    }
}

/// The first documented value, or a text.
fn word(parameter: Parameter) -> String {
    let type_name = parameter.type_name();
    // For addresses and identities the documentation lists forms, not values.
    let is_identity = type_name.contains("IdParameter");
    let is_address = type_name.contains("SmtpAddress") || type_name.contains("ProxyAddress");
    if is_identity && ["Mailbox", "Recipient", "User"].iter().any(|start| type_name.starts_with(start)) {
        return ADDRESS.to_owned();
    }
    if is_address {
        return ADDRESS.to_owned();
    }
    match parameter.values().next().filter(|_| !is_identity) {
        Some(value) => quoted(value),
        None => TEXT.to_owned(),
    }
}

/// In quotes, unless every reader of YAML takes it for a text.
fn quoted(value: &str) -> String {
    let is_plain = value.len() > 3 && value.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_other = ["true", "false", "null"].iter().any(|word| value.eq_ignore_ascii_case(word));
    if is_plain && !is_other { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}
