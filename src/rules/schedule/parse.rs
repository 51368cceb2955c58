//! From five fields to bits, and what to write instead of what is none.

use std::ops::Range;

use super::cron::Cron;
use super::weekdays::Weekdays;

/// Why a text is no cron expression, where, and how to mend it. Title and help quote the text as it stands: whoever
/// shows them escapes them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title}")]
pub struct CronError {
    /// The bytes of the text that are wrong.
    pub range: Range<usize>,
    /// What is wrong.
    pub title: String,
    /// What to write instead.
    pub help: String,
}

/// A quoted piece of an expression is cut after this many characters.
const QUOTE_CHARS_MAX: usize = 60;

/// Digits of a number, leading zeros included.
const DIGITS_MAX: usize = 3;

struct Field {
    name: &'static str,
    values: &'static str,
    least: u8,
    most: u8,
    names: &'static [&'static str],
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Day,
    Weekday,
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const WEEKDAY: Field = Field {
    name: "day of week",
    values: "0 to 7 or SUN to SAT (0 and 7 are Sunday)",
    least: 0,
    most: 7,
    names: WEEKDAYS,
    kind: Kind::Weekday,
};
const FIELDS: [Field; 5] = [
    Field { name: "minute", values: "0 to 59", least: 0, most: 59, names: &[], kind: Kind::Plain },
    Field { name: "hour", values: "0 to 23", least: 0, most: 23, names: &[], kind: Kind::Plain },
    Field { name: "day of month", values: "1 to 31", least: 1, most: 31, names: &[], kind: Kind::Day },
    Field {
        name: "month",
        values: "1 to 12 or JAN to DEC",
        least: 1,
        most: 12,
        names: MONTHS,
        kind: Kind::Plain,
    },
    WEEKDAY,
];

const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// What one field says.
#[derive(Default)]
struct Set {
    /// The values by themselves; of the day of week 0 to 6.
    bits: u64,
    /// The field begins with `*`.
    star: bool,
    /// Somewhere in it is a `*` or a step.
    open: bool,
    from_end: u32,
    nearest: u32,
    ordinal: [Weekdays; 5],
    last: Weekdays,
}

/// What is wrong with one entry of a field: other words than the field's own, if they say more, and the mend.
struct Wrong {
    title: Option<String>,
    help: String,
}

impl Cron {
    /// Reads five fields or a nickname such as `@daily`.
    ///
    /// # Errors
    /// The first thing that is wrong. A day that never comes is none: see [`Cron::is_never_due`].
    pub fn parse(text: &str) -> Result<Cron, CronError> {
        Cron::parse_whole(text).map_err(|mut errors| errors.swap_remove(0))
    }

    /// As [`Cron::parse`].
    ///
    /// # Errors
    /// Each field that is wrong, at least one.
    pub fn parse_whole(text: &str) -> Result<Cron, Vec<CronError>> {
        if text.trim_start().starts_with('@') {
            return nickname(text);
        }
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [_, _, _, _, _] = fields[..] else {
            let help = match fields.len() {
                6 => "leave the seconds out: minute, hour, day of month, month, day of week",
                7 => "leave seconds and year out: minute, hour, day of month, month, day of week",
                _ => {
                    "write minute, hour, day of month, month, day of week: `0 2 * * *` is at 02:00 every day"
                }
            };
            let title =
                format!("a cron expression has five fields, found {} in {}", fields.len(), quote(text));
            return Err(vec![CronError { range: 0..text.len(), title, help: help.to_owned() }]);
        };
        let (mut sets, mut errors) = (Vec::with_capacity(FIELDS.len()), Vec::new());
        for (field, part) in FIELDS.iter().zip(fields) {
            let start = part.as_ptr() as usize - text.as_ptr() as usize;
            match field.read(part) {
                Ok(set) => sets.push(set),
                Err(wrong) => errors.push(wrong.at(field, part, start)),
            }
        }
        match <[Set; 5]>::try_from(sets) {
            Ok([minute, hour, day, month, weekday]) => Ok(Cron {
                minutes: minute.bits,
                hours: hour.bits as u32,
                days: day.bits as u32,
                from_end: day.from_end,
                nearest: day.nearest,
                months: month.bits as u16,
                weekdays: Weekdays(weekday.bits as u8),
                ordinal: weekday.ordinal,
                last: weekday.last,
                day_star: day.star,
                weekday_star: weekday.star,
                hour_open: hour.open,
            }),
            Err(_) => Err(errors),
        }
    }
}

