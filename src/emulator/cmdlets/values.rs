//! Values: what JSON a parameter takes, and what property it makes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;
use uuid::Uuid;

use super::super::errors::Failure;
use super::super::prop::{Prop, parse_size, size};
use super::parameters::{Kind, Parameter};
use crate::catalog;

const TABLE: &str = "#Exchange.GenericHashTable";
const DELTA: &str = "#Exchange.StringFieldDeltaUpdateData";
const BYTES: &str = "#Exchange.ByteArrayType";

/// What an `X@odata.type` member may say of the array `X`. Source: protocol reference, 3.4.
const ANNOTATIONS: [&str; 3] =
    ["#Collection(Exchange.GenericHashTable)", "#Collection(Exchange.ByteArrayType)", "#Collection(String)"];

/// Refuses an array of objects of which nobody says what they are: neither they themselves nor an annotation.
pub(super) fn typed(name: &str, value: &Value, annotated: bool) -> Result<(), Failure> {
    let untyped = |item: &Value| item.is_object() && item.get("@odata.type").is_none();
    match value {
        Value::Array(items) if !annotated && items.iter().any(untyped) => Err(Failure::bad_body(&format!(
            "The objects of '{name}' have no @odata.type, and '{name}@odata.type' is missing."
        ))),
        _ => Ok(()),
    }
}

/// Checks the annotation of a parameter.
pub(super) fn annotation(name: &str, value: &Value) -> Result<(), Failure> {
    match value.as_str() {
        Some(text) if ANNOTATIONS.contains(&text) || [TABLE, DELTA, BYTES].contains(&text) => Ok(()),
        _ => Err(Failure::bad_body(&format!("The type {value} of '{name}' is unknown."))),
    }
}

/// A list's new content, as a call spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Replace(Vec<String>),
    Change {
        add: Vec<String>,
        remove: Vec<String>,
    },
    Clear,
    /// An empty array, which does not clear a list.
    Nothing,
}

/// Reads an edit of a multi-valued property.
pub(super) fn edit(name: &str, value: &Value) -> Result<Edit, Failure> {
    let Value::Object(members) = value else {
        return Ok(match value {
            Value::Null => Edit::Clear,
            Value::Array(items) if items.is_empty() => Edit::Nothing,
            value => Edit::Replace(items(name, value)?),
        });
    };
    match members.get("@odata.type").and_then(Value::as_str) {
        Some(TABLE | DELTA) => {}
        Some(other) => return Err(Failure::bad_body(&format!("The type '{other}' of '{name}' is unknown."))),
        None => {
            return Err(Failure::bad_body(&format!(
                "The value of '{name}' is an object without @odata.type."
            )));
        }
    }
    let (mut add, mut remove, mut any) = (Vec::new(), Vec::new(), false);
    for (key, value) in members.iter().filter(|(key, _)| !key.contains('@')) {
        any = true;
        match key.to_ascii_lowercase().as_str() {
            "add" => add.extend(items(name, value)?),
            "remove" => remove.extend(items(name, value)?),
            _ => {
                return Err(Failure::transformation(
                    name,
                    &format!("The hash table key \"{key}\" is not valid."),
                ));
            }
        }
    }
    Ok(if any { Edit::Change { add, remove } } else { Edit::Clear })
}

impl Edit {
    /// The list after the edit. Case does not tell items apart.
    pub(super) fn apply(&self, old: &[String]) -> Vec<String> {
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        match self {
            Edit::Replace(items) => items.clone(),
            Edit::Clear => Vec::new(),
            Edit::Nothing => old.to_vec(),
            Edit::Change { add, remove } => {
                let mut new: Vec<String> =
                    old.iter().filter(|own| !remove.iter().any(|gone| same(own, gone))).cloned().collect();
                for item in add {
                    if !new.iter().any(|own| same(own, item)) {
                        new.push(item.clone());
                    }
                }
                new
            }
        }
    }

