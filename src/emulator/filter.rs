//! `-Filter`: a small part of OPATH.
//!
//! `Property -eq | -ne | -like | -notlike | -gt | -ge | -lt | -le value`, joined by `-and`, `-or`, `-not` and parentheses. Values are quoted
//! (`'...'` with `''` inside, or `"..."`), `$null`, `$true`, `$false` or a bare word. Everything else is refused.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::prop::{Object, Prop, parse_size};

/// Nesting and length that a filter may have.
const DEPTH_MAX: usize = 32;
const LENGTH_MAX: usize = 10_000;

/// A checked filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Test { property: String, operator: Operator, value: Option<String> },
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Like,
    NotLike,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    /// `-eq`, without the dash, in lower case.
    Dash(String),
    Word(String),
    Quoted(String),
}

impl Filter {
    /// Reads a filter; the error is a sentence in the service's manner.
    pub(super) fn parse(text: &str) -> Result<Filter, String> {
        if text.len() > LENGTH_MAX {
            return Err(format!("Invalid filter syntax: the filter is longer than {LENGTH_MAX} bytes."));
        }
        let tokens = tokens(text).map_err(|problem| syntax(text, &problem))?;
        let mut parser = Parser { tokens: &tokens, at: 0 };
        let filter = parser.either(0).map_err(|problem| syntax(text, &problem))?;
        match parser.peek() {
            None => Ok(filter),
            Some(_) => Err(syntax(text, "there is more after the end of the expression")),
        }
    }

    /// A filter that asks for one value of a property.
    pub(super) fn equal(property: &str, value: &str) -> Filter {
        let (property, value) = (property.to_owned(), Some(value.to_owned()));
        Filter::Test { property, operator: Operator::Equal, value }
    }

    /// The names of the properties that the filter looks at.
    pub(super) fn properties(&self) -> Vec<&str> {
        match self {
            Filter::Test { property, .. } => vec![property],
            Filter::Not(inner) => inner.properties(),
            Filter::And(a, b) | Filter::Or(a, b) => [a.properties(), b.properties()].concat(),
        }
    }

    /// Whether the object passes.
    pub(super) fn matches(&self, object: &Object) -> bool {
        match self {
            Filter::Not(inner) => !inner.matches(object),
            Filter::And(a, b) => a.matches(object) && b.matches(object),
            Filter::Or(a, b) => a.matches(object) || b.matches(object),
            Filter::Test { property, operator, value } => {
                let is = |like| has(object.get(property), value.as_deref(), like);
                match operator {
                    Operator::Equal => is(false),
                    Operator::NotEqual => !is(false),
                    Operator::Like => is(true),
                    Operator::NotLike => !is(true),
                    Operator::Greater => order(object.get(property), value) == Some(Ordering::Greater),
                    Operator::GreaterOrEqual => {
                        order(object.get(property), value).is_some_and(Ordering::is_ge)
                    }
                    Operator::Less => order(object.get(property), value) == Some(Ordering::Less),
                    Operator::LessOrEqual => order(object.get(property), value).is_some_and(Ordering::is_le),
                }
            }
        }
    }
}

/// How a property compares with a value: by size, number, time or text, as the property is. Nothing compares with
/// `$null`, and a list with nothing.
fn order(prop: Option<&Prop>, value: &Option<String>) -> Option<Ordering> {
    let wanted = value.as_deref()?;
    match prop? {
        Prop::Null | Prop::Bool(_) | Prop::Guid(_) | Prop::List(_) | Prop::Senders(_) => None,
        Prop::Int(own) => wanted.parse::<i64>().ok().map(|wanted| i64::from(*own).cmp(&wanted)),
        Prop::Date(own) | Prop::DateUtc(own) => moment(wanted).map(|wanted| own.cmp(&wanted)),
        Prop::Text(own) => match (own.ends_with(" bytes)").then(|| parse_size(own)), parse_size(wanted)) {
            (Some(own), Some(wanted)) => own.map(|own| own.cmp(&wanted)),
            _ => Some(own.to_lowercase().cmp(&wanted.to_lowercase())),
        },
    }
}

