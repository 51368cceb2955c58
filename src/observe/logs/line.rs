//! One event as one line of text. The last line of defence: whatever a field holds, nothing here lets a control
//! character, a line end or a direction control out, and a value cannot pass for further fields.

use std::fmt::{Debug, Write};

use jiff::Timestamp;
use tracing::Level;
use tracing::field::{Field, Visit};

use crate::observe::escape::{hides, json_escape, one_line};

/// Longest value on a line. Longer than any message of the service that helps, short enough for log collectors,
/// which cut lines at 16 KiB.
const VALUE_CHARS_MAX: usize = 4000;

/// A field's value, bounded when it is recorded.
#[derive(Clone, Debug)]
enum FieldValue {
    /// A number or a boolean: written as it is, also in JSON.
    Bare(String),
    Text(String),
}

/// The fields of a span or an event, in the order in which they were first recorded.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(&'static str, FieldValue)>);

impl Fields {
    fn set(&mut self, name: &'static str, value: FieldValue) {
        match self.0.iter_mut().find(|(there, _)| *there == name) {
            Some((_, there)) => *there = value,
            None => self.0.push((name, value)),
        }
    }

    /// Takes over `inner`'s fields; where both have one, the inner span's counts.
    pub(super) fn lay_over(&mut self, inner: &Fields) {
        for (name, value) in &inner.0 {
            self.set(name, value.clone());
        }
    }

    /// The message of an event; empty if it has none.
    pub(super) fn take_message(&mut self) -> String {
        match self.0.iter().position(|(name, _)| *name == "message") {
            Some(place) => match self.0.remove(place).1 {
                FieldValue::Bare(text) | FieldValue::Text(text) => text,
            },
            None => String::new(),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity and no NaN.
        let value = if value.is_finite() {
            FieldValue::Bare(value.to_string())
        } else {
            FieldValue::Text(value.to_string())
        };
        self.set(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), FieldValue::Bare(value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), FieldValue::Bare(value.to_string()));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.set(field.name(), FieldValue::Bare(value.to_string()));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.set(field.name(), FieldValue::Bare(value.to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), FieldValue::Bare(value.to_string()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), FieldValue::Text(bounded(value)));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        // The chain, once, as the program's own last words show it.
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        self.record_str(field, &text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

fn bounded(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// What every line starts with.
pub(super) struct Head<'a> {
    pub(super) at: Timestamp,
    pub(super) level: Level,
    pub(super) target: &'a str,
}

/// `2026-11-22T02:00:01.123Z INFO  run=… job=… message key=value`
pub(super) fn human(head: &Head<'_>, around: &Fields, message: &str, own: &Fields) -> String {
    let mut line = format!("{:.3} {:<5}", head.at, head.level.as_str());
    if head.target == super::WRITE_TARGET {
        line.push_str(" write");
    }
    around.0.iter().for_each(|field| human_field(&mut line, field));
    if !message.is_empty() {
        line.push(' ');
        line.push_str(&one_line(message, VALUE_CHARS_MAX * 2));
    }
    own.0.iter().for_each(|field| human_field(&mut line, field));
    line.push('\n');
    line
}

fn human_field(line: &mut String, (name, value): &(&'static str, FieldValue)) {
    line.push(' ');
    line.push_str(name);
    line.push('=');
    match value {
        FieldValue::Bare(text) => line.push_str(text),
        FieldValue::Text(text) => {
            // Quotes where the value could be read as more than one value; in quotes the signs that end them are
            // escaped before the rest is, so that nothing inside can end them.
            if text.is_empty() || text.contains([' ', '"', '=']) {
                let inside = text.replace('\\', "\\\\").replace('"', "\\\"");
                let _ = write!(line, "\"{}\"", one_line(&inside, VALUE_CHARS_MAX * 2));
            } else {
                line.push_str(&one_line(text, VALUE_CHARS_MAX * 2));
            }
        }
    }
}

/// Names that the line itself uses; a field of this name gets a `_` at its end.
const RESERVED: [&str; 4] = ["time", "level", "target", "message"];

/// `{"time":…,"level":"INFO","target":…,"message":…,"run":…}`
pub(super) fn json(head: &Head<'_>, around: Fields, message: &str, own: &Fields) -> String {
    let mut fields = around;
    // No key stands twice: of two values only one would survive a JSON parser.
    fields.lay_over(own);
    let mut line = format!("{{\"time\":\"{:.3}\",\"level\":\"{}\",\"target\":", head.at, head.level);
    json_text(&mut line, head.target);
    line.push_str(",\"message\":");
    json_text(&mut line, message);
    for (name, value) in &fields.0 {
        line.push(',');
        if RESERVED.contains(name) {
            json_text(&mut line, &format!("{name}_"))
        } else {
            json_text(&mut line, name)
        }
        line.push(':');
        match value {
            FieldValue::Bare(text) => line.push_str(text),
            FieldValue::Text(text) => json_text(&mut line, text),
        }
    }
    line.push_str("}\n");
    line
}

/// A JSON string in which everything that hides is an escape: a parser gives the value back unchanged, a terminal
/// shows what is there.
fn json_text(line: &mut String, text: &str) {
    line.push('"');
    for character in text.chars() {
        match character {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            hidden if hides(hidden) => json_escape(line, hidden),
            other => line.push(other),
        }
    }
    line.push('"');
}
