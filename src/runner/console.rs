//! What a dry run prints about an object it would change.

use serde_json::Value;

use super::bytes::counted;
use super::call::Call;
use crate::catalog::ValueKind;
use crate::observe::escape::one_line;
use crate::rules::edit::Edit;

const VALUE_CHARS_MAX: usize = 120;
/// Stands for a secret, whatever its length.
const MASK: &str = "***";

/// One property that differs: `~ PopEnabled: true -> false`.
pub(super) fn would_change(name: &str, from: Option<&Value>, to: &Value) -> String {
    format!("  ~ {name}: {} -> {}", from.map_or_else(|| "(unset)".to_owned(), shown), shown(to))
}

/// A list that gets entries and loses some: a line for each below the property.
pub(super) fn would_edit(name: &str, edit: &Edit) -> String {
    let mut lines = format!("  ~ {name}:");
    for (sign, entries) in [('+', &edit.add), ('-', &edit.remove)] {
        for entry in entries {
            lines.push_str(&format!("\n      {sign}{}", one_line(entry, VALUE_CHARS_MAX)));
        }
    }
    lines
}

/// A cmdlet that a dry run does not send.
pub(super) fn would_call(call: &Call) -> String {
    let mut line = format!("! {}", call.cmdlet);
    for (name, value) in &call.parameters {
        let parameter = call.cmdlet.cmdlet().and_then(|cmdlet| cmdlet.parameter(name));
        let is_secret = parameter.is_some_and(|parameter| parameter.kind() == ValueKind::Secret);
        let value = if is_secret { MASK.to_owned() } else { shown(value) };
        line.push_str(&format!(" -{name} {value}"));
    }
    for secret in &call.secrets {
        line.push_str(&format!(" -{} {MASK}", secret.name));
    }
    line
}

/// A value as people read it: bytes counted, texts bare unless that would mislead, lists in brackets.
pub(super) fn shown(value: &Value) -> String {
    if let Some(bytes) = counted(value) {
        return format!("({bytes} bytes)");
    }
    match value {
        Value::Null => "(unset)".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => one_line(text, VALUE_CHARS_MAX),
        Value::Array(members) => {
            let members: Vec<String> = members.iter().map(shown).collect();
            one_line(&format!("[{}]", members.join(", ")), VALUE_CHARS_MAX)
        }
        other => one_line(&other.to_string(), VALUE_CHARS_MAX),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::CmdletName;
    use crate::runner::call::Select;

    #[test]
    fn a_change_is_one_line_even_if_the_value_tries_otherwise() {
        assert_eq!(
            would_change("PopEnabled", Some(&json!(true)), &json!(false)),
            "  ~ PopEnabled: true -> false"
        );
        assert_eq!(
            would_change("Office", Some(&json!("a\n  ~ Forged: x")), &json!(["b", ""])),
            "  ~ Office: a\\n  ~ Forged: x -> [b, \"\"]"
        );
    }

    #[test]
    fn an_edited_list_has_a_line_for_each_entry() {
        let edit = Edit { add: vec!["a".into(), "b\n  ~ Forged: x".into()], remove: vec!["c".into()] };
        assert_eq!(would_edit("Names", &edit), "  ~ Names:\n      +a\n      +b\\n  ~ Forged: x\n      -c");
    }

    #[test]
    fn a_secret_parameter_is_not_printed() {
        let name = CmdletName::known("New-Mailbox").unwrap();
        let parameters = vec![("Name".to_owned(), json!("a")), ("Password".to_owned(), json!("canary"))];
        let line = would_call(&Call::new(&name, parameters, Select::all()));
        assert!(line.starts_with("! New-Mailbox -Name a -Password ***"), "{line}");
    }
}
