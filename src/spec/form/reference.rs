//! The reference of the form, as Markdown.

use std::fmt::Write;

use super::{CREDENTIAL, Form, Key, Names, Needed, Object, objects};
use crate::spec::engine::{FILTERS, TESTS};
use crate::spec::limits;

/// Says where the text comes from, and where the explanations are.
const HEAD: &str = "\
# The form of jobs and connections

Every key there is, every bound, and what expressions know. This page is written from the program (`exorun` checks by the
same tables); [jobs.md](jobs.md) and [connections.md](connections.md) explain and show examples.

Any map, list or value not listed here is refused, with the nearest known name.
";

/// `docs/job-reference.md`, complete.
pub fn reference() -> String {
    let mut out = HEAD.to_owned();
    for object in objects() {
        write_object(&mut out, object).expect("a string can be written to");
    }
    write_expressions(&mut out).expect("a string can be written to");
    write_limits(&mut out).expect("a string can be written to");
    out
}

fn write_object(out: &mut String, object: &Object) -> std::fmt::Result {
    writeln!(out, "\n## {}\n\n{}\n", object.name, object.doc)?;
    writeln!(out, "| Key | Value | Needed | Default | Meaning |\n| --- | --- | --- | --- | --- |")?;
    for key in object.keys {
        let Key { name, form, needed, default, doc } = key;
        let needed = match needed {
            Needed::Always => "yes",
            Needed::Sometimes(when) => when,
            Needed::Never => "no",
        };
        let default = default.map_or(String::new(), |default| format!("`{default}`"));
        writeln!(out, "| `{name}` | {} | {needed} | {default} | {doc} |", value(form))?;
    }
    Ok(())
}

/// What a value must be, in the words of a table.
fn value(form: &Form) -> String {
    let listed = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let link = |object: &Object| format!("[{}](#{})", object.name, object.name.to_lowercase());
    match form {
        Form::Version => "`1`".to_owned(),
        Form::Text => "text".to_owned(),
        Form::DnsLabel => "lower-case letters, digits and hyphens, at most 63 (a DNS label)".to_owned(),
        Form::Identifier => "`[a-z][a-z0-9_]*`, at most 63".to_owned(),
        Form::Tenant => "a domain or a GUID".to_owned(),
        Form::Guid => "a GUID".to_owned(),
        Form::Word(words) => listed(words),
        Form::WordOrName(words) => format!("{}, or a name of the endpoints file", listed(words)),
        Form::Boolean => "`true` or `false`".to_owned(),
        Form::Integer { from, to: i64::MAX } => format!("a whole number, at least {from}"),
        Form::Integer { from, to } => format!("a whole number from {from} to {to}"),
        Form::Duration => "a duration: `500ms`, `30s`, `5m`, `1h30m`, `1d`, at most `366d`".to_owned(),
        Form::Cron => "five cron fields, or a nickname such as `@daily`".to_owned(),
        Form::Weekdays => "weekdays: `MON-FRI`, `SAT,SUN`".to_owned(),
        Form::Moment => "`HH:MM`, or `YYYY-MM-DDTHH:MM`".to_owned(),
        Form::TimeZone => "an IANA zone".to_owned(),
        Form::InputValue => "what `type` says".to_owned(),
        Form::Expression => "an expression, without `${{ }}`".to_owned(),
        Form::Template => "text; may hold `${{ … }}`".to_owned(),
        Form::Cmdlet => "a cmdlet's name".to_owned(),
        Form::Noun => "a noun: `CASMailbox`".to_owned(),
        Form::Parameters => "a map: parameters by name; may hold `${{ … }}`".to_owned(),
        Form::Properties => "a map: properties by name; may hold `${{ … }}`".to_owned(),
        Form::Identity => "a name, an address or an id; may hold `${{ … }}`".to_owned(),
        Form::PropertyNames => "a list of names of properties".to_owned(),
        Form::Words(words) => format!("a list of: {}", listed(words)),
        Form::Texts { max } => format!("a list of texts, at most {max}"),
        Form::Kept => format!("{}, or `${{{{ secret(\"MOUNT/PATH#FIELD\") }}}}`", link(&CREDENTIAL)),
        Form::TextsByName { max } => format!("a map of texts, at most {max}"),
        Form::One(object) => link(object),
        Form::List { of, max } => format!("a list of {}, at most {max}", link(of)),
        Form::ByName { of, names: Names::Identifiers, max } => {
            format!("a map: identifiers to {}, at most {max}", link(of))
        }
        Form::ByName { of, names: Names::DnsLabels, max } => {
            format!("a map: DNS labels to {}, at most {max}", link(of))
        }
    }
}

fn write_expressions(out: &mut String) -> std::fmt::Result {
    let listed = |words: &mut dyn Iterator<Item = &'static str>| {
        words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    };
    writeln!(out, "\n## Expressions\n")?;
    writeln!(out, "Filters, after `|`: {}.\n", listed(&mut FILTERS.into_iter()))?;
    writeln!(out, "Tests, after `is`: {}.", listed(&mut TESTS.into_iter()))
}

fn write_limits(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n## Bounds\n\nA message names the bound that was passed.\n")?;
    writeln!(out, "| Bound | Value | What it bounds |\n| --- | --- | --- |")?;
    for limit in limits::ALL {
        writeln!(out, "| `{}` | {} | {} |", limit.name, grouped(limit.value), limit.doc.trim())?;
    }
    Ok(())
}

/// `1048576` as `1,048,576`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([7, 999, 1000, 1_048_576].map(grouped), ["7", "999", "1,000", "1,048,576"]);
    }
}
