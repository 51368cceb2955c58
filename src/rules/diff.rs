//! Whether an object already is as a step declares it. Source: protocol reference, 6.5.

use serde_json::Value;

use super::quantity::{bytes, entry_key, ticks, utc};

/// How a property's texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// Free text: every character counts.
    Exact,
    /// Identities and GUIDs: the service does not tell upper from lower case.
    IgnoreCase,
    /// Words of a set, one or several with commas between: neither case nor order count.
    Words,
    /// Addresses with or without `smtp:`; in lists the case of that prefix says which one is primary.
    Address,
    /// Sizes: `50GB` and `50 GB (53,687,091,200 bytes)` are one size.
    Size,
    /// Time spans: `30` and `30.00:00:00` are 30 days.
    TimeSpan,
    /// Points in time, to the second: without a zone they are UTC.
    Date,
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
        (Value::Array(declared), observed) => keys(declared, text) == keys(members(observed), text),
        (Value::Null, Value::String(observed)) => observed.is_empty(),
        (Value::Null, Value::Array(observed)) => keys(observed, text).is_empty(),
        (Value::String(declared), Value::Null) => declared.is_empty(),
        (Value::Bool(declared), Value::String(observed)) => {
            observed.eq_ignore_ascii_case(bool_word(*declared))
        }
        (Value::String(declared), Value::String(observed)) => same_text(declared, observed, text),
        (Value::Number(declared), Value::Number(observed)) => {
            declared == observed || declared.as_f64() == observed.as_f64()
        }
        (Value::Number(number), Value::String(observed)) => same_text(&number.to_string(), observed, text),
        (Value::String(declared), Value::Number(number)) => same_text(declared, &number.to_string(), text),
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
        Text::Words => words(declared) == words(observed),
        Text::Address => address(declared) == address(observed),
        Text::Size => same_quantity(declared, observed, bytes),
        Text::TimeSpan => same_quantity(declared, observed, ticks),
        Text::Date => same_quantity(declared, observed, utc),
    }
}

/// Two spellings of one quantity; what is none, such as `Unlimited`, is compared as a word.
fn same_quantity<T: PartialEq>(declared: &str, observed: &str, of: impl Fn(&str) -> Option<T>) -> bool {
    match (of(declared), of(observed)) {
        (Some(declared), Some(observed)) => declared == observed,
        _ => declared.eq_ignore_ascii_case(observed),
    }
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text.split(',').map(|word| word.trim().to_lowercase()).collect();
    words.sort();
    words
}

/// An address without its prefix and case.
pub(super) fn address(text: &str) -> String {
    let lower = text.to_lowercase();
    lower.strip_prefix("smtp:").map(str::to_owned).unwrap_or(lower)
}

/// A single value is a list of one, and nothing is an empty list.
pub(super) fn members(observed: &Value) -> &[Value] {
    match observed {
        Value::Null => &[],
        Value::Array(members) => members,
        one => std::slice::from_ref(one),
    }
}

pub(super) fn member_text(member: &Value) -> String {
    match member {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn keys(list: &[Value], text: Text) -> Vec<String> {
    let mut keys: Vec<String> = list
        .iter()
        .map(member_text)
        .filter(|member| !member.is_empty())
        .map(|member| key(&member, text))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// An address without a prefix is one that is not primary.
pub(super) fn key(member: &str, text: Text) -> String {
    if text == Text::Address && is_bare(member) {
        entry_key(&format!("smtp:{member}"))
    } else {
        entry_key(member)
    }
}

pub(super) fn is_bare(address: &str) -> bool {
    !address.contains(':')
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

    #[test]
    fn time_spans_dates_and_numbers_have_several_spellings() {
        assert!(same(json!("30"), json!("30.00:00:00"), Text::TimeSpan));
        assert!(same(json!(30), json!("30.00:00:00"), Text::TimeSpan));
        assert!(same(json!("08:00:00"), json!("8:00:00"), Text::TimeSpan));
        assert!(same(json!("unlimited"), json!("Unlimited"), Text::TimeSpan));
        assert!(!same(json!("30.00:00:01"), json!("30.00:00:00"), Text::TimeSpan));
        assert!(!same(json!("Unlimited"), json!("30.00:00:00"), Text::TimeSpan));
        assert!(same(json!("2026-01-31T08:00:00"), json!("2026-01-31T08:00:00Z"), Text::Date));
        assert!(same(json!("2026-01-31T08:00:00"), json!("2026-01-31T08:00:00.0000000+00:00"), Text::Date));
        assert!(same(json!("2026-01-30T23:00:00"), json!("2026-01-31T08:00:00+09:00"), Text::Date));
        assert!(!same(json!("2026-01-31T08:00:00"), json!("2026-01-31T08:00:01Z"), Text::Date));
        assert!(same(json!(1), json!(1.0), Text::Exact));
        assert!(!same(json!(1), json!(1.5), Text::Exact));
        assert!(same(json!("49.5GB"), json!("49.5 GB (53,150,220,288 bytes)"), Text::Size));
    }

    #[test]
    fn words_of_a_set_have_no_order() {
        assert!(same(json!("Owner,reader"), json!("Reader, Owner"), Text::Words));
        assert!(!same(json!("Owner"), json!("Reader, Owner"), Text::Words));
    }

    #[test]
    fn addresses_have_a_prefix_whose_case_counts_in_lists() {
        assert!(same(json!("a@x.example"), json!("smtp:A@x.example"), Text::Address));
        assert!(!same(json!("b@x.example"), json!("smtp:a@x.example"), Text::Address));
        let list = json!(["SMTP:a@x.example", "smtp:b@x.example"]);
        assert!(same(json!(["B@x.example", "SMTP:A@x.example"]), list.clone(), Text::Address));
        assert!(!same(json!(["SMTP:b@x.example", "smtp:a@x.example"]), list, Text::Address));
    }
}