    /// The same edit with every item put through `change`.
    pub(super) fn map(
        self,
        mut change: impl FnMut(String) -> Result<String, Failure>,
    ) -> Result<Edit, Failure> {
        let mut all = |items: Vec<String>| items.into_iter().map(&mut change).collect::<Result<Vec<_>, _>>();
        Ok(match self {
            Edit::Replace(items) => Edit::Replace(all(items)?),
            Edit::Change { add, remove } => Edit::Change { add: all(add)?, remove: all(remove)? },
            other => other,
        })
    }
}

pub(super) fn items(name: &str, value: &Value) -> Result<Vec<String>, Failure> {
    match value {
        Value::Array(items) => items.iter().map(|item| scalar(name, item)).collect(),
        value => Ok(vec![scalar(name, value)?]),
    }
}

/// A string, or a number or boolean by its text.
pub(super) fn scalar(name: &str, value: &Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(true) => Ok("True".to_owned()),
        Value::Bool(false) => Ok("False".to_owned()),
        _ => Err(Failure::transformation(name, "Cannot convert the value to type \"System.String\".")),
    }
}

pub(super) fn boolean(name: &str, value: &Value) -> Result<bool, Failure> {
    let refuse = |text: &str| {
        Err(Failure::transformation(
            name,
            &format!("Cannot convert value \"{text}\" to type \"System.Boolean\"."),
        ))
    };
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        other => refuse(&other.to_string()),
    }
}

/// The refusal of a value that an enumeration does not have.
pub(super) fn not_one_of(name: &str, text: &str, values: &[&str]) -> Failure {
    Failure::transformation(
        name,
        &format!(
            "Cannot convert value \"{text}\". The identifier name cannot be processed due to either matching none or \
             more than one of the enumerator names. Possible enumerator values are \"{}\".",
            values.join(", ")
        ),
    )
}