/// A date as a filter spells it, UTC where it names no zone: `2026-01-31`, `2026-01-31T08:00:00Z`, `1/31/2026`.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let american = |text: &str| {
        ["%m/%d/%Y %H:%M:%S", "%m/%d/%Y"].into_iter().find_map(|format| {
            DateTime::strptime(format, text)
                .ok()
                .or_else(|| Date::strptime(format, text).ok().map(DateTime::from))
        })
    };
    let local: DateTime = text.parse().ok().or_else(|| american(text))?;
    local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn syntax(text: &str, problem: &str) -> String {
    format!(
        "Invalid filter syntax. For a description of the filter parameter syntax see the command help. \"{text}\": {problem}"
    )
}

/// Whether a property has a value; of a list, one item is enough. An empty text or list is `$null` to the directory.
fn has(prop: Option<&Prop>, value: Option<&str>, like: bool) -> bool {
    let equal = |own: &str, wanted: &str| {
        if like {
            wildcard(&wanted.to_lowercase(), &own.to_lowercase())
        } else {
            own.to_lowercase() == wanted.to_lowercase()
        }
    };
    match (prop, value) {
        (None | Some(Prop::Null), wanted) => wanted.is_none_or(str::is_empty),
        (Some(Prop::List(items)), None) => items.is_empty(),
        (Some(Prop::List(items)), Some(wanted)) => items.iter().any(|item| {
            // An address matches with or without its `smtp:`.
            equal(item, wanted) || item.split_once(':').is_some_and(|(_, rest)| equal(rest, wanted))
        }),
        (Some(prop), None) => prop.as_text().is_none_or(|text| text.is_empty()),
        (Some(prop), Some(wanted)) => prop.as_text().is_some_and(|own| equal(&own, wanted)),
    }
}

