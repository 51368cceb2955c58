//! Sizes, time spans, dates and list entries as people and the service write them, made comparable.
//! Source: protocol reference, 3.4, 3.7 and 6.5.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Parts of a .NET time span: 100 nanoseconds each.
const TICKS_PER_SECOND: i64 = 10_000_000;

/// More days than a .NET time span holds.
const DAYS_MAX: i64 = 10_675_199;

/// The bytes of a size as people write it (`50GB`, `1.5 TB`, `500`) or as the service does
/// (`50 GB (53,687,091,200 bytes)`, where the brackets say it exactly). `None`: no size, or no whole number of bytes.
pub fn bytes(size: &str) -> Option<u128> {
    let size = size.trim();
    let (rounded, exact) = match size.split_once('(') {
        Some((rounded, rest)) => (rounded.trim_end(), Some(rest.strip_suffix(" bytes)")?)),
        None => (size, None),
    };
    let (number, unit) =
        rounded.split_at(rounded.find(|character| !is_part_of_number(character)).unwrap_or(rounded.len()));
    let shift = match unit.trim_start().to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "KB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if !are_digits(whole) || !are_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    if let Some(exact) = exact {
        let grouped = exact.split(',').enumerate().all(|(place, group)| {
            are_digits(group) && (if place == 0 { group.len() <= 3 } else { group.len() == 3 })
        });
        let digits = exact.replace(',', "");
        return if grouped || are_digits(exact) { digits.parse().ok() } else { None };
    }
    let scale = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    let scaled = u128::from(whole.parse::<u64>().ok()?) * scale + fraction.parse::<u128>().ok()?;
    let scaled = scaled << shift;
    scaled.is_multiple_of(scale).then(|| scaled / scale)
}

fn is_part_of_number(character: char) -> bool {
    character.is_ascii_digit() || character == '.'
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The ticks of `[-][d.]hh:mm:ss[.fffffff]` or of whole days; `None` also if hours, minutes or seconds are too many.
pub fn ticks(span: &str) -> Option<i64> {
    let (sign, text) = match span.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, span),
    };
    let number = |text: &str, max: i64| {
        if are_digits(text) { text.parse().ok().filter(|number: &i64| *number <= max) } else { None }
    };
    if let Some(days) = number(text, DAYS_MAX - 1) {
        return Some(sign * days * 24 * 3600 * TICKS_PER_SECOND);
    }
    let [hours, minutes, seconds] = text.split(':').collect::<Vec<_>>()[..] else { return None };
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if !are_digits(fraction) || fraction.len() > 7 {
        return None;
    }
    let days = number(days, DAYS_MAX - 1)?;
    let seconds = ((days * 24 + number(hours, 23)?) * 60 + number(minutes, 59)?) * 60 + number(seconds, 59)?;
    let fraction: i64 = format!("{fraction:0<7}").parse().ok()?;
    Some(sign * (seconds * TICKS_PER_SECOND + fraction))
}

/// A time span as .NET writes it: `30.00:00:00`, `08:00:00`.
pub fn span_of_seconds(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let time = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days == 0 { time } else { format!("{days}.{time}") }
}

/// A date as the service takes it: UTC, without a zone, to the second. What has an offset or names a zone is
/// converted; what has neither is UTC already. Only the order year, month, day is known.
pub fn utc(text: &str) -> Option<String> {
    const FORM: &str = "%Y-%m-%dT%H:%M:%S";
    let is_iso = text.len() >= 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    if !is_iso {
        return None;
    }
    let shown = |instant: Timestamp| instant.to_zoned(TimeZone::UTC).strftime(FORM).to_string();
    // A zone's name wins: read as a date without a zone, it would be passed over.
    if text.contains('[') {
        return text.parse::<Zoned>().ok().map(|zoned| shown(zoned.timestamp()));
    }
    match text.parse::<Timestamp>() {
        Ok(instant) => Some(shown(instant)),
        Err(_) => text.parse::<DateTime>().ok().map(|date| date.strftime(FORM).to_string()),
    }
}

