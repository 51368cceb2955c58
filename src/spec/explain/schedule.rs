//! When a job is due, and what becomes of occurrences at a bad moment, in words.

use super::page::Page;
use crate::rules::duration::show;
use crate::rules::schedule::{Blackout, Gap, Missed, Overlap, Overlapping, RunPolicy, Schedule};

/// When it is due.
pub(super) fn words(schedule: &Schedule) -> String {
    let due = match (schedule.on_zone(), schedule.period()) {
        (Some((cron, zone, dst)), _) => {
            let zone = zone.iana_name().unwrap_or("a fixed offset");
            let gap = match dst.gap {
                Gap::After => "",
                Gap::Skip => "; not at times that the clocks skip",
            };
            let overlap = match dst.overlap {
                Overlap::First => "",
                Overlap::Both => "; both times at those that they repeat",
            };
            let (gap, overlap) = if cron.is_fixed() { (gap, overlap) } else { ("", "") };
            format!("{}, {zone} (cron `{cron}`){gap}{overlap}", cron.words())
        }
        (None, Some(period)) => format!("every {} of elapsed time, aligned to the Unix epoch", show(period)),
        (None, None) => "never".to_owned(),
    };
    match schedule.jitter() {
        std::time::Duration::ZERO => due,
        jitter => format!("{due}; delayed by up to {}", show(jitter)),
    }
}

/// The lines of `run_policy`.
pub(super) fn policy(page: &mut Page, policy: &RunPolicy) {
    let RunPolicy { overlap, missed, starting_deadline, blackout, suspend } = policy;
    if *suspend {
        page.fact("suspended", "nothing starts: what is due is skipped");
    }
    page.fact(
        "overlap",
        match overlap {
            Overlapping::Forbid => "skipped while an earlier run is not over",
            Overlapping::Queue => "waits while an earlier run is not over",
            Overlapping::Replace => "an earlier run that is not over is asked to stop, then it starts",
            Overlapping::Allow => "starts beside earlier runs that are not over",
        },
    );
    match missed {
        Missed::Skip => page.fact("missed", "what was due while nobody was there is skipped"),
        Missed::Latest => {
            page.fact("missed", "the last of those that were due while nobody was there is run")
        }
        Missed::All { max } => {
            page.fact(
                "missed",
                &format!("the last {max} of those that were due while nobody was there are run"),
            );
        }
    }
    if let Some(deadline) = starting_deadline {
        page.fact("deadline", &format!("skipped if it cannot start within {}", show(*deadline)));
    }
    for window in blackout {
        let text = match window {
            Blackout::Once { from, until } => format!("from {from} until {until}"),
            Blackout::Recurring { days, from, until, zone } => format!(
                "from {} until {}, days `{days}`, {}",
                from.strftime("%H:%M"),
                until.strftime("%H:%M"),
                zone.iana_name().unwrap_or("a fixed offset")
            ),
        };
        page.fact("blackout", &text);
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::rules::schedule::{Cron, Dst};

    #[test]
    fn schedules_are_told_in_words() {
        let told = |cron: &str, dst: Dst| {
            let zone = TimeZone::get("Asia/Tokyo").expect("is a zone");
            words(&Schedule::cron(Cron::parse(cron).expect("is a cron"), zone, dst))
        };
        let all = Dst { gap: Gap::Skip, overlap: Overlap::Both };
        assert_eq!(told("@daily", Dst::default()), "at 00:00, every day, Asia/Tokyo (cron `0 0 * * *`)");
        assert_eq!(
            told("0 2 * * MON", all),
            "at 02:00, on Monday, Asia/Tokyo (cron `0 2 * * 1`); not at times that the clocks skip; both times at those \
             that they repeat"
        );
        assert_eq!(told("*/5 * * * *", all), "every 5 minutes, Asia/Tokyo (cron `*/5 * * * *`)");
        let every = Schedule::every(std::time::Duration::from_secs(90)).expect("is a period");
        assert_eq!(
            words(&every.with_jitter(std::time::Duration::from_secs(5))),
            "every 1m30s of elapsed time, aligned to the Unix epoch; delayed by up to 5s"
        );
    }
}
