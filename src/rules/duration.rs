//! Durations as people write them: `30s`, `5m`, `1h30m`, `1d`, `500ms`.

use std::time::Duration;

/// Largest first, as they are written.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// From here on [`show_about`] leaves milliseconds out.
const MILLIS_SHOWN_BELOW: Duration = Duration::from_secs(10);

/// Why a text is no duration. The words never quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// There is nothing.
    #[error("there is nothing; it is whole numbers with units")]
    Empty,
    /// Something else stands where a number should.
    #[error("each part is a whole number and a unit, without spaces")]
    NotParts,
    /// `1.5h`
    #[error("the numbers are whole: `1h30m`, not `1.5h`")]
    Fraction,
    /// `30`
    #[error("a number has no unit (ms, s, m, h, d)")]
    NoUnit,
    /// `5min`
    #[error("the units are d, h, m, s and ms")]
    UnknownUnit,
    /// `30m1h`, `1s1s`
    #[error("the larger unit comes first and each only once: d, h, m, s, ms")]
    Order,
    /// More milliseconds than fit.
    #[error("the number is too large")]
    TooLarge,
}

/// Reads `1h30m`: whole numbers with units, the larger unit first, each at most once.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse(text: &str) -> Result<Duration, ParseError> {
    if text.is_empty() {
        return Err(ParseError::Empty);
    }
    let mut millis: u64 = 0;
    let mut units_left = &UNITS[..];
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = split(rest, |character| character.is_ascii_digit());
        let (unit, after) = split(after, char::is_alphabetic);
        match (number, unit, after.chars().next()) {
            ("", ..) => return Err(ParseError::NotParts),
            (_, "", None) => return Err(ParseError::NoUnit),
            (_, "", Some('.' | ',')) => return Err(ParseError::Fraction),
            (_, "", Some(_)) => return Err(ParseError::NotParts),
            _ => {}
        }
        let is_unit = |(name, _): &(&str, u64)| *name == unit;
        let Some(place) = units_left.iter().position(is_unit) else {
            return Err(if UNITS.iter().any(is_unit) { ParseError::Order } else { ParseError::UnknownUnit });
        };
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(units_left[place].1));
        millis = part.and_then(|part| millis.checked_add(part)).ok_or(ParseError::TooLarge)?;
        units_left = &units_left[place + 1..];
        rest = after;
    }
    Ok(Duration::from_millis(millis))
}

/// The characters at the start that fit, and the rest.
fn split(text: &str, fits: fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|character| !fits(character)).unwrap_or(text.len()))
}

/// A duration as a user would write it: `16m`, `1h30m`, `0s`. What is shorter than a millisecond is left out.
pub fn show(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, millis) in UNITS {
        if left >= millis {
            text.push_str(&format!("{}{unit}", left / millis));
            left %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// As [`show`], for durations that were measured or drawn: `10m`, not `10m3ms`.
pub fn show_about(duration: Duration) -> String {
    if duration < MILLIS_SHOWN_BELOW { show(duration) } else { show(Duration::from_secs(duration.as_secs())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_units() {
        for (text, millis) in [
            ("30s", 30_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("2d", 172_800_000),
            ("1m1ms", 60_001),
            ("1d1h1m1s1ms", 90_061_001),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
            assert_eq!(show(Duration::from_millis(millis)), text);
        }
        assert_eq!(parse("960s").map(show), Ok("16m".to_owned()));
        assert_eq!(parse("0s"), Ok(Duration::ZERO));
        assert_eq!(show(Duration::ZERO), "0s");
        assert_eq!(show(Duration::from_micros(999)), "0s");
    }

    #[test]
    fn the_error_says_what_is_wrong() {
        for (text, why) in [
            ("", ParseError::Empty),
            ("30", ParseError::NoUnit),
            ("1h30", ParseError::NoUnit),
            ("s", ParseError::NotParts),
            ("-1s", ParseError::NotParts),
            ("1s 1ms", ParseError::NotParts),
            ("5 minutes", ParseError::NotParts),
            (" 5m", ParseError::NotParts),
            ("٣s", ParseError::NotParts),
            ("1.5h", ParseError::Fraction),
            ("1,5h", ParseError::Fraction),
            ("30m1h", ParseError::Order),
            ("1s1s", ParseError::Order),
            ("1S", ParseError::UnknownUnit),
            ("1min", ParseError::UnknownUnit),
            ("5ü", ParseError::UnknownUnit),
            ("99999999999999999999s", ParseError::TooLarge),
            ("213503982335d", ParseError::TooLarge),
            ("213503982334d24h", ParseError::TooLarge),
        ] {
            assert_eq!(parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_measured_duration_is_shown_without_noise() {
        assert_eq!(show_about(Duration::from_millis(600_003)), "10m");
        assert_eq!(show_about(Duration::from_millis(2_300)), "2s300ms");
    }

    proptest::proptest! {
        #[test]
        fn what_is_shown_is_read_back(millis: u64) {
            proptest::prop_assert_eq!(parse(&show(Duration::from_millis(millis))), Ok(Duration::from_millis(millis)));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,12}|([0-9]{1,3}(d|h|m|s|ms|.)){0,4}") {
            let _ = parse(&text);
        }
    }
}