/// What tells an entry of a list from others: not its case, but for the prefix of a primary address (`SMTP:`).
pub fn entry_key(text: &str) -> String {
    match text.strip_prefix("SMTP:") {
        Some(address) => format!("SMTP:{}", address.to_lowercase()),
        None => text.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_numbers_of_bytes() {
        for (text, expected) in [
            ("500", 500),
            ("0", 0),
            ("500 B", 500),
            ("50GB", 53_687_091_200),
            ("50 gb", 53_687_091_200),
            ("1.5TB", 1_649_267_441_664),
            ("1.50 KB", 1536),
            ("50 GB (53,687,091,200 bytes)", 53_687_091_200),
            ("49.5 GB (53,150,220,288 bytes)", 53_150_220_288),
            ("99 GB (106300440576 bytes)", 106_300_440_576),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for refused in [
            "",
            "GB",
            "-1",
            "-1GB",
            "1.5",
            "0.1GB",
            "1,5GB",
            ".5GB",
            "5.GB",
            "50 gigabytes",
            "5G",
            "5GiB",
            "1e3",
            "0x1F",
            "1_000",
            "Infinity",
            "50GB (53 bytes",
            "50GB (5,3 bytes)",
            "50GB x",
            "1.2.3GB",
        ] {
            assert_eq!(bytes(refused), None, "{refused}");
        }
        assert_eq!(bytes("99999999999999999999TB"), None);
    }

    #[test]
    fn time_spans_have_bounds_and_bare_numbers_are_days() {
        const HOUR: i64 = 3600 * TICKS_PER_SECOND;
        for (text, expected) in [
            ("30.00:00:00", 30 * 24 * HOUR),
            ("30", 30 * 24 * HOUR),
            ("08:00:00", 8 * HOUR),
            ("8:00:00", 8 * HOUR),
            ("-08:00:00", -8 * HOUR),
            ("00:00:01.5", TICKS_PER_SECOND * 3 / 2),
            ("00:00:00.0000001", 1),
        ] {
            assert_eq!(ticks(text), Some(expected), "{text}");
        }
        for refused in [
            "",
            "30d",
            "8h",
            "1:2",
            "08:00",
            "24:00:00",
            "00:60:00",
            "00:00:60",
            "a.b:c:d",
            "1.2.03:00:00",
            "00:00:00.00000001",
            "99999999",
            "Unlimited",
            "--1",
            "1.5",
            "99999999999999999999",
        ] {
            assert_eq!(ticks(refused), None, "{refused}");
        }
        assert_eq!(span_of_seconds(30 * 86_400), "30.00:00:00");
        assert_eq!(span_of_seconds(8 * 3600 + 61), "08:01:01");
        assert_eq!(ticks(&span_of_seconds(90_061)), Some(90_061 * TICKS_PER_SECOND));
    }

    #[test]
    fn dates_become_utc_without_a_zone() {
        for (text, expected) in [
            ("2026-01-31", "2026-01-31T00:00:00"),
            ("2026-01-31T08:00:00", "2026-01-31T08:00:00"),
            ("2026-01-31 08:00", "2026-01-31T08:00:00"),
            ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00"),
            ("2026-01-31T08:00:00+09:00", "2026-01-30T23:00:00"),
            ("2026-01-31T08:00:00[Europe/Berlin]", "2026-01-31T07:00:00"),
            ("2026-07-31T08:00:00+02:00[Europe/Berlin]", "2026-07-31T06:00:00"),
            ("2022-09-21T08:07:47.0000000+00:00", "2022-09-21T08:07:47"),
        ] {
            assert_eq!(utc(text).as_deref(), Some(expected), "{text}");
        }
        for refused in [
            "",
            "01/31/2026",
            "31.01.2026",
            "20260131",
            "tomorrow",
            "2026-02-30",
            "2026-13-01",
            "2026-1-5",
            "2026-01-31T25:00:00",
            "2026-01-31T08:00:00[Europe/Nowhere]",
            "2026-01-31T08:00:00+09:00[Europe/Berlin]",
            "äöü-äö-äö",
            "12:30:00",
        ] {
            assert_eq!(utc(refused), None, "{refused}");
        }
    }

    #[test]
    fn only_the_prefix_of_a_primary_address_has_a_case() {
        assert_eq!(entry_key("smtp:A@x"), entry_key("smtp:a@X"));
        assert_ne!(entry_key("SMTP:a@x"), entry_key("smtp:a@x"));
        assert_eq!(entry_key("SMTP:A@x"), entry_key("SMTP:a@x"));
    }
}
