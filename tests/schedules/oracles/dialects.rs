//! In what the libraries differ from us. Where it is a matter of meaning the difference is a translation: the same
//! question, written so that we mean by it what they do; it has its name only if the answers are then the same. Where a
//! library leaves times out, each one that it does give must be one of ours.

use serde_json::{Value, json};

use super::expressions::Question;

/// One library.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    pub(super) name: &'static str,
    pub(super) refusals: &'static [Refusal],
    pub(super) translations: &'static [Translation],
    pub(super) omissions: &'static [Omission],
}

/// It has no such form, or finds no time.
pub(super) struct Refusal {
    pub(super) class: &'static str,
    pub(super) meets: fn(&Question) -> bool,
}

/// It means something else by the same text. Tried one after the other.
pub(super) struct Translation {
    pub(super) class: &'static str,
    pub(super) rewrite: fn(&Question) -> Question,
    pub(super) dst: fn() -> Value,
}

/// It gives fewer times, for such questions, than we do for the rewritten one.
pub(super) struct Omission {
    pub(super) class: &'static str,
    pub(super) meets: fn(&Question) -> bool,
    pub(super) rewrite: fn(&Question) -> Question,
}

const GIVEN: &str = "`*/2` in a day field counts as given, so either day is enough (Vixie: both must match)";
const FULL: &str = "a day field that lists every value counts as `*` (Vixie: only one that begins with `*`)";
const DEBIAN: &str =
    "follows elapsed time if minute or hour begins with `*` (ours: if the hour has `*` or a step anywhere)";
const WALL: &str =
    "hours with a step are made up for after a gap, as times on the wall (ours: follow elapsed time)";
const SINGLE: &str = "makes up for the gap only if minute and hour are single values (ours: also for lists)";
const GIVEN_AND_SINGLE: &str = "`*/2` in a day field counts as given, and lists are not made up for";
const TWICE: &str = "runs lists of times twice in the overlap (ours: once)";
const GIVEN_AND_TWICE: &str = "`*/2` in a day field counts as given, and lists run twice in the overlap";

pub(super) const DIALECTS: &[Dialect] = &[
    Dialect {
        name: "cronsim",
        refusals: &[
            Refusal { class: "has no `15W`", meets: has_nearest },
            Refusal { class: "has no `L-3`", meets: has_from_end },
            Refusal { class: "has no `FRI-SUN`", meets: ends_on_sunday },
        ],
        translations: &[
            Translation { class: DEBIAN, rewrite: debian, dst: vixie },
            Translation { class: WALL, rewrite: fixed, dst: vixie },
        ],
        omissions: &[Omission {
            class: "following elapsed time, loses times on a day with a change of its zone's clocks that is not of an hour, or at \
                    midnight",
            meets: of_an_odd_change,
            rewrite: debian,
        }],
    },
    Dialect {
        name: "croner",
        refusals: &[Refusal { class: "has no `L-3`", meets: has_from_end }],
        translations: &[
            Translation { class: GIVEN, rewrite: given, dst: vixie },
            Translation { class: SINGLE, rewrite: same, dst: skip },
            Translation { class: TWICE, rewrite: same, dst: both },
            Translation { class: GIVEN_AND_SINGLE, rewrite: given, dst: skip },
            Translation { class: GIVEN_AND_TWICE, rewrite: given, dst: both },
        ],
        omissions: &[],
    },
    Dialect {
        name: "croniter",
        refusals: &[
            Refusal { class: "has no `L-3`", meets: has_from_end },
            Refusal { class: "has no `LW`", meets: has_last_working_day },
            Refusal { class: "has no `5L` (it writes `L5`)", meets: has_last_weekday },
            Refusal {
                class: "with `L`, `15W` or `FRI#2` both days must match, and it finds none",
                meets: has_special_day,
            },
        ],
        translations: &[
            Translation { class: GIVEN, rewrite: given, dst: vixie },
            Translation { class: FULL, rewrite: full, dst: vixie },
            Translation { class: DEBIAN, rewrite: debian, dst: vixie },
            Translation {
                class: "as Debian, and `*/2` in a day field counts as given",
                rewrite: given_debian,
                dst: vixie,
            },
            Translation { class: WALL, rewrite: fixed, dst: vixie },
            Translation {
                class: "hours with a step are made up for after a gap, and `*/2` in a day field counts as given",
                rewrite: given_fixed,
                dst: vixie,
            },
            Translation { class: TWICE, rewrite: same, dst: both },
            Translation { class: GIVEN_AND_TWICE, rewrite: given, dst: both },
        ],
        omissions: &[Omission {
            class: "with `L`, `15W` or `FRI#2` both days must match",
            meets: has_special_day,
            rewrite: given,
        }],
    },
];

