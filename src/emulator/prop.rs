//! Objects as the service shows them: ordered properties, each with the annotations that its type gets.

use std::borrow::Cow;

use jiff::Timestamp;
use uuid::Uuid;

/// One property's value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Prop {
    Null,
    Bool(bool),
    /// Strings, enums, sizes, time spans, references: whatever the service shows as a string.
    Text(Cow<'static, str>),
    Guid(Uuid),
    Int(i32),
    /// Shown with an offset: `2022-09-21T08:07:47.0000000+00:00`.
    Date(Timestamp),
    /// Shown with a `Z`.
    DateUtc(Timestamp),
    List(Vec<String>),
    /// Addresses, each shown inside of two objects.
    Senders(Vec<String>),
}

impl Prop {
    pub(super) fn text(text: impl Into<Cow<'static, str>>) -> Prop {
        Prop::Text(text.into())
    }

    /// How filters and identities see the value: as text. `None` is `$null`.
    pub(super) fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Prop::Null => None,
            Prop::Bool(true) => Some(Cow::Borrowed("True")),
            Prop::Bool(false) => Some(Cow::Borrowed("False")),
            Prop::Text(text) => Some(Cow::Borrowed(text)),
            Prop::Guid(id) => Some(Cow::Owned(id.to_string())),
            Prop::Int(number) => Some(Cow::Owned(number.to_string())),
            Prop::Date(at) | Prop::DateUtc(at) => Some(Cow::Owned(at.to_string())),
            Prop::List(items) | Prop::Senders(items) => Some(Cow::Owned(items.join(", "))),
        }
    }

    fn write(&self, name: &str, out: &mut Vec<u8>) {
        let data_type = match self {
            Prop::Guid(_) => Some("System.Guid"),
            Prop::Int(_) => Some("System.Int32"),
            Prop::Date(_) | Prop::DateUtc(_) => Some("System.DateTime"),
            _ => None,
        };
        let odata_type = match self {
            Prop::Guid(_) => Some("#Guid"),
            Prop::Int(_) => Some("#Int32"),
            Prop::List(_) => Some("#Collection(String)"),
            _ => None,
        };
        for (annotation, value) in [("data.type", data_type), ("odata.type", odata_type)] {
            if let Some(value) = value {
                out.extend_from_slice(format!("\"{name}@{annotation}\":\"{value}\",").as_bytes());
            }
        }
        out.extend_from_slice(format!("\"{name}\":").as_bytes());
        match self {
            Prop::Null => out.extend_from_slice(b"null"),
            Prop::Bool(true) => out.extend_from_slice(b"true"),
            Prop::Bool(false) => out.extend_from_slice(b"false"),
            Prop::Text(text) => json_string(text, out),
            Prop::Guid(id) => out.extend_from_slice(format!("\"{id}\"").as_bytes()),
            Prop::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Prop::Date(at) => {
                out.extend_from_slice(
                    at.strftime("\"%Y-%m-%dT%H:%M:%S.0000000+00:00\"").to_string().as_bytes(),
                );
            }
            Prop::DateUtc(at) => {
                out.extend_from_slice(at.strftime("\"%Y-%m-%dT%H:%M:%SZ\"").to_string().as_bytes());
            }
            Prop::List(items) => {
                out.push(b'[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    json_string(item, out);
                }
                out.push(b']');
            }
            Prop::Senders(items) => {
                let senders: Vec<_> =
                    items.iter().map(|item| serde_json::json!({"Sender": {"Address": item}})).collect();
                out.extend_from_slice(serde_json::Value::Array(senders).to_string().as_bytes());
            }
        }
    }
}

/// Writes `text` as a JSON string.
pub(super) fn json_string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(&mut *out, text).expect("writing a string into memory cannot fail");
}

/// One object: its properties in the order in which they are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Object(Vec<(&'static str, Prop)>);

