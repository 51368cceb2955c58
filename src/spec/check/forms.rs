//! One scalar of a kind: the value that is sent, or how a wrong one is mended. For jobs and for the command line.

use serde_json::Value;

use super::auth::is_guid;
use super::date;
use crate::catalog::{Parameter, ValueKind};
use crate::rules::duration;
use crate::rules::quantity::{bytes, span_of_seconds, ticks, utc};
use crate::spec::tree::core_boolean;

/// Words that other YAML readers take for booleans.
const FALSE_WORDS: [&str; 6] = ["no", "off", "n", "false", "0", "$false"];
const TRUE_WORDS: [&str; 6] = ["yes", "on", "y", "true", "1", "$true"];

/// Units that people write for a size, with what the service calls them.
const SIZE_UNITS: [(&str, &[&str]); 5] = [
    ("B", &["b", "byte", "bytes"]),
    ("KB", &["k", "kb", "kib", "kilobyte", "kilobytes"]),
    ("MB", &["m", "mb", "mib", "megabyte", "megabytes"]),
    ("GB", &["g", "gb", "gib", "gigabyte", "gigabytes"]),
    ("TB", &["t", "tb", "tib", "terabyte", "terabytes"]),
];

/// Units that people write for a time span, the longest words first.
const SPAN_UNITS: [(&[&str], &str); 4] = [
    (&["days", "day"], "d"),
    (&["hours", "hour", "hrs"], "h"),
    (&["minutes", "minute", "mins", "min"], "m"),
    (&["seconds", "second", "secs", "sec"], "s"),
];

/// The value that a text is for a parameter.
///
/// # Errors
/// How to mend it. The words quote nothing of the text but what was read as a number, a date or a duration.
pub(in crate::spec) fn literal(parameter: Parameter, text: &str) -> Result<Value, String> {
    let kind = parameter.kind();
    let may_be_unlimited =
        matches!(kind, ValueKind::Unlimited | ValueKind::UnlimitedSize | ValueKind::UnlimitedTimeSpan);
    if may_be_unlimited && text.eq_ignore_ascii_case("unlimited") {
        return Ok(Value::from(text));
    }
    match kind {
        ValueKind::Switch | ValueKind::Boolean => {
            core_boolean(text).map(Value::Bool).ok_or_else(|| boolean_mend(text).to_owned())
        }
        ValueKind::Integer => integer(parameter.type_name(), text),
        ValueKind::Number => number(text),
        ValueKind::Unlimited => match whole(text) {
            Some(0..) => Ok(Value::from(text)),
            Some(_) => Err("write Unlimited, or a number from 0 on".to_owned()),
            None => Err(whole_mend(text).unwrap_or_else(|| "write plain digits, or Unlimited".to_owned())),
        },
        ValueKind::Size | ValueKind::UnlimitedSize => match bytes(text) {
            Some(_) => Ok(Value::from(text)),
            None => Err(size_mend(text).unwrap_or_else(|| format!("write {}", kind.expects()))),
        },
        ValueKind::TimeSpan | ValueKind::UnlimitedTimeSpan => match ticks(text) {
            Some(_) => Ok(Value::from(text)),
            None => Err(span_mend(text).unwrap_or_else(|| {
                "write days, hours, minutes, seconds: 30.00:00:00 (30 days), 08:00:00 (8 hours)".to_owned()
            })),
        },
        ValueKind::DateTime => utc(text).map(Value::String).ok_or_else(|| date::mend(text)),
        ValueKind::Guid => guid(text).map(Value::String).ok_or_else(|| {
            "write 8-4-4-4-12 hexadecimal digits: 11111111-2222-3333-4444-555555555555".to_owned()
        }),
        ValueKind::Hashtable | ValueKind::HashtableList => {
            Err("write `key: value` lines, indented below it".to_owned())
        }
        ValueKind::Secret | ValueKind::Bytes | ValueKind::Object => Err("remove it".to_owned()),
        ValueKind::String | ValueKind::Enum | ValueKind::List => Ok(Value::from(text)),
    }
}

/// Whether quotes make a value of this kind something else.
pub(super) fn is_plain(kind: ValueKind) -> bool {
    matches!(kind, ValueKind::Switch | ValueKind::Boolean | ValueKind::Integer | ValueKind::Number)
}

fn boolean_mend(text: &str) -> &'static str {
    let lower = text.to_ascii_lowercase();
    if FALSE_WORDS.contains(&lower.as_str()) {
        "write false"
    } else if TRUE_WORDS.contains(&lower.as_str()) {
        "write true"
    } else {
        "write true or false"
    }
}

