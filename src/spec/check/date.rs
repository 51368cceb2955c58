//! How a date in another order or spelling is mended, as far as it can be known what was meant.

use jiff::civil::Date;

/// What to write instead of a text that is no date.
pub(super) fn mend(text: &str) -> String {
    let general = "write year, month, day: 2026-01-31, 2026-01-31T08:00:00 (UTC), or with an offset or a zone: …T08:00:00+09:00";
    let (dated, rest) = text.split_at(text.find(['T', ' ', ',']).unwrap_or(text.len()));
    let time = time(rest);
    let day = |year: i64, month: i64, day: i64| {
        let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
        (date.year() >= 1900).then_some(date)
    };
    let numbers: Option<Vec<i64>> = if dated.len() == 8 && dated.bytes().all(|byte| byte.is_ascii_digit()) {
        [&dated[..4], &dated[4..6], &dated[6..]].map(|part| part.parse().ok()).into_iter().collect()
    } else {
        dated.split(['/', '.', '-']).map(|part| part.parse().ok().filter(|number| *number >= 0)).collect()
    };
    let Some([first, second, third]) =
        numbers.as_deref().and_then(|numbers| numbers.first_chunk::<3>().copied())
    else {
        return general.to_owned();
    };
    if first > 31 {
        return match day(first, second, third) {
            Some(date) if date.to_string() != dated => format!("write {date}{time}"),
            Some(date) => format!("the day is right; after it comes nothing or a time: {date}T08:00:00"),
            None if (1..=12).contains(&second) => match day(first, second, 1) {
                Some(month) => format!("that month has {} days", month.days_in_month()),
                None => general.to_owned(),
            },
            None => general.to_owned(),
        };
    }
    match (day(third, first, second), day(third, second, first)) {
        (Some(one), Some(other)) if one != other => {
            format!("write year, month, day: {one}{time} or {other}{time}, whichever is meant")
        }
        (Some(date), _) | (None, Some(date)) => format!("write {date}{time}"),
        (None, None) => general.to_owned(),
    }
}

/// The time after the day, if it is one of 24 hours.
fn time(rest: &str) -> String {
    let rest = rest.trim_start_matches(['T', ' ', ',']);
    match rest.parse::<jiff::civil::Time>() {
        Ok(time) => time.strftime("T%H:%M:%S").to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_spelled_out_as_far_as_it_is_known() {
        for (text, mended) in [
            ("01/31/2026", "write 2026-01-31"),
            ("31.01.2026", "write 2026-01-31"),
            ("31.01.2026 08:00", "write 2026-01-31T08:00:00"),
            ("31.01.2026 in the morning", "write 2026-01-31"),
            ("2026/01/31", "write 2026-01-31"),
            ("2026-1-5", "write 2026-01-05"),
            ("20260131", "write 2026-01-31"),
            ("05/05/2026", "write 2026-05-05"),
            ("01/02/2026", "write year, month, day: 2026-01-02 or 2026-02-01, whichever is meant"),
            ("2026-02-30", "that month has 28 days"),
            (
                "2026-01-31T25:00:00",
                "the day is right; after it comes nothing or a time: 2026-01-31T08:00:00",
            ),
        ] {
            assert_eq!(mend(text), mended, "{text}");
        }
        for text in ["", "tomorrow", "12:30:00", "1/2", "99/99/9999", "2026-13-01", "0x1F", "--", "1.2.3"] {
            assert!(mend(text).starts_with("write year, month, day: 2026-01-31,"), "{text}: {}", mend(text));
        }
    }
}
