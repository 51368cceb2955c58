//! Reads the values of our own keys: words, numbers, durations.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Checker, Fields};
use crate::catalog::nearest;
use crate::rules::duration;
use crate::spec::escape::quote;
use crate::spec::form::Form;
use crate::spec::problem::Problem;
use crate::spec::tree::{Content, Node, core_boolean, decimal_integer};

/// Durations are at most this long: a year. Longer ones are slips.
const DURATION_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl Checker<'_> {
    /// Text, quoted or not.
    pub(in crate::spec) fn text<'a>(&mut self, node: &'a Node, key: &str) -> Option<&'a str> {
        match &node.content {
            Content::Scalar { text, .. } if !text.is_empty() && !node.is_absent() && !node.is_null() => {
                Some(text)
            }
            _ => {
                let title = format!("`{key}` is text, found {}", node.describe());
                self.report(
                    Problem::error(node.span.clone(), title)
                        .help(format!("write `{key}: …`, or remove the key")),
                );
                None
            }
        }
    }

    /// The text of a key, if the key is there.
    pub(super) fn text_of<'a>(&mut self, fields: Fields<'a>, key: &str) -> Option<&'a str> {
        self.text(fields.get(key)?, key)
    }

    /// The word of a key, if the key is there.
    pub(super) fn word_of<'a>(&mut self, fields: Fields<'a>, key: &str) -> Option<&'a str> {
        let Form::Word(words) = fields.form(key) else { unreachable!("`{key}` takes a word") };
        self.word(fields.get(key)?, key, words)
    }

    /// What a key says, if the key is there.
    pub(super) fn boolean_of(&mut self, fields: Fields<'_>, key: &str) -> Option<bool> {
        let Form::Boolean = fields.form(key) else { unreachable!("`{key}` takes a boolean") };
        self.boolean(fields.get(key)?, key)
    }

    /// The whole number of a key, if the key is there.
    pub(super) fn integer_of<T: TryFrom<i64>>(&mut self, fields: Fields<'_>, key: &str) -> Option<T> {
        let Form::Integer { from, to } = fields.form(key) else { unreachable!("`{key}` takes a number") };
        self.integer(fields.get(key)?, key, from..=to).and_then(|found| T::try_from(found).ok())
    }

    /// The duration of a key, if the key is there.
    pub(super) fn duration_of(&mut self, fields: Fields<'_>, key: &str) -> Option<Duration> {
        self.duration(fields.get(key)?, key)
    }

    /// One of a few words.
    pub(in crate::spec) fn word<'a>(&mut self, node: &'a Node, key: &str, words: &[&str]) -> Option<&'a str> {
        let text = self.text(node, key)?;
        if words.contains(&text) {
            return Some(text);
        }
        let title = format!("`{key}` cannot be {}", quote(text));
        let problem = Problem::error(node.span.clone(), title);
        let help = match nearest(text, words.iter().copied()).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of: {}", words.join(", ")),
        };
        self.report(problem.help(help));
        None
    }

    /// `true` or `false`.
    fn boolean(&mut self, node: &Node, key: &str) -> Option<bool> {
        let found = match &node.content {
            Content::Scalar { text, plain: true } => core_boolean(text),
            _ => None,
        };
        if found.is_none() {
            let title = format!("`{key}` is `true` or `false`, found {}", node.describe());
            self.report(
                Problem::error(node.span.clone(), title).help(format!("write `{key}: true`, without quotes")),
            );
        }
        found
    }

    /// A whole number within bounds.
    pub(in crate::spec) fn integer(
        &mut self,
        node: &Node,
        key: &str,
        within: RangeInclusive<i64>,
    ) -> Option<i64> {
        let number = match &node.content {
            Content::Scalar { text, plain: true } => decimal_integer(text),
            _ => None,
        };
        if let Some(number) = number.filter(|number| within.contains(number)) {
            return Some(number);
        }
        let bounds = if *within.end() == i64::MAX {
            format!("at least {}", within.start())
        } else {
            format!("from {} to {}", within.start(), within.end())
        };
        let title = format!("`{key}` is a whole number {bounds}, found {}", node.describe());
        let problem = Problem::error(node.span.clone(), title);
        self.report(match number {
            Some(_) => problem.help(format!("write a number {bounds}")),
            None => problem.help("write plain digits, without quotes"),
        });
        None
    }

    /// A duration such as `30s`, `5m`, `1h30m`.
    pub(in crate::spec) fn duration(&mut self, node: &Node, key: &str) -> Option<Duration> {
        let why = match &node.content {
            Content::Scalar { text, .. } if !node.is_absent() && !node.is_null() => {
                match job_duration(text) {
                    Ok(found) => return Some(found),
                    Err(why) => why,
                }
            }
            _ => String::new(),
        };
        let title = format!("`{key}` is a duration, found {}", node.describe());
        let help = "write whole numbers with a unit, largest first: 500ms, 30s, 5m, 1h30m, 1d; at most 366d";
        self.report(Problem::error(node.span.clone(), title).label(why).help(help));
        None
    }
}

/// The duration, or why it is none that a job can have.
fn job_duration(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Ok(Duration::ZERO) => Err("it must be more than 0s".to_owned()),
        Ok(found) if found > DURATION_MAX => Err(format!("it is at most {}", duration::show(DURATION_MAX))),
        Ok(found) => Ok(found),
        Err(why) => Err(why.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_has_no_endless_durations_and_none_of_nothing() {
        assert_eq!(job_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(job_duration("366d"), Ok(DURATION_MAX));
        for refused in ["0s", "0m0s", "366d1ms", "30", ""] {
            assert!(job_duration(refused).is_err(), "{refused}");
        }
    }
}