/// A value of one of the simple kinds.
pub(super) fn simple(parameter: &Parameter, value: &Value) -> Result<Prop, Failure> {
    let name = parameter.name;
    let text = || scalar(name, value);
    match (parameter.kind, value) {
        (Kind::Bool, value) => boolean(name, value).map(Prop::Bool),
        (Kind::Text, Value::Null) => Ok(Prop::text("")),
        (Kind::NullableBool | Kind::NullableText | Kind::SmtpAddress | Kind::Recipient, Value::Null) => {
            Ok(Prop::Null)
        }
        (Kind::NullableText | Kind::SmtpAddress | Kind::Recipient, Value::String(text))
            if text.is_empty() =>
        {
            Ok(Prop::Null)
        }
        (Kind::NullableBool, value) => boolean(name, value).map(Prop::Bool),
        (Kind::Text | Kind::NullableText, _) => Ok(Prop::text(text()?)),
        (Kind::Int, _) => match text()?.parse::<i32>() {
            Ok(number) => Ok(Prop::Int(number)),
            Err(_) => {
                Err(Failure::transformation(name, "Cannot convert the value to type \"System.Int32\"."))
            }
        },
        (Kind::Size, _) => {
            let text = text()?;
            if text.eq_ignore_ascii_case("unlimited") {
                return Ok(Prop::text("Unlimited"));
            }
            parse_size(&text).map(|bytes| Prop::text(size(bytes))).ok_or_else(|| {
                let kind = "Microsoft.Exchange.Data.ByteQuantifiedSize";
                Failure::transformation(name, &format!("Cannot convert value \"{text}\" to type \"{kind}\"."))
            })
        }
        (Kind::Span, _) => {
            let text = text()?;
            span(&text).map(Prop::text).ok_or_else(|| {
                let kind = "Microsoft.Exchange.Data.EnhancedTimeSpan";
                Failure::transformation(name, &format!("Cannot convert value \"{text}\" to type \"{kind}\"."))
            })
        }
        (Kind::OneOf(values), _) => {
            let text = text()?;
            let found = values.iter().find(|own| own.eq_ignore_ascii_case(&text));
            found.map(|own| Prop::text(*own)).ok_or_else(|| not_one_of(name, &text, values))
        }
        (Kind::SmtpAddress, _) => {
            let text = text()?;
            let address = text.strip_prefix("smtp:").or_else(|| text.strip_prefix("SMTP:")).unwrap_or(&text);
            match address.split_once('@') {
                Some((local, domain)) if !local.is_empty() && domain.contains('.') => {
                    Ok(Prop::text(format!("smtp:{address}")))
                }
                _ => Err(Failure::transformation(
                    name,
                    &format!(
                        "Cannot convert value \"{text}\" to type \"Microsoft.Exchange.Data.ProxyAddress\"."
                    ),
                )),
            }
        }
        (Kind::Date | Kind::Guid | Kind::CatalogWord(_) | Kind::Table | Kind::Bytes, Value::Null) => {
            Ok(Prop::Null)
        }
        (Kind::Date | Kind::Guid | Kind::CatalogWord(_), Value::String(text)) if text.is_empty() => {
            Ok(Prop::Null)
        }
        (Kind::Number, _) => {
            let text = text()?;
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            number.map(|_| Prop::text(text.clone())).ok_or_else(|| cannot(name, &text, "System.Double"))
        }
        (Kind::Unlimited, _) => {
            let text = text()?;
            if text.eq_ignore_ascii_case("unlimited") {
                return Ok(Prop::text("Unlimited"));
            }
            let number = text.parse::<u64>().map(|number| Prop::text(number.to_string()));
            number.map_err(|_| cannot(name, &text, "Microsoft.Exchange.Data.Unlimited"))
        }
        (Kind::Date, _) => {
            let text = text()?;
            date(&text).map(Prop::Date).ok_or_else(|| cannot(name, &text, "System.DateTime"))
        }
        (Kind::Guid, _) => {
            let text = text()?;
            Uuid::parse_str(&text).map(Prop::Guid).map_err(|_| cannot(name, &text, "System.Guid"))
        }
        (Kind::CatalogWord(known), _) => word(known, &text()?).map(Prop::text),
        (Kind::Table, _) => table(name, value).map(|()| Prop::text("System.Collections.Hashtable")),
        (Kind::Bytes, Value::Array(all)) => {
            let all = all.iter().map(|item| data(name, &item["Data"]).map(|bytes| STANDARD.encode(bytes)));
            all.collect::<Result<_, _>>().map(Prop::List)
        }
        (Kind::Bytes, _) => bytes(name, value).map(|bytes| Prop::text(STANDARD.encode(bytes))),
        // A name was looked up before; this is neither a name nor nothing.
        (Kind::Recipient, _) => {
            Err(Failure::transformation(name, "Cannot convert the value to a recipient."))
        }
        (kind, _) => unreachable!("{name} of kind {kind:?} is not simple"),
    }
}

fn cannot(name: &str, text: &str, kind: &str) -> Failure {
    Failure::transformation(name, &format!("Cannot convert value \"{text}\" to type \"{kind}\"."))
}

/// The catalog's spelling of a word.
pub(super) fn word(known: catalog::Parameter, text: &str) -> Result<&'static str, Failure> {
    known.words().find(|own| own.eq_ignore_ascii_case(text)).ok_or_else(|| {
        let words: Vec<&str> = known.words().collect();
        not_one_of(known.name(), text, &words)
    })
}

/// A point in time: `2026-01-31T08:00:00` is UTC.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    let utc = |at: DateTime| at.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    text.parse::<Timestamp>().ok().or_else(|| text.parse::<DateTime>().ok().and_then(utc))
}

/// A hash table says that it is one, and so does each within it.
pub(super) fn table(name: &str, value: &Value) -> Result<(), Failure> {
    match value {
        Value::Object(members) if members.get("@odata.type").and_then(Value::as_str) == Some(TABLE) => {
            members.values().filter(|member| member.is_object()).try_for_each(|member| table(name, member))
        }
        Value::Object(_) => Err(Failure::bad_body(&format!(
            "The value of '{name}' is an object without @odata.type {TABLE}."
        ))),
        other => Err(cannot(name, &other.to_string(), "System.Collections.Hashtable")),
    }
}

