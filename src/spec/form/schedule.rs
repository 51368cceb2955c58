//! The form of what says when a job is due.

use super::{Form, Key, Object};
use crate::spec::limits::{BLACKOUTS_MAX, MISSED_MAX};

/// An entry of `schedules`.
pub(in crate::spec) static SCHEDULE: Object = Object {
    name: "Schedule",
    what: "a schedule",
    doc: "Either `cron` with `time_zone`, or `every`. [schedules.md](schedules.md) explains the fields and what a change of the \
          clocks does.",
    keys: &[
        Key::new(
            "cron",
            Form::Cron,
            "Minute, hour, day of month, month, day of week; 0 and 7 are Sunday. If both days are given, either one is \
             enough, as in Unix. Quote it: a text that starts with `*` is an alias in YAML.",
        )
        .needed_when("without `every`"),
        Key::new(
            "every",
            Form::Duration,
            "A period of elapsed time from `1s` on, in whole seconds, aligned to the Unix epoch.",
        )
        .needed_when("without `cron`"),
        Key::new("time_zone", Form::TimeZone, "An IANA zone: `Europe/Berlin`, `UTC`.")
            .needed_when("with `cron`"),
        Key::new(
            "dst",
            Form::One(&DST),
            "What becomes of times that a change of the clocks skips or repeats, with a `cron` whose hour has neither \
             `*` nor a step.",
        ),
        Key::new(
            "jitter",
            Form::Duration,
            "A delay up to this long, at most `1d`; one and the same at every due time, and different from job to job.",
        ),
    ],
};

/// `dst` of a schedule.
pub(in crate::spec) static DST: Object = Object {
    name: "Dst",
    what: "`dst`",
    doc: "What becomes of the times of a schedule that a change of the clocks skips or repeats.",
    keys: &[
        Key::new(
            "gap",
            Form::Word(&["after", "skip"]),
            "Of times that are skipped: due once at the first instant after the gap, or not at all.",
        )
        .default("after"),
        Key::new(
            "overlap",
            Form::Word(&["first", "both"]),
            "Of times that come twice: due the first time, or both times.",
        )
        .default("first"),
    ],
};

/// `run_policy` of a job.
pub(in crate::spec) static RUN_POLICY: Object = Object {
    name: "RunPolicy",
    what: "`run_policy`",
    doc: "What becomes of occurrences that are due at a bad moment.",
    keys: &[
        Key::new(
            "overlap",
            Form::Word(&["forbid", "queue", "replace", "allow"]),
            "While an earlier run of the job is not over: the occurrence is skipped, waits for the end of that run, asks \
             that run to stop and takes its place, or runs beside it.",
        )
        .default("forbid"),
        Key::new(
            "missed",
            Form::Word(&["skip", "latest", "all"]),
            "Due times at which nobody was there: none of them is run, the last one, or the last `missed_max`. `all` needs \
             `overlap: queue` or `allow`.",
        )
        .default("latest"),
        Key::new(
            "missed_max",
            Form::Integer { from: 1, to: MISSED_MAX as i64 },
            "How many are run with `missed: all`; the others are skipped.",
        )
        .default("10"),
        Key::new(
            "starting_deadline",
            Form::Duration,
            "How long after its due time an occurrence may still start; then it is skipped.",
        ),
        Key::new(
            "blackout",
            Form::List { of: &BLACKOUT, max: BLACKOUTS_MAX },
            "Windows in which nothing starts: what is due in one is skipped.",
        ),
        Key::new("suspend", Form::Boolean, "Nothing starts while this is `true`: what is due is skipped.")
            .default("false"),
    ],
};

/// An entry of `blackout`.
pub(in crate::spec) static BLACKOUT: Object = Object {
    name: "Blackout",
    what: "a blackout window",
    doc: "From times of day, whenever the clocks of the zone show one of them, or once from a date to a date. Quote times of day: \
          other YAML readers take `22:00` for a number.",
    keys: &[
        Key::new("from", Form::Moment, "The first minute of it.").needed(),
        Key::new(
            "until",
            Form::Moment,
            "The first minute after it. A time of day that is not after `from` is on the next day.",
        )
        .needed(),
        Key::new("time_zone", Form::TimeZone, "An IANA zone: `Europe/Berlin`, `UTC`.").needed(),
        Key::new("days", Form::Weekdays, "The days on which it begins; only with times of day.").default("*"),
    ],
};