/// `*` stands for anything.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(mut part) = parts.next() else { return rest.is_empty() };
    for next in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
        part = next;
    }
    rest.ends_with(part)
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => {
                tokens.push(if first == '(' { Token::Open } else { Token::Close });
                1
            }
            '{' | '}' => 1,
            '\'' | '"' => {
                let (value, length) = quoted(rest, first)?;
                tokens.push(Token::Quoted(value));
                length
            }
            _ => {
                let end = rest
                    .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '{' | '}' | '\'' | '"'))
                    .unwrap_or(rest.len());
                let word = &rest[..end];
                tokens.push(match word.strip_prefix('-') {
                    Some(name) if name.chars().all(|c| c.is_ascii_alphabetic()) && !name.is_empty() => {
                        Token::Dash(name.to_ascii_lowercase())
                    }
                    _ => Token::Word(word.to_owned()),
                });
                end
            }
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// The text between quotes, where a doubled quote stands for one, and how long it was.
fn quoted(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            value.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            chars.next();
            value.push(quote);
        } else {
            return Ok((value, at + 1));
        }
    }
    Err("a quote is not closed".to_owned())
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn takes(&mut self, operator: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Dash(name)) if name == operator);
        self.at += usize::from(found);
        found
    }

    fn either(&mut self, depth: usize) -> Result<Filter, String> {
        let mut left = self.both(depth)?;
        while self.takes("or") {
            left = Filter::Or(Box::new(left), Box::new(self.both(depth)?));
        }
        Ok(left)
    }

    fn both(&mut self, depth: usize) -> Result<Filter, String> {
        let mut left = self.one(depth)?;
        while self.takes("and") {
            left = Filter::And(Box::new(left), Box::new(self.one(depth)?));
        }
        Ok(left)
    }

    fn one(&mut self, depth: usize) -> Result<Filter, String> {
        if depth > DEPTH_MAX {
            return Err("it is nested too deeply".to_owned());
        }
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        match self.next() {
            Some(Token::Open) => {
                let inner = self.either(depth + 1)?;
                match self.next() {
                    Some(Token::Close) => Ok(inner),
                    _ => Err("a parenthesis is not closed".to_owned()),
                }
            }
            Some(Token::Word(property)) => self.test(property),
            _ => Err("a property name was expected".to_owned()),
        }
    }

    fn test(&mut self, property: String) -> Result<Filter, String> {
        let operator = match self.next() {
            Some(Token::Dash(name)) => match name.as_str() {
                "eq" => Operator::Equal,
                "ne" => Operator::NotEqual,
                "like" => Operator::Like,
                "notlike" => Operator::NotLike,
                "gt" => Operator::Greater,
                "ge" => Operator::GreaterOrEqual,
                "lt" => Operator::Less,
                "le" => Operator::LessOrEqual,
                other => return Err(format!("the operator -{other} is not supported by this emulator")),
            },
            _ => return Err(format!("an operator was expected after {property}")),
        };
        let value = match self.next() {
            Some(Token::Quoted(value)) => Some(value),
            Some(Token::Word(word)) => match word.to_ascii_lowercase().as_str() {
                "$null" => None,
                "$true" => Some("True".to_owned()),
                "$false" => Some("False".to_owned()),
                _ if word.starts_with('$') => return Err(format!("the variable {word} is not known")),
                _ => Some(word),
            },
            _ => return Err(format!("a value was expected after {property}")),
        };
        Ok(Filter::Test { property, operator, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(filter: &str) -> bool {
        let object = Object::new(vec![
            ("Alias", Prop::text("aoife.obrien.3")),
            ("DisplayName", Prop::text("Aoife O'Brien")),
            ("ForwardingSmtpAddress", Prop::Null),
            ("CustomAttribute1", Prop::text("")),
            ("AuditEnabled", Prop::Bool(true)),
            ("ItemCount", Prop::Int(7)),
            ("ProhibitSendQuota", Prop::text("99 GB (106,300,440,576 bytes)")),
            ("WhenCreatedUTC", Prop::DateUtc("2026-01-31T08:00:00Z".parse().unwrap())),
            (
                "EmailAddresses",
                Prop::List(vec!["SMTP:a@contoso.example".into(), "smtp:b@contoso.example".into()]),
            ),
        ]);
        Filter::parse(filter).unwrap_or_else(|error| panic!("{error}")).matches(&object)
    }

    #[test]
    fn tests_and_their_joins() {
        for filter in [
            "Alias -eq 'AOIFE.obrien.3'",
            "alias -like 'aoife*'",
            "Alias -like '*brien*3'",
            "DisplayName -eq 'Aoife O''Brien'",
            "DisplayName -eq \"Aoife O'Brien\"",
            "ForwardingSmtpAddress -eq $null",
            "CustomAttribute1 -eq $null",
            "Alias -ne $null -and AuditEnabled -eq 'True'",
            "AuditEnabled -eq $true",
            "-not (AuditEnabled -eq $false)",
            "Alias -eq 'x' -or Alias -eq 'y' -or ItemCount -eq 7",
            "EmailAddresses -eq 'b@contoso.example'",
            "EmailAddresses -like 'smtp:*'",
            "Alias -notlike 'b*' -and (Alias -eq 'q' -or -not(Alias -eq 'q'))",
            "{ Alias -like '*' }",
            "NoSuchProperty -eq $null",
            "ItemCount -gt 6 -and ItemCount -ge 7 -and ItemCount -lt 10 -and ItemCount -le 7",
            "ProhibitSendQuota -gt '50GB' -and ProhibitSendQuota -lt '100GB'",
            "WhenCreatedUTC -gt '2026-01-31' -and WhenCreatedUTC -lt '2/1/2026'",
            "WhenCreatedUTC -le '2026-01-31T08:00:00Z' -and Alias -gt 'a'",
        ] {
            assert!(passes(filter), "{filter}");
        }
        for filter in [
            "Alias -eq 'aoife'",
            "Alias -like 'aoife'",
            "Alias -like '*x*'",
            "ForwardingSmtpAddress -ne $null",
            "ForwardingSmtpAddress -like '*'",
            "AuditEnabled -eq 'False'",
            "Alias -eq 'x' -or Alias -like 'a*' -and ItemCount -eq 8",
            "EmailAddresses -eq $null",
            "ItemCount -gt 7",
            "ItemCount -lt $null",
            "WhenCreatedUTC -gt '2026-01-31 08:00:00'",
            "WhenCreatedUTC -lt 'yesterday'",
        ] {
            assert!(!passes(filter), "{filter}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (filter, says) in [
            ("", "a property name was expected"),
            ("Alias", "an operator was expected after Alias"),
            ("Alias -eq", "a value was expected after Alias"),
            ("Alias -match 'x'", "the operator -match is not supported"),
            ("Alias -eq 'x", "a quote is not closed"),
            ("(Alias -eq 'x'", "a parenthesis is not closed"),
            ("Alias -eq 'x' )", "there is more after the end"),
            ("Alias -eq $who", "the variable $who is not known"),
            (&"(".repeat(5000), "nested too deeply"),
            (&"-not ".repeat(2000), "nested too deeply"),
            (&"x".repeat(20_000), "longer than"),
        ] {
            let error = Filter::parse(filter).expect_err(filter);
            assert!(error.contains(says), "{filter}: {error}");
        }
    }
}