fn vixie() -> Value {
    json!({})
}

fn both() -> Value {
    json!({"overlap": "both"})
}

fn skip() -> Value {
    json!({"gap": "skip"})
}

fn has_nearest(question: &Question) -> bool {
    question.fields[2].ends_with('W') && !has_last_working_day(question)
}

fn has_last_working_day(question: &Question) -> bool {
    question.fields[2] == "LW"
}

fn has_from_end(question: &Question) -> bool {
    question.fields[2].starts_with("L-")
}

fn ends_on_sunday(question: &Question) -> bool {
    question.fields[4].ends_with("-SUN")
}

fn has_last_weekday(question: &Question) -> bool {
    question.fields[4].ends_with('L')
}

fn has_ordinal(question: &Question) -> bool {
    question.fields[4].contains('#') && question.fields[2] != "*"
}

fn has_special_day(question: &Question) -> bool {
    has_ordinal(question) || question.fields[2].contains(['L', 'W']) && question.fields[4] != "*"
}

/// Half an hour, an hour at 02:45, or an hour at midnight.
fn of_an_odd_change(question: &Question) -> bool {
    let [minute, hour, ..] = &question.fields;
    let open = minute.starts_with('*') || hour.starts_with('*');
    open && ["Australia/Lord_Howe", "Pacific/Chatham", "America/Sao_Paulo", "Africa/Cairo"]
        .contains(&question.zone)
}

fn same(question: &Question) -> Question {
    question.clone()
}

/// A star with a step counts as given: either of the two days is enough.
fn given(question: &Question) -> Question {
    let mut question = question.clone();
    for (field, range) in [(2, "1-31"), (4, "0-6")] {
        if let Some(rest) = question.fields[field].strip_prefix("*/") {
            question.fields[field] = format!("{range}/{rest}");
        }
    }
    question
}

/// Day fields with every value are stars.
fn full(question: &Question) -> Question {
    let mut question = question.clone();
    for (field, least, most) in [(2, 1, 31), (4, 0, 6)] {
        let values: Option<Vec<u8>> = question.fields[field]
            .split(',')
            .map(|entry| values(entry, least, most))
            .collect::<Option<Vec<_>>>()
            .map(|all| all.concat());
        if values.is_some_and(|values| (least..=most).all(|value| values.contains(&value))) {
            question.fields[field] = "*".to_owned();
        }
    }
    question
}

/// Follows elapsed time if minute or hour begins with a star, as in Debian.
fn debian(question: &Question) -> Question {
    let [minute, hour, ..] = &question.fields;
    if minute.starts_with('*') || hour.starts_with('*') { open(question) } else { fixed(question) }
}

/// Follows elapsed time.
fn open(question: &Question) -> Question {
    let mut question = question.clone();
    let hour = &question.fields[1];
    if !hour.contains(['*', '/']) {
        let (first, rest) =
            hour.split_once(',').map_or((hour.as_str(), None), |(first, rest)| (first, Some(rest)));
        let first = if first.contains('-') { format!("{first}/1") } else { format!("{first}-{first}/1") };
        question.fields[1] = rest.map_or(first.clone(), |rest| format!("{first},{rest}"));
    }
    question
}

/// Names times on the wall.
fn fixed(question: &Question) -> Question {
    let mut question = question.clone();
    let hours = question.fields[1].split(',').filter_map(|entry| values(entry, 0, 23)).flatten();
    question.fields[1] = hours.map(|hour| hour.to_string()).collect::<Vec<_>>().join(",");
    question
}

fn given_fixed(question: &Question) -> Question {
    given(&fixed(question))
}

fn given_debian(question: &Question) -> Question {
    given(&debian(question))
}

/// The values of an entry; `None` if it is no list of numbers or weekdays.
fn values(entry: &str, least: u8, most: u8) -> Option<Vec<u8>> {
    const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    let value = |text: &str| match WEEKDAYS.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        Some(day) => Some(day as u8),
        None => text.parse::<u8>().ok(),
    };
    let (range, step) = entry.split_once('/').unwrap_or((entry, "1"));
    let (from, to) = match range.split_once('-') {
        _ if range == "*" => (least, most),
        // The Sunday at the end of a range.
        Some((from, to)) if value(to)? == 0 => (value(from)?, 7),
        Some((from, to)) => (value(from)?, value(to)?),
        None => (value(range)?, value(range)?),
    };
    let sunday = |value: u8| if most == 6 { value % 7 } else { value };
    Some((from..=to).step_by(step.parse().ok()?).map(sunday).collect())
}
