//! A schedule in words.

use croner::parser::{CronParser, Seconds, Year};

use crate::spec::job::ScheduleSpec;

const FIELDS: [&str; 5] = ["minute", "hour", "day of month", "month", "day of week"];

/// When it is due. Where the library's words would be wrong, each field stands with its name.
pub(super) fn words(schedule: &ScheduleSpec) -> String {
    let ScheduleSpec { cron, time_zone } = schedule;
    let fields: Vec<&str> = cron.split_whitespace().collect();
    // With both days given either one is enough; the library says that both are needed.
    let both_days =
        fields.get(2).is_some_and(|day| *day != "*") && fields.get(4).is_some_and(|day| *day != "*");
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let described = match parser.parse(cron) {
        Ok(parsed) if !both_days => {
            let text = parsed.describe();
            let text = text.trim_end_matches('.');
            let text = text.strip_prefix("At every").map_or(text.to_owned(), |rest| format!("every{rest}"));
            let every_day = fields.get(2..) == Some(&["*", "*", "*"]) && text.starts_with("At ");
            format!("{}{}", lower_first(&text), if every_day { ", every day" } else { "" })
        }
        _ => {
            let named: Vec<String> =
                FIELDS.iter().zip(&fields).map(|(name, field)| format!("{name} {field}")).collect();
            format!("{}; one of the two days is enough", named.join(", "))
        }
    };
    format!("{described}, {time_zone} (cron `{cron}`)")
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_told_in_words() {
        let told = |cron: &str| words(&ScheduleSpec { cron: cron.into(), time_zone: "Asia/Tokyo".into() });
        assert_eq!(told("0 2 * * *"), "at 02:00, every day, Asia/Tokyo (cron `0 2 * * *`)");
        assert_eq!(told("0 6 * * MON"), "at 06:00, on Monday, Asia/Tokyo (cron `0 6 * * MON`)");
        assert_eq!(
            told("0 0 13 * FRI"),
            "minute 0, hour 0, day of month 13, month *, day of week FRI; one of the two days is enough, \
             Asia/Tokyo (cron `0 0 13 * FRI`)"
        );
        insta::assert_snapshot!(
            ["30 8-18/2 * * MON-FRI", "*/15 * * * *", "0 3 1 1,7 *", "5,35 22 L * *"].map(told).join("\n")
        );
    }
}
