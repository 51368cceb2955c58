//! Forms of values that are text in a file and something else in PowerShell, and how to mend a wrong one.

use crate::catalog::ValueKind;
use crate::spec::tree::decimal_integer;

/// Words that other YAML readers take for booleans.
const FALSE_WORDS: [&str; 6] = ["no", "off", "n", "false", "0", "$false"];
const TRUE_WORDS: [&str; 6] = ["yes", "on", "y", "true", "1", "$true"];

/// How a value of the wrong kind is mended.
pub(super) fn mend(kind: ValueKind, text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match kind {
        ValueKind::Switch | ValueKind::Boolean => {
            if FALSE_WORDS.contains(&lower.as_str()) {
                "write false, without quotes".to_owned()
            } else if TRUE_WORDS.contains(&lower.as_str()) {
                "write true, without quotes".to_owned()
            } else {
                "write true or false, without quotes".to_owned()
            }
        }
        ValueKind::Integer if decimal_integer(text).is_some() => format!("write {text}, without quotes"),
        ValueKind::Integer | ValueKind::Number => "write plain digits, without quotes".to_owned(),
        ValueKind::DateTime => "write year, month, day: 2026-01-31, 2026-01-31T08:00:00 (UTC) or with an offset, …T08:00:00+09:00".to_owned(),
        ValueKind::Hashtable | ValueKind::HashtableList => "write `key: value` lines, indented below it".to_owned(),
        other => format!("write {}", other.expects()),
    }
}

/// A number of bytes with or without a unit: `500`, `50GB`, `50 GB (53,687,091,200 bytes)`.
pub(super) fn is_size(text: &str) -> bool {
    let number = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (digits, rest) = text.split_at(number);
    let unit = rest.trim_start().split([' ', '(']).next().unwrap_or_default().to_ascii_uppercase();
    digits.parse::<f64>().is_ok() && matches!(unit.as_str(), "" | "B" | "KB" | "MB" | "GB" | "TB")
}

/// `[-][d.]hh:mm:ss[.fraction]`, or days as a bare number.
pub(super) fn is_time_span(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(text) {
        return true;
    }
    let parts: Vec<&str> = text.split(':').collect();
    let [hours, minutes, seconds] = parts[..] else { return false };
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    [days, hours, minutes, seconds, fraction].into_iter().all(digits)
}

/// A date as the service takes it: UTC, without a zone. What has an offset is converted.
pub(super) fn date_time(text: &str) -> Option<String> {
    const FORM: &str = "%Y-%m-%dT%H:%M:%S";
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant.to_zoned(jiff::tz::TimeZone::UTC).strftime(FORM).to_string());
    }
    let is_iso = text.len() >= 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    if !is_iso {
        return None;
    }
    text.parse::<jiff::civil::DateTime>().ok().map(|date| date.strftime(FORM).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_utc_without_a_zone() {
        let found = |text: &str| date_time(text).unwrap_or_default();
        assert_eq!(found("2026-01-31"), "2026-01-31T00:00:00");
        assert_eq!(found("2026-01-31T08:00:00"), "2026-01-31T08:00:00");
        assert_eq!(found("2026-01-31T08:00:00+09:00"), "2026-01-30T23:00:00");
        for refused in ["01/31/2026", "31.01.2026", "20260131", "tomorrow", ""] {
            assert_eq!(found(refused), "", "{refused}");
        }
    }

    #[test]
    fn sizes_and_durations_have_forms() {
        assert!(["500", "50GB", "1.5 TB", "50 GB (53,687,091,200 bytes)"].into_iter().all(is_size));
        assert!(!["", "GB", "50 gigabytes", "-1"].into_iter().any(is_size));
        assert!(["30.00:00:00", "08:00:00", "30", "00:00:01.5"].into_iter().all(is_time_span));
        assert!(!["30d", "1:2", "", "a.b:c:d"].into_iter().any(is_time_span));
    }
}