impl Weekdays {
    /// Reads weekdays as the day of week of a cron expression: `MON-FRI`, `0,6`, `*`.
    ///
    /// # Errors
    /// What is wrong; weekdays of a month (`FRI#2`, `FRIL`) are, too.
    pub fn parse(text: &str) -> Result<Weekdays, CronError> {
        let set = WEEKDAY.read(text).map_err(|wrong| wrong.at(&WEEKDAY, text, 0))?;
        if set.ordinal != <[Weekdays; 5]>::default() || set.last != Weekdays::default() {
            let title = format!("{} is not every such day", quote(text));
            let help = "write weekdays as `MON-FRI` or `SAT,SUN`".to_owned();
            return Err(CronError { range: 0..text.len(), title, help });
        }
        Ok(Weekdays(set.bits as u8))
    }
}

impl Field {
    fn read(&self, text: &str) -> Result<Set, Wrong> {
        let mut set = Set { star: text.starts_with('*'), ..Set::default() };
        for entry in text.split(',') {
            self.entry(entry, &mut set)?;
        }
        Ok(set)
    }

    fn entry(&self, entry: &str, set: &mut Set) -> Result<(), Wrong> {
        if self.special(entry, set)? {
            return Ok(());
        }
        let (values, step) = match entry.split_once('/') {
            Some((values, step)) => (values, Some(step)),
            None => (entry, None),
        };
        // The highest weekday is 7, which is Sunday again: `*` goes to Saturday.
        let most = if self.kind == Kind::Weekday { 6 } else { self.most };
        let (from, to) = if values == "*" {
            set.open = true;
            (self.least, most)
        } else if let Some((from, to)) = values.split_once('-') {
            self.range(from, to)?
        } else {
            let value = self.value(values)?;
            if let Some(step) = step {
                return Err(Wrong::help(format!(
                    "a step needs a range: `*/{step}` or `{values}-{most}/{step}`",
                    step = cut(step)
                )));
            }
            (value, value)
        };
        let step = match step {
            None => 1,
            Some(step) => {
                set.open = true;
                self.step(entry, step)?
            }
        };
        for value in (from..=to).step_by(step) {
            set.bits |= 1 << if self.kind == Kind::Weekday { value % 7 } else { value };
        }
        Ok(())
    }

    fn range(&self, from: &str, to: &str) -> Result<(u8, u8), Wrong> {
        let (first, mut last) = (self.value(from)?, self.value(to)?);
        // `FRI-SUN` ends with the Sunday after Friday.
        if self.kind == Kind::Weekday
            && last == 0
            && first > 0
            && !to.starts_with(|c: char| c.is_ascii_digit())
        {
            last = 7;
        }
        if first <= last {
            return Ok((first, last));
        }
        let (top, bottom) = match (self.kind, self.names.is_empty()) {
            (Kind::Weekday, _) if last == 0 => {
                return Err(Wrong::help(format!("Sunday at the end is 7: `{from}-7`")));
            }
            (Kind::Weekday, _) => (WEEKDAYS[6], WEEKDAYS[0]),
            (_, false) => ("DEC", "JAN"),
            _ => return Err(self.backwards(from, to, &self.most.to_string(), &self.least.to_string())),
        };
        let digits = from.starts_with(|c: char| c.is_ascii_digit());
        match (digits, self.kind) {
            (true, Kind::Weekday) => Err(self.backwards(from, to, "6", "0")),
            (true, _) => Err(self.backwards(from, to, "12", "1")),
            (false, _) => Err(self.backwards(from, to, top, bottom)),
        }
    }

    fn backwards(&self, from: &str, to: &str, top: &str, bottom: &str) -> Wrong {
        // A range of one value is that value.
        let range = |from: &str, to: &str| if from == to { from.to_owned() } else { format!("{from}-{to}") };
        let upwards = format!("{},{}", range(from, top), range(bottom, to));
        Wrong::help(format!("a range runs upwards: write `{upwards}` instead of `{from}-{to}`"))
    }

    fn step(&self, entry: &str, step: &str) -> Result<usize, Wrong> {
        let Some(step) = number(step) else {
            return Err(Wrong::help("a step is a whole number: `*/15`".to_owned()));
        };
        if step == 0 {
            return Err(Wrong::titled(
                format!("the step of the {} is 0: {}", self.name, quote(entry)),
                "a step is at least 1: `*/15`".to_owned(),
            ));
        }
        if step > u16::from(self.most) {
            let help = match self.kind {
                Kind::Plain if self.most == 59 => {
                    "an hour has 60 minutes: write `every: 90m` for a longer period, or a minute and a step of hours"
                }
                _ => "it would meet the first value only: write that value",
            };
            return Err(Wrong::titled(
                format!("the step of the {} is larger than its range: {}", self.name, quote(entry)),
                help.to_owned(),
            ));
        }
        Ok(step.into())
    }