impl Object {
    pub(super) fn new(properties: Vec<(&'static str, Prop)>) -> Object {
        Object(properties)
    }

    /// The property of this name in any case.
    pub(super) fn get(&self, name: &str) -> Option<&Prop> {
        self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, prop)| prop)
    }

    /// All properties, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &Prop)> {
        self.0.iter().map(|(name, prop)| (*name, prop))
    }

    /// The property's text; empty if there is none.
    pub(super) fn text(&self, name: &str) -> Cow<'_, str> {
        self.get(name).and_then(Prop::as_text).unwrap_or_default()
    }

    pub(super) fn set(&mut self, name: &'static str, prop: Prop) {
        match self.0.iter_mut().find(|(own, _)| *own == name) {
            Some((_, own)) => *own = prop,
            None => self.0.push((name, prop)),
        }
    }

    /// Drops every other property.
    pub(super) fn keep(&mut self, only: &[&str]) {
        self.0.retain(|(name, _)| only.contains(name));
    }

    /// Writes the object as JSON, only what `select` names; names that no property has are ignored.
    pub(super) fn write(&self, select: Option<&[String]>, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut first = true;
        for (name, prop) in &self.0 {
            if select.is_some_and(|wanted| !wanted.iter().any(|w| w.eq_ignore_ascii_case(name))) {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            prop.write(name, out);
        }
        out.push(b'}');
    }
}

/// A size as the service shows it: `99 GB (106,300,440,576 bytes)`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut shown = bytes as f64;
    while shown >= 1024.0 && unit + 1 < UNITS.len() {
        shown /= 1024.0;
        unit += 1;
    }
    let digits = bytes.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let shown = format!("{shown:.3}");
    let shown = shown.trim_end_matches('0').trim_end_matches('.');
    format!("{shown} {} ({grouped} bytes)", UNITS[unit])
}

/// Reads a size as a writer spells it (`50GB`, `50 GB (53,687,091,200 bytes)`, `1048576`), in bytes.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    if let Some((_, rest)) = text.split_once('(') {
        let digits: String = rest.chars().take_while(|c| *c != ')').filter(char::is_ascii_digit).collect();
        return digits.parse().ok();
    }
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: u64 = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        "TB" => 1 << 40,
        _ => return None,
    };
    match number.parse::<u64>() {
        Ok(number) => number.checked_mul(factor),
        Err(_) => number.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| (n * factor as f64) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_look_as_the_service_shows_them() {
        assert_eq!(size(106_300_440_576), "99 GB (106,300,440,576 bytes)");
        assert_eq!(size(262_144), "256 KB (262,144 bytes)");
        assert_eq!(parse_size("50GB"), Some(53_687_091_200));
        assert_eq!(parse_size("99 GB (106,300,440,576 bytes)"), Some(106_300_440_576));
        assert_eq!(parse_size("1.5 KB"), Some(1536));
        assert_eq!(parse_size("many"), None);
    }

    #[test]
    fn annotations_come_before_their_property_and_select_trims_both() {
        let object = Object::new(vec![
            ("Identity", Prop::text("a \"b\"\u{1F600}")),
            ("Guid", Prop::Guid(Uuid::nil())),
            ("EmailAddresses", Prop::List(vec!["SMTP:a@b.example".into()])),
            ("WhenChangedUTC", Prop::DateUtc("2026-09-21T08:07:47Z".parse().unwrap())),
            ("WhenChanged", Prop::Date("2026-09-21T08:07:47Z".parse().unwrap())),
        ]);
        let mut out = Vec::new();
        object.write(None, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"Identity\":\"a \\\"b\\\"\u{1F600}\",\
             \"Guid@data.type\":\"System.Guid\",\"Guid@odata.type\":\"#Guid\",\
             \"Guid\":\"00000000-0000-0000-0000-000000000000\",\
             \"EmailAddresses@odata.type\":\"#Collection(String)\",\"EmailAddresses\":[\"SMTP:a@b.example\"],\
             \"WhenChangedUTC@data.type\":\"System.DateTime\",\"WhenChangedUTC\":\"2026-09-21T08:07:47Z\",\
             \"WhenChanged@data.type\":\"System.DateTime\",\"WhenChanged\":\"2026-09-21T08:07:47.0000000+00:00\"}"
        );
        let mut out = Vec::new();
        object.write(Some(&["guid".to_owned(), "NoSuch".to_owned()]), &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"Guid@data.type\":\"System.Guid\",\"Guid@odata.type\":\"#Guid\",\
             \"Guid\":\"00000000-0000-0000-0000-000000000000\"}"
        );
    }
}
