//! A cron as text again: numbers, in the shortest of the forms that are read back to the same bits.

use std::fmt;

use super::cron::Cron;
use super::weekdays::Weekdays;

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minute = plain(self.minutes, 0, 59, Form::Any);
        let hour = plain(self.hours.into(), 0, 23, if self.hour_open { Form::Open } else { Form::Lists });
        let month = plain(self.months.into(), 1, 12, Form::Any);
        write!(f, "{minute} {hour} {} {month} {}", self.day(), self.weekday())
    }
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&plain(self.0.into(), 0, 6, Form::Any))
    }
}

/// Which forms a field may have without a change of its meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Everything.
    Any,
    /// No `*` and no step: values and ranges.
    Lists,
    /// A `*` or a step at least once.
    Open,
    /// A `*` at its beginning.
    Star,
}

impl Cron {
    fn day(&self) -> String {
        let form = if self.day_star { Form::Star } else { Form::Lists };
        let mut entries = entries(self.days.into(), 1, 31, form);
        for day in bits(self.nearest) {
            entries.push(if day == 0 { "LW".to_owned() } else { format!("{day}W") });
        }
        for before in bits(self.from_end) {
            entries.push(if before == 0 { "L".to_owned() } else { format!("L-{before}") });
        }
        entries.join(",")
    }

    fn weekday(&self) -> String {
        let form = if self.weekday_star { Form::Star } else { Form::Lists };
        let mut entries = entries(self.weekdays.0.into(), 0, 6, form);
        for (week, Weekdays(weekdays)) in self.ordinal.iter().enumerate() {
            entries.extend(bits((*weekdays).into()).map(|day| format!("{day}#{}", week + 1)));
        }
        entries.extend(bits(self.last.0.into()).map(|day| format!("{day}L")));
        entries.join(",")
    }
}

fn plain(values: u64, least: u32, most: u32, form: Form) -> String {
    entries(values, least, most, form).join(",")
}

/// The entries of a list that has these values.
pub(super) fn entries(values: u64, least: u32, most: u32, form: Form) -> Vec<String> {
    let all = values.count_ones() == most - least + 1;
    if all && form != Form::Lists {
        return vec!["*".to_owned()];
    }
    if form == Form::Lists || values == 0 {
        return runs(values);
    }
    let first = values.trailing_zeros();
    let every = |step: u32| (first..=most).step_by(step as usize).fold(0u64, |bits, value| bits | 1 << value);
    let steps = 2..=(most - least).max(2);
    if first == least
        && let Some(step) = steps.clone().find(|step| every(*step) == values)
        && (form != Form::Any || values.count_ones() > 1)
    {
        return vec![format!("*/{step}")];
    }
    let last = values.ilog2();
    let until_last = |step: u32| every(step) & (u64::MAX >> (63 - last));
    if form != Form::Star
        && values.count_ones() > 2
        && let Some(step) = steps.clone().find(|step| until_last(*step) == values)
    {
        return vec![format!("{first}-{last}/{step}")];
    }
    match form {
        Form::Any | Form::Lists => runs(values),
        // The star brings the first value of the field at least, which a text that began with one has.
        Form::Star => {
            let step = steps.clone().find(|step| every(*step) & !values == 0).unwrap_or(most + 1 - least);
            let mut entries = vec![format!("*/{step}")];
            entries.extend(runs(values & !every(step)));
            entries
        }
        Form::Open => {
            let mut entries = vec![format!("{first}-{first}/1")];
            entries.extend(runs(values & (values - 1)));
            entries
        }
    }
}

/// Values and ranges, upwards.
fn runs(mut values: u64) -> Vec<String> {
    let mut entries = Vec::new();
    while values != 0 {
        let first = values.trailing_zeros();
        let last = first + (values >> first).trailing_ones() - 1;
        match last - first {
            0 => entries.push(first.to_string()),
            1 => entries.extend([first.to_string(), last.to_string()]),
            _ => entries.push(format!("{first}-{last}")),
        }
        values &= !(((1u64 << (last - first + 1)) - 1) << first);
    }
    entries
}

pub(super) fn bits(mut bits: u32) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let first = (bits != 0).then(|| bits.trailing_zeros())?;
        bits &= bits - 1;
        Some(first)
    })
}