/// `{"@odata.type": "#Exchange.ByteArrayType", "Data": …}` with Base64 or numbers.
fn bytes(name: &str, value: &Value) -> Result<Vec<u8>, Failure> {
    if value["@odata.type"].as_str() != Some(BYTES) {
        return Err(Failure::bad_body(&format!("The value of '{name}' is not of @odata.type {BYTES}.")));
    }
    data(name, &value["Data"])
}

fn data(name: &str, value: &Value) -> Result<Vec<u8>, Failure> {
    let refuse = || cannot(name, &value.to_string(), "System.Byte[]");
    match value {
        Value::String(text) => STANDARD.decode(text).map_err(|_| refuse()),
        Value::Array(numbers) => numbers
            .iter()
            .map(|number| number.as_u64().and_then(|number| u8::try_from(number).ok()).ok_or_else(refuse))
            .collect(),
        _ => Err(refuse()),
    }
}

/// Hash tables or byte arrays in an array: the parameter's annotation names their type for all of them, so that they
/// need none of their own.
pub(super) fn tables(name: &str, value: &Value) -> Result<Vec<String>, Failure> {
    let items = match value {
        Value::Null => &[],
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    items
        .iter()
        .map(|item| match item {
            Value::Object(_) => Ok(item.to_string()),
            Value::String(text) => Ok(text.clone()),
            other => Err(cannot(name, &other.to_string(), "System.Collections.Hashtable")),
        })
        .collect()
}

/// `d.hh:mm:ss`, as the service shows a time span.
fn span(text: &str) -> Option<String> {
    if text.eq_ignore_ascii_case("unlimited") {
        return Some("Unlimited".to_owned());
    }
    if let Ok(days) = text.parse::<u32>() {
        return Some(format!("{days}.00:00:00"));
    }
    let (days, time) = match text.split_once('.') {
        Some((days, time)) => (days.parse::<u32>().ok()?, time),
        None => (0, text),
    };
    let parts: Vec<u32> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts[..] else { return None };
    let fits = hours < 24 && minutes < 60 && seconds < 60;
    let time = format!("{hours:02}:{minutes:02}:{seconds:02}");
    fits.then(|| if days == 0 { time } else { format!("{}.{}", days, time) })
}

#[cfg(test)]
mod tests {
    use super::super::parameters::p;
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_replaced_edited_or_cleared() {
        let old = ["A@x.example".to_owned(), "b@x.example".to_owned()];
        let after = |value: Value| edit("P", &value).unwrap().apply(&old);
        let table = "#Exchange.GenericHashTable";
        assert_eq!(after(json!(["c"])), ["c"]);
        assert_eq!(after(json!("c")), ["c"]);
        assert_eq!(
            after(json!({"@odata.type": table, "Add": "c", "remove": ["a@X.example"]})),
            ["b@x.example", "c"]
        );
        assert_eq!(after(json!({"@odata.type": table, "add": ["B@x.example"]})).len(), 2);
        assert_eq!(after(json!({"@odata.type": table})).len(), 0);
        assert_eq!(after(json!(null)).len(), 0);
        assert_eq!(after(json!([])).len(), 2, "an empty array does not clear");
        assert!(edit("P", &json!({"add": ["c"]})).is_err(), "no type tag");
        assert!(edit("P", &json!({"@odata.type": table, "plus": ["c"]})).is_err());
    }

    #[test]
    fn every_row_of_values_is_taken() {
        let value = |kind, value: Value| simple(&p("X", kind), &value);
        let bytes = json!({"@odata.type": BYTES, "Data": "AAEC"});
        assert_eq!(value(Kind::Text, json!(null)), Ok(Prop::text("")), "null clears a text");
        assert_eq!(value(Kind::Bool, json!(true)), Ok(Prop::Bool(true)));
        assert_eq!(value(Kind::Int, json!(7)), value(Kind::Int, json!("7")), "a number, or its text");
        assert_eq!(value(Kind::Unlimited, json!("unlimited")), Ok(Prop::text("Unlimited")));
        assert_eq!(value(Kind::Unlimited, json!("500")), Ok(Prop::text("500")));
        assert!(value(Kind::Unlimited, json!("many")).is_err());
        assert_eq!(value(Kind::Bytes, bytes), Ok(Prop::text("AAEC")));
        let numbers = json!({"@odata.type": BYTES, "Data": [0, 1, 2]});
        assert_eq!(value(Kind::Bytes, numbers), Ok(Prop::text("AAEC")));
        let arrays = json!([{"Data": "AAEC"}, {"Data": [255]}]);
        assert_eq!(value(Kind::Bytes, arrays), Ok(Prop::List(vec!["AAEC".to_owned(), "/w==".to_owned()])));
        for bad in [json!("AAEC"), json!({"Data": "AAEC"}), json!({"@odata.type": BYTES, "Data": [256]})] {
            assert!(value(Kind::Bytes, bad.clone()).is_err(), "{bad}");
        }
        let at = value(Kind::Date, json!("2026-01-31T08:00:00"));
        assert_eq!(at, Ok(Prop::Date("2026-01-31T08:00:00Z".parse().unwrap())), "no zone is UTC");
        assert_eq!(value(Kind::Date, json!("2026-01-31T10:00:00+02:00")), at);
        assert!(value(Kind::Date, json!("tomorrow")).is_err());
        assert_eq!(value(Kind::Span, json!("30.00:00:00")), Ok(Prop::text("30.00:00:00")));
        assert!(value(Kind::Guid, json!("no")).is_err());
        let nested = json!({"@odata.type": TABLE, "a": {"@odata.type": TABLE, "b": 1}});
        assert!(value(Kind::Table, nested).is_ok());
        for bad in [json!({"a": 1}), json!({"@odata.type": TABLE, "a": {"b": 1}}), json!("a")] {
            assert!(value(Kind::Table, bad.clone()).is_err(), "{bad}");
        }
        let untyped = json!([{"a": 1}]);
        assert!(typed("X", &untyped, true).is_ok() && typed("X", &untyped, false).is_err());
        assert!(typed("X", &json!([{"@odata.type": TABLE}]), false).is_ok());
        assert!(annotation("X", &json!("#Collection(Exchange.GenericHashTable)")).is_ok());
        assert!(annotation("X", &json!("#Collection(Exchange.Wonder)")).is_err());
        let old = ["A@x.example".to_owned(), "b".to_owned()];
        let delta = json!({"@odata.type": DELTA, "Add": ["c"], "Remove": ["a@X.example"]});
        assert_eq!(edit("X", &delta).unwrap().apply(&old), ["b", "c"]);
    }

    #[test]
    fn values_are_converted_as_the_service_does() {
        let value = |kind, value: Value| simple(&p("X", kind), &value);
        assert_eq!(value(Kind::Bool, json!("TRUE")), Ok(Prop::Bool(true)));
        assert!(value(Kind::Bool, json!(null)).is_err());
        assert!(value(Kind::Bool, json!("yes")).is_err());
        assert_eq!(value(Kind::NullableBool, json!(null)), Ok(Prop::Null));
        assert_eq!(value(Kind::Size, json!("50GB")), Ok(Prop::text("50 GB (53,687,091,200 bytes)")));
        assert_eq!(value(Kind::Span, json!(30)), Ok(Prop::text("30.00:00:00")));
        assert_eq!(value(Kind::Span, json!("14.00:00:00")), Ok(Prop::text("14.00:00:00")));
        assert_eq!(value(Kind::Span, json!("01:00:00")), Ok(Prop::text("01:00:00")));
        assert!(value(Kind::Span, json!("25:00:00")).is_err());
        assert_eq!(value(Kind::SmtpAddress, json!("a@b.example")), Ok(Prop::text("smtp:a@b.example")));
        assert_eq!(value(Kind::SmtpAddress, json!("")), Ok(Prop::Null));
        let enumeration = Kind::OneOf(&["Regular", "Shared"]);
        assert_eq!(value(enumeration, json!("shared")), Ok(Prop::text("Shared")));
        let failure = value(enumeration, json!("Sharde")).unwrap_err().json();
        assert_eq!(failure["error"]["details"], json!([]));
        let text = failure["error"]["innererror"]["internalexception"]["message"].to_string();
        assert!(text.contains("Regular, Shared"), "{text}");
    }
}
