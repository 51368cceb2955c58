//! Whether an object already is as a step declares it. Source: protocol reference, 6.5.

use serde_json::Value;

/// How a property's texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// Free text: every character counts.
    Exact,
    /// Enumerations, identities, addresses: the service does not tell upper from lower case.
    IgnoreCase,
    /// Sizes: `50GB` and `50 GB (53,687,091,200 bytes)` are one size.
    Size,
}

/// One property, declared and observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// As declared.
    Same,
    /// Not as declared.
    Differs,
    /// The object has no such property: whether it differs cannot be seen.
    NotObservable,
}

/// Compares what a step declares with what was read; `None` if the object came without the property.
///
/// Lists are compared without order and without case, and `[""]` is an empty list, as the service returns it.
/// Unset is `null` or an empty text. Numbers may come back as text (`RecipientLimits: "500"`).
pub fn compare(declared: &Value, observed: Option<&Value>, text: Text) -> Difference {
    let Some(observed) = observed else { return Difference::NotObservable };
    let same = match (declared, observed) {
        (Value::Array(declared), Value::Array(observed)) => same_list(declared, observed),
        (Value::Array(declared), Value::Null) => members(declared).is_empty(),
        (Value::Array(declared), one) => same_list(declared, std::slice::from_ref(one)),
        (Value::Null, Value::String(observed)) => observed.is_empty(),
        (Value::Null, Value::Array(observed)) => members(observed).is_empty(),
        (Value::String(declared), Value::Null) => declared.is_empty(),
        (Value::Bool(declared), Value::String(observed)) => {
            observed.eq_ignore_ascii_case(bool_word(*declared))
        }
        (Value::String(declared), Value::String(observed)) => same_text(declared, observed, text),
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            number.to_string().as_str() == text
        }
        (declared, observed) => declared == observed,
    };
    if same { Difference::Same } else { Difference::Differs }
}

fn bool_word(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn same_text(declared: &str, observed: &str, text: Text) -> bool {
    match text {
        Text::Exact => declared == observed,
        Text::IgnoreCase => declared.to_lowercase() == observed.to_lowercase(),
        Text::Size => match (bytes_of(declared), bytes_of(observed)) {
            (Some(declared), Some(observed)) => declared == observed,
            _ => declared.eq_ignore_ascii_case(observed),
        },
    }
}

fn members(list: &[Value]) -> Vec<String> {
    let mut members: Vec<String> = list
        .iter()
        .map(|member| match member {
            Value::String(text) => text.to_lowercase(),
            other => other.to_string(),
        })
        .filter(|member| !member.is_empty())
        .collect();
    members.sort();
    members.dedup();
    members
}

fn same_list(declared: &[Value], observed: &[Value]) -> bool {
    members(declared) == members(observed)
}

/// The bytes of a size as people write it (`50GB`) or as the service does (`50 GB (53,687,091,200 bytes)`).
fn bytes_of(size: &str) -> Option<u128> {
    if let Some((_, rest)) = size.split_once('(') {
        let digits: String =
            rest.strip_suffix(" bytes)")?.chars().filter(|character| *character != ',').collect();
        return digits.parse().ok();
    }
    let size = size.trim();
    let unit_at = size.find(|character: char| !character.is_ascii_digit()).unwrap_or(size.len());
    let (number, unit) = size.split_at(unit_at);
    let shift = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "KB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        _ => return None,
    };
    Some(u128::from(number.parse::<u64>().ok()?) << shift)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn same(declared: Value, observed: Value, text: Text) -> bool {
        compare(&declared, Some(&observed), text) == Difference::Same
    }

    #[test]
    fn booleans_compare_with_booleans_and_with_their_words() {
        assert!(same(json!(false), json!(false), Text::Exact));
        assert!(!same(json!(false), json!(true), Text::Exact));
        assert!(same(json!(true), json!("True"), Text::Exact));
        assert!(!same(json!(false), json!(null), Text::Exact), "null inherits: it is not false");
    }

    #[test]
    fn unset_is_null_or_empty() {
        assert!(same(json!(null), json!(""), Text::Exact));
        assert!(same(json!(""), json!(null), Text::Exact));
        assert!(same(json!(null), json!([""]), Text::Exact));
        assert!(!same(json!(null), json!("x"), Text::Exact));
    }

    #[test]
    fn free_text_counts_case_and_enumerations_do_not() {
        assert!(!same(json!("Sales"), json!("sales"), Text::Exact));
        assert!(same(json!("sharedmailbox"), json!("SharedMailbox"), Text::IgnoreCase));
        assert!(same(json!("ÄRZTE"), json!("ärzte"), Text::IgnoreCase));
    }

    #[test]
    fn lists_have_no_order_no_case_and_one_empty_text_is_empty() {
        assert!(same(json!(["a@x", "B@x"]), json!(["b@x", "A@x"]), Text::Exact));
        assert!(same(json!([]), json!([""]), Text::Exact));
        assert!(same(json!([]), json!(null), Text::Exact));
        assert!(same(json!(["one"]), json!("One"), Text::Exact));
        assert!(!same(json!(["a"]), json!(["a", "b"]), Text::Exact));
    }

    #[test]
    fn sizes_are_compared_by_their_bytes() {
        assert!(same(json!("50GB"), json!("50 GB (53,687,091,200 bytes)"), Text::Size));
        assert!(same(json!("Unlimited"), json!("unlimited"), Text::Size));
        assert!(!same(json!("49GB"), json!("50 GB (53,687,091,200 bytes)"), Text::Size));
        assert!(!same(json!("Unlimited"), json!("50 GB (53,687,091,200 bytes)"), Text::Size));
    }

    #[test]
    fn numbers_may_come_back_as_text() {
        assert!(same(json!(500), json!("500"), Text::Exact));
        assert!(same(json!("500"), json!(500), Text::Exact));
        assert!(!same(json!(500), json!("Unlimited"), Text::Exact));
    }

    #[test]
    fn a_property_the_object_does_not_have_is_not_drift() {
        assert_eq!(compare(&json!(true), None, Text::Exact), Difference::NotObservable);
    }
}