/// A whole number in plain decimal digits: no `012`, `0x1F`, `1_000` or `1e3`.
fn whole(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn integer(type_name: &str, text: &str) -> Result<Value, String> {
    let (min, max): (i128, i128) = match type_name {
        "Int16" => (i16::MIN.into(), i16::MAX.into()),
        "UInt16" => (0, u16::MAX.into()),
        "UInt32" => (0, u32::MAX.into()),
        "Int64" => (i64::MIN.into(), i64::MAX.into()),
        "UInt64" => (0, u64::MAX.into()),
        _ => (i32::MIN.into(), i32::MAX.into()),
    };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let range = || format!("write a number from {min} to {max}");
    match whole(text) {
        Some(number) if (min..=max).contains(&number) => {
            Ok(i64::try_from(number).map(Value::from).unwrap_or_else(|_| Value::from(number as u64)))
        }
        Some(_) => Err(range()),
        // More digits than any number here has.
        None if text.len() > 30 && all_digits(text.trim_start_matches('-')) => Err(range()),
        None => Err(whole_mend(text).unwrap_or_else(|| "write plain digits".to_owned())),
    }
}

/// Other spellings of a whole number, spelled out.
fn whole_mend(text: &str) -> Option<String> {
    let spelled = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hexadecimal) => i128::from(u32::from_str_radix(hexadecimal, 16).ok()?),
        None => {
            let grouped: String =
                text.chars().filter(|character| !matches!(character, '_' | ',' | ' ')).collect();
            let plain = grouped.strip_suffix(".0").unwrap_or(&grouped);
            let plain = plain.strip_prefix('+').unwrap_or(plain).trim_start_matches('0');
            whole(if plain.is_empty() && grouped.contains('0') { "0" } else { plain })?
        }
    };
    Some(format!("write {spelled}"))
}

fn number(text: &str) -> Result<Value, String> {
    let (integral, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = whole(integral).is_some()
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = text.parse().ok().filter(|_| plain).and_then(serde_json::Number::from_f64);
    parsed.map(Value::Number).ok_or_else(|| "write plain digits, with a point: 0.5".to_owned())
}

/// Without braces, in lower case.
fn guid(text: &str) -> Option<String> {
    let inside = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    is_guid(inside).then(|| inside.to_ascii_lowercase())
}

fn size_mend(text: &str) -> Option<String> {
    let text = text.trim();
    if text.starts_with('-') {
        return Some("a size is not negative: write the number of bytes, or a size such as 50GB".to_owned());
    }
    let at = text.find(|character: char| !character.is_ascii_digit() && !"._,".contains(character));
    let (number, unit) = text.split_at(at.unwrap_or(text.len()));
    let unit = unit.trim().to_ascii_lowercase();
    let known = SIZE_UNITS
        .iter()
        .find(|(name, words)| words.contains(&unit.as_str()) || (unit.is_empty() && *name == "B"));
    let (name, _) = known?;
    let name = if unit.is_empty() { "" } else { name };
    let spelled = format!("{}{name}", number.replace('_', ""));
    if bytes(&spelled).is_some() {
        return Some(format!("write {spelled}"));
    }
    let is_fraction = number.split_once('.').is_some_and(|(whole, fraction)| {
        [whole, fraction]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    is_fraction.then(|| "that is no whole number of bytes: write a whole number in a smaller unit".to_owned())
}

fn span_mend(text: &str) -> Option<String> {
    let exact = |seconds: u64| {
        let span = span_of_seconds(seconds);
        ticks(&span).map(|_| format!("write {span}"))
    };
    let mut short = text.to_ascii_lowercase().replace(' ', "");
    for (words, unit) in SPAN_UNITS {
        for word in words {
            short = short.replace(word, unit);
        }
    }
    if let Ok(found) = duration::parse(&short) {
        return if found.subsec_nanos() == 0 { exact(found.as_secs()) } else { None };
    }
    // Right in form, with more hours than a day has, or without seconds.
    let numbers: Vec<u64> = text
        .split(':')
        .map(|part| part.parse().ok().filter(|number| *number < 1_000_000))
        .collect::<Option<_>>()?;
    match numbers[..] {
        [hours, minutes] if hours < 24 && minutes < 60 => Some(format!(
            "write {hours:02}:{minutes:02}:00 for hours and minutes, 00:{hours:02}:{minutes:02} for minutes and seconds"
        )),
        [hours, minutes, seconds] => exact((hours * 60 + minutes) * 60 + seconds),
        _ => None,
    }
}
