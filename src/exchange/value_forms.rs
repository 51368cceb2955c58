//! A single value as the service takes it for its parameter. Source: protocol reference, 3.4.

use serde_json::{Number, Value};

use crate::catalog::{Parameter, ValueKind};
use crate::rules::quantity::utc;

/// Text parameters in which PowerShell's `$true` and `$false` have to be spelled out.
const FILTERS: [&str; 3] = ["Filter", "RecipientFilter", "RecipientPreviewFilter"];

/// What every cmdlet of PowerShell has; their values travel as text.
const COMMON: [&str; 12] = [
    "Debug",
    "ErrorAction",
    "ErrorVariable",
    "InformationAction",
    "InformationVariable",
    "OutBuffer",
    "OutVariable",
    "PipelineVariable",
    "ProgressAction",
    "Verbose",
    "WarningAction",
    "WarningVariable",
];

/// `value` for the parameter `name`; `parameter` is what the catalog knows about it.
pub(super) fn scalar(name: &str, value: &Value, parameter: Option<Parameter>) -> Value {
    let Some(parameter) = parameter else {
        let is_common = COMMON.iter().any(|common| common.eq_ignore_ascii_case(name));
        return if is_common { as_text(value) } else { filter(name, value) };
    };
    match (parameter.kind(), value) {
        (ValueKind::Switch | ValueKind::Boolean, Value::String(text)) => boolean(text, value),
        (ValueKind::Integer, Value::String(text)) => text
            .trim()
            .parse::<i64>()
            .map_or_else(|_| value.clone(), |number| Value::Number(Number::from(number))),
        // The checker has done this for what is written out; here it is the value of an expression.
        (ValueKind::DateTime, Value::String(text)) => {
            Value::String(utc(text).unwrap_or_else(|| text.clone()))
        }
        (kind, Value::Number(_)) if travels_as_text(kind) => as_text(value),
        _ => filter(name, value),
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
            | ValueKind::Guid
            | ValueKind::String
            | ValueKind::Enum
    )
}

/// The text .NET would make of it.
fn as_text(value: &Value) -> Value {
    match value {
        Value::Bool(true) => Value::from("True"),
        Value::Bool(false) => Value::from("False"),
        Value::Number(number) => Value::String(number.to_string()),
        other => other.clone(),
    }
}

fn boolean(text: &str, otherwise: &Value) -> Value {
    match text.trim().trim_start_matches('$') {
        word if word.eq_ignore_ascii_case("true") => Value::Bool(true),
        word if word.eq_ignore_ascii_case("false") => Value::Bool(false),
        _ => otherwise.clone(),
    }
}

fn filter(name: &str, value: &Value) -> Value {
    match value {
        Value::String(text) if FILTERS.iter().any(|filter| filter.eq_ignore_ascii_case(name)) => {
            Value::String(spelled_out(text))
        }
        other => other.clone(),
    }
}

/// A filter without PowerShell's variables.
pub(super) fn spelled_out(filter: &str) -> String {
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
    use serde_json::json;

    use super::*;
    use crate::catalog::cmdlet;

    fn of(set: &str, name: &str, value: Value) -> Value {
        scalar(name, &value, cmdlet(set).and_then(|set| set.parameter(name)))
    }

    #[test]
    fn computed_dates_are_sent_as_utc_and_computed_days_as_text() {
        let date = of("Set-Mailbox", "StartDateForRetentionHold", json!("2026-01-31T08:00:00.0000000+09:00"));
        assert_eq!(date, "2026-01-30T23:00:00");
        assert_eq!(of("Set-Mailbox", "RetainDeletedItemsFor", json!(30)), "30");
    }

    #[test]
    fn what_has_a_form_as_text_travels_as_text_and_numbers_as_numbers() {
        assert_eq!(of("Get-Mailbox", "ResultSize", json!(5)), "5");
        assert_eq!(of("Set-Mailbox", "CustomAttribute1", json!(12)), "12");
        assert_eq!(of("Set-Mailbox", "ResourceCapacity", json!("12")), 12);
        assert_eq!(of("Set-Mailbox", "ResourceCapacity", json!(12)), 12);
        assert_eq!(of("Set-Mailbox", "AuditEnabled", json!("$True")), true);
        assert_eq!(of("Set-Mailbox", "ForwardingSmtpAddress", Value::Null), Value::Null);
    }

    #[test]
    fn common_parameters_are_text() {
        assert_eq!(of("Set-Mailbox", "Verbose", json!(true)), "True");
        assert_eq!(of("Set-Mailbox", "ErrorAction", json!("Stop")), "Stop");
        assert_eq!(of("Set-Mailbox", "OutBuffer", json!(3)), "3");
        // A parameter that is newer than the catalog travels as it stands.
        assert_eq!(of("Set-Mailbox", "NewerThanTheCatalog", json!(true)), true);
    }
}