    /// Takes `L`, `L-3`, `15W`, `LW`, `5L` and `FRI#2`; says whether the entry was one.
    fn special(&self, entry: &str, set: &mut Set) -> Result<bool, Wrong> {
        let upper = entry.to_ascii_uppercase();
        match self.kind {
            Kind::Day if upper == "L" => set.from_end |= 1,
            Kind::Day if upper == "LW" => set.nearest |= 1,
            Kind::Day if upper.starts_with("L-") => match number(&upper[2..]) {
                Some(before @ 1..=30) => set.from_end |= 1 << before,
                _ => return Err(Wrong::help("`L-3` is three days before the last: 1 to 30".to_owned())),
            },
            Kind::Day if upper.ends_with('W') => match number(&upper[..upper.len() - 1]) {
                Some(day @ 1..=31) => set.nearest |= 1 << day,
                _ => {
                    return Err(Wrong::help(
                        "`15W` is the day from Monday to Friday nearest to the 15th, and `LW` the last such day"
                            .to_owned(),
                    ));
                }
            },
            Kind::Weekday if upper == "L" => {
                return Err(Wrong::help("name the day: `SATL` is the last Saturday of the month".to_owned()));
            }
            Kind::Weekday if upper.ends_with('L') => {
                set.last.0 |= 1 << (self.value(&entry[..entry.len() - 1])? % 7);
            }
            Kind::Weekday if upper.contains('#') => {
                let (day, week) = upper.split_once('#').unwrap_or_default();
                let Some(week @ 1..=5) = number(week) else {
                    return Err(Wrong::help(
                        "`FRI#2` is the second Friday of the month: 1 to 5, and `FRIL` is the last"
                            .to_owned(),
                    ));
                };
                set.ordinal[usize::from(week) - 1].0 |= 1 << (self.value(day)? % 7);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn value(&self, text: &str) -> Result<u8, Wrong> {
        if let Some(place) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return Ok(place as u8 + u8::from(self.kind != Kind::Weekday));
        }
        if let Some(value) = number(text)
            && (u16::from(self.least)..=u16::from(self.most)).contains(&value)
        {
            return Ok(value as u8);
        }
        let long = |name: &&&str| {
            text.len() > name.len()
                && text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        Err(Wrong::help(if text == "?" {
            "write `*` for every value".to_owned()
        } else if text.eq_ignore_ascii_case("H")
            || text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("H("))
        {
            format!(
                "write a number: this {} is not chosen for you; `jitter` beside `cron` spreads the load",
                self.name
            )
        } else if text.is_empty() {
            "a value is missing: lists are `1,2`, ranges `1-5`".to_owned()
        } else if let Some(name) = self.names.iter().find(long) {
            format!("names have three letters: `{name}`")
        } else if self.names.is_empty() {
            "lists `1,2`, ranges `1-5` and steps `*/15` are allowed".to_owned()
        } else {
            "names, lists `1,2`, ranges `1-5` and steps `*/15` are allowed".to_owned()
        }))
    }
}

impl Wrong {
    fn help(help: String) -> Wrong {
        Wrong { title: None, help }
    }

    fn titled(title: String, help: String) -> Wrong {
        Wrong { title: Some(title), help }
    }

    fn at(self, field: &Field, text: &str, start: usize) -> CronError {
        let title = self.title.unwrap_or_else(|| {
            format!("{} of a cron expression is {}, found {}", field.name, field.values, quote(text))
        });
        CronError { range: start..start + text.len(), title, help: self.help }
    }
}

fn nickname(text: &str) -> Result<Cron, Vec<CronError>> {
    let name = text.trim();
    if let Some((_, fields)) = NICKNAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Cron::parse_whole(fields);
    }
    let word = name.split_ascii_whitespace().next().unwrap_or_default();
    let help = if word.eq_ignore_ascii_case("@every") {
        let period = cut(name[word.len()..].trim());
        format!("write `every: {}`", if period.is_empty() { "5m" } else { &period })
    } else if word.eq_ignore_ascii_case("@reboot") {
        "a start is no time: write a time, and `run_policy` says what becomes of those that were missed"
            .to_owned()
    } else {
        let known: Vec<String> = NICKNAMES.iter().map(|(known, _)| format!("`{known}`")).collect();
        format!("there are {}", known.join(", "))
    };
    let title = format!("there is no cron nickname {}", quote(name));
    let start = name.as_ptr() as usize - text.as_ptr() as usize;
    Err(vec![CronError { range: start..start + name.len(), title, help }])
}

/// A whole number of at most [`DIGITS_MAX`] digits, without a sign.
fn number(text: &str) -> Option<u16> {
    let digits = (1..=DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(QUOTE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn quote(text: &str) -> String {
    format!("`{}`", cut(text))
}
